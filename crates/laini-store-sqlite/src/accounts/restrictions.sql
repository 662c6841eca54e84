-- Which numbers are restricted. A lifted restriction stays, so that servers learn of it.
CREATE TABLE restriction (
    number_hash BLOB PRIMARY KEY,
    until INTEGER,                -- holdings that began by then; the largest number: any; NULL: lifted
    change INTEGER NOT NULL       -- the version of the accounts that it came with
) STRICT, WITHOUT ROWID;
CREATE INDEX restriction_changed ON restriction (change, number_hash);
