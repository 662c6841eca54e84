//! From an organisation's papers to an agreement that checks go by.

use jiff::{SignedDuration, Timestamp};
use laini_core::billing::Currency;
use laini_core::partner::{
    AgreementId, DocumentPurpose, MemberRole, NoAgreement, OnboardingEvent, OnboardingStep, Partner, PartnerId,
    Product, Side, StaffRole,
};
use laini_office::agreements::{
    self, AgreementRecord, AgreementState, Terms, add_with_standard, digest_in_words, draft, redraft, send, sign,
    sign_on_paper, take_back,
};
use laini_office::onboarding::Need;
use laini_office::organisation::{Contact, Details, add_document, set_details};
use laini_office::people::Seat;
use laini_office::{Actor, Page, PageRequest, Problem, Work, onboarding};
use sha2::{Digest as _, Sha256};

use crate::desk::Desk;

const BANK: PartnerId = PartnerId::from_stored(31);
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\nstartxref\n9\n%%EOF\n";

struct People {
    owner: Actor,
    staff: Actor,
}

/// A partner that has asked to be taken on, and both sides' people.
fn begun(desk: &Desk) -> People {
    let console = Actor::Console { user: "test".to_owned() };
    desk.run(&console, |work| onboarding::begin(work, BANK, "Example Bank")).unwrap();
    let seat = Seat::Member { partner: BANK, role: MemberRole::Owner };
    let owner = desk.person("owner@bank.example", seat).actor();
    let staff = desk.person("desk@operator.example", Seat::Staff { role: StaffRole::Onboarding }).actor();
    People { owner, staff }
}

fn details() -> Details {
    let text = |text: &str| Some(text.to_owned());
    let contact = Contact { name: "A. Wanjiru".to_owned(), email: "a.wanjiru@bank.example".to_owned(), phone: None };
    Details {
        legal_name: text("Example Bank Ltd"),
        registration_number: text("PVT-2016-000001"),
        kra_pin: text("p051234567z"),
        data_protection_number: text("ODPC-0001"),
        data_protection_expires: Some("2027-06-30".parse().unwrap()),
        postal_address: None,
        physical_address: text("Kenyatta Avenue 1, Nairobi"),
        billing_contact: Some(contact.clone()),
        technical_contact: Some(contact),
        mpesa_number: text("123456"),
    }
}

fn hand_in_papers(desk: &Desk, people: &People) {
    desk.run(&people.owner, |work| set_details(work, BANK, details())).unwrap();
    for purpose in [DocumentPurpose::Incorporation, DocumentPurpose::TaxPin, DocumentPurpose::DataProtection] {
        desk.run(&people.owner, |work| add_document(work, BANK, purpose, "paper.pdf", PDF)).unwrap();
    }
}

fn move_on(desk: &Desk, actor: &Actor, event: OnboardingEvent) -> Result<OnboardingStep, Problem> {
    desk.run(actor, |work| onboarding::move_on(work, BANK, event, "as it must be")).map(|moved| moved.step)
}

fn in_force(desk: &Desk, at: Timestamp) -> Result<AgreementId, NoAgreement> {
    let book = futures_executor::block_on(desk.office.accounts.load()).unwrap();
    book.agreements_of(BANK).at(at).map(|agreement| agreement.id)
}

fn digest(record: &AgreementRecord) -> String {
    digest_in_words(&record.text.as_ref().unwrap().pdf)
}

fn is_not_now<T: std::fmt::Debug>(done: Result<T, Problem>, why: &str) {
    match done {
        Err(Problem::NotNow(told)) if told.contains(why) => {}
        done => panic!("expected {why:?}: {done:?}"),
    }
}

/// Drafts the standard terms as `change` leaves them, sends and signs them.
fn agree(desk: &Desk, people: &People, change: impl Fn(&mut Terms)) -> AgreementRecord {
    let mut terms = Terms::standard(Currency::KES);
    change(&mut terms);
    let drafted = desk.run(&people.staff, |work| draft(work, BANK, terms.clone())).unwrap();
    let sent = desk.run(&people.staff, |work| send(work, BANK, drafted.id)).unwrap();
    let id = (BANK, drafted.id);
    desk.run(&people.owner, |work| sign(work, id, &digest(&sent), "192.0.2.7")).unwrap();
    desk.run(&people.staff, |work| sign(work, id, &digest(&sent), "10.0.0.1")).unwrap()
}

#[test]
fn an_organisation_comes_from_papers_to_an_agreement_in_force() {
    let desk = Desk::open();
    let people = begun(&desk);
    assert_eq!(move_on(&desk, &people.staff, OnboardingEvent::TakeUp), Ok(OnboardingStep::UnderReview));
    let drafted = desk.run(&people.staff, |work| draft(work, BANK, Terms::standard(Currency::KES))).unwrap();
    is_not_now(desk.run(&people.staff, |work| send(work, BANK, drafted.id)), "missing before an agreement is sent");
    hand_in_papers(&desk, &people);
    let (_, missing) = desk.run(&people.owner, |work| onboarding::timeline(work, BANK)).unwrap();
    assert_eq!(missing, []);
    let sent = desk.run(&people.staff, |work| send(work, BANK, drafted.id)).unwrap();
    let read = desk.run(&people.owner, |work| agreements::text_pdf(work, &sent)).unwrap();
    assert!(read.starts_with(b"%PDF-"));
    // Neither side alone makes an agreement, and neither signs twice, or another text.
    let id = (BANK, sent.id);
    is_not_now(desk.run(&people.owner, |work| sign(work, id, &"0".repeat(64), "192.0.2.7")), "another one");
    let signed = desk.run(&people.owner, |work| sign(work, id, &digest(&sent), "192.0.2.7")).unwrap();
    assert_eq!((signed.state, in_force(&desk, desk.at)), (AgreementState::Sent, Err(NoAgreement::Never)));
    is_not_now(desk.run(&people.owner, |work| sign(work, id, &digest(&sent), "192.0.2.7")), "signed already");
    is_not_now(move_on(&desk, &people.staff, OnboardingEvent::GoLive).map(drop), "cannot go live");
    let signed = desk.run(&people.staff, |work| sign(work, id, &digest(&sent), "10.0.0.1")).unwrap();
    assert_eq!((signed.state, in_force(&desk, desk.at)), (AgreementState::Signed, Ok(sent.id)));
    assert_eq!(signed.signatures[0].name, "A. Person");
    let page = desk.run(&people.owner, |work| Ok(agreements::paper(work, &signed)?.html())).unwrap();
    assert!(page.contains("Example Bank Ltd") && page.contains("192.0.2.7") && page.contains(&digest(&sent)));
    assert_eq!(move_on(&desk, &people.staff, OnboardingEvent::GoLive), Ok(OnboardingStep::Live));
    let trail = desk.trail();
    assert!(trail.iter().all(|row| !format!("{row:?}").contains("Wanjiru")), "{trail:?}");
    for action in ["partner.add", "organisation.change", "document.add", "agreement.send", "agreement.sign"] {
        assert!(trail.iter().any(|row| row.entry.action == action && row.entry.partner == Some(BANK)), "{action}");
    }
}

#[test]
fn whose_turn_it_is_follows_papers_signatures_and_days() {
    let mut desk = Desk::open();
    let people = begun(&desk);
    let stands = |desk: &Desk| {
        let standing = desk.run(&people.staff, |work| {
            let (onboarding, _) = onboarding::timeline(work, BANK)?;
            onboarding::standing(work, &onboarding)
        });
        standing.unwrap()
    };
    move_on(&desk, &people.staff, OnboardingEvent::TakeUp).unwrap();
    let lacks = stands(&desk);
    assert_eq!((lacks.turn, lacks.needs.len(), lacks.needs.last()), (Some(Side::Partner), 12, Some(&Need::Agreement)));
    hand_in_papers(&desk, &people);
    assert_eq!((stands(&desk).turn, stands(&desk).needs), (Some(Side::Operator), vec![Need::Agreement]));
    // It begins in a month and ends in two.
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let (begins, ends) = (desk.at + days(30), desk.at + days(60));
    let terms = Terms { valid_from: Some(begins), valid_until: Some(ends), ..Terms::standard(Currency::KES) };
    let drafted = desk.run(&people.staff, |work| draft(work, BANK, terms.clone())).unwrap();
    let sent = desk.run(&people.staff, |work| send(work, BANK, drafted.id)).unwrap();
    let waits = (Some(Side::Partner), desk.at, vec![Need::Signature(Side::Partner)]);
    // The operator's signature, where it comes first, gives the partner no new time.
    desk.at += days(1);
    desk.run(&people.staff, |work| sign(work, (BANK, sent.id), &digest(&sent), "10.0.0.1")).unwrap();
    let first = stands(&desk);
    assert_eq!((first.turn, first.since, first.needs), waits);
    desk.run(&people.staff, |work| take_back(work, BANK, sent.id)).unwrap();
    let sent = desk.run(&people.staff, |work| send(work, BANK, sent.id)).unwrap();
    // One side signs a day before the other.
    desk.at += days(1);
    desk.run(&people.owner, |work| sign(work, (BANK, sent.id), &digest(&sent), "192.0.2.7")).unwrap();
    let signed = stands(&desk);
    let expected = (Some(Side::Operator), desk.at, vec![Need::Signature(Side::Operator)]);
    assert_eq!((signed.turn, signed.since, signed.needs), expected);
    desk.at += days(1);
    desk.run(&people.staff, |work| sign(work, (BANK, sent.id), &digest(&sent), "10.0.0.1")).unwrap();
    assert_eq!((stands(&desk).turn, stands(&desk).needs), (None, vec![Need::Beginning]));
    desk.at = begins;
    assert_eq!((stands(&desk).turn, stands(&desk).needs), (Some(Side::Operator), vec![Need::GoLive]));
    desk.at = ends;
    assert_eq!((stands(&desk).turn, stands(&desk).needs), (Some(Side::Operator), vec![Need::Agreement]));
}

#[test]
fn of_two_who_write_a_version_at_once_one_is_told_of_the_other() {
    let desk = Desk::open();
    let people = begun(&desk);
    hand_in_papers(&desk, &people);
    let write = |work: &mut Work<'_>| draft(work, BANK, Terms::standard(Currency::KES));
    let mut is_first = true;
    let second = desk.run(&people.staff, |work| {
        let drafted = write(work)?;
        // Another one is saved between the look of this one and its saving.
        if std::mem::take(&mut is_first) {
            desk.run(&people.staff, write).unwrap();
        }
        Ok(drafted)
    });
    is_not_now(second, "there is a version that is not signed");
    let versions = desk.run(&people.staff, |work| agreements::list_agreements(work, BANK, PageRequest::FIRST)).unwrap();
    assert_eq!(versions.items.len(), 1);
}

#[test]
fn a_text_that_was_taken_back_is_not_signed_any_more() {
    let desk = Desk::open();
    let people = begun(&desk);
    hand_in_papers(&desk, &people);
    move_on(&desk, &people.staff, OnboardingEvent::TakeUp).unwrap();
    let drafted = desk.run(&people.staff, |work| draft(work, BANK, Terms::standard(Currency::KES))).unwrap();
    let sent = desk.run(&people.staff, |work| send(work, BANK, drafted.id)).unwrap();
    let id = (BANK, sent.id);
    desk.run(&people.owner, |work| sign(work, id, &digest(&sent), "192.0.2.7")).unwrap();
    is_not_now(
        desk.run(&people.staff, |work| redraft(work, BANK, sent.id, Terms::standard(Currency::KES))),
        "this version is sent",
    );
    desk.run(&people.staff, |work| take_back(work, BANK, sent.id)).unwrap();
    let mut dearer = Terms::standard(Currency::KES);
    dearer.prices[0].bands[0].unit_minor = 3_000;
    desk.run(&people.staff, |work| redraft(work, BANK, sent.id, dearer.clone())).unwrap();
    let again = desk.run(&people.staff, |work| send(work, BANK, sent.id)).unwrap();
    assert!(again.signatures.is_empty() && digest(&again) != digest(&sent));
    is_not_now(desk.run(&people.owner, |work| sign(work, id, &digest(&sent), "192.0.2.7")), "another one");
    // What is returned meanwhile cannot be signed to the end.
    desk.run(&people.owner, |work| sign(work, id, &digest(&again), "192.0.2.7")).unwrap();
    move_on(&desk, &people.staff, OnboardingEvent::Return).unwrap();
    is_not_now(
        desk.run(&people.staff, |work| sign(work, id, &digest(&again), "10.0.0.1")),
        "onboarding stands at returned",
    );
    assert_eq!(in_force(&desk, desk.at), Err(NoAgreement::Never));
}

#[test]
fn an_amendment_takes_effect_on_its_date_and_an_end_keeps_to_its_notice() {
    let mut desk = Desk::open();
    let people = begun(&desk);
    hand_in_papers(&desk, &people);
    move_on(&desk, &people.staff, OnboardingEvent::TakeUp).unwrap();
    let first = agree(&desk, &people, |_| {});
    desk.wait_s(60);
    let date = desk.at + SignedDuration::from_hours(48);
    let second = agree(&desk, &people, |terms| {
        terms.valid_from = Some(date);
        terms.prices[1].bands[0].unit_minor = 90;
    });
    assert_eq!(in_force(&desk, date - SignedDuration::from_secs(1)), Ok(first.id));
    assert_eq!(in_force(&desk, date), Ok(second.id));
    let book = futures_executor::block_on(desk.office.accounts.load()).unwrap();
    let version = |product| {
        let agreements = book.agreements_of(BANK);
        let last = agreements.versions().last().unwrap().clone();
        last.prices.iter().find(|(of, _)| *of == product).unwrap().1.version
    };
    assert_eq!((version(Product::Imsi), version(Product::Swap)), (1, 2));
    let soon = desk.at + SignedDuration::from_hours(24);
    is_not_now(desk.run(&people.owner, |work| agreements::end(work, BANK, Some(soon), "we stop")), "notice is 30 days");
    let end = desk.run(&people.owner, |work| agreements::end(work, BANK, None, "we stop")).unwrap();
    assert!(end.duration_since(desk.at) >= SignedDuration::from_hours(30 * 24));
    assert_eq!(in_force(&desk, end - SignedDuration::from_secs(1)), Ok(second.id));
    assert_eq!(in_force(&desk, end), Err(NoAgreement::Ended(end)));
}

#[test]
fn what_was_signed_on_paper_counts_where_the_scan_is_there() {
    let desk = Desk::open();
    let people = begun(&desk);
    hand_in_papers(&desk, &people);
    move_on(&desk, &people.staff, OnboardingEvent::TakeUp).unwrap();
    let drafted = desk.run(&people.staff, |work| draft(work, BANK, Terms::standard(Currency::KES))).unwrap();
    desk.run(&people.staff, |work| send(work, BANK, drafted.id)).unwrap();
    let add = |purpose| desk.run(&people.owner, |work| add_document(work, BANK, purpose, "signed.pdf", PDF)).unwrap();
    let (other, scan) = (add(DocumentPurpose::Other), add(DocumentPurpose::SignedAgreement));
    let wrong = desk.run(&people.staff, |work| sign_on_paper(work, (BANK, drafted.id), other.id));
    assert!(matches!(wrong, Err(Problem::Invalid { field: "document", .. })), "{wrong:?}");
    let signed = desk.run(&people.staff, |work| sign_on_paper(work, (BANK, drafted.id), scan.id)).unwrap();
    assert_eq!((signed.scan, in_force(&desk, desk.at)), (Some(scan.id), Ok(drafted.id)));
    // Of another partner it is not there.
    let other = PartnerId::from_stored(11);
    let foreign = desk.run(&people.staff, |work| agreements::agreement(work, other, drafted.id));
    assert_eq!(foreign, Err(Problem::NotFound("agreement")));
}

#[test]
fn of_a_document_that_is_refused_nothing_is_kept() {
    let desk = Desk::open();
    let people = begun(&desk);
    let pdf = |n: usize| format!("%PDF-1.7\n% {n}\nstartxref\n9\n%%EOF\n");
    let add = |n| {
        let bytes = pdf(n);
        desk.run(&people.owner, |work| add_document(work, BANK, DocumentPurpose::Other, "paper.pdf", bytes.as_bytes()))
    };
    let first = add(0).unwrap();
    for n in 1..200 {
        add(n).unwrap();
    }
    assert_eq!(add(0), Ok(first), "sent again, it is the one that is there");
    is_not_now(add(200), "200 documents already");
    let kept = |n| {
        let digest = Sha256::digest(pdf(n)).into();
        futures_executor::block_on(desk.office.store.document(digest)).unwrap().is_some()
    };
    assert_eq!((kept(199), kept(200)), (true, false));
}

#[test]
fn the_standard_agreement_is_signed_in_one_step() {
    let desk = Desk::open();
    let console = Actor::Console { user: "test".to_owned() };
    let partner = Partner::new(BANK, "Example Bank".to_owned());
    let record = desk.run(&console, |work| add_with_standard(work, partner.clone())).unwrap();
    assert_eq!((record.state, in_force(&desk, desk.at)), (AgreementState::Signed, Ok(record.id)));
    let Page { items, .. } =
        desk.run(&console, |work| agreements::list_agreements(work, BANK, PageRequest::FIRST)).unwrap();
    assert_eq!(items, [record]);
    assert_eq!(desk.trail().iter().filter(|row| row.entry.partner == Some(BANK)).count(), 1);
}

#[test]
fn what_cannot_be_is_refused() {
    let desk = Desk::open();
    let people = begun(&desk);
    let refused = |change: &dyn Fn(&mut Details), field: &str| {
        let mut details = details();
        change(&mut details);
        let done = desk.run(&people.owner, |work| set_details(work, BANK, details.clone()));
        assert!(matches!(&done, Err(Problem::Invalid { field: found, .. }) if *found == field), "{field}: {done:?}");
    };
    refused(&|details| details.kra_pin = Some("P05123456Z".to_owned()), "kra_pin");
    refused(&|details| details.mpesa_number = Some("12".to_owned()), "mpesa_number");
    refused(&|details| details.legal_name = Some("a\nb".to_owned()), "legal_name");
    refused(&|details| details.billing_contact.as_mut().unwrap().email = "nobody".to_owned(), "billing_contact");
    let refused = |change: &dyn Fn(&mut Terms), field: &str| {
        let mut terms = Terms::standard(Currency::KES);
        change(&mut terms);
        let done = desk.run(&people.staff, |work| draft(work, BANK, terms.clone()));
        assert!(matches!(&done, Err(Problem::Invalid { field: found, .. }) if *found == field), "{field}: {done:?}");
    };
    refused(&|terms| terms.prices.clear(), "prices");
    refused(&|terms| terms.prices[0].bands[0].unit_minor = -1, "prices");
    refused(&|terms| terms.prices[0].currency = "kes".to_owned(), "prices");
    refused(&|terms| terms.prices[1].product = terms.prices[0].product, "prices");
    refused(&|terms| terms.swap_months = 0, "swap_months");
    refused(&|terms| terms.purposes.clear(), "purposes");
    refused(&|terms| terms.notice_days = 0, "notice_days");
    refused(&|terms| terms.valid_from = Some(desk.at - SignedDuration::from_secs(1)), "valid_from");
    refused(&|terms| terms.valid_until = Some(desk.at), "valid_until");
    let script =
        desk.run(&people.owner, |work| add_document(work, BANK, DocumentPurpose::TaxPin, "pin.pdf", b"#!/bin/sh\n"));
    assert!(matches!(script, Err(Problem::Invalid { field: "document", .. })), "{script:?}");
}
