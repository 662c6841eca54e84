//! Payments, accounts, certificates, reminders and prepaid balances.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use laini_core::billing::{Currency, Money, OpenItem};
use laini_core::partner::{MemberRole, Partner, PartnerId, PaymentId};
use laini_core::store::AccountsChange;
use laini_office::apps::{Why, suspend_partner};
use laini_office::mail::QueuedLetter;
use laini_office::payments::statement::Format;
use laini_office::payments::{
    self, CertificateState, CreditPosting, MatchedBy, NewCertificate, NewPayment, Payment, remind,
};
use laini_office::people::Seat;
use laini_office::prepaid;
use laini_office::{Actor, PageRequest, Problem};

use crate::desk::{Desk, OWN};

const OTHER: PartnerId = PartnerId::from_stored(12);
/// The day on which desks are opened.
const TODAY: Date = date(2026, 11, 22);

fn console() -> Actor {
    Actor::Console { user: "test".to_owned() }
}

/// An invoice that is due so many days after today.
fn owes(desk: &Desk, number: u64, partner: PartnerId, total_minor: i64, due: i32) {
    let total = Money::new(total_minor, Currency::KES);
    let due = TODAY.checked_add(due.days()).unwrap();
    let item = OpenItem { number, partner, total, issued: due.saturating_sub(30.days()), due };
    desk.run(&console(), |work| payments::post(work, &item)).unwrap();
}

fn paid(amount_minor: i64, invoice: Option<u64>) -> NewPayment {
    NewPayment { partner: OWN, on: TODAY, amount_minor, reference: String::new(), bank_id: None, invoice }
}

fn record(desk: &Desk, new: &NewPayment) -> Payment {
    desk.run(&console(), |work| payments::record(work, new.clone())).unwrap()
}

fn open_and_credit(desk: &Desk, partner: PartnerId) -> (i64, i64) {
    let account = desk.run(&console(), |work| payments::account(work, partner, TODAY)).unwrap();
    (account.open_minor().unwrap(), account.credit_minor)
}

fn import(desk: &Desk, format: Format, text: &str) -> payments::Imported {
    desk.run(&console(), |work| payments::import(work, format, text.as_bytes())).unwrap()
}

/// A desk with a second partner.
fn desk_of_two() -> Desk {
    let desk = Desk::open();
    let other = Partner::new(OTHER, "Acme Insurance".to_owned());
    desk.run(&console(), |work| {
        work.accounts(AccountsChange::AddPartner(other.clone()));
        work.note("partner.add", Some(OTHER), OTHER, "");
        Ok(())
    })
    .unwrap();
    desk
}

#[test]
fn the_same_statement_twice_adds_nothing_and_what_it_says_is_matched() {
    let desk = desk_of_two();
    owes(&desk, 17, OWN, 116_000, 10);
    owes(&desk, 18, OTHER, 20_000, 10);
    let references = ["Acme-01".to_owned()];
    desk.run(&console(), |work| payments::set_references(work, OTHER, &references)).unwrap();
    let text = "date,amount,reference,description,id\n\
        2026-11-20,1160.00,INV-17,,FT1\n\
        2026-11-20,150.00,acme 01,,FT2\n\
        2026-11-20,7.00,INV-17 and INV-18,two partners,FT3\n\
        2026-11-20,50.00,,from ACME INSURANCE LTD,FT4\n\
        2026-11-20,-5.00,,charge,FT5\n\
        2026-11-20,1.005,,,FT6\n";
    let imported = import(&desk, Format::Csv, text);
    assert_eq!((imported.added, imported.matched, imported.known), (4, 2, 0));
    assert_eq!((imported.passed_over, imported.bad, imported.problems[0].place), (1, 1, 7));
    assert_eq!((open_and_credit(&desk, OWN), open_and_credit(&desk, OTHER)), ((0, 0), (5_000, 0)));
    let again = import(&desk, Format::Csv, text);
    assert_eq!((again.added, again.known), (0, 4));
    assert_eq!((open_and_credit(&desk, OWN), open_and_credit(&desk, OTHER)), ((0, 0), (5_000, 0)));
    // Another amount under the same id is not another payment.
    let changed =
        import(&desk, Format::Csv, "date,amount,id\n2026-11-20,1.00,FT1\n2026-11-20,2.00,N\n2026-11-20,3.00,N\n");
    assert_eq!((changed.added, changed.bad), (1, 2));
    let reason = "its id is that of a payment of KES 1160.00 on 2026-11-20; record it by hand if it is another one";
    assert_eq!(changed.problems[0].reason, reason);
    let moved =
        import(&desk, Format::Csv, "date,amount,id\n2026-11-21,1160.00,FT1\n2026-11-20,2.00,N\n2026-11-19,2.00,N\n");
    assert_eq!((moved.added, moved.known, moved.bad), (0, 1, 2), "and neither is another day");

    let unmatched = desk.run(&console(), |work| payments::list(work, true, PageRequest::LONGEST)).unwrap().items;
    let mut ids: Vec<_> = unmatched.iter().map(|payment| payment.bank_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["FT3", "FT4", "N"]);
    let named = unmatched.iter().find(|payment| payment.bank_id == "FT4").unwrap();
    let suggested = desk.run(&console(), |work| payments::suggestions(work, named)).unwrap();
    let told: Vec<_> = suggested.iter().map(|one| (one.partner, one.invoice)).collect();
    assert_eq!(told, [(OTHER, None), (OTHER, Some(18))], "by its name, and because exactly so much is open");
    let matched = desk.run(&console(), |work| payments::match_with(work, named.id, OTHER, Some(18))).unwrap();
    assert_eq!(matched.matched, Some(MatchedBy::Person));
    assert_eq!(open_and_credit(&desk, OTHER), (0, 0));
    let wrong = desk.run(&console(), |work| payments::match_with(work, named.id, OTHER, Some(17)));
    assert!(matches!(wrong, Err(Problem::Invalid { field: "invoice", .. })), "another partner's: {wrong:?}");
}

#[test]
fn a_payment_by_hand_settles_until_it_is_reversed_and_a_bank_id_is_taken_once() {
    let desk = Desk::open();
    owes(&desk, 1, OWN, 100_000, 10);
    let new = NewPayment { bank_id: Some("CHQ 7".to_owned()), ..paid(150_000, Some(1)) };
    let payment = record(&desk, &new);
    assert_eq!(open_and_credit(&desk, OWN), (0, 50_000));
    let twice = desk.run(&console(), |work| payments::record(work, new.clone()));
    assert!(matches!(twice, Err(Problem::Taken(_))), "{twice:?}");
    let reversed = |why: &str| desk.run(&console(), |work| payments::reverse(work, payment.id, None, why));
    assert!(matches!(reversed(" "), Err(Problem::Invalid { field: "reason", .. })));
    assert_eq!(reversed("it bounced").unwrap().reversed.unwrap().on, TODAY);
    assert_eq!(open_and_credit(&desk, OWN), (100_000, 0));
    assert!(matches!(reversed("again"), Err(Problem::NotNow(_))));
    for (amount, partner, on) in [(0, OWN, TODAY), (-1, OWN, TODAY), (1, OTHER, TODAY), (1, OWN, date(2026, 12, 1))] {
        let new = NewPayment { partner, on, ..paid(amount, None) };
        assert!(desk.run(&console(), |work| payments::record(work, new.clone())).is_err(), "{new:?}");
    }
    let actions: Vec<_> = desk.trail().into_iter().map(|row| row.entry.action).collect();
    assert!(actions.starts_with(&["payment.reverse".to_owned(), "payment.record".to_owned()]), "{actions:?}");
}

/// An entry of camt.053: its number, the bank's id for the payment in it, its day and its amount.
fn entry(number: &str, id: &str, on: &str, amount: &str) -> String {
    format!(
        "<Ntry><NtryRef>{number}</NtryRef><Amt Ccy=\"KES\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>\
         <BookgDt><Dt>{on}</Dt></BookgDt><NtryDtls><TxDtls><Refs><AcctSvcrRef>{id}</AcctSvcrRef></Refs></TxDtls>\
         </NtryDtls></Ntry>"
    )
}

#[test]
fn what_was_recorded_by_the_number_of_its_entry_is_known_and_hides_no_other_payment() {
    let desk = Desk::open();
    let bring = |entries: &[String]| {
        let text = format!(
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt>{}</Stmt>\
             </BkToCstmrStmt></Document>",
            entries.concat()
        );
        let imported = import(&desk, Format::Camt053, &text);
        (imported.added, imported.known, imported.bad)
    };
    // The same number on another day, with another amount, and of two payments that are alike.
    assert_eq!(bring(&[entry("1", "", "2026-11-20", "10.00")]), (1, 0, 0));
    let all = [
        entry("1", "T1", "2026-11-20", "10.00"),
        entry("1", "T2", "2026-11-21", "10.00"),
        entry("1", "T3", "2026-11-20", "11.00"),
        entry("1", "T4", "2026-11-20", "10.00"),
    ];
    assert_eq!(bring(&all), (3, 1, 0));
    assert_eq!(bring(&all), (0, 4, 0));
    assert_eq!(bring(&[entry("1", "", "2026-11-21", "10.00")]), (0, 0, 1), "there the number is all there is");
}

#[test]
fn a_line_of_a_day_to_come_is_told_and_a_payment_of_tomorrow_is_reversed_from_its_day() {
    let desk = Desk::open();
    let text = "date,amount,id\n2026-11-23,1.00,A\n2026-11-24,1.00,B\n2027-11-20,1.00,C\n";
    for (added, known) in [(1, 0), (0, 1)] {
        let imported = import(&desk, Format::Csv, text);
        assert_eq!((imported.added, imported.known, imported.bad), (added, known, 2));
        let places: Vec<_> = imported.problems.iter().map(|problem| problem.place).collect();
        assert_eq!(places, [3, 4]);
    }
    let listed = desk.run(&console(), |work| payments::list(work, true, PageRequest::LONGEST)).unwrap().items;
    let reverse = |on| desk.run(&console(), |work| payments::reverse(work, listed[0].id, on, "a wrong day"));
    for on in [TODAY, date(2026, 11, 24)] {
        assert!(matches!(reverse(Some(on)), Err(Problem::Invalid { field: "on", .. })), "{on}");
    }
    assert_eq!(reverse(None).unwrap().reversed.unwrap().on, date(2026, 11, 23));
}

#[test]
fn a_certificate_settles_once_the_operator_accepts_it() {
    let desk = desk_of_two();
    owes(&desk, 1, OWN, 100_000, 10);
    let member = desk.person("money@bank.example", Seat::Member { partner: OWN, role: MemberRole::Billing }).actor();
    let new = NewCertificate { number: "KRA-1".to_owned(), amount_minor: 5_000, on: TODAY, invoice: Some(1) };
    let register = |actor: &Actor| desk.run(actor, |work| payments::register(work, OWN, &new));
    let first = register(&member).unwrap();
    assert_eq!((first.state, open_and_credit(&desk, OWN)), (CertificateState::Registered, (100_000, 0)));
    assert!(matches!(register(&console()), Err(Problem::Taken(_))), "its number is taken");
    let foreign = desk.run(&console(), |work| payments::accept(work, OTHER, first.id));
    assert_eq!(foreign, Err(Problem::NotFound("certificate")));
    desk.run(&console(), |work| payments::refuse(work, OWN, first.id, "another month")).unwrap();
    assert!(matches!(desk.run(&console(), |work| payments::accept(work, OWN, first.id)), Err(Problem::NotNow(_))));
    let second = register(&member).unwrap();
    desk.run(&console(), |work| payments::accept(work, OWN, second.id)).unwrap();
    assert_eq!(open_and_credit(&desk, OWN), (95_000, 0));
    let credit = CreditPosting {
        number: 1,
        partner: OWN,
        invoice: 1,
        amount_minor: 95_000,
        currency: "KES".to_owned(),
        on: TODAY,
    };
    for _ in 0..2 {
        desk.run(&console(), |work| payments::post_credit(work, &credit)).unwrap();
    }
    assert_eq!(open_and_credit(&desk, OWN), (0, 0));
    let statement =
        desk.run(&console(), |work| payments::statement_between(work, OWN, date(2026, 11, 1), TODAY)).unwrap();
    let csv = payments::statement_csv(&statement);
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines[2], "2026-11-02,invoice,1,1000.00,,1000.00,KES");
    assert!(lines[3].starts_with("2026-11-22,credit_note,1,,950.00,50.00"), "{csv}");
    assert!(lines[5].ends_with("closing_balance,,,,0.00,KES"), "{csv}");
    let partner = Partner::new(OWN, "Test <Bank>".to_owned());
    let page = payments::statement_paper("Test Mobile", &partner, &statement).html();
    assert!(page.contains("Test &lt;Bank&gt;") && page.contains("KES 1000.00") && page.contains("Credit note 1"));
}

#[test]
fn who_was_told_by_the_last_reminder_is_suspended_for_debt_on_its_day_and_not_before() {
    let mut desk = Desk::open();
    owes(&desk, 1, OWN, 100_000, -30);
    desk.person("owner@bank.example", Seat::Member { partner: OWN, role: MemberRole::Owner });
    let suspend = |desk: &Desk| desk.run(&console(), |work| suspend_partner(work, OWN, Why::Debt, "invoice 1"));
    assert!(matches!(suspend(&desk), Err(Problem::NotNow(why)) if why.contains("no notice of debt was given")));
    remind(&desk.office, desk.at).unwrap();
    let refused = suspend(&desk);
    assert!(matches!(&refused, Err(Problem::NotNow(why)) if why.contains("2026-12-06T00:00:00Z")), "{refused:?}");
    desk.wait_s(14 * 86_400);
    suspend(&desk).unwrap();
    record(&desk, &paid(100_000, None));
    assert!(matches!(suspend(&desk), Err(Problem::NotNow(_))), "it is paid");
}

#[test]
fn reminders_are_sent_once_each_and_the_last_one_begins_the_notice_of_suspension() {
    let mut desk = Desk::open();
    owes(&desk, 1, OWN, 100_000, 3);
    owes(&desk, 2, OWN, 100_000, 40);
    let letters = |desk: &Desk| {
        remind(&desk.office, desk.at).unwrap();
        let queued = desk.run(&console(), |work| work.all::<QueuedLetter>("due", "all")).unwrap();
        queued.iter().filter(|letter| letter.about.starts_with("invoice")).count()
    };
    assert_eq!(letters(&desk), 0, "there is nobody to write to");
    desk.person("owner@bank.example", Seat::Member { partner: OWN, role: MemberRole::Owner });
    assert_eq!((letters(&desk), letters(&desk)), (1, 1), "it is due soon");
    let suspend_from = |desk: &Desk| desk.run(&console(), |work| payments::overdue(work, OWN)).unwrap().suspend_from;
    // A day, 14 and 30 days after it was due.
    for (days, sent) in [(4, 2), (12, 2), (1, 3), (15, 3)] {
        desk.wait_s(days * 86_400);
        assert_eq!((letters(&desk), letters(&desk)), (sent, sent), "{}", desk.at);
        assert_eq!(suspend_from(&desk), None);
    }
    desk.wait_s(86_400);
    // The other invoice is due in seven days.
    assert_eq!(letters(&desk), 4);
    assert_eq!(suspend_from(&desk), Some(date(2027, 1, 8)));
    let overdue = desk.run(&console(), |work| payments::overdue(work, OWN)).unwrap();
    assert_eq!((overdue.amount_minor, overdue.invoices, overdue.since), (100_000, vec![1], Some(date(2026, 11, 26))));
    desk.run(&console(), |work| payments::record(work, paid(100_000, None))).unwrap();
    assert_eq!(suspend_from(&desk), None, "it is paid");
}

#[test]
fn what_is_free_of_a_payment_is_put_on_a_balance_once() {
    let desk = desk_of_two();
    owes(&desk, 1, OWN, 40_000, 10);
    let payment = record(&desk, &paid(156_000, None));
    let top_up = |partner: PartnerId, payment: PaymentId, amount: Option<i64>| {
        desk.run(&console(), |work| prepaid::top_up(work, partner, payment, amount, prepaid::TAX_BASIS_POINTS))
    };
    assert_eq!(top_up(OTHER, payment.id, None), Err(Problem::NotFound("payment")));
    assert!(matches!(top_up(OWN, payment.id, Some(116_001)), Err(Problem::NotNow(_))), "the rest settles an invoice");
    let first = top_up(OWN, payment.id, Some(58_000)).unwrap();
    assert_eq!((first.net_minor, first.tax_minor), (50_000, 8_000));
    let second = top_up(OWN, payment.id, None).unwrap();
    assert_eq!((second.gross_minor, second.net_minor), (58_000, 50_000));
    assert!(matches!(top_up(OWN, payment.id, None), Err(Problem::NotNow(_))), "nothing is left of it");
    assert_eq!(open_and_credit(&desk, OWN), (0, 0));
    let reverse = desk.run(&console(), |work| payments::reverse(work, payment.id, None, "it bounced"));
    assert!(matches!(reverse, Err(Problem::NotNow(_))));
    let standing = desk.run(&console(), |work| prepaid::standing(work, OWN)).unwrap().unwrap();
    assert_eq!((standing.paid.minor, standing.used.minor, standing.left.minor), (100_000, 0, 100_000));
    assert_eq!(desk.run(&console(), |work| prepaid::standing(work, OTHER)).unwrap(), None);
    let book = futures_executor::block_on(desk.office.accounts.load()).unwrap();
    let on_checks = book.partners.iter().find(|partner| partner.id == OWN).unwrap().prepaid.unwrap();
    assert_eq!((on_checks.paid_minor, on_checks.from), (100_000, standing.from), "what checks are decided on");
}

#[test]
fn of_a_payment_dated_ahead_as_much_is_free_as_can_be_put_on_a_balance() {
    let desk = desk_of_two();
    owes(&desk, 1, OWN, 40_000, 10);
    let bounced = record(&desk, &paid(7_000, None));
    let bounced = desk.run(&console(), |work| payments::reverse(work, bounced.id, None, "it bounced")).unwrap();
    let today = record(&desk, &paid(50_000, None));
    // A bank's day may be ahead of the operator's.
    let ahead = record(&desk, &NewPayment { on: TODAY.tomorrow().unwrap(), ..paid(116_000, None) });
    let free = |payments: &[Payment]| desk.run(&console(), |work| prepaid::free(work, OWN, payments)).unwrap();
    assert_eq!(free(&[ahead.clone(), today.clone(), bounced]), [116_000, 10_000, 0]);
    let top_up = desk.run(&console(), |work| prepaid::top_up(work, OWN, ahead.id, None, prepaid::TAX_BASIS_POINTS));
    assert_eq!(top_up.unwrap().gross_minor, 116_000);
    let ahead =
        desk.run(&console(), |work| payments::of_partner(work, OWN, PageRequest::FIRST)).unwrap().items.remove(0);
    assert_eq!(free(&[ahead, today]), [0, 10_000], "it is there once");
}

#[test]
fn what_all_partners_owe_is_aged_and_added_up() {
    let desk = desk_of_two();
    owes(&desk, 1, OWN, 100, 0);
    owes(&desk, 2, OTHER, 200, -31);
    owes(&desk, 3, OTHER, 400, -91);
    let (partners, all) = desk.run(&console(), |work| payments::ageing(work, TODAY)).unwrap();
    let told: Vec<_> = partners.iter().map(|one| (one.name.as_str(), one.ageing.open().unwrap())).collect();
    assert_eq!(told, [("Acme Insurance", 600), ("Test Bank", 100)]);
    assert_eq!((all.not_due, all.days_31_to_60, all.over_90_days), (100, 200, 400));
}
