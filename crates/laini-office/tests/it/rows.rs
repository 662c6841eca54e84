//! Every line of an invoice bills as many rows as it says, whatever was asked and taken back.

use std::sync::Arc;

use futures_executor::block_on;
use jiff::{SignedDuration, Timestamp};
use laini_core::billing::LineKind::{Free, Minimum, TakenBack, Units};
use laini_core::billing::{Band, CheckId, Currency, FreeUnits, Money, Month, Outcome, Price};
use laini_core::disclosure::Windows;
use laini_core::partner::{Agreement, AgreementId, AppId, Environment, Partner, PartnerId, Product, Purpose};
use laini_core::store::{AccountStore as _, AuditEntry, LedgerRow, PlacedRow};
use laini_office::billing::{CountedDays, Invoice, close_month, invoice_rows, invoices, line_rows, usage_by_reference};
use laini_office::{Actor, Office, OfficeSettings, PageRequest};
use laini_store_sqlite::SqliteAccounts;
use proptest::prelude::*;

use crate::desk::Desk;
use crate::made::Made;

const BANK: PartnerId = PartnerId::from_stored(31);

/// The rows that a line bills.
pub(crate) fn billed(office: &Office, invoice: &Invoice, line: u32) -> Vec<LedgerRow> {
    let mut rows = Vec::new();
    let taken = invoice_rows(office, invoice, Some(line), |placed| {
        rows.push(placed.row.clone());
        Ok(())
    });
    taken.unwrap();
    // The same, a page at a time.
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let at = invoice.statement.issued;
        let page = office.run(&Actor::System, at, |work| line_rows(work, invoice, line, after, 2)).unwrap();
        paged.extend(page.rows.into_iter().map(|placed| placed.row));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, rows);
    rows
}

/// Every line bills as many rows as it says, and every unit stands on one line alone.
pub(crate) fn every_line_bills_its_rows(office: &Office) {
    let at = "2027-02-01T00:00:00Z".parse().unwrap();
    let found = office.run(&Actor::System, at, |work| invoices(work, None, PageRequest::FIRST)).unwrap();
    for invoice in found.items {
        let mut units = Vec::new();
        for line in &invoice.statement.lines {
            let rows = billed(office, &invoice, line.line);
            let fits = |row: &LedgerRow| {
                let of_line = (row.product, row.price_version) == (line.product, line.price_version);
                row.partner == invoice.partner && of_line && row.reverses.is_some() == (line.kind == TakenBack)
            };
            assert!(rows.iter().all(fits), "{line:?} {rows:?}");
            let expected = if line.kind == Minimum { 0 } else { line.units };
            assert_eq!(rows.len() as u64, expected, "{line:?}");
            if matches!(line.kind, Free | Units) {
                units.extend(rows.iter().map(|row| row.id));
            }
        }
        let counted = units.len();
        units.sort_unstable();
        units.dedup();
        assert_eq!(units.len(), counted, "a check is billed twice");
    }
}

/// Of a check: how many seconds after its part's beginning, how long before it was minted, of which writer, product
/// and price, what became of it, and which one it takes back.
type Asked = (i64, i64, u32, bool, u32, u8, Option<usize>);

fn asked() -> impl Strategy<Value = Vec<Asked>> {
    let one = (0i64..600, 0i64..30, 1u32..3, any::<bool>(), 1u32..3, 0u8..10, prop::option::weighted(0.15, 0usize..40));
    prop::collection::vec(one, 1..40)
}

/// Writes them after the rows that are there, decided from `begins` on.
fn write(ledger: &Made, asked: &[Asked], begins: Timestamp) {
    let mut rows = ledger.rows.lock().unwrap();
    for (after_s, before_s, writer, is_swap, version, kind, reverses) in asked {
        let number = rows.len() as u64 + 1;
        let seq = rows.iter().filter(|placed| placed.writer == *writer).count() as u64 + 1;
        let at = begins + SignedDuration::from_secs(*after_s);
        let minted = CheckId::floor(at - SignedDuration::from_secs(*before_s));
        let (answered, list) = (*kind < 8, Money::new(100, Currency::KES));
        let row = LedgerRow {
            id: CheckId::from_parts(minted.position() + number, number),
            at,
            partner: BANK,
            app: AppId::from_stored(1),
            agreement: Some(AgreementId::from_stored(u64::from(*version))),
            product: if *is_swap { Product::Swap } else { Product::Imsi },
            environment: Environment::Production,
            purpose: Purpose::FraudPrevention,
            outcome: if answered { Outcome::Answered } else { Outcome::Unknown },
            price_version: *version,
            list_price: list,
            charge: if answered { list } else { Money::new(0, Currency::KES) },
            as_of: None,
            policy_version: 1,
            side_digest: [0; 32],
            reverses: None,
        };
        let is_reversed = |id| rows.iter().any(|placed| placed.row.reverses == Some(id));
        let charged = reverses.and_then(|place| rows.get(place)).map(|placed| placed.row.clone());
        let charged = charged.filter(|row| row.is_charged() && !is_reversed(row.id));
        let row = match charged {
            Some(charged) => charged.reversal(row.id, at.max(charged.at)),
            None => row,
        };
        rows.push(PlacedRow { row, writer: *writer, seq });
    }
}

fn price(version: u32) -> impl Strategy<Value = Price> {
    (any::<bool>(), 0u64..12, 1u64..8, 0i64..2, 0i64..2).prop_map(move |(monthly, free, first, a, b)| Price {
        free: if monthly { FreeUnits::PerMonth(free) } else { FreeUnits::Once(free) },
        bands: vec![Band { up_to: Some(first), unit_minor: a }, Band { up_to: None, unit_minor: b }],
        set_up_minor: 500,
        monthly_minimum_minor: 900,
        ..Price::flat(version, Money::new(0, Currency::KES))
    })
}

/// An office whose ledger is made up, with a partner under two versions of an agreement.
fn office(desk: &Desk, dir: &std::path::Path, ledger: &Arc<Made>, prices: [Price; 2]) -> Office {
    let accounts = Arc::new(SqliteAccounts::open(dir).unwrap());
    let day = |text: &str| text.parse::<Timestamp>().unwrap();
    let audit = || AuditEntry {
        at: day("2026-10-31T21:00:00Z"),
        actor: "test".to_owned(),
        action: "x".to_owned(),
        target: "y".to_owned(),
        reason: String::new(),
        partner: None,
    };
    let [first, second] = prices.map(|price| Agreement {
        id: AgreementId::from_stored(price.version.into()),
        partner: BANK,
        valid_from: day(if price.version == 1 { "2026-10-31T21:00:00Z" } else { "2026-11-10T00:00:00Z" }),
        valid_until: None,
        windows: Windows::default(),
        prices: vec![(Product::Imsi, price.clone()), (Product::Swap, price)],
        pass_hashed_imsi: false,
        purposes: vec![Purpose::FraudPrevention],
        exact_times: false,
    });
    block_on(accounts.add_partner(Partner::new(BANK, "Bank".to_owned()), first, audit())).unwrap();
    block_on(accounts.add_agreement(second, audit())).unwrap();
    Office {
        store: Arc::clone(&accounts) as _,
        refusals: Arc::clone(&accounts) as _,
        accounts,
        outbox: Arc::clone(&desk.office.outbox),
        ledger: Arc::clone(ledger) as _,
        registry: None,
        subjects: None,
        keys: Arc::clone(&desk.office.keys),
        entropy: Arc::clone(&desk.office.entropy),
        settings: OfficeSettings::new("Test Mobile", jiff::tz::TimeZone::UTC, Currency::KES),
        counted: CountedDays::default(),
        jobs: laini_office::jobs::Jobs::default(),
    }
}

#[test]
fn what_was_taken_back_is_of_no_reference_even_where_that_was_after_the_last_day() {
    let (desk, dir, ledger) = (Desk::open(), tempfile::tempdir().unwrap(), Arc::new(Made::default()));
    let flat = |version| Price::flat(version, Money::new(100, Currency::KES));
    let office = office(&desk, dir.path(), &ledger, [flat(1), flat(2)]);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let check = |after_s, reverses| (after_s, 0, 1, false, 1, 0, reverses);
    write(&ledger, &[0, 1, 2, 3].map(|s| check(s, None)), at("2026-11-15T23:59:50Z"));
    write(&ledger, &[check(4, Some(0))], at("2026-11-15T23:59:50Z"));
    write(&ledger, &[check(0, Some(1)), check(1, None)], at("2026-11-16T00:00:01Z"));
    let (from, until) = ("2026-11-15".parse().unwrap(), "2026-11-16".parse().unwrap());
    let found = usage_by_reference(&office, BANK, from, until).unwrap();
    let told: Vec<_> = found.iter().map(|one| (one.product, one.checks, one.charged, one.charged_minor)).collect();
    assert_eq!(told, [(Product::Imsi, 2, 2, 200)]);
    assert!(usage_by_reference(&office, PartnerId::from_stored(32), from, until).unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn lines_bill_their_rows_whatever_was_asked_and_taken_back(
        november in asked(), late in asked(), december in asked(), prices in (price(1), price(2)),
    ) {
        let (desk, dir, ledger) = (Desk::open(), tempfile::tempdir().unwrap(), Arc::new(Made::default()));
        let office = office(&desk, dir.path(), &ledger, [prices.0, prices.1]);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let close = |month: &str, now: &str| {
            close_month(&office, &Actor::System, Month::parse(month).unwrap(), at(now), false)
        };
        write(&ledger, &november, at("2026-11-15T12:00:00Z"));
        close("2026-11", "2026-12-01T03:00:00Z").unwrap();
        // Recorded after the close for instants before its end.
        write(&ledger, &late, at("2026-11-30T23:45:00Z"));
        write(&ledger, &december, at("2026-12-15T12:00:00Z"));
        close("2026-12", "2027-01-01T03:00:00Z").unwrap();
        every_line_bills_its_rows(&office);
    }
}
