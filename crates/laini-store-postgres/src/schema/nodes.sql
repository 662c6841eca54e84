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
