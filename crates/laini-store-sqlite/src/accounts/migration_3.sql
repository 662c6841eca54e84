-- What people and organisations did: records of many kinds, and the keys that they are found by.
CREATE TABLE record (
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    version INTEGER NOT NULL, -- grows by one with every change
    body BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE record_key (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    place INTEGER NOT NULL, -- where the record stands among those of the same value
    id INTEGER NOT NULL,
    is_unique INTEGER NOT NULL, -- whether no other record of the kind may have this value
    PRIMARY KEY (kind, name, value, place, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX record_key_unique ON record_key (kind, name, value) WHERE is_unique;
CREATE INDEX record_key_of ON record_key (kind, id);

CREATE TABLE document (
    digest BLOB PRIMARY KEY, -- SHA-256 of the bytes
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE audit ADD COLUMN partner INTEGER; -- whom a row concerns; NULL: the operator alone
CREATE INDEX audit_of_partner ON audit (partner, number);
