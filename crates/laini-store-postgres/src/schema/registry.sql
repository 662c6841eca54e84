-- Which generation of lines serves, and how far the history of events is. Every writer of the feed locks this row.
CREATE TABLE registry_state (
    one int PRIMARY KEY CHECK (one = 1),
    version bigint NOT NULL, -- moves with the generation and with what a feed says that it is complete to
    generation bigint, -- null = nothing was ever loaded
    last_generation bigint NOT NULL, -- the newest number that was given, also to a load that never served
    cut bigint, -- this and the other instants: microseconds since 1970
    history_since bigint NOT NULL,
    lines bigint NOT NULL,
    refused_rows bigint NOT NULL,
    last_event bigint NOT NULL,
    last_refused bigint NOT NULL
);
INSERT INTO registry_state VALUES (1, 0, NULL, 0, NULL, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING;

-- Who loads a snapshot: whoever raised the fence, until then, by the database's clock.
CREATE TABLE registry_load (
    one int PRIMARY KEY CHECK (one = 1),
    fence bigint NOT NULL,
    until_ms bigint NOT NULL
);
INSERT INTO registry_load VALUES (1, 0, 0) ON CONFLICT DO NOTHING;

-- The current rows, a partition for each generation. Instants in whole seconds since 1970.
CREATE TABLE line (
    generation bigint NOT NULL,
    msisdn bigint NOT NULL,
    registered bigint NOT NULL,
    flags bigint NOT NULL, -- status, contract, cause of the swap and marks
    swapped bigint,
    holder bigint,
    paired bigint,
    imsi bytea, -- sealed
    hashed_imsi text,
    PRIMARY KEY (generation, msisdn)
) PARTITION BY LIST (generation);

-- The line as the snapshot had it, copied when an event first changes it. Without flags: it had none.
CREATE TABLE line_base (
    generation bigint NOT NULL,
    msisdn bigint NOT NULL,
    registered bigint,
    flags bigint,
    swapped bigint,
    holder bigint,
    paired bigint,
    imsi bytea,
    hashed_imsi text,
    PRIMARY KEY (generation, msisdn)
);

-- Events of the history that could not be applied to a generation, and why.
CREATE TABLE unapplied (
    generation bigint NOT NULL,
    event bigint NOT NULL,
    refusal bigint NOT NULL,
    PRIMARY KEY (generation, event)
);

-- Every event, in order of arrival. Instants in microseconds since 1970.
CREATE TABLE event (
    seq bigint PRIMARY KEY,
    id text NOT NULL,
    source text NOT NULL,
    at bigint NOT NULL,
    recorded bigint NOT NULL,
    received bigint NOT NULL,
    kind bigint NOT NULL,
    msisdn bigint,
    new_msisdn bigint,
    imsi bytea, -- sealed
    amends text,
    UNIQUE (id, source)
);
CREATE INDEX event_msisdn ON event (msisdn);
CREATE INDEX event_new_msisdn ON event (new_msisdn) WHERE new_msisdn IS NOT NULL;
CREATE INDEX event_amends ON event (amends, source) WHERE amends IS NOT NULL;
CREATE INDEX event_known ON event (greatest(at, received));

CREATE TABLE feed (
    source text PRIMARY KEY,
    complete_until bigint NOT NULL
);

-- Rows of a feed that could not be read, what they say sealed. One that was read after all stays as a mark
-- that its line is to be derived anew, until the next snapshot.
CREATE TABLE refused (
    seq bigint PRIMARY KEY,
    msisdn bigint,
    at bigint NOT NULL,
    place text NOT NULL,
    reason text NOT NULL,
    received bigint NOT NULL,
    line bytea,
    is_settled bigint NOT NULL
);
CREATE INDEX refused_msisdn ON refused (msisdn) WHERE msisdn IS NOT NULL;
CREATE INDEX refused_place ON refused (place) WHERE line IS NULL;
CREATE INDEX refused_line ON refused (substr(line, 1, 12)) WHERE line IS NOT NULL
