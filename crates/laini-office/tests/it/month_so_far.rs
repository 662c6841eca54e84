//! What the running month comes to, what months brought, and what a close waits for: from the ledger's counters.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{Credited, Money};
use laini_core::partner::Product;
use laini_office::agreements::{AgreementState, BandTerms, PriceAgreed, PriceTerms, change_price};
use laini_office::billing::{
    CountedDays, Earned, MonthSoFar, PriceBook, credit_invoice, month_so_far, next_close, revenue, usage_by_day,
};
use laini_office::{Actor, Office, Problem, Work};

use crate::billing::{BANK, Bench, FINTECH, NOVEMBER, at, kes, month};

fn on<T>(bench: &Bench, at: Timestamp, work: impl FnMut(&mut Work<'_>) -> Result<T, Problem>) -> Result<T, Problem> {
    bench.office.run(&Actor::System, at, work)
}

fn so_far(bench: &Bench, now: &str) -> MonthSoFar {
    on(bench, at(now), |work| month_so_far(work, BANK)).unwrap()
}

#[test]
fn what_was_counted_once_is_what_is_counted_anew() {
    let bench = Bench::new();
    let (from, until) = ("2026-11-01".parse().unwrap(), "2027-01-01".parse().unwrap());
    let begins = at("2026-11-29T09:00:00Z");
    // Two days and a month's end, in steps that are no quarters of an hour.
    for step in 0..200_u32 {
        let product = Product::ALL[usize::try_from(step % 3).unwrap()];
        bench.record(bench.draft(BANK, product, begins + SignedDuration::from_secs(i64::from(step) * 1_111)));
        let anew = Office {
            store: Arc::clone(&bench.office.store),
            accounts: Arc::clone(&bench.office.accounts),
            ledger: Arc::clone(&bench.office.ledger),
            outbox: Arc::clone(&bench.office.outbox),
            refusals: Arc::clone(&bench.office.refusals),
            registry: None,
            subjects: None,
            keys: Arc::clone(&bench.office.keys),
            entropy: Arc::clone(&bench.office.entropy),
            settings: bench.office.settings.clone(),
            counted: CountedDays::default(),
            jobs: laini_office::jobs::Jobs::default(),
        };
        let told = usage_by_day(&bench.office, Some(BANK), from, until).unwrap();
        assert_eq!(told, usage_by_day(&anew, Some(BANK), from, until).unwrap(), "step {step}");
        assert_eq!(told.iter().map(|day| day.checks).sum::<u64>(), u64::from(step) + 1);
    }
    assert!(usage_by_day(&bench.office, Some(FINTECH), from, until).unwrap().is_empty());
}

#[test]
fn the_running_month_is_told_with_free_units_and_bands_and_goes_on_like_the_average_day() {
    let bench = Bench::new();
    bench.november();
    let month = so_far(&bench, "2026-11-20T09:00:00Z");
    assert_eq!((month.days_left, month.averaged_days), (10, 10));
    let of = |month: &MonthSoFar, product| month.products.iter().find(|of| of.product == product).cloned().unwrap();
    let swap = of(&month, Product::Swap);
    assert_eq!((swap.units, swap.free_left, swap.spent), (8, Some(0), kes(5_000_300)));
    // Eight in ten days: one more today, eight more in ten days; twelve are paid, three of them dearer.
    assert_eq!((swap.forecast_units, swap.forecast), (17, kes(5_000_750)));
    let imsi = of(&month, Product::Imsi);
    assert_eq!((imsi.units, imsi.free_left, imsi.spent), (2, None, kes(4_000)));
    let sums = month.sums().unwrap();
    assert_eq!(sums.0, kes(5_004_300));
    // The next month begins with what the invoice carries over, and its minimum is in the forecast alone.
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    let december = so_far(&bench, "2026-12-01T09:00:00Z");
    let (swap, imsi) = (of(&december, Product::Swap), of(&december, Product::Imsi));
    assert_eq!((swap.units, swap.free_left, swap.spent), (0, Some(0), kes(0)));
    assert_eq!((imsi.spent, imsi.forecast), (kes(0), kes(10_000)));
}

#[test]
fn revenue_is_what_invoices_say_less_what_was_given_back() {
    let bench = Bench::new();
    bench.november();
    let told = |now: &str| on(&bench, at(now), |work| revenue(work, 3)).unwrap();
    let short = |one: &Earned| (one.month.to_string(), one.partner, one.product, one.units, one.net, one.is_invoiced);
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    let november = |product, units, minor| (NOVEMBER.to_owned(), BANK, product, units, kes(minor), true);
    let age = (NOVEMBER.to_owned(), FINTECH, Product::Age, 4, kes(1_600), true);
    let running = ("2026-12".to_owned(), FINTECH, Product::Age, 1, kes(400), false);
    let (imsi, swap) = (november(Product::Imsi, 2, 4_000), november(Product::Swap, 8, 5_000_300));
    let now = "2026-12-01T09:00:00Z";
    assert_eq!(told(now).iter().map(short).collect::<Vec<_>>(), [running.clone(), imsi, swap.clone(), age.clone()]);
    let invoice = bench.invoices().remove(0);
    let lines = [Credited { line: 1, amount_minor: 2_000 }];
    on(&bench, at(now), |work| credit_invoice(work, &invoice, &lines, "agreed").map(drop)).unwrap();
    let imsi = november(Product::Imsi, 2, 2_000);
    assert_eq!(told(now).iter().map(short).collect::<Vec<_>>(), [running, imsi, swap, age]);
    assert!(matches!(on(&bench, at(now), |work| revenue(work, 25)), Err(Problem::Invalid { .. })));
}

#[test]
fn the_next_close_says_what_it_waits_for() {
    let bench = Bench::new();
    assert_eq!(next_close(&bench.office, at("2026-11-20T09:00:00Z")).unwrap(), None);
    bench.november();
    let next = |now: &str| next_close(&bench.office, at(now)).unwrap().unwrap();
    let before = next("2026-11-20T09:00:00Z");
    assert_eq!((before.month, before.is_over, before.writers_behind), (month(NOVEMBER), false, Vec::new()));
    // The last row is of midnight: for a quarter of an hour more may come.
    assert_eq!(next("2026-11-30T21:05:00Z").writers_behind, [1]);
    let silent = next("2026-11-30T21:20:00Z");
    assert!(silent.is_over && silent.writers_behind.is_empty() && silent.begun.is_none());
    bench.close(NOVEMBER, "2026-12-01T03:00:00Z").unwrap();
    assert_eq!(next("2026-12-01T03:00:00Z").month, month("2026-12"));
}

/// A flat price.
fn price(unit_minor: i64) -> PriceTerms {
    PriceTerms {
        product: Product::Imsi,
        currency: "KES".to_owned(),
        set_up_minor: 0,
        free_units: 0,
        free_units_renew: false,
        bands: vec![BandTerms { up_to: None, unit_minor }],
        monthly_minimum_minor: 0,
    }
}

#[test]
fn prices_that_are_agreed_while_one_is_to_come_have_versions_of_their_own() {
    let bench = Bench::new();
    let later = at("2026-12-31T21:00:00Z");
    let agree = |now: &str, unit_minor, from| {
        let outside = PriceAgreed::Outside("agreed by letter");
        on(&bench, at(now), |work| change_price(work, BANK, &price(unit_minor), from, outside)).unwrap();
        let prices = PriceBook::load(&bench.office).unwrap();
        prices.in_force(BANK, Product::Imsi, from.unwrap_or(at(now))).unwrap().stamp().version
    };
    assert_eq!(agree("2026-11-10T09:00:00Z", 1_500, Some(later)), 2);
    assert_eq!(agree("2026-11-12T09:00:00Z", 1_900, None), 3);
    assert_eq!(agree("2026-11-13T09:00:00Z", 1_700, None), 4);
    // One that was there before is that one again.
    assert_eq!(agree("2026-11-14T09:00:00Z", 1_900, None), 3);
}

#[test]
fn a_price_in_another_currency_than_the_operators_is_not_agreed() {
    let bench = Bench::new();
    let dollars = PriceTerms { currency: "USD".to_owned(), ..price(100) };
    for agreed in [PriceAgreed::Outside("agreed by letter"), PriceAgreed::ByBoth] {
        let refused = on(&bench, at("2026-11-20T09:00:00Z"), |work| change_price(work, BANK, &dollars, None, agreed));
        assert!(matches!(refused, Err(Problem::Invalid { field: "prices", .. })), "{refused:?}");
    }
}

#[test]
fn another_price_is_another_version_of_the_agreement() {
    let bench = Bench::new();
    let (now, later) = (at("2026-11-20T09:00:00Z"), at("2026-12-31T21:00:00Z"));
    let outside = PriceAgreed::Outside("agreed by letter");
    let version = on(&bench, now, |work| change_price(work, BANK, &price(1_500), Some(later), outside)).unwrap();
    assert_eq!(version.state, AgreementState::Signed);
    let prices = PriceBook::load(&bench.office).unwrap();
    let list = |at| -> (u32, Money) {
        let stamp = prices.in_force(BANK, Product::Imsi, at).unwrap().stamp();
        (stamp.version, stamp.list)
    };
    assert_eq!((list(now), list(later)), ((1, kes(2_000)), (2, kes(1_500))));
    let sent = on(&bench, now, |work| change_price(work, FINTECH, &price(1_000), None, PriceAgreed::ByBoth)).unwrap();
    assert_eq!(sent.state, AgreementState::Sent);
    // What is not signed is not in force.
    assert_eq!(prices.in_force(FINTECH, Product::Imsi, later).unwrap().stamp().list, kes(2_000));
    let again = on(&bench, now, |work| change_price(work, FINTECH, &price(900), None, PriceAgreed::ByBoth));
    assert!(matches!(again, Err(Problem::NotNow(_))));
}
