-- One row per check, never updated. Instants are microseconds since 1970 (UTC), amounts minor units.
-- Keys of money start with the partner, so that a sharded engine can keep a partner's rows together.
CREATE TABLE ledger (
    position bigint NOT NULL, -- milliseconds and counter of the check's id
    tail bigint NOT NULL, -- its random bits
    writer int NOT NULL,
    seq bigint NOT NULL, -- the place in the writer's chain, from 1
    at bigint NOT NULL,
    partner bigint NOT NULL,
    app bigint NOT NULL,
    agreement bigint,
    product smallint NOT NULL, -- this and the next three: codes
    environment smallint NOT NULL,
    purpose smallint NOT NULL,
    outcome smallint NOT NULL,
    price_version bigint NOT NULL,
    list_minor bigint NOT NULL,
    charge_minor bigint NOT NULL,
    currency text NOT NULL,
    as_of bigint,
    policy_version bigint NOT NULL,
    side_digest bytea NOT NULL,
    mac bytea NOT NULL,
    reverses bytea, -- of a reversal: the id of the check whose charge it takes back
    PRIMARY KEY (partner, position, tail)
);

-- A writer mints a position once; and rows are read in the order of ids.
CREATE UNIQUE INDEX ledger_in_order ON ledger (position, writer, partner);

-- What must go one day, sealed under the key of its day.
CREATE TABLE subject (
    partner bigint NOT NULL,
    position bigint NOT NULL,
    tail bigint NOT NULL,
    number_hash bytea NOT NULL,
    repeat_key bytea NOT NULL,
    repeat_window_s smallint NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (partner, position, tail)
);
CREATE INDEX subject_in_order ON subject USING brin (position);

-- What a check keeps of its number once retention has forgotten the rest of its side row.
CREATE TABLE forgotten (
    partner bigint NOT NULL,
    position bigint NOT NULL,
    tail bigint NOT NULL,
    number_hash bytea NOT NULL,
    PRIMARY KEY (partner, position, tail)
);

-- Which checks are reversed; each once.
CREATE TABLE reversed (
    partner bigint NOT NULL,
    position bigint NOT NULL,
    tail bigint NOT NULL,
    by_position bigint NOT NULL, -- of the reversal
    PRIMARY KEY (partner, position, tail)
);

-- The charged checks that can still be repeated for free, whichever node is asked.
CREATE TABLE repeatable (
    partner bigint NOT NULL,
    repeat_key bytea NOT NULL,
    repeat_window_s smallint NOT NULL,
    charged_at bigint NOT NULL,
    repeats smallint NOT NULL,
    PRIMARY KEY (partner, repeat_key)
);

-- How many rows of each kind there are in each quarter of an hour. Each writer counts in rows of its
-- own: two that counted in one would wait for each other's commits.
CREATE TABLE usage (
    quarter bigint NOT NULL, -- quarters of an hour since 1970
    app bigint NOT NULL,
    product smallint NOT NULL, -- this and the next two: codes, as in ledger
    environment smallint NOT NULL,
    outcome smallint NOT NULL,
    writer int NOT NULL,
    checks bigint NOT NULL,
    charged_minor bigint NOT NULL,
    PRIMARY KEY (quarter, app, product, environment, outcome, writer)
);

-- Answers under callers' idempotency keys; sealed under the key of the day of the instant.
CREATE TABLE answer (
    key bytea PRIMARY KEY,
    request bytea NOT NULL,
    at bigint NOT NULL,
    sealed bytea NOT NULL
);
CREATE INDEX answer_at ON answer (at);

-- Who holds an idempotency key while its request runs. A row that is out of date stands for nobody.
CREATE TABLE answer_claim (
    key bytea PRIMARY KEY,
    holder bytea NOT NULL, -- a process
    turn bigint NOT NULL, -- which of its claims
    until_ms bigint NOT NULL -- milliseconds since 1970 of the database's clock
);

-- Accepted checks that are not decided yet; number and reference sealed under the key of their day.
CREATE TABLE accepted (
    position bigint NOT NULL,
    tail bigint NOT NULL,
    at bigint NOT NULL,
    app bigint NOT NULL,
    product smallint NOT NULL,
    purpose smallint NOT NULL,
    repeat_key bytea NOT NULL,
    repeat_window_s smallint NOT NULL,
    address bigint NOT NULL,
    leased_until bigint NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (position, tail)
);

-- Deliveries; bodies sealed under the key of their day, NULL once forgotten.
CREATE TABLE delivery (
    position bigint NOT NULL,
    tail bigint NOT NULL,
    kind text NOT NULL,
    app bigint NOT NULL,
    address bigint NOT NULL,
    at bigint NOT NULL,
    sealed bytea,
    attempts bigint NOT NULL,
    last_at bigint,
    last_status int,
    last_problem text,
    state smallint NOT NULL, -- 1 due, 2 delivered, 3 given up
    due bigint NOT NULL,
    leased_until bigint NOT NULL,
    PRIMARY KEY (position, tail)
);
CREATE INDEX delivery_due ON delivery (address, due) WHERE state = 1;
CREATE INDEX delivery_leased ON delivery (address) WHERE leased_until > 0;
CREATE INDEX delivery_dead ON delivery (position) WHERE state = 3;
CREATE INDEX delivery_kept ON delivery (at) WHERE sealed IS NOT NULL;

-- The keys of days, sealed under a key that is not in the database.
CREATE TABLE day_key (
    day bigint PRIMARY KEY, -- days since 1970
    sealed bytea NOT NULL
);
