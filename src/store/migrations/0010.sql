-- The address that an account's calendars were found from: those of another are not looked for any more.
ALTER TABLE account ADD COLUMN url TEXT;
