-- The last four characters of a secret that was minted here; NULL: made elsewhere, or before they were kept.
ALTER TABLE app_secret ADD COLUMN IF NOT EXISTS ending text;
