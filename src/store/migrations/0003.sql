-- What hosts are alerted to, and the mails that tell them.

-- 1: the last failure will not go away until the host acts.
ALTER TABLE effect ADD COLUMN needs_host INTEGER NOT NULL DEFAULT 0 CHECK (needs_host IN (0, 1));

-- What is wrong, and what is over and still to be told.
CREATE TABLE alert (
    host TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    what TEXT NOT NULL,
    since INTEGER NOT NULL,
    raised_at INTEGER,
    told_at INTEGER,
    ended_at INTEGER,
    PRIMARY KEY (host, kind, subject)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: the order of ids is the order of mails, for good.
CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    kind TEXT NOT NULL,
    over INTEGER NOT NULL CHECK (over IN (0, 1)),
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    last_error TEXT
) STRICT;

CREATE INDEX notice_due ON notice (due_at) WHERE state = 'pending';
CREATE INDEX notice_of_host ON notice (host, kind, over, created_at);
