-- Distributes the tables of a laini database over the workers of Citus. Not run by us until somebody runs it.
--
-- Once, as the owner of the tables: let one node set them up (`laini serve` against an empty database, then stop it),
-- run this on the coordinator, and run the contract suite against a database that was set up like that
-- (CONTRIBUTING.md) before anything is trusted to it. The statements refuse tables that are distributed already.
--
-- What is asked together lies together: money by partner, lines by number. A commit of a node's chain holds checks
-- of many partners, so it is a transaction over several workers (two-phase commit): slower than on one server, and
-- the statement's parts go through the coordinator. Where partners can be divided among several databases instead,
-- each with nodes of its own, that is simpler and faster: docs/guide/scale.md.

BEGIN;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- Small, and joined with everything: a copy on every worker.
SELECT create_reference_table('partner');
SELECT create_reference_table('agreement');
SELECT create_reference_table('agreement_price');
SELECT create_reference_table('price_band');
SELECT create_reference_table('app');
SELECT create_reference_table('app_secret');
SELECT create_reference_table('app_limit');
SELECT create_reference_table('app_budget');
SELECT create_reference_table('result_address');

-- Money, by partner. Their keys begin with it, and so does every one of their joins.
SELECT create_distributed_table('ledger', 'partner', shard_count => 64);
SELECT create_distributed_table('subject', 'partner', colocate_with => 'ledger');
SELECT create_distributed_table('forgotten', 'partner', colocate_with => 'ledger');
SELECT create_distributed_table('reversed', 'partner', colocate_with => 'ledger');
SELECT create_distributed_table('repeatable', 'partner', colocate_with => 'ledger');

-- Counters and shares of limits, by app or by what is limited.
SELECT create_distributed_table('usage', 'app', shard_count => 32, colocate_with => 'none');
SELECT create_distributed_table('allowance', 'id', shard_count => 32, colocate_with => 'none');
SELECT create_distributed_table('pace', 'id', colocate_with => 'allowance');

-- Stored answers and who holds a key, by key.
SELECT create_distributed_table('answer', 'key', shard_count => 32, colocate_with => 'none');
SELECT create_distributed_table('answer_claim', 'key', colocate_with => 'answer');

-- Lines, by number. A generation is a partition; what is attached later is distributed with it.
SELECT create_distributed_table('line', 'msisdn', shard_count => 64, colocate_with => 'none');
SELECT create_distributed_table('line_base', 'msisdn', colocate_with => 'line');

-- Worlds of sandbox apps, by app.
SELECT create_distributed_table('world', 'app', shard_count => 8, colocate_with => 'none');
SELECT create_distributed_table('world_line', 'app', colocate_with => 'world');
SELECT create_distributed_table('world_event', 'app', colocate_with => 'world');

COMMIT;

-- These stay on the coordinator, where a single row orders all writers or a key is not of one subject:
--   accounts_meta, operator_key, audit, world_meta, laini_schema, installation, node, worker, writer, day_key,
--   registry_state, registry_load, event (unique by id and source, not by number), unapplied, feed, refused,
--   accepted, delivery (leased in the order in which they fall due).
-- `writer` is in every commit: with the coordinator gone nothing is recorded, so it needs its synchronous standby
-- as much as every worker does.
