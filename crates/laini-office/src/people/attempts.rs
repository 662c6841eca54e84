use jiff::{SignedDuration, Timestamp};
use laini_core::access::{Failures, OF_EMAIL, OF_PAIR};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{Actor, Kept, Office, Problem, Work, key};

/// For so long after somebody came in from an address, guesses from elsewhere do not hold them up there.
const PROVEN_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);
/// What is not proven is forgotten after so long without an attempt.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Attempts to prove to be somebody: of one client address, or of all together. Kept under a keyed hash, for unknown
/// e-mail addresses as for known ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempts {
    id: u64,
    failures: Failures,
    /// When somebody came in by this pair last.
    proven: Option<Timestamp>,
}

impl Attempts {
    /// Whether it says nothing any more.
    pub(super) fn is_over(&self, at: Timestamp) -> bool {
        !self.is_proven(at) && self.failures.last + KEPT <= at
    }

    fn is_proven(&self, at: Timestamp) -> bool {
        self.proven.is_some_and(|proven| at < proven + PROVEN_FOR)
    }
}

impl Kept for Attempts {
    const KIND: RecordKind = RecordKind("attempts");
    const NOUN: &'static str = "count of attempts";

    fn id(&self) -> RecordId {
        RecordId(self.id)
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("last", "all", self.failures.last.as_second())]
    }
}

/// One attempt at being somebody, counted as a failure until it has succeeded: whoever tries many at once gains
/// nothing.
pub(super) struct Attempt {
    pair: RecordId,
    email: RecordId,
    /// Failures in a row of this client address, this attempt included.
    pub(super) in_a_row: u32,
}

impl Attempt {
    /// Counts an attempt, saved at once; refused where it comes too soon.
    pub(super) fn begin(office: &Office, address: &str, email: &str, at: Timestamp) -> Result<Self, Problem> {
        let seal = office.keys.office_seal();
        let pair = seal.id_of(Attempts::KIND, &["pair", address, email]);
        let email = seal.id_of(Attempts::KIND, &["email", email]);
        office.run(&Actor::Stranger, at, |work| {
            let (mut of_pair, mut of_email) = (of(work, pair)?, of(work, email)?);
            let mut next = of_pair.failures.next_attempt(&OF_PAIR, at);
            if !of_pair.is_proven(at) {
                next = next.max(of_email.failures.next_attempt(&OF_EMAIL, at));
            }
            if next > at {
                let seconds = (next - at).get_seconds() + 1;
                return Err(Problem::TooOften { retry_after_s: u64::try_from(seconds).unwrap_or(1) });
            }
            of_pair.failures = of_pair.failures.and_one_more(&OF_PAIR, at);
            of_email.failures = of_email.failures.and_one_more(&OF_EMAIL, at);
            work.put(&of_pair)?;
            work.put(&of_email)?;
            Ok(Self { pair, email, in_a_row: of_pair.failures.count })
        })
    }

    /// It was none: what was shown was right as far as it went.
    pub(super) fn give_back(&self, work: &mut Work<'_>) -> Result<(), Problem> {
        for id in [self.pair, self.email] {
            let mut attempts = of(work, id)?;
            attempts.failures = attempts.failures.without_last();
            work.put(&attempts)?;
        }
        Ok(())
    }

    /// It has succeeded: failures from here are forgotten, and guesses from elsewhere hold nobody up here.
    pub(super) fn succeed(&self, work: &mut Work<'_>) -> Result<(), Problem> {
        let (mut of_pair, mut of_email) = (of(work, self.pair)?, of(work, self.email)?);
        of_pair.failures.count = 0;
        of_pair.proven = Some(work.at);
        of_email.failures = of_email.failures.without_last();
        work.put(&of_pair)?;
        work.put(&of_email)
    }
}

fn of(work: &mut Work<'_>, id: RecordId) -> Result<Attempts, Problem> {
    let found = work.look::<Attempts>(id)?;
    Ok(found.unwrap_or(Attempts { id: id.0, failures: Failures::default(), proven: None }))
}
