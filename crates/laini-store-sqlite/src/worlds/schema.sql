CREATE TABLE meta (version INTEGER NOT NULL) STRICT; -- one row; grows with every change of any world
INSERT INTO meta VALUES (0);

CREATE TABLE world (
    app INTEGER PRIMARY KEY,
    version INTEGER NOT NULL, -- meta's at its newest change
    used INTEGER NOT NULL, -- microseconds since 1970, as every instant here
    ahead_us INTEGER NOT NULL, -- how far its clock is ahead
    feed_stopped INTEGER, -- NULL: it runs
    events_ever INTEGER NOT NULL
) STRICT;
CREATE INDEX world_used ON world (used);

-- Lines before the events of the same number; words as the feed writes them.
CREATE TABLE line (
    app INTEGER NOT NULL REFERENCES world ON DELETE CASCADE,
    msisdn INTEGER NOT NULL,
    source_rejected INTEGER NOT NULL,
    status TEXT, -- NULL: nothing is known but that row
    imsi INTEGER, -- made up
    registered INTEGER,
    holder_since INTEGER,
    last_swap INTEGER,
    swap_cause TEXT,
    contract TEXT,
    restricted INTEGER,
    hashed_imsi TEXT,
    PRIMARY KEY (app, msisdn)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    app INTEGER NOT NULL REFERENCES world ON DELETE CASCADE,
    number INTEGER NOT NULL,
    msisdn INTEGER NOT NULL,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    new_msisdn INTEGER,
    PRIMARY KEY (app, number)
) STRICT, WITHOUT ROWID;
