use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_core::partner::AgreementId;
use laini_core::store::{AcceptedCheck, LedgerRow, RepeatKey, Repeatable};
use laini_store::ledger::{Counters, Link, SealedDraft, environment_code, outcome_code, product_code, purpose_code};

use tokio_postgres::types::{ToSql, Type};

use super::repeats::{Change, Question};
use crate::columns::place;
use crate::database::Sql;

/// A parameter with its type.
pub(super) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A table's rows as one array per column: so any number of them is one statement.
macro_rules! arrays {
    ($(#[$doc:meta])* $name:ident { $($column:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name {
            $(pub(super) $column: Vec<$type>,)*
        }

        impl $name {
            /// The columns in their order, as parameters.
            pub(super) fn params(&self) -> impl Iterator<Item = Param<'_>> {
                [$(self.$column.typed()),*].into_iter()
            }
        }
    };
}

arrays! {
    /// Rows of the ledger with their side rows; a reversal has none.
    Checks {
        position: i64, tail: i64, seq: i64, at: i64, partner: i64, app: i64, agreement: Option<i64>,
        product: i16, environment: i16, purpose: i16, outcome: i16, price_version: i64, list_minor: i64,
        charge_minor: i64, currency: String, as_of: Option<i64>, policy_version: i64, side_digest: Vec<u8>,
        mac: Vec<u8>, reverses: Option<Vec<u8>>, number_hash: Option<Vec<u8>>, repeat_key: Option<Vec<u8>>,
        repeat_window_s: Option<i16>, sealed: Option<Vec<u8>>,
    }
}

arrays! {
    /// Changes of what can be repeated, and what they take for granted.
    Questions {
        partner: i64, repeat_key: Vec<u8>, repeat_window_s: i16, charged_at: i64, repeats: i16,
        was_at: Option<i64>, was_repeats: Option<i16>,
    }
}

arrays! {
    /// What is counted.
    Counts {
        quarter: i64, app: i64, product: i16, environment: i16, outcome: i16, checks: i64, charged_minor: i64,
    }
}

arrays! {
    /// Answers under idempotency keys.
    Answers { key: Vec<u8>, request: Vec<u8>, at: i64, sealed: Vec<u8> }
}

arrays! {
    /// Deliveries.
    Deliveries {
        position: i64, tail: i64, kind: String, app: i64, address: i64, at: i64, sealed: Vec<u8>,
    }
}

arrays! {
    /// Charges that are taken back, and what nothing repeats from then on.
    Reversals {
        partner: i64, position: i64, tail: i64, by_position: i64, repeat_key: Option<Vec<u8>>, charged_at: i64,
    }
}

arrays! {
    /// Checks that are decided later.
    Accepted {
        position: i64, tail: i64, at: i64, app: i64, product: i16, purpose: i16, repeat_key: Vec<u8>,
        repeat_window_s: i16, address: i64, sealed: Vec<u8>,
    }
}

impl Checks {
    pub(super) fn push(&mut self, row: &LedgerRow, link: Link, check: Option<&SealedDraft>) {
        let (position, tail) = place(row.id);
        self.position.push(position);
        self.tail.push(tail);
        self.seq.push(link.seq.cast_signed());
        self.at.push(row.at.as_microsecond());
        self.partner.push(row.partner.as_u64().cast_signed());
        self.app.push(row.app.as_u64().cast_signed());
        self.agreement.push(row.agreement.map(AgreementId::as_u64).map(u64::cast_signed));
        self.product.push(product_code(row.product));
        self.environment.push(environment_code(row.environment));
        self.purpose.push(purpose_code(row.purpose));
        self.outcome.push(outcome_code(row.outcome));
        self.price_version.push(row.price_version.into());
        self.list_minor.push(row.list_price.minor);
        self.charge_minor.push(row.charge.minor);
        self.currency.push(row.list_price.currency.as_str().to_owned());
        self.as_of.push(row.as_of.map(Timestamp::as_microsecond));
        self.policy_version.push(row.policy_version.into());
        self.side_digest.push(row.side_digest.to_vec());
        self.mac.push(link.mac.0.to_vec());
        self.reverses.push(row.reverses.map(|id| id.uuid().as_bytes().to_vec()));
        let side = check.map(|check| (check, check.draft.repeat));
        self.number_hash.push(side.map(|(check, _)| check.draft.subject.hash.0.to_vec()));
        self.repeat_key.push(side.map(|(_, (key, _))| key.0.to_vec()));
        self.repeat_window_s.push(side.map(|(_, (_, window))| window_s(window)));
        self.sealed.push(side.map(|(check, _)| check.sealed.clone()));
    }

    pub(super) fn len(&self) -> usize {
        self.position.len()
    }
}

/// A window's length in seconds, as its column holds it.
pub(super) fn window_s(window: laini_core::store::RepeatWindow) -> i16 {
    i16::try_from(window.length().as_secs()).unwrap_or(i16::MAX)
}

impl Questions {
    /// In one order on every node, so that two commits about the same questions do not lock each other out.
    pub(super) fn of(changes: impl Iterator<Item = (Question, Change)>) -> Self {
        let mut changes: Vec<(Question, Change)> = changes.collect();
        changes.sort_unstable_by_key(|((partner, key), _)| (partner.as_u64(), key.0));
        let mut questions = Self::default();
        for ((partner, key), Change { window, was, now }) in changes {
            questions.partner.push(partner.as_u64().cast_signed());
            questions.repeat_key.push(key.0.to_vec());
            questions.repeat_window_s.push(window_s(window));
            questions.charged_at.push(now.charged_at.as_microsecond());
            questions.repeats.push(now.repeats.into());
            questions.was_at.push(was.map(|was| was.charged_at.as_microsecond()));
            questions.was_repeats.push(was.map(|was: Repeatable| was.repeats.into()));
        }
        questions
    }

    pub(super) fn len(&self) -> usize {
        self.partner.len()
    }
}

impl Counts {
    pub(super) fn of(counters: &Counters) -> Self {
        let mut counts = Self::default();
        for (kind, sum) in counters.iter() {
            counts.quarter.push(kind.quarter);
            counts.app.push(kind.app.as_u64().cast_signed());
            counts.product.push(product_code(kind.product));
            counts.environment.push(environment_code(kind.environment));
            counts.outcome.push(outcome_code(kind.outcome));
            counts.checks.push(sum.checks);
            counts.charged_minor.push(sum.charged_minor);
        }
        counts
    }
}

impl Answers {
    pub(super) fn len(&self) -> usize {
        self.key.len()
    }
}

impl Accepted {
    pub(super) fn push(&mut self, check: &AcceptedCheck, sealed: &[u8]) {
        let ((position, tail), (key, window)) = (place(check.id), check.repeat);
        self.position.push(position);
        self.tail.push(tail);
        self.at.push(check.at.as_microsecond());
        self.app.push(check.app.as_u64().cast_signed());
        self.product.push(product_code(check.product));
        self.purpose.push(purpose_code(check.purpose));
        self.repeat_key.push(key.0.to_vec());
        self.repeat_window_s.push(window_s(window));
        self.address.push(check.address.as_u64().cast_signed());
        self.sealed.push(sealed.to_vec());
    }

    pub(super) fn len(&self) -> usize {
        self.position.len()
    }
}

impl Deliveries {
    pub(super) fn len(&self) -> usize {
        self.position.len()
    }
}

impl Reversals {
    /// How many of them could be repeated still.
    pub(super) fn repeatable(&self) -> usize {
        self.repeat_key.iter().flatten().count()
    }

    pub(super) fn push(&mut self, reversed: &LedgerRow, by: CheckId, key: Option<RepeatKey>) {
        let (position, tail) = place(reversed.id);
        self.partner.push(reversed.partner.as_u64().cast_signed());
        self.position.push(position);
        self.tail.push(tail);
        self.by_position.push(by.position().cast_signed());
        self.repeat_key.push(key.map(|key| key.0.to_vec()));
        self.charged_at.push(reversed.at.as_microsecond());
    }

    pub(super) fn len(&self) -> usize {
        self.position.len()
    }
}
