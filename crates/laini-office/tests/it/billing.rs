//! Months are closed, invoices made, verified, disputed and given back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_executor::block_on;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use laini_core::Entropy;
use laini_core::access::{AddressRules, ConsumerKey, ConsumerSecret, KeyTree, RootKey};
use laini_core::billing::LineKind::{Free, Minimum, SetUp, Units};
use laini_core::billing::{
    Band, Credited, Currency, FreeUnits, LineKind, Money, Month, Outcome, Price, VAT_BASIS_POINTS,
};
use laini_core::disclosure::Windows;
use laini_core::partner::{
    Agreement, AgreementId, App, AppLimits, AppProfile, AppSecret, AppStatus, Environment, Partner, PartnerId, Product,
    ProductSet, Purpose,
};
use laini_core::store::{
    AccountStore, AuditEntry, BoxFuture, Draft, Found, Ledger, LedgerRow, OfficeChange, OfficeError, OfficeStore,
    Record, RecordId, RecordKind, RecordQuery, TrailQuery, TrailRow,
};
use laini_office::billing::{
    CloseReport, CountedDays, DISPUTE_DAYS, DisputeState, Invoice, Settlement, close_due, close_month, credit_invoice,
    credit_notes, invoices, invoices_of, keep_tax_receipt, line_rows, lines_csv, open_dispute, paper, paper_of_credit,
    settle_dispute, simulate, tax_export, tax_export_of_credit, usage_by_day, usage_by_reference, verify_invoice,
};
use laini_office::{Actor, BillingSettings, Office, OfficeSettings, PageRequest, Problem};
use laini_store_sqlite::{LedgerSettings, SqliteAccounts, SqliteLedger};
use laini_testkit::contract::ledger::{Desk, FixedDayKeys, QUESTION, Question, app};

use crate::rows::{billed, every_line_bills_its_rows};

pub(crate) const BANK: PartnerId = PartnerId::from_stored(11);
pub(crate) const FINTECH: PartnerId = PartnerId::from_stored(12);
pub(crate) const NOVEMBER: &str = "2026-11";

#[derive(Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            chunk.copy_from_slice(&count.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// The store of the office, which fails once so many commits were made.
struct Failing {
    inner: Arc<SqliteAccounts>,
    commits_left: AtomicU64,
}

impl OfficeStore for Failing {
    fn record(&self, kind: RecordKind, id: RecordId) -> BoxFuture<'_, Result<Option<Record>, OfficeError>> {
        self.inner.record(kind, id)
    }

    fn find(&self, query: RecordQuery) -> BoxFuture<'_, Result<Vec<Found>, OfficeError>> {
        self.inner.find(query)
    }

    fn commit(&self, change: OfficeChange) -> BoxFuture<'_, Result<(), OfficeError>> {
        let left = self.commits_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_err() {
            return Box::pin(async { Err(OfficeError::Engine("pulled".to_owned())) });
        }
        self.inner.commit(change)
    }

    fn keep_document(&self, digest: [u8; 32], bytes: Vec<u8>) -> BoxFuture<'_, Result<(), OfficeError>> {
        self.inner.keep_document(digest, bytes)
    }

    fn document(&self, digest: [u8; 32]) -> BoxFuture<'_, Result<Option<Vec<u8>>, OfficeError>> {
        self.inner.document(digest)
    }

    fn trail(&self, query: TrailQuery) -> BoxFuture<'_, Result<Vec<TrailRow>, OfficeError>> {
        self.inner.trail(query)
    }
}

pub(crate) struct Bench {
    _dir: tempfile::TempDir,
    pub(crate) office: Office,
    store: Arc<Failing>,
    ledger: Arc<SqliteLedger>,
    desk: Desk,
    lines: std::cell::Cell<u32>,
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

pub(crate) fn kes(minor: i64) -> Money {
    Money::new(minor, Currency::KES)
}

/// `swap` as published, but small: 5 free once, then two bands; `imsi` with a minimum.
fn agreement(id: u64, partner: PartnerId, version: u32, imsi_minor: i64, from: &str) -> Agreement {
    let swap = Price {
        set_up_minor: 5_000_000,
        free: FreeUnits::Once(5),
        bands: vec![Band { up_to: Some(3), unit_minor: 100 }, Band { up_to: None, unit_minor: 50 }],
        ..Price::flat(version, kes(100))
    };
    let imsi = Price { monthly_minimum_minor: 10_000, ..Price::flat(version, kes(imsi_minor)) };
    Agreement {
        id: AgreementId::from_stored(id),
        partner,
        valid_from: at(from),
        valid_until: None,
        windows: Windows::default(),
        prices: vec![(Product::Imsi, imsi), (Product::Swap, swap), (Product::Age, Price::flat(version, kes(400)))],
        pass_hashed_imsi: false,
        purposes: vec![Purpose::FraudPrevention],
        exact_times: false,
    }
}

/// The one app of a partner.
fn app_of(partner: PartnerId) -> App {
    let key = ConsumerKey::mint(Environment::Production, [partner.as_u64(), 1, 2]);
    let secret = ConsumerSecret::mint([partner.as_u64(), 1, 2, 3]);
    App {
        id: app(partner.as_u64()),
        partner,
        name: "cheque desk".to_owned(),
        environment: Environment::Production,
        products: ProductSet::all(),
        status: AppStatus::Active,
        token_epoch: 0,
        consumer_key: key,
        secrets: vec![AppSecret::first(&secret, at("2026-11-05T00:00:00Z"))],
        profile: AppProfile::default(),
        purpose: Purpose::FraudPrevention,
        limits: AppLimits::default(),
        client_certificate: None,
        allowed_addresses: AddressRules::default(),
    }
}

fn audit(at: Timestamp) -> AuditEntry {
    let (actor, action, target) = ("test".to_owned(), "x".to_owned(), "y".to_owned());
    AuditEntry { at, actor, action, target, reason: String::new(), partner: None }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let accounts = Arc::new(SqliteAccounts::open(dir.path()).unwrap());
        let days = Arc::new(FixedDayKeys::default());
        let (settings, keys) = (LedgerSettings::default(), Arc::new(KeyTree::new(RootKey::new([7; 32]))));
        let ledger = Arc::new(SqliteLedger::open(dir.path(), keys.chain(), days, settings).unwrap());
        let store = Arc::new(Failing { inner: Arc::clone(&accounts), commits_left: AtomicU64::new(u64::MAX) });
        for (partner, name) in [(BANK, "A Bank & Sons"), (FINTECH, "Fintech")] {
            let agreement = agreement(partner.as_u64() * 10, partner, 1, 2_000, "2026-11-05T00:00:00Z");
            let partner = Partner::new(partner, name.to_owned());
            let id = partner.id;
            block_on(accounts.add_partner(partner, agreement, audit(at("2026-11-05T00:00:00Z")))).unwrap();
            block_on(accounts.add_app(app_of(id), audit(at("2026-11-05T00:00:00Z")))).unwrap();
        }
        let office = Office {
            store: Arc::clone(&store) as _,
            refusals: Arc::clone(&accounts) as _,
            accounts,
            outbox: Arc::clone(&ledger) as _,
            ledger: Arc::clone(&ledger) as _,
            registry: None,
            subjects: None,
            keys,
            entropy: Arc::new(Counted::default()),
            settings: OfficeSettings {
                billing: BillingSettings { tax_number: "P051".to_owned(), ..BillingSettings::default() },
                ..OfficeSettings::new("Test Mobile", TimeZone::get("Africa/Nairobi").unwrap(), Currency::KES)
            },
            counted: CountedDays::default(),
            jobs: laini_office::jobs::Jobs::default(),
        };
        let lines = std::cell::Cell::new(0);
        Self { _dir: dir, office, store, ledger, desk: Desk::default(), lines }
    }

    pub(crate) fn draft(&self, partner: PartnerId, product: Product, at: Timestamp) -> Draft {
        let line = self.lines.get() + 1;
        self.lines.set(line);
        let question = Question { product, line, app: app(partner.as_u64()), ..QUESTION };
        let draft = self.desk.answered(question, at);
        self.priced(Draft { partner, ..draft })
    }

    /// Under the price that is in force now.
    fn priced(&self, draft: Draft) -> Draft {
        let book = block_on(self.office.accounts.load()).unwrap();
        let agreements = book.agreements_of(draft.partner);
        let agreement = agreements.at(draft.at).unwrap();
        let (_, price) = agreement.prices.iter().find(|(product, _)| *product == draft.product).unwrap();
        Draft { agreement: Some(agreement.id), price: price.stamp(), ..draft }
    }

    pub(crate) fn record(&self, draft: Draft) {
        block_on(self.ledger.record(draft)).unwrap();
    }

    pub(crate) fn ask(&self, partner: PartnerId, product: Product, count: u32, first: &str) {
        for n in 0..count {
            self.record(self.draft(partner, product, at(first) + SignedDuration::from_secs(n.into())));
        }
    }

    /// A November: 8 `swap` and 2 `imsi` of the bank, 3 `age` of the fintech, and what is never charged.
    pub(crate) fn november(&self) {
        self.ask(BANK, Product::Swap, 8, "2026-11-10T09:00:00Z");
        self.ask(BANK, Product::Imsi, 2, "2026-11-11T09:00:00Z");
        self.ask(FINTECH, Product::Age, 3, "2026-11-12T09:00:00Z");
        let sandbox = self.draft(BANK, Product::Imsi, at("2026-11-13T09:00:00Z"));
        self.record(Draft { environment: Environment::Sandbox, ..sandbox });
        let unknown = self.draft(BANK, Product::Imsi, at("2026-11-13T09:00:01Z"));
        self.record(Draft { outcome: Outcome::Unknown, ..unknown });
        // Its own midnight is Nairobi's: the last minute of November, the first of December.
        self.ask(FINTECH, Product::Age, 1, "2026-11-30T20:59:00Z");
        self.ask(FINTECH, Product::Age, 1, "2026-11-30T21:00:00Z");
    }

    pub(crate) fn close(&self, month_text: &str, now: &str) -> Result<CloseReport, Problem> {
        close_month(&self.office, &Actor::System, month(month_text), at(now), false)
    }

    pub(crate) fn invoices(&self) -> Vec<Invoice> {
        let found = self
            .office
            .run(&Actor::System, at("2027-01-01T00:00:00Z"), |work| invoices(work, None, PageRequest::FIRST));
        let mut found = found.unwrap().items;
        found.reverse();
        found
    }

    fn lines(&self, number: u64) -> Vec<(LineKind, Product, u64, i64)> {
        let invoice = self.invoices().into_iter().find(|invoice| invoice.statement.number == number).unwrap();
        let lines = invoice.statement.lines.iter();
        lines.map(|line| (line.kind, line.product, line.units, line.amount_minor)).collect()
    }
}

#[test]
fn a_month_becomes_invoices_in_ledger_order_and_is_verified() {
    let bench = Bench::new();
    bench.november();
    let report = bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    assert_eq!((report.made, report.was_done), (2, false));
    // No minimum: the agreements are younger than the month.
    let bank = [
        (Units, Product::Imsi, 2, 4_000),
        (SetUp, Product::Swap, 1, 5_000_000),
        (Free, Product::Swap, 5, 0),
        (Units, Product::Swap, 3, 300),
    ];
    assert_eq!(bench.lines(1), bank);
    assert_eq!(bench.lines(2), [(Units, Product::Age, 4, 1_600)]);
    let invoices = bench.invoices();
    let statement = &invoices[0].statement;
    let subtotal = 5_004_300;
    assert_eq!((statement.subtotal_minor, statement.tax_basis_points), (subtotal, VAT_BASIS_POINTS));
    assert_eq!((statement.tax_minor, statement.total_minor), (800_688, subtotal + 800_688));
    assert_eq!((statement.due.to_string(), statement.buyer.name.as_str()), ("2026-12-31".to_owned(), "A Bank & Sons"));
    let end = block_on(bench.ledger.ends(None)).unwrap()[0];
    assert_eq!((statement.covered.chains[0].seq, &statement.covered.chains[0].mac), (end.seq, &end.mac.hex()));
    for invoice in &invoices {
        assert_eq!(verify_invoice(&bench.office, invoice).unwrap().differences, Vec::<String>::new());
    }
    // An invoice that says something else is found.
    let mut forged = invoices[0].clone();
    forged.statement.lines[0].amount_minor += 1;
    forged.statement.total_minor += 1;
    assert_eq!(verify_invoice(&bench.office, &forged).unwrap().differences.len(), 2);
}

#[test]
fn every_line_answers_the_rows_that_it_bills() {
    let bench = Bench::new();
    bench.november();
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    bench.ask(BANK, Product::Swap, 2, "2026-11-30T20:58:00Z");
    bench.ask(BANK, Product::Swap, 4, "2026-12-10T09:00:00Z");
    bench.ask(FINTECH, Product::Age, 2, "2026-12-10T09:00:00Z");
    bench.close("2026-12", "2027-01-01T03:00:00Z").unwrap();
    every_line_bills_its_rows(&bench.office);
    let invoices = bench.invoices();
    let seconds = |rows: Vec<LedgerRow>| rows.iter().map(|row| row.at.as_second() % 60).collect::<Vec<_>>();
    // The first of eight brought the set-up fee; five were free.
    let [set_up, free, paid] = [2, 3, 4].map(|line| seconds(billed(&bench.office, &invoices[0], line)));
    assert_eq!((set_up, free, paid), (vec![0], vec![0, 1, 2, 3, 4], vec![5, 6, 7]));
    let none = |work: &mut laini_office::Work<'_>| line_rows(work, &invoices[0], 9, None, 2);
    let no_line = bench.office.run(&Actor::System, at("2027-01-01T03:00:00Z"), none);
    assert!(matches!(no_line, Err(Problem::NotFound("line"))));
}

#[test]
fn a_chain_head_that_the_ledger_does_not_have_is_named() {
    let bench = Bench::new();
    bench.november();
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    bench.ask(FINTECH, Product::Age, 2, "2026-12-10T09:00:00Z");
    bench.close("2026-12", "2027-01-01T03:00:00Z").unwrap();
    let differences = |invoice: &Invoice| verify_invoice(&bench.office, invoice).unwrap().differences;
    for invoice in bench.invoices() {
        assert_eq!(differences(&invoice), Vec::<String>::new());
        let seq = invoice.statement.covered.chains[0].seq;
        let mut forged = invoice.clone();
        forged.statement.covered.chains[0].mac = "5a".repeat(32);
        let frozen = "it states other chain heads than were frozen when the month was closed";
        let lost =
            format!("chain head of writer 1: the ledger has another link at place {seq} than the invoice, or none");
        assert_eq!(differences(&forged), [frozen, &lost]);
        forged.statement.covered.chains[0].mac = "no link".to_owned();
        assert_eq!(differences(&forged), [frozen, "chain head of writer 1: `no link` is no link"]);
    }
}

#[test]
fn closed_twice_is_the_same_bytes_and_the_next_month_goes_on() {
    let bench = Bench::new();
    bench.november();
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    let bytes = |bench: &Bench| bench.invoices().iter().map(|invoice| invoice.json().unwrap()).collect::<Vec<_>>();
    let first = bytes(&bench);
    let again = bench.close(NOVEMBER, "2026-12-05T03:00:00Z").unwrap();
    assert!(again.was_done && again.made == 0);
    assert_eq!(bytes(&bench), first);
    // What is recorded after the close for an instant before it: on the next invoice, once.
    bench.ask(BANK, Product::Swap, 2, "2026-11-30T20:58:00Z");
    bench.ask(BANK, Product::Swap, 4, "2026-12-10T09:00:00Z");
    let skipped = bench.close("2027-01", "2027-02-01T03:00:00Z");
    assert!(matches!(skipped, Err(Problem::NotNow(why)) if why.contains("2026-12 comes first")));
    bench.close("2026-12", "2027-01-01T03:00:00Z").unwrap();
    assert_eq!(bytes(&bench)[..2], first);
    // Free units once and the set-up fee are not given or asked again; bands begin anew; minimums count from now on.
    let bank = [(Minimum, Product::Imsi, 1, 10_000), (Units, Product::Swap, 3, 300), (Units, Product::Swap, 3, 150)];
    assert_eq!(bench.lines(3), bank);
    assert_eq!(bench.lines(4), [(Minimum, Product::Imsi, 1, 10_000), (Units, Product::Age, 1, 400)]);
    for invoice in bench.invoices() {
        assert_eq!(verify_invoice(&bench.office, &invoice).unwrap().differences, Vec::<String>::new());
    }
}

#[test]
fn a_close_that_is_interrupted_anywhere_ends_as_if_it_had_not_been() {
    let whole = Bench::new();
    whole.november();
    whole.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    let expected: Vec<Vec<u8>> = whole.invoices().iter().map(|invoice| invoice.json().unwrap()).collect();
    // Freezing, two invoices and the end are a commit each.
    for commits in 0..4 {
        let bench = Bench::new();
        bench.november();
        bench.store.commits_left.store(commits, Ordering::Relaxed);
        bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap_err();
        bench.store.commits_left.store(u64::MAX, Ordering::Relaxed);
        if commits > 0 {
            // What comes meanwhile is not in it: the marks are frozen.
            bench.ask(BANK, Product::Imsi, 1, "2026-11-30T20:00:00Z");
        }
        let later = if commits == 0 { "2026-12-01T03:00:00Z" } else { "2026-12-02T03:00:00Z" };
        bench.close(NOVEMBER, later).unwrap();
        let found: Vec<Vec<u8>> = bench.invoices().iter().map(|invoice| invoice.json().unwrap()).collect();
        assert_eq!(found, expected, "after {commits} commits");
    }
}

#[test]
fn two_that_close_at_once_make_each_invoice_once() {
    let bench = Bench::new();
    bench.november();
    let office = &bench.office;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let now = at("2026-12-01T03:00:00Z");
                while let Err(problem) = close_month(office, &Actor::System, month(NOVEMBER), now, false) {
                    assert_eq!(problem, Problem::Contended);
                }
            });
        }
    });
    let numbers: Vec<u64> = bench.invoices().iter().map(|invoice| invoice.statement.number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[test]
fn a_close_waits_for_a_writer_that_is_behind_until_it_is_silent() {
    let bench = Bench::new();
    let closed = |now: &str| close_due(&bench.office, at(now)).unwrap().len();
    assert_eq!(closed("2026-12-01T00:00:00Z"), 0, "nothing was ever asked");
    bench.ask(BANK, Product::Imsi, 1, "2026-11-30T20:58:00Z");
    assert_eq!(closed("2026-11-30T20:59:00Z"), 0, "the month is not over");
    assert_eq!(closed("2026-11-30T21:05:00Z"), 0, "its newest row is of November");
    let refused = bench.close(NOVEMBER, "2026-11-30T21:05:00Z");
    assert!(matches!(refused, Err(Problem::NotNow(why)) if why.contains("writer 1 has not passed")));
    assert_eq!(closed("2026-11-30T21:13:00Z"), 1, "a quarter of an hour of silence");
    assert_eq!(closed("2026-11-30T21:13:00Z"), 0, "once");
    bench.ask(BANK, Product::Imsi, 1, "2026-12-31T21:02:00Z");
    assert_eq!(closed("2026-12-31T21:03:00Z"), 1, "it has passed the end");
}

#[test]
fn a_new_price_counts_from_its_rows_on_and_changes_nothing_before() {
    let bench = Bench::new();
    bench.ask(BANK, Product::Swap, 7, "2026-11-10T09:00:00Z");
    let second = Agreement {
        prices: vec![(Product::Swap, Price { free: FreeUnits::Once(9), ..Price::flat(2, kes(70)) })],
        ..agreement(112, BANK, 2, 1_500, "2026-11-15T09:00:00Z")
    };
    // A node whose clock is behind goes on with the price before, among rows of the other.
    let unheard: Vec<Draft> = (0..3)
        .map(|n| bench.draft(BANK, Product::Swap, at("2026-11-15T09:00:00Z") + SignedDuration::from_secs(2 * n)))
        .collect();
    block_on(bench.office.accounts.add_agreement(second, audit(at("2026-11-15T09:00:00Z")))).unwrap();
    for (n, draft) in (0..).zip(unheard) {
        bench.record(draft);
        bench.record(bench.draft(BANK, Product::Swap, at("2026-11-15T09:00:01Z") + SignedDuration::from_secs(2 * n)));
    }
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    // 7 + 1 of the first price (5 free, 3 in its first band), then in turns: the ninth unit is free under the second
    // price's nine, the others are not; the first price's units stand in its second band by now.
    let expected = [
        (SetUp, Product::Swap, 1, 5_000_000),
        (Free, Product::Swap, 5, 0),
        (Units, Product::Swap, 3, 300),
        (Free, Product::Swap, 1, 0),
        (Units, Product::Swap, 2, 100),
        (Units, Product::Swap, 2, 140),
    ];
    assert_eq!(bench.lines(1), expected);
    let invoice = &bench.invoices()[0];
    assert_eq!(invoice.statement.prices.iter().map(|price| price.version).collect::<Vec<_>>(), [1, 2]);
    every_line_bills_its_rows(&bench.office);
    assert_eq!(verify_invoice(&bench.office, invoice).unwrap().differences, Vec::<String>::new());
}

#[test]
fn a_dispute_has_sixty_days_and_ends_in_a_credit_or_not() {
    let bench = Bench::new();
    bench.november();
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    let invoice = bench.invoices().remove(0);
    let run = |now: &str, line: u32| {
        bench.office.run(&Actor::System, at(now), |work| open_dispute(work, &invoice, line, "we count fewer"))
    };
    assert!(matches!(run("2026-12-02T00:00:00Z", 9), Err(Problem::Invalid { field: "line", .. })));
    let late =
        at("2026-12-01T03:00:00Z") + SignedDuration::from_hours(24 * DISPUTE_DAYS) + SignedDuration::from_secs(1);
    assert!(matches!(run(&late.to_string(), 1), Err(Problem::NotNow(why)) if why.contains("60 days")));
    let dispute = run("2026-12-02T00:00:00Z", 1).unwrap();
    assert!(matches!(run("2026-12-03T00:00:00Z", 1), Err(Problem::NotNow(why)) if why.contains("already")));
    let settle = |settlement| {
        let now = at("2026-12-04T00:00:00Z");
        bench.office.run(&Actor::System, now, |work| settle_dispute(work, dispute.id, settlement, "you are right"))
    };
    let too_much = settle(Settlement::Accept { amount_minor: 4_001 });
    assert!(matches!(too_much, Err(Problem::Invalid { field: "lines", .. })), "{too_much:?}");
    let settled = settle(Settlement::Accept { amount_minor: 2_000 }).unwrap();
    assert_eq!(settled.state, DisputeState::Accepted { credit_note: 1 });
    assert!(matches!(settle(Settlement::Reject), Err(Problem::NotNow(_))));
    let notes = bench.office.run(&Actor::System, at("2026-12-05T00:00:00Z"), |work| credit_notes(work, 1)).unwrap();
    assert_eq!((notes[0].subtotal_minor, notes[0].tax_minor, notes[0].total_minor), (2_000, 320, 2_320));
    assert!(paper_of_credit(&notes[0], &invoice).html().contains("Credit note 1"));
}

#[test]
fn credits_never_exceed_a_line_and_together_give_back_the_tax_to_the_cent() {
    let bench = Bench::new();
    bench.november();
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    let invoice = bench.invoices().remove(1);
    let give = |amount_minor| {
        let lines = [Credited { line: 1, amount_minor }];
        bench
            .office
            .run(&Actor::System, at("2026-12-04T00:00:00Z"), |work| credit_invoice(work, &invoice, &lines, "goodwill"))
    };
    // 1,600 in pieces whose tax is never whole.
    let mut back = 0;
    for amount in [3, 7, 1, 589, 1_000] {
        back += give(amount).unwrap().total_minor;
    }
    assert_eq!(back, invoice.statement.total_minor);
    assert!(matches!(give(1), Err(Problem::Invalid { field: "lines", .. })));
    assert!(matches!(give(0), Err(Problem::Invalid { field: "lines", .. })));
}

#[test]
fn papers_and_exports_say_the_same() {
    let bench = Bench::new();
    bench.november();
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    let invoice = bench.invoices().remove(0);
    let now = at("2026-12-02T00:00:00Z");
    let kept = |number: &str| {
        bench
            .office
            .run(&Actor::System, now, |work| keep_tax_receipt(work, &invoice, number, "https://etims.example/1"))
    };
    let with_receipt = kept("KRA0001/7").unwrap();
    assert_eq!(kept("KRA0001/7").unwrap(), with_receipt);
    assert!(matches!(kept("KRA0001/8"), Err(Problem::NotNow(_))));
    let page = paper(&with_receipt).html();
    for text in ["Invoice 1", "To A Bank &amp; Sons", "KES 58049.88", "KRA0001/7", "KES 50000.00"] {
        assert!(page.contains(text), "{text} is not on {page}");
    }
    let csv = lines_csv(&invoice);
    assert_eq!(csv.lines().count(), 1 + 4 + 3);
    assert!(csv.contains("1,2026-11,4,units,swap,1,3,100,300,KES"), "{csv}");
    let export = tax_export(&invoice, &bench.office.settings.zone).unwrap();
    assert_eq!(
        (&export["totAmt"], &export["taxRtB"], &export["tin"]),
        (&58_049.88.into(), &16.0.into(), &"P051".into())
    );
    let sold = ["rcptTyCd", "orgInvcNo", "invcNo", "trdInvcNo", "rfdRsnCd"].map(|field| export[field].to_string());
    assert_eq!(sold, ["\"S\"", "0", "1", "\"1\"", "null"]);
}

#[test]
fn what_the_tax_authority_is_told_adds_up_to_the_cent() {
    let bench = Bench::new();
    bench.november();
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    let zone = &bench.office.settings.zone;
    let now = at("2026-12-02T00:00:00Z");
    let cents = |value: &serde_json::Value| -> i64 {
        format!("{:.2}", value.as_f64().unwrap()).replace('.', "").parse().unwrap()
    };
    let adds_up = |export: &serde_json::Value, sums: [i64; 3]| {
        let items = export["itemList"].as_array().unwrap();
        let of = |field: &str| items.iter().map(|item| cents(&item[field])).sum::<i64>();
        assert_eq!([of("taxblAmt"), of("taxAmt"), of("totAmt")], sums);
        assert_eq!(["totTaxblAmt", "totTaxAmt", "totAmt"].map(|field| cents(&export[field])), sums);
        let by_code = |field: &str| ["A", "B", "C", "D", "E"].map(|code| cents(&export[format!("{field}{code}")]));
        assert_eq!((by_code("taxblAmt"), by_code("taxAmt")), ([0, sums[0], 0, 0, 0], [0, sums[1], 0, 0, 0]));
        assert_eq!(export["totItemCnt"], items.len());
    };
    for invoice in bench.invoices() {
        let said = &invoice.statement;
        let export = tax_export(&invoice, zone).unwrap();
        adds_up(&export, [said.subtotal_minor, said.tax_minor, said.total_minor]);
        // Amounts of which no tax is whole.
        let lines: Vec<Credited> = said
            .lines
            .iter()
            .filter(|line| line.amount_minor > 0)
            .map(|line| Credited { line: line.line, amount_minor: 33 })
            .collect();
        let credit = |work: &mut laini_office::Work<'_>| credit_invoice(work, &invoice, &lines, "goodwill");
        let note = bench.office.run(&Actor::System, now, credit).unwrap();
        let export = tax_export_of_credit(&note, &invoice, zone).unwrap();
        adds_up(&export, [note.subtotal_minor, note.tax_minor, note.total_minor]);
        assert_eq!((&export["rcptTyCd"], &export["orgInvcNo"]), (&"R".into(), &said.number.into()));
        assert_eq!((&export["invcNo"], &export["rfdRsnCd"]), (&(1_000_000_000 + note.number).into(), &"06".into()));
    }
    let mut dollars = bench.invoices().remove(0);
    dollars.statement.currency = "USD".to_owned();
    assert!(matches!(tax_export(&dollars, zone), Err(Problem::NotNow(_))));
}

#[test]
fn a_month_is_computed_under_another_price() {
    let bench = Bench::new();
    bench.november();
    let other = Price { free: FreeUnits::PerMonth(1), ..Price::flat(9, kes(500)) };
    let simulated = || simulate(&bench.office, FINTECH, Product::Age, month(NOVEMBER), &other).unwrap();
    let open = simulated();
    assert_eq!((open.units, open.was_minor, open.would_be_minor), (4, 1_600, 1_500));
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    assert_eq!(simulated(), open);
}

#[test]
fn usage_is_told_by_day_and_by_reference() {
    let bench = Bench::new();
    let draft = bench.draft(BANK, Product::Imsi, at("2026-11-12T20:59:00Z"));
    let mut subject = draft.subject.clone();
    subject.reference = Some("branch 7".to_owned());
    bench.record(Draft { subject, ..draft });
    bench.ask(BANK, Product::Imsi, 2, "2026-11-12T21:00:00Z");
    let (from, until) = ("2026-11-12".parse().unwrap(), "2026-11-14".parse().unwrap());
    let days = usage_by_day(&bench.office, None, from, until).unwrap();
    let told: Vec<_> = days.iter().map(|day| (day.day.to_string(), day.checks, day.charged_minor)).collect();
    assert_eq!(told, [("2026-11-12".to_owned(), 1, 2_000), ("2026-11-13".to_owned(), 2, 4_000)]);
    let references = usage_by_reference(&bench.office, BANK, from, until).unwrap();
    let told: Vec<_> = references.iter().map(|one| (one.reference.as_deref(), one.checks, one.charged)).collect();
    assert_eq!(told, [(None, 2, 2), (Some("branch 7"), 1, 1)]);
    assert!(usage_by_reference(&bench.office, FINTECH, from, until).unwrap().is_empty());
    let ever = usage_by_reference(&bench.office, BANK, from, "2999-01-01".parse().unwrap());
    assert!(matches!(ever, Err(Problem::Invalid { .. })), "{ever:?}");
    assert!(matches!(usage_by_day(&bench.office, None, until, from), Err(Problem::Invalid { .. })));
}

#[test]
fn another_partners_invoices_are_not_listed() {
    let bench = Bench::new();
    bench.november();
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    let now = at("2026-12-02T00:00:00Z");
    let of = |partner| bench.office.run(&Actor::System, now, |work| invoices_of(work, partner, PageRequest::FIRST));
    let numbers = |partner| of(partner).unwrap().items.iter().map(|one| one.statement.number).collect::<Vec<_>>();
    assert_eq!((numbers(BANK), numbers(FINTECH)), (vec![1], vec![2]));
}
