//! The ports, in memory: as small as they can be and still honest.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use laini_core::access::{KeyTree, RootKey};
use laini_core::billing::{CheckId, Outcome};
use laini_core::disclosure::Horizon;
use laini_core::line::{LineState, Msisdn, NumberPlan};
use laini_core::partner::{
    Agreement, App, AppId, AppLimits, AppSecret, AppStatus, OperatorKey, OperatorKeyId, Partner, PartnerId,
    ResultAddress, ResultAddressId, SecretUse,
};
use laini_core::privacy::{RestrictionCursor, RestrictionRow};
use laini_core::sandbox::World;
use laini_core::store::{
    AccountBook, AccountStore, AccountsError, AnswerKey, AnswerMemory, AppChange, AskedCheck, AskedPage, AskedQuery,
    AuditEntry, BoxFuture, ChainHead, ChainPage, ChainRow, Changed, Claim, Claimed, Draft, FoundCheck, KeyedAnswer,
    Ledger, LedgerError, LedgerRow, Lookup, Mac, PartnerChange, PlacedRow, Recorded, Registry, RegistryError,
    RepeatMemory, RequestHash, ResultAddressChange, RowQuery, StoredAnswer, SubjectHash, Submission, Submitted, Usage,
    WorldChange, WorldStore, WorldsError, WriterEnd,
};
use laini_server::{Clock, Entropy};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::outbox::VecOutbox;
use crate::wire::HANGS_AFTER;

/// The keys of every world.
pub(crate) fn keys() -> KeyTree {
    KeyTree::new(RootKey::new([7; 32]))
}

/// A clock that moves by hand.
pub(crate) struct HandClock(Mutex<Timestamp>);

impl HandClock {
    pub(crate) fn at(text: &str) -> Self {
        Self(Mutex::new(text.parse().unwrap()))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now += SignedDuration::from_secs(seconds);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Bytes that look random and are the same in every run.
#[derive(Default)]
pub(crate) struct CountedEntropy(AtomicU64);

impl Entropy for CountedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ count;
            chunk.copy_from_slice(&mixed.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// How a fake behaves.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mood {
    #[default]
    Good,
    Empty,
    Bad,
    Unavailable,
    Unconfirmed,
    Busy,
    Hangs,
    Panics,
}

/// Lines in a map.
pub(crate) struct MapRegistry {
    pub(crate) lines: Mutex<HashMap<u64, LineState>>,
    pub(crate) horizon: Mutex<Horizon>,
    pub(crate) mood: Mutex<Mood>,
}

impl MapRegistry {
    pub(crate) fn complete_until(as_of: &str) -> Self {
        let horizon = Horizon { as_of: Some(as_of.parse().unwrap()), history_since: Timestamp::MIN };
        Self { lines: Mutex::default(), horizon: Mutex::new(horizon), mood: Mutex::default() }
    }

    pub(crate) fn put(&self, number: &str, state: LineState) {
        let msisdn = NumberPlan::KENYA.parse(number).unwrap();
        self.lines.lock().unwrap().insert(msisdn.as_u64(), state);
    }
}

impl Registry for MapRegistry {
    fn look_up(&self, msisdn: Msisdn) -> BoxFuture<'_, Result<Lookup, RegistryError>> {
        let mood = *self.mood.lock().unwrap();
        let state = self.lines.lock().unwrap().get(&msisdn.as_u64()).cloned().unwrap_or_default();
        let horizon = *self.horizon.lock().unwrap();
        Box::pin(async move {
            match mood {
                Mood::Good => Ok(Lookup { state, horizon }),
                Mood::Empty => Err(RegistryError::Empty),
                Mood::Bad => Err(RegistryError::Bad("a test".to_owned())),
                Mood::Unavailable | Mood::Unconfirmed | Mood::Busy => {
                    Err(RegistryError::Unavailable("a test".to_owned()))
                }
                Mood::Hangs => std::future::pending().await,
                Mood::Panics => panic!("a test"),
            }
        })
    }
}

/// Rows in a vector.
pub(crate) struct VecLedger {
    pub(crate) rows: Mutex<Vec<(Draft, Recorded)>>,
    /// Checks of which the keyed hash alone is left.
    pub(crate) forgotten: Mutex<Vec<CheckId>>,
    pub(crate) mood: Mutex<Mood>,
    memory: Mutex<RepeatMemory>,
    /// What is kept under idempotency keys.
    pub(crate) answers: Arc<MapAnswers>,
    /// What is to be delivered.
    pub(crate) outbox: Arc<VecOutbox>,
    /// While it is there, records wait for a permit.
    pub(crate) gate: Mutex<Option<Arc<Notify>>>,
    /// Told when a record begins to wait at the gate.
    pub(crate) arrived: Notify,
}

impl Default for VecLedger {
    fn default() -> Self {
        Self {
            rows: Mutex::default(),
            forgotten: Mutex::default(),
            mood: Mutex::default(),
            memory: Mutex::new(RepeatMemory::new(1_000)),
            answers: Arc::default(),
            outbox: Arc::default(),
            gate: Mutex::default(),
            arrived: Notify::new(),
        }
    }
}

impl VecLedger {
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.rows.lock().unwrap().iter().map(|(_, recorded)| recorded.outcome).collect()
    }

    fn write(&self, draft: Draft) -> Recorded {
        let mut memory = self.memory.lock().unwrap();
        let (key, window) = draft.repeat;
        let recorded = draft.decide(memory.is_repeat(key, window, draft.at));
        match recorded.outcome {
            Outcome::Answered => memory.charged(key, window, draft.at),
            Outcome::Repeated => memory.repeated(key),
            Outcome::NotServed | Outcome::Unknown | Outcome::Withheld | Outcome::Reversal => {}
        }
        self.rows.lock().unwrap().push((draft, recorded));
        recorded
    }
}

impl VecLedger {
    async fn pass_the_gate(&self) -> Result<(), LedgerError> {
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            self.arrived.notify_one();
            gate.notified().await;
        }
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Good => Ok(()),
            Mood::Unconfirmed => Err(LedgerError::Unknown("a test".to_owned())),
            Mood::Busy => Err(LedgerError::Busy),
            Mood::Hangs => std::future::pending().await,
            _ => Err(LedgerError::NotRecorded("a test".to_owned())),
        }
    }
}

impl VecLedger {
    /// The rows in one chain, as they were written.
    fn linked(&self) -> Vec<ChainRow> {
        let (rows, key, mut last) = (self.rows.lock().unwrap(), keys().chain(), Mac::GENESIS);
        let link = |(seq, (draft, recorded)): (u64, &(Draft, Recorded))| {
            let row = draft.row(*recorded, [0; 32]);
            last = key.link(last, 1, seq, &row);
            ChainRow { row, writer: 1, seq, mac: last, side_digest_now: None }
        };
        (1..).zip(rows.iter()).map(link).collect()
    }
}

impl Ledger for VecLedger {
    fn record(&self, draft: Draft) -> BoxFuture<'_, Result<Recorded, LedgerError>> {
        Box::pin(async move {
            self.pass_the_gate().await?;
            Ok(self.write(draft))
        })
    }

    fn submit(&self, submission: Submission) -> BoxFuture<'_, Result<Submitted, LedgerError>> {
        Box::pin(async move {
            self.pass_the_gate().await?;
            if let Some(answer) = &submission.answer
                && let Some(stored) = self.answers.stored(answer.claim)
            {
                return Ok(Submitted::Answered(answer.claim.key, stored));
            }
            let recorded: Vec<Recorded> = submission.drafts.into_iter().map(|draft| self.write(draft)).collect();
            let kept = submission.answer.map(|answer| self.answers.keep(&answer, &recorded));
            if let Some(check) = submission.accepted {
                self.outbox.checks.lock().unwrap().push((check, Timestamp::MIN));
            }
            if let Some(delivery) = submission.delivery {
                self.outbox.keep(&delivery, &recorded);
            }
            Ok(Submitted::Recorded(recorded, kept))
        })
    }

    fn find(&self, id: CheckId) -> BoxFuture<'_, Result<Option<FoundCheck>, LedgerError>> {
        let rows = self.rows.lock().unwrap();
        let found = rows.iter().find(|(draft, _)| draft.id == id).map(|(draft, recorded)| FoundCheck {
            row: draft.row(*recorded, [0; 32]),
            number: Some(draft.subject.hash),
            subject: (!self.forgotten.lock().unwrap().contains(&id)).then(|| draft.subject.clone()),
            is_reversed: false,
        });
        Box::pin(async { Ok(found) })
    }

    fn usage(&self, from: Timestamp, until: Timestamp) -> BoxFuture<'_, Result<Vec<Usage>, LedgerError>> {
        let rows = self.rows.lock().unwrap();
        let counted =
            rows.iter().filter(|(draft, _)| (from..=until).contains(&draft.at)).map(|(draft, recorded)| Usage {
                app: draft.app,
                product: draft.product,
                environment: draft.environment,
                outcome: recorded.outcome,
                from: draft.at,
                checks: 1,
                charged_minor: if recorded.outcome == Outcome::Answered { draft.price.list.minor } else { 0 },
            });
        let usage = counted.collect();
        Box::pin(async { Ok(usage) })
    }

    fn newest(&self) -> BoxFuture<'_, Result<Option<CheckId>, LedgerError>> {
        Box::pin(async { Ok(self.rows.lock().unwrap().iter().map(|(draft, _)| draft.id).max()) })
    }

    fn rows(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<LedgerRow>, LedgerError>> {
        Box::pin(async { Ok(self.placed(query).await?.into_iter().map(|placed| placed.row).collect()) })
    }

    fn placed(&self, query: RowQuery) -> BoxFuture<'_, Result<Vec<PlacedRow>, LedgerError>> {
        let rows = self.rows.lock().unwrap();
        let placed = (1..).zip(rows.iter()).map(|(seq, (draft, recorded))| PlacedRow {
            row: draft.row(*recorded, [0; 32]),
            writer: 1,
            seq,
        });
        let is_asked = |placed: &PlacedRow| {
            Some(placed.row.id) > query.after
                && query.from.is_none_or(|from| placed.row.at >= from)
                && query.until.is_none_or(|until| placed.row.at < until)
        };
        let mut placed: Vec<PlacedRow> = placed.filter(is_asked).collect();
        placed.sort_by_key(|placed| placed.row.id);
        placed.truncate(query.limit);
        Box::pin(async { Ok(placed) })
    }

    fn ends(&self, _: Option<CheckId>) -> BoxFuture<'_, Result<Vec<WriterEnd>, LedgerError>> {
        let last = self.linked().pop();
        let end = last.map(|ChainRow { writer, seq, mac, row, .. }| WriterEnd { writer, seq, at: row.at, mac });
        Box::pin(async move { Ok(end.into_iter().collect()) })
    }

    fn chain(&self, after: Option<CheckId>, limit: usize) -> BoxFuture<'_, Result<ChainPage, LedgerError>> {
        let mut rows: Vec<ChainRow> = self.linked().into_iter().filter(|link| Some(link.row.id) > after).collect();
        rows.sort_by_key(|link| link.row.id);
        rows.truncate(limit);
        Box::pin(async { Ok(ChainPage { rows }) })
    }

    fn heads(&self) -> BoxFuture<'_, Result<Vec<ChainHead>, LedgerError>> {
        unimplemented_here()
    }

    fn asked(&self, query: AskedQuery) -> BoxFuture<'_, Result<AskedPage, LedgerError>> {
        let rows = self.rows.lock().unwrap();
        let check = |(draft, recorded): &(Draft, Recorded)| AskedCheck {
            row: draft.row(*recorded, [0; 32]),
            number: Some(draft.subject.hash),
            subject: Some(draft.subject.clone()),
        };
        let fits = |AskedCheck { row, number, .. }: &AskedCheck| {
            (query.numbers.is_empty() || number.is_some_and(|number| query.numbers.contains(&number)))
                && query.partner.is_none_or(|partner| row.partner == partner)
                && query.app.is_none_or(|app| row.app == app)
                && query.outcome.is_none_or(|outcome| row.outcome == outcome)
                && query.from.is_none_or(|from| row.at >= from)
                && query.until.is_none_or(|until| row.at < until)
                && query.after.is_none_or(|after| if query.newest_first { row.id < after } else { row.id > after })
        };
        let mut checks: Vec<AskedCheck> = rows.iter().map(check).filter(fits).collect();
        checks.sort_by_key(|check| check.row.id);
        if query.newest_first {
            checks.reverse();
        }
        let has_more = checks.len() > query.limit;
        checks.truncate(query.limit);
        let after = checks.last().filter(|_| has_more).map(|last| last.row.id);
        let page = AskedPage { checks, looked_at: rows.len() as u64, after };
        Box::pin(async { Ok(page) })
    }
}

/// Answers in a map.
#[derive(Default)]
pub(crate) struct MapAnswers {
    stored: Mutex<HashMap<AnswerKey, StoredAnswer>>,
    running: Arc<Mutex<HashMap<AnswerKey, RequestHash>>>,
}

impl MapAnswers {
    fn stored(&self, claim: Claim) -> Option<StoredAnswer> {
        let stored = self.stored.lock().unwrap().get(&claim.key).cloned();
        stored.filter(|stored| stored.clone().found_by(&claim).is_some())
    }

    fn keep(&self, answer: &KeyedAnswer, recorded: &[Recorded]) -> Vec<u8> {
        let Claim { key, request, at, .. } = answer.claim;
        let bytes = (answer.write)(recorded);
        self.stored.lock().unwrap().insert(key, StoredAnswer { request, at, answer: bytes.clone() });
        bytes
    }
}

impl AnswerMemory for MapAnswers {
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, LedgerError>> {
        let mut running = self.running.lock().unwrap();
        let claimed = match running.get(&claim.key) {
            Some(request) if *request == claim.request => Claimed::Running,
            Some(_) => Claimed::OtherRequest,
            None => self.stored(claim).and_then(|stored| stored.found_by(&claim)).unwrap_or_else(|| {
                running.insert(claim.key, claim.request);
                Claimed::Mine(Box::new(Running { key: claim.key, all: Arc::clone(&self.running) }))
            }),
        };
        Box::pin(async { Ok(claimed) })
    }
}

struct Running {
    key: AnswerKey,
    all: Arc<Mutex<HashMap<AnswerKey, RequestHash>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.all.lock().unwrap().remove(&self.key);
    }
}

/// What the server never asks of a ledger.
fn unimplemented_here<T>() -> T {
    panic!("the server must not read the ledger")
}

/// Accounts in memory, with a version that grows.
#[derive(Default)]
pub(crate) struct BookAccounts {
    pub(crate) book: Mutex<AccountBook>,
    pub(crate) audits: Mutex<Vec<AuditEntry>>,
    pub(crate) mood: Mutex<Mood>,
    pub(crate) restrictions: Mutex<HashMap<SubjectHash, RestrictionRow>>,
}

impl BookAccounts {
    /// Restricts a number, or lifts its restriction.
    pub(crate) fn restrict(&self, number: SubjectHash, until: Option<Timestamp>) {
        self.change(|book| {
            let row = RestrictionRow { number, until, change: book.version };
            self.restrictions.lock().unwrap().insert(number, row);
        });
    }

    pub(crate) fn change_app(&self, id: AppId, change: impl FnOnce(&mut App)) {
        self.change(|book| change(book.apps.iter_mut().find(|app| app.id == id).unwrap()));
    }

    /// Any change that the store's own methods do not know.
    pub(crate) fn change(&self, change: impl FnOnce(&mut AccountBook)) {
        let mut book = self.book.lock().unwrap();
        book.version += 1;
        change(&mut book);
    }

    fn audited(
        &self,
        audit: AuditEntry,
        change: impl FnOnce(&mut AccountBook),
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.change(change);
        self.audits.lock().unwrap().push(audit);
        Box::pin(async { self.result(()) })
    }

    pub(crate) fn change_bank(&self, change: impl FnOnce(&mut Partner)) {
        let mut book = self.book.lock().unwrap();
        book.version += 1;
        change(&mut book.partners[0]);
    }

    pub(crate) fn change_agreement(&self, change: impl FnOnce(&mut Agreement)) {
        let mut book = self.book.lock().unwrap();
        book.version += 1;
        change(&mut book.agreements[0]);
    }

    /// The reasons of the audit rows of one action, as soon as there are so many.
    pub(crate) async fn audits_of(&self, action: &str, count: usize) -> Vec<String> {
        let read = || -> Vec<String> {
            let audits = self.audits.lock().unwrap();
            audits.iter().filter(|audit| audit.action == action).map(|audit| audit.reason.clone()).collect()
        };
        let waiting = async {
            while read().len() < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(HANGS_AFTER, waiting).await.expect("the audit trail is written");
        read()
    }

    fn result<T>(&self, value: T) -> Result<T, AccountsError> {
        match *self.mood.lock().unwrap() {
            Mood::Good => Ok(value),
            _ => Err(AccountsError::Engine("a test".to_owned())),
        }
    }
}

impl AccountStore for BookAccounts {
    fn version(&self) -> BoxFuture<'_, Result<u64, AccountsError>> {
        Box::pin(async { self.result(self.book.lock().unwrap().version) })
    }

    fn load(&self) -> BoxFuture<'_, Result<AccountBook, AccountsError>> {
        Box::pin(async { self.result(self.book.lock().unwrap().clone()) })
    }

    fn restrictions(
        &self,
        after: RestrictionCursor,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RestrictionRow>, AccountsError>> {
        let restrictions = self.restrictions.lock().unwrap();
        let mut news: Vec<_> = restrictions.values().filter(|row| row.cursor() > after).copied().collect();
        news.sort_by_key(RestrictionRow::cursor);
        news.truncate(limit);
        Box::pin(async { self.result(news) })
    }

    fn restriction(&self, number: SubjectHash) -> BoxFuture<'_, Result<Option<RestrictionRow>, AccountsError>> {
        let found = self.restrictions.lock().unwrap().get(&number).copied();
        Box::pin(async move { self.result(found) })
    }

    fn add_partner(
        &self,
        partner: Partner,
        agreement: Agreement,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.audited(audit, |book| {
            book.partners.push(partner);
            book.agreements.push(agreement);
        })
    }

    fn add_agreement(&self, agreement: Agreement, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.audited(audit, |book| {
            book.agreements.retain(|before| before.partner != agreement.partner);
            book.agreements.push(agreement);
        })
    }

    fn add_app(&self, app: App, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.audited(audit, |book| book.apps.push(app))
    }

    fn revoke_app(&self, app: AppId, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        AccountStore::change_app(self, app, AppChange::Status(AppStatus::Revoked), audit)
    }

    fn change_partner(
        &self,
        partner: PartnerId,
        change: PartnerChange,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.audited(audit, |book| {
            let partner = book.partners.iter_mut().find(|found| found.id == partner).unwrap();
            match change {
                PartnerChange::Status(status) => partner.status = status,
                PartnerChange::Limits(limits) => partner.limits = limits,
                PartnerChange::AgreementsEnd(at) => {
                    let id = partner.id;
                    let theirs = book.agreements.iter_mut().filter(|agreement| agreement.partner == id);
                    theirs.for_each(|agreement| agreement.valid_until = Some(at));
                }
                PartnerChange::Prepaid(prepaid) => partner.prepaid = Some(prepaid),
            }
        })
    }

    fn change_app(&self, app: AppId, change: AppChange, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.audited(audit, |book| {
            let app = book.apps.iter_mut().find(|found| found.id == app).unwrap();
            match change {
                AppChange::Status(status) => app.status = status,
                AppChange::Limits { in_all, products } => {
                    app.limits = AppLimits { in_all, products, ..app.limits.clone() }
                }
                AppChange::Budget(budget) => app.limits.budget = budget,
                AppChange::Probing(probing) => app.limits.probing = probing,
                AppChange::Purpose(purpose) => app.purpose = purpose,
                AppChange::Profile(profile) => app.profile = profile,
                AppChange::ClientCertificate(digest) => app.client_certificate = digest,
                AppChange::AllowedAddresses(rules) => app.allowed_addresses = rules,
                AppChange::Name(name) => app.name = name,
                AppChange::Products(products) => app.products = products,
                AppChange::SecretAdded(secret) => {
                    let number = app.secrets.last().map_or(0, |last| last.number + 1);
                    app.secrets.push(AppSecret { number, ..secret });
                }
                AppChange::SecretRetired(number) => app.secrets.retain(|secret| secret.number != number),
            }
        })
    }

    fn add_result_address(
        &self,
        address: ResultAddress,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.audited(audit, |book| book.result_addresses.push(address))
    }

    fn change_result_address(
        &self,
        address: ResultAddressId,
        change: ResultAddressChange,
        audit: AuditEntry,
    ) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.audited(audit, |book| {
            let found = book.result_addresses.iter_mut().find(|found| found.id == address).unwrap();
            match change {
                ResultAddressChange::Proven(at) => found.proven = Some(at),
                ResultAddressChange::SecretRolled { from, previous_until } => {
                    assert_eq!(found.secret_generation, from, "nobody rolls it meanwhile");
                    found.secret_generation += 1;
                    found.previous_until = Some(previous_until);
                }
                ResultAddressChange::Removed => book.result_addresses.retain(|found| found.id != address),
            }
        })
    }

    fn add_operator_key(&self, key: OperatorKey, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.audited(audit, |book| book.operator_keys.push(key))
    }

    fn revoke_operator_key(&self, key: OperatorKeyId, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.audited(audit, |book| {
            book.operator_keys.iter_mut().find(|found| found.id == key).unwrap().is_revoked = true;
        })
    }

    fn next_token_epoch(&self, app: AppId, audit: AuditEntry) -> BoxFuture<'_, Result<u32, AccountsError>> {
        let mut epoch = 0;
        self.change_app(app, |app| {
            app.token_epoch += 1;
            epoch = app.token_epoch;
        });
        self.audits.lock().unwrap().push(audit);
        Box::pin(async move { self.result(epoch) })
    }

    fn note_secret_uses(&self, uses: Vec<SecretUse>) -> BoxFuture<'_, Result<(), AccountsError>> {
        let mut book = self.book.lock().unwrap();
        for used in uses {
            let secrets = book.apps.iter_mut().filter(|app| app.id == used.app).flat_map(|app| &mut app.secrets);
            secrets.filter(|secret| secret.number == used.secret).for_each(|secret| secret.used = Some(used.at));
        }
        drop(book);
        Box::pin(async { self.result(()) })
    }

    fn audit(&self, audit: AuditEntry) -> BoxFuture<'_, Result<(), AccountsError>> {
        self.audits.lock().unwrap().push(audit);
        Box::pin(async { Ok(()) })
    }

    fn audits(&self, limit: usize) -> BoxFuture<'_, Result<Vec<AuditEntry>, AccountsError>> {
        let newest = self.audits.lock().unwrap().iter().rev().take(limit).cloned().collect();
        Box::pin(async move { Ok(newest) })
    }
}

/// Sandbox worlds in a map.
#[derive(Default)]
pub(crate) struct MapWorlds(Mutex<Worlds>);

#[derive(Default)]
struct Worlds {
    version: u64,
    worlds: HashMap<AppId, (u64, Timestamp, World)>,
}

impl WorldStore for MapWorlds {
    fn version(&self) -> BoxFuture<'_, Result<u64, WorldsError>> {
        Box::pin(async { Ok(self.0.lock().unwrap().version) })
    }

    fn version_of(&self, app: AppId) -> BoxFuture<'_, Result<Option<u64>, WorldsError>> {
        Box::pin(async move { Ok(self.0.lock().unwrap().worlds.get(&app).map(|(version, ..)| *version)) })
    }

    fn load(&self, app: AppId) -> BoxFuture<'_, Result<Option<World>, WorldsError>> {
        Box::pin(async move { Ok(self.0.lock().unwrap().worlds.get(&app).map(|(.., world)| world.clone())) })
    }

    fn change(&self, app: AppId, now: Timestamp, change: WorldChange) -> BoxFuture<'_, Result<Changed, WorldsError>> {
        Box::pin(async move {
            let mut kept = self.0.lock().unwrap();
            let mut world = kept.worlds.get(&app).map(|(.., world)| world.clone()).unwrap_or_default();
            change(&mut world)?;
            if world.take_edits().is_empty() {
                return Ok(Changed { version: kept.version, world });
            }
            kept.version += 1;
            let version = kept.version;
            if world == World::default() {
                kept.worlds.remove(&app);
            } else {
                kept.worlds.insert(app, (version, now, world.clone()));
            }
            Ok(Changed { version, world })
        })
    }

    fn touch(&self, app: AppId, now: Timestamp) -> BoxFuture<'_, Result<(), WorldsError>> {
        Box::pin(async move {
            if let Some((_, used, _)) = self.0.lock().unwrap().worlds.get_mut(&app) {
                *used = now;
            }
            Ok(())
        })
    }

    fn purge(&self, idle_since: Timestamp, _: usize) -> BoxFuture<'_, Result<usize, WorldsError>> {
        Box::pin(async move {
            let mut kept = self.0.lock().unwrap();
            let before = kept.worlds.len();
            kept.worlds.retain(|_, (_, used, _)| *used >= idle_since);
            let purged = before - kept.worlds.len();
            kept.version += u64::from(purged > 0);
            Ok(purged)
        })
    }
}
