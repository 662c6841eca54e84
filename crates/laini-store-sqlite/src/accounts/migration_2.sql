-- Suspension, limits, budgets, purposes, result addresses and operator keys. What was there before is
-- active, without limits, and may ask for every purpose, as it could until now.

ALTER TABLE partner ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
ALTER TABLE partner ADD COLUMN rate_per_second INTEGER; -- NULL here and in every limit below: none
ALTER TABLE partner ADD COLUMN rate_burst INTEGER;
ALTER TABLE partner ADD COLUMN per_day INTEGER;
ALTER TABLE partner ADD COLUMN per_month INTEGER;

ALTER TABLE agreement ADD COLUMN purposes TEXT NOT NULL DEFAULT 'fraud_prevention,onboarding,cheque_confirmation';
ALTER TABLE agreement ADD COLUMN exact_times INTEGER NOT NULL DEFAULT 0;

ALTER TABLE app ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
UPDATE app SET status = 'revoked' WHERE is_revoked;
ALTER TABLE app DROP COLUMN is_revoked;
ALTER TABLE app ADD COLUMN purpose TEXT NOT NULL DEFAULT 'fraud_prevention';
ALTER TABLE app ADD COLUMN probing_rate_per_second INTEGER; -- NULL: probing is only flagged
ALTER TABLE app ADD COLUMN probing_rate_burst INTEGER;
ALTER TABLE app ADD COLUMN client_certificate BLOB; -- SHA-256 of it; NULL: any or none
ALTER TABLE app ADD COLUMN allowed_addresses TEXT NOT NULL DEFAULT ''; -- networks, commas between; '': anywhere

CREATE TABLE app_limit (
    app INTEGER NOT NULL REFERENCES app,
    product TEXT NOT NULL, -- a product, or 'all' for all of them together
    rate_per_second INTEGER,
    rate_burst INTEGER,
    per_day INTEGER,
    per_month INTEGER,
    PRIMARY KEY (app, product)
) STRICT, WITHOUT ROWID;

CREATE TABLE app_budget (
    app INTEGER PRIMARY KEY REFERENCES app,
    month_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    warn_at_percent TEXT NOT NULL, -- numbers with commas between them
    overrun_percent INTEGER NOT NULL,
    hard_stop INTEGER NOT NULL
) STRICT;

CREATE TABLE result_address (
    id INTEGER PRIMARY KEY,
    app INTEGER NOT NULL REFERENCES app,
    url TEXT NOT NULL,
    proven INTEGER, -- NULL: not yet
    secret_generation INTEGER NOT NULL,
    previous_until INTEGER,
    UNIQUE (app, url)
) STRICT;

CREATE TABLE operator_key (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL, -- words with commas between them
    hash BLOB NOT NULL, -- SHA-256 of the secret part; the secret itself is nowhere
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    is_revoked INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX operator_key_in_use ON operator_key (name) WHERE NOT is_revoked;
