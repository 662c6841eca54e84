use laini_store::copy::CopyError;

use crate::columns::Columns;
use crate::database::{Link, NOW_MS, Stop, Transaction, params};
use crate::error::DbError;
use crate::nodes::HEARD_WITHIN_MS;
use crate::registry::generations;

/// Tables whose rows are what is remembered: where one of them has any, the database is not empty.
const REMEMBERED: &[&str] = &[
    "ledger",
    "subject",
    "answer",
    "accepted",
    "delivery",
    "partner",
    "audit",
    "operator_key",
    "restriction",
    "refusal",
    "record",
    "document",
    "world",
    "event",
    "refused",
    "feed",
    "day_key",
    "writer",
];

/// What a copy that died may have left, and what nodes keep for moments.
const EMPTIED: &str = "TRUNCATE ledger, subject, forgotten, reversed, repeatable, usage, answer, answer_claim, accepted, \
    delivery, day_key, allowance, pace, writer, line_base, unapplied, event, feed, refused, world_meta, world, \
    world_line, world_event, accounts_meta, partner, agreement, agreement_price, price_band, app, app_secret, app_limit, \
    app_budget, result_address, operator_key, restriction, refusal, audit, record, record_key, document";

/// Prepares reading. Returns the generation that serves, and when this began, by the database's clock.
pub(super) async fn reading(link: &Link, keys: &[u8]) -> Result<(Option<i64>, i64), CopyError> {
    let since_ms = now_ms(link).await?;
    nobody_served(link, since_ms - HEARD_WITHIN_MS).await?;
    match installation(link).await? {
        Some((_, false)) => return Err(CopyError::Unfinished),
        Some((found, true)) if found != keys => return Err(CopyError::OtherKeys),
        Some(_) | None => {}
    }
    let state = link.query_opt("SELECT generation FROM registry_state", &[]).await?;
    let generation = state.map(|row| Columns(&row).get("generation")).transpose()?.flatten();
    Ok((generation, since_ms))
}

/// Marks the database as half copied and empties it. Returns the generation that lines are written to,
/// and the fence of this copy.
pub(super) async fn writing(link: &Link, keys: &[u8]) -> Result<(i64, i64), CopyError> {
    let begun_ms = now_ms(link).await?;
    nobody_served(link, begun_ms - HEARD_WITHIN_MS).await?;
    let begun = link.transact_or(async |transaction: &Transaction<'_>| {
        let found = transaction.query_opt("SELECT is_whole FROM installation FOR UPDATE", &[]).await?;
        let is_half = found.map(|row| Columns(&row).get::<bool>("is_whole")).transpose()? == Some(false);
        if !is_half && holds_something(transaction).await? {
            return Err(Stop::Rule(CopyError::NotEmpty));
        }
        let mark = "INSERT INTO installation (one, key_fingerprint, is_whole, copies) VALUES (1, $1, false, 1)
            ON CONFLICT (one) DO UPDATE SET key_fingerprint = excluded.key_fingerprint, is_whole = false,
                copies = installation.copies + 1
            RETURNING copies";
        let fence = transaction.query_opt(mark, params![keys]).await?.ok_or(DbError::Damaged("copies"))?;
        let fence: i64 = Columns(&fence).get("copies")?;
        transaction.execute(EMPTIED, &[]).await?;
        transaction.execute("DELETE FROM node WHERE seen_ms < $1", params![begun_ms - HEARD_WITHIN_MS]).await?;
        let forget =
            "UPDATE registry_state SET version = version + 1, generation = NULL, cut = NULL, history_since = 0,
            lines = 0, refused_rows = 0, last_event = 0, last_refused = 0";
        transaction.execute(forget, &[]).await?;
        let generation = generations::next_number(transaction).await?;
        generations::create(transaction, generation).await?;
        Ok((generation, fence))
    });
    let (generation, fence) = begun.await.map_err(told)?;
    remove_others(link, generation).await?;
    Ok((generation, fence))
}

/// Refuses what a copy does that was begun before the newest one, or after the end of its own. Held until
/// the transaction ends: no other copy begins while this one writes.
pub(super) async fn hold(transaction: &Transaction<'_>, fence: i64) -> Result<(), Stop<CopyError>> {
    let sql = "SELECT 1 FROM installation WHERE copies = $1 AND NOT is_whole FOR SHARE";
    match transaction.query_opt(sql, params![fence]).await? {
        Some(_) => Ok(()),
        None => Err(Stop::Rule(CopyError::Overtaken)),
    }
}

pub(super) fn told(stop: Stop<CopyError>) -> CopyError {
    match stop {
        Stop::Database(error) => error.into(),
        Stop::Rule(rule) => rule,
    }
}

/// Removes the lines that a copy that died left, all but those of this one.
async fn remove_others(link: &Link, generation: i64) -> Result<(), DbError> {
    let sql = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'line'::regclass";
    for row in link.query(sql, &[]).await? {
        let table: &str = Columns(&row).get("relname")?;
        if table != generations::table(generation) {
            let drop = format!("DROP TABLE IF EXISTS {table}");
            link.transact(async |transaction: &Transaction<'_>| transaction.execute(&drop, &[]).await).await?;
        }
    }
    Ok(())
}

async fn now_ms(link: &Link) -> Result<i64, DbError> {
    let row = link.query_opt(&format!("SELECT {NOW_MS} AS now_ms"), &[]).await?;
    Columns(&row.ok_or(DbError::Damaged("now_ms"))?).get("now_ms")
}

/// Whether a node said that it was there since an instant of the database's clock.
pub(super) async fn nobody_served(link: &Link, since_ms: i64) -> Result<(), CopyError> {
    let sql = "SELECT name FROM node WHERE seen_ms > $1 ORDER BY name LIMIT 1";
    match link.query_opt(sql, params![since_ms]).await? {
        Some(row) => Err(CopyError::Serving(format!("node {}", Columns(&row).get::<&str>("name")?))),
        None => Ok(()),
    }
}

async fn installation(link: &Link) -> Result<Option<(Vec<u8>, bool)>, DbError> {
    let found = link.query_opt("SELECT key_fingerprint, is_whole FROM installation", &[]).await?;
    let read = |row: tokio_postgres::Row| Ok((Columns(&row).get("key_fingerprint")?, Columns(&row).get("is_whole")?));
    found.map(read).transpose()
}

async fn holds_something(transaction: &Transaction<'_>) -> Result<bool, DbError> {
    let any: Vec<String> = REMEMBERED.iter().map(|table| format!("EXISTS (SELECT 1 FROM {table})")).collect();
    let sql = format!(
        "SELECT {} OR EXISTS (SELECT 1 FROM registry_state WHERE generation IS NOT NULL) AS held",
        any.join(" OR ")
    );
    let row = transaction.query_opt(&sql, &[]).await?.ok_or(DbError::Damaged("registry_state"))?;
    Columns(&row).get("held")
}

#[cfg(test)]
mod tests {
    use laini_store::copy::TABLES;

    use super::*;
    use crate::schema::MIGRATIONS;

    /// Made anew from what is carried, or held for moments.
    const LEFT: [&str; 5] = ["repeatable", "writer", "answer_claim", "allowance", "pace"];
    /// Of this database alone, or of its place among engines.
    const OWN: [&str; 4] = ["installation", "node", "worker", "registry_load"];
    /// Not emptied but replaced: lines lie in generations.
    const REPLACED: [&str; 2] = ["line", "registry_state"];

    #[test]
    fn every_table_is_carried_over_or_left_for_a_reason() {
        let statements = MIGRATIONS.iter().flat_map(crate::schema::Migration::statements);
        let made = statements.filter_map(|statement| {
            Some(statement.strip_prefix("CREATE TABLE ")?.split([' ', '(']).next()?.to_owned())
        });
        let emptied: Vec<&str> = EMPTIED.trim_start_matches("TRUNCATE ").split(", ").map(str::trim).collect();
        let mut seen = 0;
        for table in made {
            let is_carried = TABLES.iter().any(|carried| carried.name == table);
            let is_left = LEFT.contains(&table.as_str());
            assert!(is_carried || is_left || OWN.contains(&table.as_str()), "{table} is neither carried over nor left");
            let is_emptied = emptied.contains(&table.as_str()) || REPLACED.contains(&table.as_str());
            assert_eq!(is_emptied, is_carried || is_left, "{table} is not emptied before a copy");
            seen += 1;
        }
        assert!(seen >= TABLES.len(), "{seen} tables are made");
        for remembered in REMEMBERED {
            assert!(emptied.contains(remembered), "{remembered} is looked at and not emptied");
        }
    }

    #[test]
    fn every_column_that_was_added_later_is_carried_over() {
        let statements = MIGRATIONS.iter().flat_map(crate::schema::Migration::statements);
        let added = statements.filter_map(|statement| {
            let (table, column) = statement.strip_prefix("ALTER TABLE ")?.split_once(" ADD COLUMN IF NOT EXISTS ")?;
            Some((table.to_owned(), column.split(' ').next()?.to_owned()))
        });
        let mut seen = 0;
        for (table, column) in added {
            let carried = TABLES.iter().find(|carried| carried.name == table);
            let has_it = carried.is_none_or(|carried| carried.columns.iter().any(|known| known.name == column));
            assert!(has_it, "{table}.{column} is not carried over");
            seen += 1;
        }
        assert!(seen >= 8, "{seen} columns were added");
    }
}
