CREATE TABLE meta (version INTEGER NOT NULL) STRICT; -- one row; grows with every change
INSERT INTO meta VALUES (0);

CREATE TABLE partner (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- A partner's agreements are never changed: a new version is a new row, and the newest is in force.
CREATE TABLE agreement (
    id INTEGER PRIMARY KEY,
    partner INTEGER NOT NULL REFERENCES partner,
    valid_from INTEGER NOT NULL, -- microseconds since 1970, as every instant here
    swap_months INTEGER NOT NULL,
    registration_months INTEGER NOT NULL,
    pass_hashed_imsi INTEGER NOT NULL
) STRICT;
CREATE INDEX agreement_of_partner ON agreement (partner, valid_from);

CREATE TABLE agreement_price (
    agreement INTEGER NOT NULL REFERENCES agreement,
    product TEXT NOT NULL,
    version INTEGER NOT NULL,
    currency TEXT NOT NULL,
    set_up_minor INTEGER NOT NULL,
    free_units INTEGER NOT NULL,
    free_per_month INTEGER NOT NULL, -- 1: in every month, 0: once
    monthly_minimum_minor INTEGER NOT NULL,
    PRIMARY KEY (agreement, product)
) STRICT, WITHOUT ROWID;

CREATE TABLE price_band (
    agreement INTEGER NOT NULL,
    product TEXT NOT NULL,
    place INTEGER NOT NULL,
    up_to INTEGER, -- NULL: no end
    unit_minor INTEGER NOT NULL,
    PRIMARY KEY (agreement, product, place),
    FOREIGN KEY (agreement, product) REFERENCES agreement_price
) STRICT, WITHOUT ROWID;

CREATE TABLE app (
    id INTEGER PRIMARY KEY,
    partner INTEGER NOT NULL REFERENCES partner,
    name TEXT NOT NULL,
    environment TEXT NOT NULL,
    products TEXT NOT NULL, -- words with commas between them
    is_revoked INTEGER NOT NULL,
    token_epoch INTEGER NOT NULL,
    consumer_key TEXT NOT NULL UNIQUE,
    sentinel_with_time INTEGER, -- NULL: each product's own form
    single_token INTEGER NOT NULL,
    UNIQUE (partner, name)
) STRICT;

CREATE TABLE app_secret (
    app INTEGER NOT NULL REFERENCES app,
    place INTEGER NOT NULL,
    hash BLOB NOT NULL, -- SHA-256; the secret itself is nowhere
    PRIMARY KEY (app, place)
) STRICT, WITHOUT ROWID;

-- Append-only.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
