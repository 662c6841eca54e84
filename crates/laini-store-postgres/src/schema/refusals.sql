-- Calls that were answered with an error: kept for a while, for people. No number stands here, only its keyed hash and
-- its masked form.
CREATE TABLE refusal (
    id bytea PRIMARY KEY, -- 16 bytes, in whose order calls are in that of time
    at bigint NOT NULL,
    partner bigint NOT NULL,
    app bigint NOT NULL,
    environment text NOT NULL,
    path text NOT NULL, -- empty: there is no such path
    product text, -- NULL: the path is of no one product
    status bigint NOT NULL,
    code text NOT NULL,
    stage text NOT NULL,
    reason text NOT NULL,
    micros bigint NOT NULL,
    number_hash bytea, -- NULL here and in the next: none, or forgotten
    masked text
);
CREATE INDEX refusal_of_partner ON refusal (partner, id);
CREATE INDEX refusal_of_app ON refusal (app, id);
CREATE INDEX refusal_of_number ON refusal (number_hash) WHERE number_hash IS NOT NULL;
