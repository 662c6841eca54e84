-- Who writes the ledger: a chain each, and at its end one row that every commit of the writer moves on.
-- Whoever takes the row over raises the fence, and what the one before sends late changes nothing.
CREATE TABLE writer (
    writer int PRIMARY KEY,
    node text NOT NULL,
    holder bytea NOT NULL, -- the process that writes
    fence bigint NOT NULL,
    seq bigint NOT NULL, -- where the chain ends
    mac bytea NOT NULL,
    newest_at bigint NOT NULL -- the instant of its newest row, microseconds since 1970
);
CREATE INDEX writer_node ON writer (node);

-- Work that one node at a time does.
CREATE TABLE worker (
    name text PRIMARY KEY,
    holder bytea NOT NULL,
    fence bigint NOT NULL,
    until_ms bigint NOT NULL -- milliseconds since 1970 of the database's clock
);
INSERT INTO worker VALUES ('deliveries', '', 0, 0), ('retention', '', 0, 0) ON CONFLICT DO NOTHING;

-- Which root key everything was written under: a hash that tells nothing about it.
CREATE TABLE installation (
    one int PRIMARY KEY CHECK (one = 1),
    key_fingerprint bytea NOT NULL,
    is_whole boolean NOT NULL, -- false while another installation is copied into this database
    copies bigint NOT NULL -- how many were begun: the fence of the newest
);

-- Who serves, and when it was heard of last, by the database's clock.
CREATE TABLE node (
    name text PRIMARY KEY,
    release text NOT NULL,
    started_ms bigint NOT NULL,
    seen_ms bigint NOT NULL
);
