-- When each address has used up nothing of its requests again (GCRA): what outlasts a restart.
CREATE TABLE request (
    address TEXT NOT NULL PRIMARY KEY,
    free_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
