//! An office in a directory of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::Entropy;
use laini_core::access::{KeyTree, RootKey};
use laini_core::billing::Currency;
use laini_core::disclosure::Windows;
use laini_core::partner::{Agreement, AgreementId, Partner, PartnerId, Purpose};
use laini_core::store::{AccountStore as _, AuditEntry, DayKey, DayKeyError, DayKeys, TrailQuery, TrailRow};
use laini_office::billing::CountedDays;
use laini_office::people::{Person, Seat, SignedIn, accept_invitation, invite};
use laini_office::{Actor, Office, OfficeSettings, PeopleSettings, Problem, Work};
use laini_store_sqlite::{SqliteAccounts, SqliteLedger};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "four words walk home";
pub(crate) const OWN: PartnerId = PartnerId::from_stored(11);
pub(crate) const ADDRESS: &str = "192.0.2.7";
/// 2026-11-22, 09:00 UTC.
pub(crate) const START: Timestamp = Timestamp::constant(1_795_338_000, 0);

pub(crate) struct Desk {
    pub(crate) office: Office,
    pub(crate) at: Timestamp,
    _dir: TempDir,
}

#[derive(Default)]
pub(crate) struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ count;
            chunk.copy_from_slice(&mixed.to_le_bytes()[..chunk.len()]);
        }
    }
}

struct OneKey;

impl DayKeys for OneKey {
    fn key(&self, _: Date) -> Result<DayKey, DayKeyError> {
        Ok(DayKey::new(&[5; 32]))
    }

    fn existing(&self, day: Date) -> Result<Option<DayKey>, DayKeyError> {
        self.key(day).map(Some)
    }

    fn destroy_before(&self, _: Date) -> Result<u64, DayKeyError> {
        Ok(0)
    }
}

impl Desk {
    pub(crate) fn open() -> Self {
        Self::with(PeopleSettings { portal_url: "https://portal.example".to_owned(), ..PeopleSettings::default() })
    }

    pub(crate) fn with(people: PeopleSettings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let accounts = Arc::new(SqliteAccounts::open(dir.path()).unwrap());
        let partner = Partner::new(OWN, "Test Bank".to_owned());
        let agreement = Agreement {
            id: AgreementId::from_stored(21),
            partner: OWN,
            valid_from: START,
            valid_until: None,
            windows: Windows::default(),
            prices: Vec::new(),
            pass_hashed_imsi: false,
            purposes: Purpose::ALL.to_vec(),
            exact_times: false,
        };
        let row = AuditEntry {
            at: START,
            actor: "test".to_owned(),
            action: "partner.add".to_owned(),
            target: OWN.to_string(),
            reason: String::new(),
            partner: Some(OWN),
        };
        futures_executor::block_on(accounts.add_partner(partner, agreement, row)).unwrap();
        let ledger = Arc::new(SqliteLedger::open_beside(dir.path(), Arc::new(OneKey)).unwrap());
        let office = Office {
            store: Arc::clone(&accounts) as _,
            refusals: Arc::clone(&accounts) as _,
            accounts,
            outbox: Arc::clone(&ledger) as _,
            ledger,
            registry: None,
            subjects: None,
            keys: Arc::new(KeyTree::new(RootKey::new([3; 32]))),
            entropy: Arc::new(Counted::default()),
            settings: OfficeSettings { people, ..OfficeSettings::new("Test Mobile", TimeZone::UTC, Currency::KES) },
            counted: CountedDays::default(),
            jobs: laini_office::jobs::Jobs::default(),
        };
        Self { office, at: START, _dir: dir }
    }

    /// Some time passes.
    pub(crate) fn wait_s(&mut self, seconds: i64) {
        self.at += SignedDuration::from_secs(seconds);
    }

    pub(crate) fn run<T>(
        &self,
        actor: &Actor,
        work: impl FnMut(&mut Work<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.office.run(actor, self.at, work)
    }

    /// Somebody who was invited and came in, with their password set to [`PASSWORD`].
    pub(crate) fn person(&self, email: &str, seat: Seat) -> Person {
        self.come_in(email, seat).person
    }

    /// The same, with the session that began.
    pub(crate) fn come_in(&self, email: &str, seat: Seat) -> SignedIn {
        let console = Actor::Console { user: "test".to_owned() };
        let (_, issued) = self.run(&console, |work| invite(work, seat, email, "A. Person", false)).unwrap();
        let accept = |work: &mut Work<'_>| accept_invitation(work, &issued.token, PASSWORD, None, ADDRESS, None);
        self.run(&Actor::Stranger, accept).unwrap()
    }

    /// The audit trail, newest first.
    pub(crate) fn trail(&self) -> Vec<TrailRow> {
        let query = TrailQuery { limit: 500, ..TrailQuery::default() };
        futures_executor::block_on(self.office.store.trail(query)).unwrap()
    }
}
