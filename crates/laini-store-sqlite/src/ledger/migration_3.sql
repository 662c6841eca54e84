-- Checks of several writers, brought together in one file: where two ids begin with the same position, the
-- later of them stands at the next free place, under which all other tables have it too. Empty elsewhere.
CREATE TABLE displaced (
    place INTEGER PRIMARY KEY,
    position INTEGER NOT NULL, -- of its id
    tail INTEGER NOT NULL,
    UNIQUE (position, tail)
) STRICT;

-- Accepted checks and deliveries are told apart by their whole ids.
ALTER TABLE accepted RENAME TO accepted_2;
CREATE TABLE accepted (
    position INTEGER NOT NULL,
    tail INTEGER NOT NULL,
    at INTEGER NOT NULL,
    app INTEGER NOT NULL,
    product INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    repeat_key BLOB NOT NULL,
    repeat_window_s INTEGER NOT NULL,
    address INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (position, tail)
) STRICT;
INSERT INTO accepted SELECT * FROM accepted_2;
DROP TABLE accepted_2;

DROP INDEX delivery_due;
DROP INDEX delivery_leased;
DROP INDEX delivery_dead;
DROP INDEX delivery_kept;
ALTER TABLE delivery RENAME TO delivery_2;
CREATE TABLE delivery (
    position INTEGER NOT NULL,
    tail INTEGER NOT NULL,
    kind TEXT NOT NULL,
    app INTEGER NOT NULL,
    address INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sealed BLOB,
    attempts INTEGER NOT NULL,
    last_at INTEGER,
    last_status INTEGER,
    last_problem TEXT,
    state INTEGER NOT NULL, -- 1 due, 2 delivered, 3 given up
    due INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    PRIMARY KEY (position, tail)
) STRICT;
INSERT INTO delivery SELECT * FROM delivery_2;
DROP TABLE delivery_2;
CREATE INDEX delivery_due ON delivery (address, due) WHERE state = 1;
CREATE INDEX delivery_leased ON delivery (address) WHERE leased_until > 0;
CREATE INDEX delivery_dead ON delivery (position, tail) WHERE state = 3;
CREATE INDEX delivery_kept ON delivery (at) WHERE sealed IS NOT NULL;
