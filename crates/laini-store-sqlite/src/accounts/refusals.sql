-- Calls that were answered with an error: kept for a while, for people. No number stands here, only its keyed hash and
-- its masked form.
CREATE TABLE refusal (
    id BLOB PRIMARY KEY, -- 16 bytes; in their order, calls are in that of time
    at INTEGER NOT NULL,
    partner INTEGER NOT NULL,
    app INTEGER NOT NULL,
    environment TEXT NOT NULL,
    path TEXT NOT NULL, -- '': there is no such path
    product TEXT, -- NULL: the path is of no one product
    status INTEGER NOT NULL,
    code TEXT NOT NULL,
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    micros INTEGER NOT NULL,
    number_hash BLOB, -- NULL here and in the next: none, or forgotten
    masked TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX refusal_of_partner ON refusal (partner, id);
CREATE INDEX refusal_of_app ON refusal (app, id);
CREATE INDEX refusal_of_number ON refusal (number_hash) WHERE number_hash IS NOT NULL;
