-- Instants are INTEGER microseconds since 1970-01-01 UTC, durations INTEGER microseconds, flags 0 or 1, lists JSON.
-- Nothing here asks the time: every instant is passed in.

CREATE TABLE secret (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL CHECK (length(value) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE account (
    host TEXT NOT NULL,
    account TEXT NOT NULL,
    principal TEXT,
    addresses TEXT NOT NULL DEFAULT '[]',
    server TEXT,
    discovered_at INTEGER,
    last_error TEXT,
    failed_at INTEGER,
    PRIMARY KEY (host, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE calendar (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    account TEXT NOT NULL,
    href TEXT NOT NULL,
    name TEXT NOT NULL,
    busy INTEGER NOT NULL CHECK (busy IN (0, 1)),
    writable INTEGER CHECK (writable IN (0, 1)),
    sync_token TEXT,
    ctag TEXT,
    read_at INTEGER,
    listed_at INTEGER,
    strategy TEXT,
    last_error TEXT,
    failed_at INTEGER,
    UNIQUE (host, account, href)
) STRICT;

-- Calendar objects as the server sent them.
CREATE TABLE object (
    calendar INTEGER NOT NULL REFERENCES calendar (id) ON DELETE CASCADE,
    href TEXT NOT NULL,
    etag TEXT,
    data BLOB NOT NULL,
    UNIQUE (calendar, href)
) STRICT;

CREATE TABLE booking (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    meeting TEXT NOT NULL,
    title TEXT NOT NULL,
    location TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL CHECK (starts_at < ends_at),
    buffer_before INTEGER NOT NULL CHECK (buffer_before >= 0),
    buffer_after INTEGER NOT NULL CHECK (buffer_after >= 0),
    seats INTEGER NOT NULL CHECK (seats >= 1),
    state TEXT NOT NULL CHECK (state IN ('awaiting-email', 'awaiting-approval', 'reserved', 'confirmed', 'cancelled', 'declined', 'expired')),
    holds INTEGER NOT NULL GENERATED ALWAYS AS (state NOT IN ('cancelled', 'declined', 'expired')) STORED,
    guest_name TEXT NOT NULL,
    guest_email TEXT NOT NULL,
    guest_key TEXT NOT NULL,                      -- guest_email in lower case: who counts as one guest
    guest_note TEXT NOT NULL,
    guest_zone TEXT,
    answers TEXT NOT NULL,
    uid TEXT NOT NULL UNIQUE,
    sequence INTEGER NOT NULL,
    told INTEGER,                                 -- SEQUENCE of the last invitation that the guest was sent
    placed_by_host INTEGER NOT NULL CHECK (placed_by_host IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER,
    event_account TEXT,
    event_href TEXT,
    event_etag TEXT,
    guest_token_hash BLOB NOT NULL UNIQUE CHECK (length(guest_token_hash) = 32),
    confirm_token_hash BLOB UNIQUE CHECK (length(confirm_token_hash) = 32), -- NULL: the address is not to be confirmed
    host_token_hash BLOB NOT NULL UNIQUE CHECK (length(host_token_hash) = 32),
    CHECK ((event_account IS NULL) = (event_href IS NULL))
) STRICT;

CREATE INDEX booking_blocks ON booking (host, holds, ends_at + buffer_after);
CREATE INDEX booking_of_day ON booking (host, meeting, starts_at);
CREATE INDEX booking_of_guest ON booking (guest_key, host);
CREATE INDEX booking_ended ON booking (ends_at);
CREATE INDEX booking_lapses ON booking (expires_at) WHERE expires_at IS NOT NULL;

-- No two bookings of a host that hold their slots lie nearer than the greater of the buffers that face each other.
-- Only guests who share the seats of one slot may overlap, and a booking that the host placed by hand.
-- 'overlap' and 'seats' are words that the code reads.
CREATE TRIGGER booking_insert_keeps_slots_apart BEFORE INSERT ON booking
WHEN NEW.placed_by_host = 0 AND NEW.state NOT IN ('cancelled', 'declined', 'expired')
BEGIN
    SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
        SELECT 1 FROM booking AS other
        WHERE other.host = NEW.host AND other.holds = 1 AND other.id <> NEW.id
            AND other.ends_at + other.buffer_after > NEW.starts_at - NEW.buffer_before -- implied by the next line; for the index
            AND NEW.starts_at - other.ends_at < max(other.buffer_after, NEW.buffer_before)
            AND other.starts_at - NEW.ends_at < max(NEW.buffer_after, other.buffer_before)
            AND NOT (NEW.seats > 1 AND other.meeting = NEW.meeting AND other.starts_at = NEW.starts_at AND other.ends_at = NEW.ends_at)
    );
    SELECT RAISE(ABORT, 'seats') WHERE NEW.seats <= (
        SELECT count(*) FROM booking AS other
        WHERE other.host = NEW.host AND other.holds = 1 AND other.id <> NEW.id
            AND other.meeting = NEW.meeting AND other.starts_at = NEW.starts_at AND other.ends_at = NEW.ends_at
    );
END;

-- The same, when a booking takes another place or takes its place again. A change that leaves its place alone is not judged:
-- what the host placed over it, or the seats of a new config, must not keep it from being confirmed.
CREATE TRIGGER booking_update_keeps_slots_apart BEFORE UPDATE ON booking
WHEN NEW.placed_by_host = 0 AND NEW.state NOT IN ('cancelled', 'declined', 'expired') AND (
    OLD.state IN ('cancelled', 'declined', 'expired') OR OLD.placed_by_host <> 0 OR OLD.id <> NEW.id
    OR OLD.host <> NEW.host OR OLD.meeting <> NEW.meeting OR OLD.starts_at <> NEW.starts_at OR OLD.ends_at <> NEW.ends_at
    OR OLD.buffer_before <> NEW.buffer_before OR OLD.buffer_after <> NEW.buffer_after OR OLD.seats <> NEW.seats
)
BEGIN
    SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
        SELECT 1 FROM booking AS other
        WHERE other.host = NEW.host AND other.holds = 1 AND other.id <> OLD.id
            AND other.ends_at + other.buffer_after > NEW.starts_at - NEW.buffer_before -- implied by the next line; for the index
            AND NEW.starts_at - other.ends_at < max(other.buffer_after, NEW.buffer_before)
            AND other.starts_at - NEW.ends_at < max(NEW.buffer_after, other.buffer_before)
            AND NOT (NEW.seats > 1 AND other.meeting = NEW.meeting AND other.starts_at = NEW.starts_at AND other.ends_at = NEW.ends_at)
    );
    SELECT RAISE(ABORT, 'seats') WHERE NEW.seats <= (
        SELECT count(*) FROM booking AS other
        WHERE other.host = NEW.host AND other.holds = 1 AND other.id <> OLD.id
            AND other.meeting = NEW.meeting AND other.starts_at = NEW.starts_at AND other.ends_at = NEW.ends_at
    );
END;

CREATE TABLE idempotency (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    request BLOB NOT NULL CHECK (length(request) = 32),
    booking TEXT NOT NULL REFERENCES booking (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_of_booking ON idempotency (booking);

-- The outbox. AUTOINCREMENT: the order of ids is the order of effects, for good.
CREATE TABLE effect (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    booking TEXT NOT NULL REFERENCES booking (id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    lane TEXT NOT NULL CHECK (lane IN ('calendar', 'mail')),
    kind TEXT NOT NULL CHECK (kind IN ('put-event', 'delete-event', 'mail')),
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    claimed_until INTEGER,
    claimed_by TEXT,
    finished_at INTEGER,
    last_error TEXT
) STRICT;

CREATE INDEX effect_of_booking ON effect (booking, lane, state, id);
CREATE INDEX effect_due ON effect (lane, due_at) WHERE state = 'pending';
CREATE INDEX effect_failed ON effect (lane) WHERE state = 'failed';
CREATE INDEX effect_done ON effect (finished_at) WHERE state = 'done';

-- What counts against a rate limit.
CREATE TABLE hit (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX hit_of_key ON hit (kind, key, at);
CREATE INDEX hit_at ON hit (at);

-- The last good feeds, and since when they are as they are.
CREATE TABLE feed (
    host TEXT NOT NULL,
    meeting TEXT NOT NULL,
    etag TEXT NOT NULL,
    modified INTEGER NOT NULL,
    body BLOB,
    PRIMARY KEY (host, meeting)
) STRICT;
