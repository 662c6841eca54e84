-- Agreements that begin on their date, and end.
ALTER TABLE agreement ADD COLUMN IF NOT EXISTS valid_until bigint; -- NULL: not of itself
ALTER TABLE agreement ADD COLUMN IF NOT EXISTS is_dated boolean NOT NULL DEFAULT false; -- was to come when it was added
