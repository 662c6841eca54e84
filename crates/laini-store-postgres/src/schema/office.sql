-- What people and organisations did: records of many kinds, and the keys that they are found by.
CREATE TABLE record (
    kind text NOT NULL,
    id bigint NOT NULL,
    version bigint NOT NULL, -- grows by one with every change
    body bytea NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE record_key (
    kind text NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    place bigint NOT NULL, -- where the record stands among those of the same value
    id bigint NOT NULL,
    is_unique boolean NOT NULL, -- whether no other record of the kind may have this value
    PRIMARY KEY (kind, name, value, place, id)
);
CREATE UNIQUE INDEX record_key_unique ON record_key (kind, name, value) WHERE is_unique;
CREATE INDEX record_key_of ON record_key (kind, id);

CREATE TABLE document (
    digest bytea PRIMARY KEY, -- SHA-256 of the bytes
    bytes bytea NOT NULL
);

ALTER TABLE audit ADD COLUMN IF NOT EXISTS partner bigint; -- whom a row concerns, NULL: the operator alone
CREATE INDEX IF NOT EXISTS audit_of_partner ON audit (partner, number);
