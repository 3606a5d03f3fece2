-- Answers of guests' calendars that come by mail; whom invitations come from; lists of the day as they were decided.

ALTER TABLE booking ADD COLUMN answered TEXT;                -- the last answer that was believed, as JSON
ALTER TABLE booking ADD COLUMN organizer TEXT;               -- ORGANIZER of its invitations, as JSON; NULL: settled at the next start

-- How far a mailbox was read.
CREATE TABLE inbox (
    name TEXT NOT NULL PRIMARY KEY,                          -- user, server and folder
    validity INTEGER NOT NULL,                               -- UIDVALIDITY: with another, the UIDs mean nothing
    uid INTEGER NOT NULL,                                    -- the UID of the last message that was read
    read_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE digest ADD COLUMN payload TEXT NOT NULL DEFAULT ''; -- the list, as JSON; empty once it is done, for it names guests
