-- One row per check, never updated. Instants are microseconds since 1970 (UTC), amounts minor units.
CREATE TABLE ledger (
    position INTEGER PRIMARY KEY, -- milliseconds and counter of the check's id
    tail INTEGER NOT NULL,        -- its random bits
    writer INTEGER NOT NULL,
    seq INTEGER NOT NULL,         -- the place in the writer's chain, from 1
    at INTEGER NOT NULL,
    partner INTEGER NOT NULL,
    app INTEGER NOT NULL,
    agreement INTEGER,
    product INTEGER NOT NULL,     -- this and the next three: codes, in words in the view below
    environment INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    price_version INTEGER NOT NULL,
    list_minor INTEGER NOT NULL,
    charge_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    as_of INTEGER,
    policy_version INTEGER NOT NULL,
    side_digest BLOB NOT NULL,
    mac BLOB NOT NULL
) STRICT;

-- What must go one day, sealed under the key of its day.
CREATE TABLE subject (
    position INTEGER PRIMARY KEY,
    number_hash BLOB NOT NULL,
    repeat_key BLOB NOT NULL,
    repeat_window_s INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

-- For people who open the file.
CREATE VIEW checks AS SELECT
    position,
    strftime('%Y-%m-%dT%H:%M:%fZ', at / 1e6, 'unixepoch') AS at,
    printf('%016x', partner) AS partner,
    printf('%016x', app) AS app,
    CASE product WHEN 1 THEN 'imsi' WHEN 2 THEN 'swap' WHEN 3 THEN 'age' END AS product,
    CASE environment WHEN 1 THEN 'sandbox' WHEN 2 THEN 'production' END AS environment,
    CASE purpose WHEN 1 THEN 'fraud_prevention' WHEN 2 THEN 'onboarding' WHEN 3 THEN 'cheque_confirmation' END AS purpose,
    CASE outcome WHEN 1 THEN 'answered' WHEN 2 THEN 'repeated' WHEN 3 THEN 'not_served' WHEN 4 THEN 'unknown'
        WHEN 5 THEN 'withheld' END AS outcome,
    charge_minor,
    currency
FROM ledger;
