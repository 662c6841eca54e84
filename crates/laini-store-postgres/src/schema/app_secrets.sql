-- Since when a secret is good, and when it last got a token: NULL where it is not known.
ALTER TABLE app_secret ADD COLUMN IF NOT EXISTS created bigint;
ALTER TABLE app_secret ADD COLUMN IF NOT EXISTS used bigint;
