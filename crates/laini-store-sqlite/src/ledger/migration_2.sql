-- Of a reversal: the id of the check whose charge it takes back, as 16 bytes. Older rows have none.
ALTER TABLE ledger ADD COLUMN reverses BLOB;

-- Which checks are reversed, by their positions; each once.
CREATE TABLE reversed (
    position INTEGER PRIMARY KEY,
    by_position INTEGER NOT NULL -- of the reversal
) STRICT;

-- What a check keeps of its number once retention has forgotten the rest of its side row.
CREATE TABLE forgotten (
    position INTEGER PRIMARY KEY,
    number_hash BLOB NOT NULL
) STRICT;

-- How many rows of each kind there are in each quarter of an hour.
CREATE TABLE usage (
    quarter INTEGER NOT NULL, -- quarters of an hour since 1970
    app INTEGER NOT NULL,
    product INTEGER NOT NULL, -- this and the next two: codes, as in ledger
    environment INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    checks INTEGER NOT NULL,
    charged_minor INTEGER NOT NULL,
    PRIMARY KEY (quarter, app, product, environment, outcome)
) STRICT, WITHOUT ROWID;

-- Counters reach back for a month (32 days of milliseconds, as a difference of positions): longer than
-- any limit looks. Counting every row of a large ledger would keep the server from starting.
INSERT INTO usage
SELECT at / 900000000, app, product, environment, outcome, count(*), sum(charge_minor)
FROM ledger
WHERE position >= (SELECT coalesce(max(position), 0) FROM ledger) - (2764800000 << 12)
GROUP BY 1, 2, 3, 4, 5;

-- Answers under callers' idempotency keys; sealed under the key of the day of `at`.
CREATE TABLE answer (
    key BLOB NOT NULL UNIQUE,
    request BLOB NOT NULL,
    at INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX answer_at ON answer (at);

-- Accepted checks that are not decided yet; number and reference sealed under the key of the day of `at`.
CREATE TABLE accepted (
    position INTEGER PRIMARY KEY,
    tail INTEGER NOT NULL,
    at INTEGER NOT NULL,
    app INTEGER NOT NULL,
    product INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    repeat_key BLOB NOT NULL,
    repeat_window_s INTEGER NOT NULL,
    address INTEGER NOT NULL,
    leased_until INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

-- Deliveries; bodies sealed under the key of the day of `at`, NULL once forgotten.
CREATE TABLE delivery (
    position INTEGER PRIMARY KEY,
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
    leased_until INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_due ON delivery (address, due) WHERE state = 1;
CREATE INDEX delivery_leased ON delivery (address) WHERE leased_until > 0;
CREATE INDEX delivery_dead ON delivery (position) WHERE state = 3;
CREATE INDEX delivery_kept ON delivery (at) WHERE sealed IS NOT NULL;

DROP VIEW checks;
CREATE VIEW checks AS SELECT
    position,
    strftime('%Y-%m-%dT%H:%M:%fZ', at / 1e6, 'unixepoch') AS at,
    printf('%016x', partner) AS partner,
    printf('%016x', app) AS app,
    CASE product WHEN 1 THEN 'imsi' WHEN 2 THEN 'swap' WHEN 3 THEN 'age' END AS product,
    CASE environment WHEN 1 THEN 'sandbox' WHEN 2 THEN 'production' END AS environment,
    CASE purpose WHEN 1 THEN 'fraud_prevention' WHEN 2 THEN 'onboarding' WHEN 3 THEN 'cheque_confirmation' END AS purpose,
    CASE outcome WHEN 1 THEN 'answered' WHEN 2 THEN 'repeated' WHEN 3 THEN 'not_served' WHEN 4 THEN 'unknown'
        WHEN 5 THEN 'withheld' WHEN 6 THEN 'reversal' END AS outcome,
    charge_minor,
    currency,
    (SELECT by_position FROM reversed WHERE reversed.position = ledger.position) AS reversed_by
FROM ledger;
