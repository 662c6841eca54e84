-- One row: grows with every change; its lock lets writers through one by one.
CREATE TABLE accounts_meta (
    one int PRIMARY KEY CHECK (one = 1),
    version bigint NOT NULL,
    audits bigint NOT NULL -- the number of the newest audit row
);
INSERT INTO accounts_meta VALUES (1, 0, 0) ON CONFLICT DO NOTHING;

CREATE TABLE partner (
    id bigint PRIMARY KEY,
    name text NOT NULL UNIQUE,
    status text NOT NULL,
    rate_per_second bigint, -- NULL here and in every limit below: none
    rate_burst bigint,
    per_day bigint,
    per_month bigint
);

-- A partner's agreements are never changed: a new version is a new row, and the newest is in force.
CREATE TABLE agreement (
    id bigint PRIMARY KEY,
    partner bigint NOT NULL REFERENCES partner,
    valid_from bigint NOT NULL, -- microseconds since 1970, as every instant here
    swap_months bigint NOT NULL,
    registration_months bigint NOT NULL,
    pass_hashed_imsi boolean NOT NULL,
    purposes text NOT NULL, -- words with commas between them
    exact_times boolean NOT NULL
);
CREATE INDEX agreement_of_partner ON agreement (partner, valid_from);

CREATE TABLE agreement_price (
    agreement bigint NOT NULL REFERENCES agreement,
    product text NOT NULL,
    version bigint NOT NULL,
    currency text NOT NULL,
    set_up_minor bigint NOT NULL,
    free_units bigint NOT NULL,
    free_per_month boolean NOT NULL, -- in every month, or once
    monthly_minimum_minor bigint NOT NULL,
    PRIMARY KEY (agreement, product)
);

CREATE TABLE price_band (
    agreement bigint NOT NULL,
    product text NOT NULL,
    place bigint NOT NULL,
    up_to bigint, -- NULL: no end
    unit_minor bigint NOT NULL,
    PRIMARY KEY (agreement, product, place),
    FOREIGN KEY (agreement, product) REFERENCES agreement_price
);

CREATE TABLE app (
    id bigint PRIMARY KEY,
    partner bigint NOT NULL REFERENCES partner,
    name text NOT NULL,
    environment text NOT NULL,
    products text NOT NULL, -- words with commas between them
    status text NOT NULL,
    token_epoch bigint NOT NULL,
    consumer_key text NOT NULL UNIQUE,
    sentinel_with_time boolean, -- NULL: each product's own form
    single_token boolean NOT NULL,
    purpose text NOT NULL,
    probing_rate_per_second bigint, -- NULL: probing is only flagged
    probing_rate_burst bigint,
    client_certificate bytea, -- SHA-256 of it, NULL: any or none
    allowed_addresses text NOT NULL, -- networks, commas between, empty: anywhere
    UNIQUE (partner, name)
);

CREATE TABLE app_secret (
    app bigint NOT NULL REFERENCES app,
    place bigint NOT NULL,
    hash bytea NOT NULL, -- SHA-256: the secret itself is nowhere
    PRIMARY KEY (app, place)
);

CREATE TABLE app_limit (
    app bigint NOT NULL REFERENCES app,
    product text NOT NULL, -- a product, or 'all' for all of them together
    rate_per_second bigint,
    rate_burst bigint,
    per_day bigint,
    per_month bigint,
    PRIMARY KEY (app, product)
);

CREATE TABLE app_budget (
    app bigint PRIMARY KEY REFERENCES app,
    month_minor bigint NOT NULL,
    currency text NOT NULL,
    warn_at_percent text NOT NULL, -- numbers with commas between them
    overrun_percent bigint NOT NULL,
    hard_stop boolean NOT NULL
);

CREATE TABLE result_address (
    id bigint PRIMARY KEY,
    app bigint NOT NULL REFERENCES app,
    url text NOT NULL,
    proven bigint, -- NULL: not yet
    secret_generation bigint NOT NULL,
    previous_until bigint,
    UNIQUE (app, url)
);

CREATE TABLE operator_key (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    scopes text NOT NULL, -- words with commas between them
    hash bytea NOT NULL, -- SHA-256 of the secret part: the secret itself is nowhere
    created bigint NOT NULL,
    expires bigint NOT NULL,
    is_revoked boolean NOT NULL
);
CREATE UNIQUE INDEX operator_key_in_use ON operator_key (name) WHERE NOT is_revoked;

-- Append-only.
CREATE TABLE audit (
    number bigint PRIMARY KEY,
    at bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    reason text NOT NULL
);
