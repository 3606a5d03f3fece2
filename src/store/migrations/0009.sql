-- LOCATION of a booking's event as it was last read: a server may write it in its own way, and what differs from this is the host's edit.
ALTER TABLE booking ADD COLUMN event_location TEXT NOT NULL DEFAULT '';
UPDATE booking SET event_location = location;
