//! The one statement that a commit is: everything it writes, and what it takes for granted.

use std::sync::LazyLock;

use super::arrays::{Accepted, Answers, Checks, Counts, Deliveries, Param, Questions, Reversals};
use super::session::{Slot, Tip};
use crate::database::Sql;

/// What one commit writes.
#[derive(Debug, Default)]
pub(super) struct Writes {
    pub(super) checks: Checks,
    pub(super) questions: Questions,
    pub(super) counts: Counts,
    pub(super) answers: Answers,
    pub(super) deliveries: Deliveries,
    pub(super) reversals: Reversals,
    pub(super) accepted: Accepted,
}

impl Writes {
    /// Most commits are checks alone: their statement is planned and sent without the rest.
    pub(super) fn is_plain(&self) -> bool {
        self.answers.len() + self.deliveries.len() + self.reversals.len() + self.accepted.len() == 0
    }
}

/// A commit that takes something for granted that is not so divides by zero: nothing of it is done.
const HEAD: &str = "
WITH tip AS (
    UPDATE writer SET seq = $1, mac = $2, newest_at = $3
    WHERE writer = $4 AND fence = $5 AND seq = $6 RETURNING 1
), checks AS (
    SELECT * FROM unnest($7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
        $13::bigint[], $14::smallint[], $15::smallint[], $16::smallint[], $17::smallint[], $18::bigint[],
        $19::bigint[], $20::bigint[], $21::text[], $22::bigint[], $23::bigint[], $24::bytea[], $25::bytea[],
        $26::bytea[], $27::bytea[], $28::bytea[], $29::smallint[], $30::bytea[])
    AS c(position, tail, seq, at, partner, app, agreement, product, environment, purpose, outcome, price_version,
        list_minor, charge_minor, currency, as_of, policy_version, side_digest, mac, reverses, number_hash,
        repeat_key, repeat_window_s, sealed)
), rows AS (
    INSERT INTO ledger (position, tail, writer, seq, at, partner, app, agreement, product, environment, purpose,
        outcome, price_version, list_minor, charge_minor, currency, as_of, policy_version, side_digest, mac, reverses)
    SELECT position, tail, $4, seq, at, partner, app, agreement, product, environment, purpose, outcome,
        price_version, list_minor, charge_minor, currency, as_of, policy_version, side_digest, mac, reverses
    FROM checks
), sides AS (
    INSERT INTO subject (partner, position, tail, number_hash, repeat_key, repeat_window_s, sealed)
    SELECT partner, position, tail, number_hash, repeat_key, repeat_window_s, sealed
    FROM checks WHERE sealed IS NOT NULL
), questions AS (
    SELECT * FROM unnest($31::bigint[], $32::bytea[], $33::smallint[], $34::bigint[], $35::smallint[], $36::bigint[],
        $37::smallint[])
    AS q(partner, repeat_key, repeat_window_s, charged_at, repeats, was_at, was_repeats)
), known AS (
    UPDATE repeatable AS r SET charged_at = q.charged_at, repeats = q.repeats FROM questions AS q
    WHERE r.partner = q.partner AND r.repeat_key = q.repeat_key
        AND r.charged_at = q.was_at AND r.repeats = q.was_repeats
    RETURNING 1
), fresh AS (
    INSERT INTO repeatable AS r (partner, repeat_key, repeat_window_s, charged_at, repeats)
    SELECT partner, repeat_key, repeat_window_s, charged_at, repeats FROM questions WHERE was_at IS NULL
    ON CONFLICT (partner, repeat_key) DO UPDATE SET charged_at = excluded.charged_at, repeats = excluded.repeats
    WHERE r.repeats >= FREE_REPEATS
        OR excluded.charged_at - r.charged_at > excluded.repeat_window_s * 1000000::bigint
    RETURNING 1
), counted AS (
    INSERT INTO usage AS u (quarter, app, product, environment, outcome, writer, checks, charged_minor)
    SELECT quarter, app, product, environment, outcome, $4, checks, charged_minor
    FROM unnest($39::bigint[], $40::bigint[], $41::smallint[], $42::smallint[], $43::smallint[], $44::bigint[],
        $45::bigint[])
    AS n(quarter, app, product, environment, outcome, checks, charged_minor)
    ON CONFLICT (quarter, app, product, environment, outcome, writer)
    DO UPDATE SET checks = u.checks + excluded.checks, charged_minor = u.charged_minor + excluded.charged_minor
)";

/// Deliveries end the accepted checks of the same ids. An answer that is known still is not replaced.
const MORE: &str = ", answers AS (
    INSERT INTO answer AS a (key, request, at, sealed)
    SELECT * FROM unnest($46::bytea[], $47::bytea[], $48::bigint[], $49::bytea[])
    ON CONFLICT (key) DO UPDATE SET request = excluded.request, at = excluded.at, sealed = excluded.sealed
    WHERE excluded.at - a.at > KNOWN_FOR_US
    RETURNING 1
), delivered AS (
    SELECT * FROM unnest($51::bigint[], $52::bigint[], $53::text[], $54::bigint[], $55::bigint[], $56::bigint[],
        $57::bytea[])
    AS d(position, tail, kind, app, address, at, sealed)
), deliveries AS (
    INSERT INTO delivery (position, tail, kind, app, address, at, sealed, attempts, state, due, leased_until)
    SELECT position, tail, kind, app, address, at, sealed, 0, 1, at, 0 FROM delivered
    ON CONFLICT (position, tail) DO NOTHING
), ended AS (
    DELETE FROM accepted USING delivered
    WHERE accepted.position = delivered.position AND accepted.tail = delivered.tail
), reversing AS (
    SELECT * FROM unnest($58::bigint[], $59::bigint[], $60::bigint[], $61::bigint[], $62::bytea[], $63::bigint[])
    AS r(partner, position, tail, by_position, repeat_key, charged_at)
), reversals AS (
    INSERT INTO reversed (partner, position, tail, by_position)
    SELECT partner, position, tail, by_position FROM reversing
), gone AS (
    DELETE FROM repeatable USING reversing
    WHERE repeatable.partner = reversing.partner AND repeatable.repeat_key = reversing.repeat_key
        AND repeatable.charged_at = reversing.charged_at AND repeatable.repeats = 0
    RETURNING 1
), accepting AS (
    INSERT INTO accepted (position, tail, at, app, product, purpose, repeat_key, repeat_window_s, address, sealed,
        leased_until)
    SELECT position, tail, at, app, product, purpose, repeat_key, repeat_window_s, address, sealed, 0
    FROM unnest($65::bigint[], $66::bigint[], $67::bigint[], $68::bigint[], $69::smallint[], $70::smallint[],
        $71::bytea[], $72::smallint[], $73::bigint[], $74::bytea[])
    AS c(position, tail, at, app, product, purpose, repeat_key, repeat_window_s, address, sealed)
    ON CONFLICT (position, tail) DO NOTHING
)";

const PLAIN_END: &str = "
SELECT 1 / (CASE WHEN (SELECT count(*) FROM tip) = 1
    AND (SELECT count(*) FROM known) + (SELECT count(*) FROM fresh) = $38 THEN 1 ELSE 0 END)";

const FULL_END: &str = "
SELECT 1 / (CASE WHEN (SELECT count(*) FROM tip) = 1
    AND (SELECT count(*) FROM known) + (SELECT count(*) FROM fresh) = $38
    AND (SELECT count(*) FROM answers) = $50 AND (SELECT count(*) FROM gone) = $64 THEN 1 ELSE 0 END)";

/// The statement of checks alone, and that of everything.
pub(super) static PLAIN: LazyLock<String> = LazyLock::new(|| text(&[HEAD, PLAIN_END]));
pub(super) static FULL: LazyLock<String> = LazyLock::new(|| text(&[HEAD, MORE, FULL_END]));

fn text(parts: &[&str]) -> String {
    let known_for = laini_core::store::StoredAnswer::KNOWN_FOR.as_micros().to_string();
    let free = laini_core::store::Repeatable::FREE_REPEATS.to_string();
    parts.concat().replace("KNOWN_FOR_US", &known_for).replace("FREE_REPEATS", &free)
}

/// The lone numbers of a statement, which its parameters borrow.
#[derive(Debug)]
pub(super) struct Lone {
    seq: i64,
    mac: Vec<u8>,
    newest_at: i64,
    writer: i32,
    fence: i64,
    seq_before: i64,
    questions: i64,
    answers: i64,
    gone: i64,
}

impl Lone {
    /// The chain moves from where `slot` has it to `after`.
    pub(super) fn of(slot: &Slot, after: &Tip, writes: &Writes) -> Self {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            seq: after.seq.cast_signed(),
            mac: after.mac.0.to_vec(),
            newest_at: after.newest_at.as_microsecond(),
            writer: slot.writer,
            fence: slot.fence,
            seq_before: slot.tip.seq.cast_signed(),
            questions: count(writes.questions.len()),
            answers: count(writes.answers.len()),
            gone: count(writes.reversals.repeatable()),
        }
    }
}

/// The parameters in the order of the statement's numbers.
pub(super) fn params<'a>(lone: &'a Lone, writes: &'a Writes) -> Vec<Param<'a>> {
    let mut params = Vec::with_capacity(74);
    params.extend([lone.seq.typed(), lone.mac.typed(), lone.newest_at.typed()]);
    params.extend([lone.writer.typed(), lone.fence.typed(), lone.seq_before.typed()]);
    params.extend(writes.checks.params());
    params.extend(writes.questions.params());
    params.push(lone.questions.typed());
    params.extend(writes.counts.params());
    if !writes.is_plain() {
        params.extend(writes.answers.params());
        params.push(lone.answers.typed());
        params.extend(writes.deliveries.params());
        params.extend(writes.reversals.params());
        params.push(lone.gone.typed());
        params.extend(writes.accepted.params());
    }
    params
}
