use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::partner::{LawfulBasis, PartnerId, Product, Purpose, Side};

use super::{AgreementRecord, LimitTerms, Terms, digest_in_words};
use crate::organisation::{details, find_partner};
use crate::paper::{Block, Paper, Signature, Table};
use crate::{Problem, Work};

/// The operator's name, and the partner's with how it is registered.
pub(super) type Parties = (String, Vec<String>);

/// Whose names stand on the agreement, as they are known now.
pub(super) fn parties(work: &mut Work<'_>, partner: PartnerId) -> Result<Parties, Problem> {
    let called = find_partner(work, partner)?.name;
    let known = details(work, partner)?;
    let mut lines = vec![known.legal_name.unwrap_or(called)];
    let facts = [
        ("company registration", known.registration_number),
        ("KRA PIN", known.kra_pin),
        ("data-protection registration", known.data_protection_number),
        ("address", known.physical_address),
    ];
    lines.extend(facts.into_iter().filter_map(|(name, value)| value.map(|value| format!("{name}: {value}"))));
    Ok((work.office.settings.operator.clone(), lines))
}

/// A version as a paper. The part above the signatures is the same whoever has signed.
pub(super) fn paper(
    record: &AgreementRecord,
    (operator, partner): &Parties,
    zone: &TimeZone,
    with_signatures: bool,
) -> Paper {
    let called = partner.first().map_or("", String::as_str);
    let mut lead = vec![format!("between {operator} (the Operator)"), format!("and {called} (the Partner)")];
    lead.extend(partner.iter().skip(1).cloned());
    let mut blocks = clauses(&record.terms, zone);
    blocks.extend(annex(&record.terms));
    if with_signatures {
        blocks.push(Block::Heading("Signatures".to_owned()));
        if let Some(text) = &record.text {
            let digest = digest_in_words(&text.pdf);
            blocks.push(Block::Text(format!("Signed is the text above, as the PDF of SHA-256 {digest}.")));
        }
        blocks.push(Block::Signatures(vec![
            signature(record, Side::Operator, operator, zone),
            signature(record, Side::Partner, called, zone),
        ]));
    }
    let title = format!("Agreement on SIM-swap checks, version {}", record.number);
    Paper { title, lead, blocks, foot: format!("Agreement {} · version {}", record.id, record.number) }
}

fn signature(record: &AgreementRecord, side: Side, called: &str, zone: &TimeZone) -> Signature {
    let by = record.signature_of(side);
    let by = by.map_or(String::new(), |one| format!("{}, {}, {}", one.name, moment(one.at, zone), one.address));
    Signature { side: called.to_owned(), by }
}

fn clauses(terms: &Terms, zone: &TimeZone) -> Vec<Block> {
    let heading = |text: &str| Block::Heading(text.to_owned());
    let text = |text: &str| Block::Text(text.to_owned());
    let begins =
        terms.valid_from.map_or("once both sides have signed".to_owned(), |at| format!("at {}", moment(at, zone)));
    let ends =
        terms.valid_until.map_or(String::new(), |at| format!(" It is over at {} without notice.", moment(at, zone)));
    vec![
        heading("1. What is agreed"),
        text(
            "The Operator answers questions of the Partner about telephone numbers of the Operator's subscribers, \
             through the interfaces and in the form that the Operator documents. The Partner asks about its own \
             customers and applicants alone.",
        ),
        heading("2. Products and prices"),
        text(
            "Charged is a check whose facts were answered. Errors, facts that are unknown, numbers that are not served \
             and repeats of one question are free. Prices are before tax. Free checks and bands are counted in the \
             order of the Operator's ledger; the Partner can recompute every invoice from its own part of that ledger.",
        ),
        prices(terms),
        Block::Facts(limits(&terms.limits)),
        heading("3. What is disclosed"),
        Block::Facts(vec![
            ("swaps".to_owned(), format!("of the last {} calendar months", terms.swap_months)),
            ("registrations".to_owned(), format!("of the last {} calendar months", terms.registration_months)),
            ("times".to_owned(), if terms.exact_times { "to the second" } else { "as days" }.to_owned()),
            (
                "SIM".to_owned(),
                if terms.pass_hashed_imsi {
                    "as the Operator's own hash"
                } else {
                    "as a pseudonym of the Partner's own"
                }
                .to_owned(),
            ),
        ]),
        heading("4. Late and missing data"),
        text(
            "What is answered is what the Operator's registry holds at the time of the question. Each answer says up to \
             when the registry is complete. Where it cannot say, it answers that the fact is unknown, never that nothing \
             happened, and the check is free. The Operator is liable for an answer that denies a swap which its registry \
             held when it answered. It is not liable for a swap that reached its registry later than the time that the \
             answer itself names, nor for what the Partner decides on an unknown fact.",
        ),
        heading("5. Confidentiality"),
        text(
            "Each side keeps secret what it learns of the other side and of subscribers under this agreement, and uses \
             it for this agreement alone, during its term and for five years afterwards. The Partner keeps consumer \
             keys, secrets and tokens where only those reach them who need them, and tells the Operator without delay \
             when one may have become known.",
        ),
        heading("6. Payment"),
        text(
            "The Operator invoices each calendar month after its end. Invoices are due 30 days after their date. A line \
             can be disputed within 60 days; what is not disputed is paid. For debt the Operator may suspend the \
             Partner's apps from a date that it has told at least 14 days before.",
        ),
        heading("7. Term, notice and changes"),
        Block::Text(format!(
            "This agreement begins {begins}.{ends} Either side ends it with {} days' notice, in the system or in \
             writing. A change is a new version that both sides sign; it takes the place of this one on its date. What \
             was asked before remains charged by the version that was in force then.",
            terms.notice_days
        )),
        heading("8. Law"),
        text("The law of Kenya applies, and its courts decide, unless the sides agree on arbitration."),
    ]
}

fn annex(terms: &Terms) -> Vec<Block> {
    let row = |of: &super::PurposeTerms| vec![purpose(of.purpose).to_owned(), basis(of.lawful_basis).to_owned()];
    let text = |text: &str| Block::Text(text.to_owned());
    vec![
        Block::Heading("Annex: data protection".to_owned()),
        text(
            "Each side is a data controller of its own for what it processes: the Operator for its registry and its \
             record of who asked, the Partner for its questions and for what it does with the answers. Neither processes \
             on behalf of the other. Both are registered with the Data Commissioner and stay so.",
        ),
        text("The Partner asks for these purposes, each on the ground that stands beside it, and for no other:"),
        Block::Table(Table {
            columns: vec![
                ("purpose".to_owned(), false),
                ("ground (Data Protection Act, section 30)".to_owned(), false),
            ],
            rows: terms.purposes.iter().map(row).collect(),
            sums: Vec::new(),
        }),
        text(
            "The Partner tells its customers that it asks, and why. It keeps an answer no longer than the decision for \
             which it asked needs, does not hand it on, and takes no decision of legal effect on it alone without a \
             person who can look at it again. The Operator records each question and keeps it as the law demands.",
        ),
        text(
            "Requests of subscribers are answered by the side to which they come; the other helps within seven days. \
             A breach that concerns the other side is told to it within 24 hours of its becoming known. Each side lets \
             the other see, once a year and after a breach, that it keeps to this annex.",
        ),
    ]
}

fn prices(terms: &Terms) -> Block {
    let rows = terms.prices.iter().map(|price| vec![product(price.product).to_owned(), price.in_words()]);
    Block::Table(Table {
        columns: vec![("product".to_owned(), false), ("price before tax".to_owned(), false)],
        rows: rows.collect(),
        sums: Vec::new(),
    })
}

fn limits(limits: &LimitTerms) -> Vec<(String, String)> {
    let of = [
        ("numbers a second", limits.per_second.map(u64::from)),
        ("numbers a day", limits.per_day),
        ("numbers a month", limits.per_month),
    ];
    let named = of.into_iter().filter_map(|(name, limit)| limit.map(|n| (name.to_owned(), format!("at most {n}"))));
    named.collect()
}

fn product(product: Product) -> &'static str {
    match product {
        Product::Imsi => "imsi: pseudonym of the SIM, last swap, registration",
        Product::Swap => "swap: last swap",
        Product::Age => "age: registration",
    }
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::FraudPrevention => "prevention of fraud, before a risky transaction",
        Purpose::Onboarding => "onboarding, when a customer is taken on",
        Purpose::ChequeConfirmation => "confirmation, before a cheque is cleared",
    }
}

fn basis(basis: LawfulBasis) -> &'static str {
    match basis {
        LawfulBasis::Consent => "consent of the subscriber",
        LawfulBasis::Contract => "needed for a contract with the subscriber",
        LawfulBasis::LegalObligation => "a legal obligation of the Partner",
        LawfulBasis::PublicInterest => "a task in the public interest",
        LawfulBasis::LegitimateInterests => "legitimate interests of the Partner or the subscriber",
    }
}

/// An instant as the operator's clocks show it.
fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%d %B %Y, %H:%M:%S %Z").to_string()
}
