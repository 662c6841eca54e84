-- Agreements that begin on their date, and end.
ALTER TABLE agreement ADD COLUMN valid_until INTEGER; -- NULL: not of itself
ALTER TABLE agreement ADD COLUMN is_dated INTEGER NOT NULL DEFAULT 0; -- 1: was to come when it was added
