use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::mail::{self, Carrier};
use crate::{Actor, Kept, Office, Problem, billing, desk, payments, people};

/// The chores are one node's for so long, unless it says so again.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// What one round of a chore does at an instant; how much it did.
type Round = Box<dyn Fn(&Office, Timestamp) -> Result<usize, Problem> + Send + Sync>;

/// Something that the office does by itself, again and again, on one node at a time.
pub struct Chore {
    /// What it is called in the log.
    pub name: &'static str,
    /// How often.
    pub every: SignedDuration,
    /// One round. It blocks its thread, and the other chores go on meanwhile; where it can, it leaves what is left after
    /// seconds for the next one. It may be cut off anywhere, and another node may begin one while this one believes that
    /// it is alone, so everything that it does is a unit of work that is right by itself.
    pub round: Round,
}

impl Chore {
    /// A chore.
    pub fn new(
        name: &'static str,
        every: SignedDuration,
        round: impl Fn(&Office, Timestamp) -> Result<usize, Problem> + Send + Sync + 'static,
    ) -> Self {
        Self { name, every, round: Box::new(round) }
    }
}

/// Every chore; a new one is added here and nowhere else.
pub fn chores(carrier: Arc<dyn Carrier>) -> Vec<Chore> {
    let (seconds, hours) = (SignedDuration::from_secs, SignedDuration::from_hours);
    vec![
        Chore::new("answer reset requests", seconds(2), people::answer_reset_requests),
        Chore::new("answer registrations", seconds(2), people::answer_registrations),
        Chore::new("send letters", seconds(2), move |office, at| mail::send_due(office, &*carrier, at)),
        Chore::new("send reminders", hours(1), |office, at| payments::remind(office, at).map(|()| 0)),
        Chore::new("close months", hours(1), |office, at| billing::close_due(office, at).map(|closed| closed.len())),
        Chore::new("forget what is over", hours(1), people::forget_what_is_over),
        Chore::new("forget the desk's numbers", hours(1), desk::forget_numbers),
        Chore::new("forget the desk's batches", hours(1), desk::batch::forget_batches),
        Chore::new("forget letters given up", hours(24), mail::forget_given_up),
    ]
}

/// Whose the chores are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    holder: u64,
    until: Timestamp,
}

/// There is one.
const LEASE_ID: RecordId = RecordId(1);

impl Kept for Lease {
    const KIND: RecordKind = RecordKind("chores_lease");
    const NOUN: &'static str = "lease";

    fn id(&self) -> RecordId {
        LEASE_ID
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}

/// Takes the chores over, or says that they are still this node's; `None` where they are another's. `holder` = a
/// random number of the process. Clocks of nodes that differ by less than [`LEASE`] do no harm: work is done twice
/// where they differ by more, and what is done twice is seen by the versions of its records.
pub fn lease_chores(office: &Office, holder: u64, at: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let holder = holder >> 1;
    office.run(&Actor::System, at, |work| {
        let found = work.look::<Lease>(LEASE_ID)?;
        if found.is_some_and(|lease| lease.holder != holder && at < lease.until) {
            return Ok(None);
        }
        let until = at + LEASE;
        work.put(&Lease { holder, until })?;
        Ok(Some(until))
    })
}

/// Leaves the chores to others.
pub fn release_chores(office: &Office, holder: u64, at: Timestamp) -> Result<(), Problem> {
    let holder = holder >> 1;
    office.run(&Actor::System, at, |work| {
        if let Some(lease) = work.look::<Lease>(LEASE_ID)?.filter(|lease| lease.holder == holder) {
            work.remove(&lease);
        }
        Ok(())
    })
}
