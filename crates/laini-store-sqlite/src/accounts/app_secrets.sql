-- Since when a secret is good, and when it last got a token; NULL: it is not known.
ALTER TABLE app_secret ADD COLUMN created INTEGER;
ALTER TABLE app_secret ADD COLUMN used INTEGER;
