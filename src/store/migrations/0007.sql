-- The host's desk.

-- Links that open it once. The token is derived from `id` and a key that is not here; `hash` is its SHA-256.
CREATE TABLE desk_link (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    host TEXT,                                    -- NULL: it opens nothing; somebody asked for a link who is no host
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    due_at INTEGER,                               -- when it is to be mailed; NULL: it is not, or no longer
    attempts INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX desk_link_due ON desk_link (due_at) WHERE due_at IS NOT NULL;

-- `hash` is the SHA-256 of what the cookie has.
CREATE TABLE desk_session (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    host TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Hosts who take no new bookings for now. Before `until`; NULL: until they say otherwise.
CREATE TABLE pause (
    host TEXT NOT NULL PRIMARY KEY,
    since INTEGER NOT NULL,
    until INTEGER
) STRICT, WITHOUT ROWID;

-- What a host notes of a booking for themselves. It goes with the booking.
CREATE TABLE mark (
    booking TEXT NOT NULL PRIMARY KEY REFERENCES booking (id) ON DELETE CASCADE,
    note TEXT NOT NULL DEFAULT '',
    attendance TEXT CHECK (attendance IN ('came', 'missed'))
) STRICT, WITHOUT ROWID;
