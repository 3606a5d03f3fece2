-- Subscriptions, [name, href] each, that an account's server only names: their events cannot be read there.
ALTER TABLE account ADD COLUMN subscribed TEXT NOT NULL DEFAULT '[]';
