-- One row: grows with every change of any world.
CREATE TABLE world_meta (
    one int PRIMARY KEY CHECK (one = 1),
    version bigint NOT NULL
);
INSERT INTO world_meta VALUES (1, 0) ON CONFLICT DO NOTHING;

CREATE TABLE world (
    app bigint PRIMARY KEY,
    version bigint NOT NULL, -- that of world_meta at its newest change
    used bigint NOT NULL, -- microseconds since 1970, as every instant here
    ahead_us bigint NOT NULL, -- how far its clock is ahead
    feed_stopped bigint, -- NULL: it runs
    events_ever bigint NOT NULL
);
CREATE INDEX world_used ON world (used);

-- Lines before the events of the same number, words as the feed writes them.
CREATE TABLE world_line (
    app bigint NOT NULL REFERENCES world ON DELETE CASCADE,
    msisdn bigint NOT NULL,
    source_rejected boolean NOT NULL,
    status text, -- NULL: nothing is known but that row
    imsi bigint, -- made up
    registered bigint,
    holder_since bigint,
    last_swap bigint,
    swap_cause text,
    contract text,
    restricted boolean,
    hashed_imsi text,
    PRIMARY KEY (app, msisdn)
);

CREATE TABLE world_event (
    app bigint NOT NULL REFERENCES world ON DELETE CASCADE,
    number bigint NOT NULL,
    msisdn bigint NOT NULL,
    at bigint NOT NULL,
    what text NOT NULL,
    new_msisdn bigint,
    PRIMARY KEY (app, number)
);
