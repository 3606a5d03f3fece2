-- Events of bookings that are gone from the calendar: since when, and whether so many went at once that it is not believed of itself.
CREATE TABLE missing_event (
    booking TEXT NOT NULL PRIMARY KEY REFERENCES booking (id) ON DELETE CASCADE,
    since INTEGER NOT NULL,
    doubted INTEGER NOT NULL DEFAULT 0 CHECK (doubted IN (0, 1))
) STRICT, WITHOUT ROWID;

-- How each source of busy time did at its last pass, for commands beside the daemon. trouble: a word; NULL: all is well.
CREATE TABLE source (
    host TEXT NOT NULL,
    source TEXT NOT NULL,                         -- an account's id, or a name that no account can have
    read_at INTEGER,                              -- when all of it was last read
    trouble TEXT,
    since INTEGER,                                -- of the trouble
    what TEXT,                                    -- the trouble in words, for the host
    looked_at INTEGER NOT NULL,                   -- when the last pass ended
    next_at INTEGER NOT NULL,                     -- when the next begins, unless somebody asks for one before
    PRIMARY KEY (host, source)
) STRICT, WITHOUT ROWID;
