#!/bin/sh
# Runs once, when the primary's directory is made: the account of standbys, and who may replicate.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$(cat /run/secrets/replication_password)" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE replicator REPLICATION LOGIN PASSWORD :'password';
SELECT pg_create_physical_replication_slot('standby');
SQL
echo 'host replication replicator all scram-sha-256' >> "$PGDATA/pg_hba.conf"
