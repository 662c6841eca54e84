use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;

const PARTNER: PartnerId = PartnerId::from_stored(1);
const START: Date = jiff::civil::date(2026, 10, 1);

fn day(days: i64) -> Date {
    START.checked_add(days.days()).unwrap()
}

fn kes(minor: i64) -> Money {
    Money::new(minor, Currency::KES)
}

/// Issued on its day, due 30 days later.
fn invoice(number: u64, issued: i64, total: i64) -> OpenItem {
    OpenItem { number, partner: PARTNER, total: kes(total), issued: day(issued), due: day(issued + 30) }
}

fn payment(id: u64, on: i64, amount: i64, invoice: Option<u64>) -> Settlement {
    Settlement { means: Means::Payment, id, on: day(on), amount: kes(amount), invoice, reversed: None }
}

fn account(on: i64, items: &[OpenItem], settlements: &[Settlement]) -> Account {
    Account::on(day(on), Currency::KES, items, settlements).unwrap()
}

/// What is settled with, what is open then of each invoice, and what is left as credit.
type Case<'a> = (&'a [Settlement], &'a [(u64, i64)], i64);

/// A settlement as it is drawn: on which day, how much, of which invoice, taken back when, by what means.
type Drawn = (i64, i64, Option<u64>, Option<i64>, usize);

fn open(account: &Account) -> Vec<(u64, i64)> {
    account.invoices.iter().map(|owed| (owed.item.number, owed.open_minor)).collect()
}

#[test]
fn the_named_invoice_is_settled_first_then_those_due_first_and_the_rest_is_credit() {
    let items = [invoice(2, 10, 500), invoice(1, 0, 1_000), invoice(3, 20, 300)];
    let table: &[Case<'_>] = &[
        (&[], &[(1, 1_000), (2, 500), (3, 300)], 0),
        (&[payment(1, 21, 400, None)], &[(1, 600), (2, 500), (3, 300)], 0),
        (&[payment(1, 21, 300, Some(3))], &[(1, 1_000), (2, 500), (3, 0)], 0),
        (&[payment(1, 21, 450, Some(3))], &[(1, 850), (2, 500), (3, 0)], 0),
        // What names an invoice goes before what was paid earlier and names none.
        (&[payment(1, 1, 1_000, None), payment(2, 21, 700, Some(1))], &[(1, 0), (2, 0), (3, 100)], 0),
        (&[payment(1, 21, 2_000, Some(2))], &[(1, 0), (2, 0), (3, 0)], 200),
        (&[payment(1, 21, 9, Some(77))], &[(1, 991), (2, 500), (3, 300)], 0),
        // The same one twice counts once.
        (&[payment(1, 21, 9, None), payment(1, 21, 9, None)], &[(1, 991), (2, 500), (3, 300)], 0),
    ];
    for (settlements, left, credit) in table {
        let account = account(40, &items, settlements);
        assert_eq!((open(&account).as_slice(), account.credit_minor), (*left, *credit), "{settlements:?}");
    }
}

#[test]
fn a_reversed_payment_counts_until_its_reversal_and_a_credit_note_and_a_certificate_settle_alike() {
    let items = [invoice(1, 0, 1_000)];
    let mut bounced = payment(1, 5, 1_000, None);
    bounced.reversed = Some(day(8));
    let credit = Settlement { means: Means::CreditNote, ..payment(1, 6, 100, Some(1)) };
    let withheld = Settlement { means: Means::WithholdingTax, ..payment(1, 7, 50, Some(1)) };
    let all = [bounced, credit, withheld];
    for (on, left, credit) in [(4, 1_000, 0), (5, 0, 0), (7, 0, 150), (8, 850, 0)] {
        let account = account(on, &items, &all);
        assert_eq!((account.open_minor().unwrap(), account.credit_minor), (left, credit), "day {on}");
    }
    let statement = AccountStatement::between((day(6), day(8)), Currency::KES, &items, &all).unwrap();
    let told: Vec<_> = statement.entries.iter().map(|entry| (entry.kind.word(), entry.balance_minor)).collect();
    assert_eq!((statement.opening_minor, statement.closing_minor), (0, 850));
    assert_eq!(told, [("credit_note", -100), ("withholding_tax", -150), ("payment_reversed", 850)]);
}

#[test]
fn what_an_invoice_below_zero_gives_back_settles_others_and_is_credit_until_then() {
    let items = [invoice(1, 0, 1_000), invoice(2, 10, -400), invoice(3, 20, 300)];
    let given_back = (Means::Invoice, 2);
    for (on, left, credit) in [(9, 1_000, 0), (10, 600, 0), (20, 900, 0)] {
        let account = account(on, &items, &[]);
        assert_eq!((account.open_minor().unwrap(), account.credit_minor), (left, credit), "day {on}");
    }
    assert_eq!(
        account(20, &items, &[]).allocations,
        [Allocation { settlement: given_back, invoice: 1, amount_minor: 400 }]
    );
    let paid = account(20, &items, &[payment(1, 5, 1_000, Some(1))]);
    assert_eq!((open(&paid), paid.credit_minor), (vec![(1, 0), (2, 0), (3, 0)], 100));
}

#[test]
fn what_is_open_is_aged_from_its_due_date() {
    let items: Vec<_> = [(1, 30), (2, 29), (3, 0), (4, -1), (5, -30), (6, -31), (7, -60), (8, -61)]
        .map(|(number, issued)| invoice(number, issued, 1 << number))
        .to_vec();
    let account = account(60, &items, &[payment(1, 60, 5, Some(99))]);
    // The 5 went to the oldest, 91 days overdue.
    let ageing = Ageing {
        not_due: 2,
        days_1_to_30: 4 + 8,
        days_31_to_60: 16 + 32,
        days_61_to_90: 64 + 128,
        over_90_days: 256 - 5,
        credit: 0,
    };
    assert_eq!(Ageing::of(&account), Ok(ageing));
    assert_eq!((ageing.open(), account.open_minor()), (Ok(505), Ok(505)));
    assert_eq!(account.overdue_minor(), Ok(503));
    assert_eq!(account.overdue().next().map(|owed| owed.item.number), Some(8));
}

#[test]
fn currencies_are_not_mixed_and_sums_do_not_wrap() {
    let usd = Money::new(1, Currency::parse("USD").unwrap());
    let dollars = Settlement { amount: usd, ..payment(1, 1, 1, None) };
    assert_eq!(Account::on(day(2), Currency::KES, &[], &[dollars]), Err(MoneyError::Currencies));
    let huge = [invoice(1, 0, i64::MAX), invoice(2, 0, 1)];
    assert_eq!(Account::on(day(2), Currency::KES, &huge, &[]), Err(MoneyError::Overflow));
}

#[test]
fn letters_are_sent_when_their_day_has_come_and_what_was_missed_is_not_sent_late() {
    use Reminder::{DueSoon, Last, Overdue, Second};
    let due = day(30);
    for (today, reminder) in [
        (26, None),
        (27, Some(DueSoon)),
        (30, Some(DueSoon)),
        (31, Some(Overdue)),
        (43, Some(Overdue)),
        (44, Some(Second)),
        (59, Some(Second)),
        (60, Some(Last)),
        (400, Some(Last)),
    ] {
        assert_eq!(Reminder::on(due, day(today)), reminder, "day {today}");
    }
}

#[test]
fn a_payers_text_names_invoices() {
    let table: &[(&str, &[u64])] = &[
        ("17", &[17]),
        (" 000017 ", &[17]),
        ("INV17", &[17]),
        ("pay inv-17 and INV 18, thanks", &[17, 18]),
        ("Invoice No. 17", &[17]),
        ("invoice number: 17", &[17]),
        ("INV-17/INV-17", &[17]),
        ("Invoice #42", &[42]),
        ("invoice no 7", &[7]),
        ("rent 17", &[]),
        ("254722000000 JOHN", &[]),
        ("saving 5", &[]),
        ("INV-99999999999999999999", &[]),
        ("", &[]),
        ("inv", &[]),
    ];
    for (text, numbers) in table {
        assert_eq!(invoice_numbers(text), *numbers, "{text}");
    }
    assert_eq!(normal_reference(" Bank-a/01 é"), "BANKA01");
}

fn items() -> impl Strategy<Value = Vec<OpenItem>> {
    prop::collection::vec((0..60_i64, -2_000..5_000_i64), 0..12)
        .prop_map(|all| (1..).zip(all).map(|(number, (issued, total))| invoice(number, issued, total)).collect())
}

fn settlements() -> impl Strategy<Value = Vec<Settlement>> {
    let one = (0..60_i64, 1..4_000_i64, prop::option::of(0..14_u64), prop::option::of(0..90_i64), 0..3_usize);
    prop::collection::vec(one, 0..20).prop_map(|all| {
        let settlement = |(id, (on, amount, invoice, reversed, means)): (u64, Drawn)| {
            let (means, reversed) = (Means::ALL[means], reversed.map(day));
            Settlement { means, reversed, ..payment(id, on, amount, invoice) }
        };
        (1..).zip(all).map(settlement).collect()
    })
}

proptest! {
    #[test]
    fn what_is_invoiced_is_settled_or_open_and_nothing_is_settled_twice(
        items in items(), settlements in settlements(), on in 0..100_i64,
    ) {
        let account = account(on, &items, &settlements);
        let issued: Vec<i64> =
            items.iter().filter(|item| item.issued <= day(on)).map(|item| item.total.minor).collect();
        let invoiced: i64 = issued.iter().map(|total| *total.max(&0)).sum();
        let given_back: i64 = issued.iter().map(|total| (-total).max(0)).sum();
        let counts = |one: &&Settlement| one.on <= day(on) && one.reversed.is_none_or(|reversed| reversed > day(on));
        let paid: i64 = settlements.iter().filter(counts).map(|one| one.amount.minor).sum();
        let settled: i64 = account.allocations.iter().map(|one| one.amount_minor).sum();
        prop_assert_eq!(invoiced - settled, account.open_minor().unwrap());
        prop_assert_eq!(paid + given_back - settled, account.credit_minor);
        // Money lies idle only where nothing is open.
        prop_assert!(account.credit_minor == 0 || account.open_minor().unwrap() == 0);
        for owed in &account.invoices {
            let of = account.allocations.iter().filter(|one| one.invoice == owed.item.number);
            let of: i64 = of.map(|one| one.amount_minor).sum();
            prop_assert_eq!(of, owed.item.total.minor.max(0) - owed.open_minor);
            prop_assert!(owed.open_minor >= 0);
        }
        for settlement in &settlements {
            let of = account.allocations.iter().filter(|one| one.settlement == (settlement.means, settlement.id));
            prop_assert!(of.map(|one| one.amount_minor).sum::<i64>() <= settlement.amount.minor);
        }
    }

    #[test]
    fn the_order_in_which_payments_are_told_changes_nothing(
        items in items(), settlements in settlements(), seed in any::<prop::sample::Index>(),
    ) {
        let mut turned = settlements.clone();
        let middle = seed.index(turned.len() + 1);
        turned.rotate_left(middle);
        turned.reverse();
        prop_assert_eq!(account(60, &items, &settlements), account(60, &items, &turned));
    }

    #[test]
    fn equal_payments_come_to_the_same_sum_whichever_names_what(
        items in items(), amounts in prop::collection::vec(1..3_000_i64, 1..8), turn in 0..8_usize,
    ) {
        let all = |turn: usize| -> Vec<Settlement> {
            let names = (0..amounts.len() as u64).map(|n| n.is_multiple_of(2).then_some(n));
            let mut names: Vec<Option<u64>> = names.collect();
            names.rotate_left(turn % amounts.len());
            (1..).zip(&amounts).zip(names).map(|((id, amount), name)| payment(id, 61, *amount, name)).collect()
        };
        let (one, other) = (account(100, &items, &all(0)), account(100, &items, &all(turn)));
        prop_assert_eq!(one.open_minor(), other.open_minor());
        prop_assert_eq!(one.credit_minor, other.credit_minor);
    }

    #[test]
    fn a_statement_ends_where_the_account_stands(
        items in items(), settlements in settlements(), from in 0..50_i64, length in 0..60_i64,
    ) {
        let until = from + length;
        let statement = AccountStatement::between((day(from), day(until)), Currency::KES, &items, &settlements).unwrap();
        let entries: i64 = statement.entries.iter().map(|entry| entry.amount_minor).sum();
        prop_assert_eq!(statement.opening_minor + entries, statement.closing_minor);
        let account = account(until, &items, &settlements);
        prop_assert_eq!(statement.closing_minor, account.open_minor().unwrap() - account.credit_minor);
        let ageing = Ageing::of(&account).unwrap();
        prop_assert_eq!(ageing.open().unwrap(), account.open_minor().unwrap());
    }
}
