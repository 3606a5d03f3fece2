-- Mails in the guest's language, reminders, the host's list of a day.

ALTER TABLE booking ADD COLUMN guest_language TEXT;          -- a tag; NULL: the host's
ALTER TABLE booking ADD COLUMN told_start INTEGER;           -- the time that the last invitation said
ALTER TABLE booking ADD COLUMN told_end INTEGER;
ALTER TABLE booking ADD COLUMN declined INTEGER;             -- SEQUENCE of the invitation that the guest's calendar declined
ALTER TABLE booking ADD COLUMN firm_at INTEGER NOT NULL DEFAULT 0; -- since when it is confirmed at this time
ALTER TABLE booking ADD COLUMN reminded_at INTEGER;          -- when the last reminder was due
UPDATE booking SET firm_at = updated_at;
UPDATE booking SET told_start = starts_at, told_end = ends_at WHERE told IS NOT NULL;

CREATE INDEX booking_ahead ON booking (host, state, starts_at);

-- The host's list of a day, by the host's date: once a day.
CREATE TABLE digest (
    host TEXT NOT NULL,
    day TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0 CHECK (done IN (0, 1)),
    PRIMARY KEY (host, day)
) STRICT, WITHOUT ROWID;
