-- The zone of a calendar's floating times and dates, as its server says it (RFC 4791 5.2.2, RFC 7809 5.2).
ALTER TABLE calendar ADD COLUMN time_zone TEXT;
