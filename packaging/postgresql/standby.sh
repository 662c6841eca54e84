#!/bin/sh
# Copies the primary once, then follows it under the name that the primary waits for.
set -eu
export PGPASSFILE=/tmp/pgpass
printf 'primary:5432:*:replicator:%s\n' "$(cat /run/secrets/replication_password)" > "$PGPASSFILE"
chmod 0600 "$PGPASSFILE"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    pg_basebackup --host=primary --username=replicator --pgdata="$PGDATA" --write-recovery-conf --slot=standby \
        --checkpoint=fast --no-password
fi
exec postgres -c "primary_conninfo=host=primary user=replicator passfile=$PGPASSFILE application_name=standby" \
    -c primary_slot_name=standby -c hot_standby=on -c wal_retrieve_retry_interval=500ms
