-- The bench fills `lines` by COPY from the sample's columns, in their order, then adds the key.
CREATE UNLOGGED TABLE sample (
  msisdn bigint, imsi text, registered_at timestamptz, last_swap_at timestamptz,
  swap_cause text, status text, contract_type text
);
\copy sample FROM 'sample.csv' WITH (FORMAT csv, HEADER)
CREATE TABLE lines AS
  SELECT msisdn, imsi, registered_at, last_swap_at, status FROM sample ORDER BY msisdn;
DROP TABLE sample;
ALTER TABLE lines ADD PRIMARY KEY (msisdn);
VACUUM ANALYZE lines;

-- Append-only; no index besides the key, and no counter row that every check would wait for.
CREATE TABLE ledger (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  request_id uuid NOT NULL,
  app text NOT NULL,
  msisdn bigint NOT NULL,
  registered_at timestamptz,
  last_swap_at timestamptz,
  charge_cents integer NOT NULL
);
