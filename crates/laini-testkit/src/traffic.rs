//! A ledger with the traffic of several partners, for benches of what is done with it.
//!
//! Owns who the partners are, what they pay and what they asked. Must never measure anything.

use jiff::{SignedDuration, Timestamp};
use laini_core::billing::{Band, Currency, FreeUnits, Money, Price};
use laini_core::disclosure::Windows;
use laini_core::partner::{Agreement, AgreementId, Partner, PartnerId, Product, Purpose};
use laini_core::store::{AccountStore, AuditEntry, Draft, Ledger, Submission, Submitted};

use crate::contract::ledger::{Desk, QUESTION, Question, app};

/// Whatever went wrong.
pub type Failure = Box<dyn std::error::Error>;

/// Checks that are committed together.
const ROWS_PER_COMMIT: u64 = 5_000;
/// Distinct numbers.
const LINES: u64 = 100_000_000;

/// Adds partners 1 to `count` with an agreement each: flat, with a minimum, and with free units and bands.
pub async fn add_partners(accounts: &dyn AccountStore, count: u64, from: Timestamp) -> Result<Vec<Agreement>, Failure> {
    let kes = |minor| Money::new(minor, Currency::KES);
    let bands = vec![Band { up_to: Some(10_000), unit_minor: 100 }, Band { up_to: None, unit_minor: 80 }];
    let swap = Price { free: FreeUnits::PerMonth(1_000), set_up_minor: 5_000_000, bands, ..Price::flat(1, kes(100)) };
    let age = Price { monthly_minimum_minor: 10_000, ..Price::flat(1, kes(400)) };
    let prices = vec![(Product::Imsi, Price::flat(1, kes(2_000))), (Product::Swap, swap), (Product::Age, age)];
    let mut agreements = Vec::new();
    for number in 1..=count {
        let partner = PartnerId::from_stored(number);
        let agreement = Agreement {
            id: AgreementId::from_stored(number),
            partner,
            valid_from: from,
            valid_until: None,
            windows: Windows::default(),
            prices: prices.clone(),
            pass_hashed_imsi: false,
            purposes: vec![Purpose::FraudPrevention],
            exact_times: false,
        };
        let of = Partner::new(partner, format!("Bank {number}"));
        accounts.add_partner(of, agreement.clone(), noted("partner.add", partner, from)).await?;
        agreements.push(agreement);
    }
    Ok(agreements)
}

/// An audit row of a bench.
pub fn noted(action: &str, partner: PartnerId, at: Timestamp) -> AuditEntry {
    AuditEntry {
        at,
        actor: "bench".to_owned(),
        action: action.to_owned(),
        target: partner.to_string(),
        reason: String::new(),
        partner: Some(partner),
    }
}

/// Records checks through the engine itself, by turns of the agreements and evenly over the time: chained and sealed as
/// any.
pub async fn record(
    ledger: &dyn Ledger,
    agreements: &[Agreement],
    rows: u64,
    (begins, ends): (Timestamp, Timestamp),
) -> Result<(), Failure> {
    let desk = Desk::default();
    let span_us = ends.as_microsecond() - begins.as_microsecond();
    let draft = |number: u64| -> Result<Draft, Failure> {
        let of = usize::try_from(number)? % agreements.len();
        let agreement = &agreements[of];
        let product = Product::ALL[usize::try_from(number / 7)? % Product::ALL.len()];
        let after_us = i64::try_from(u128::from(number) * u128::try_from(span_us)? / u128::from(rows))?;
        let question =
            Question { product, line: u32::try_from(number % LINES)?, app: app(agreement.id.as_u64()), ..QUESTION };
        let (_, price) =
            agreement.prices.iter().find(|(priced, _)| *priced == product).ok_or("a product has no price")?;
        let draft = desk.answered(question, begins + SignedDuration::from_micros(after_us));
        Ok(Draft { partner: agreement.partner, agreement: Some(agreement.id), price: price.stamp(), ..draft })
    };
    let mut next = 0;
    while next < rows {
        let until = rows.min(next + ROWS_PER_COMMIT);
        let drafts = (next..until).map(draft).collect::<Result<_, _>>()?;
        match ledger.submit(Submission { drafts, ..Submission::default() }).await? {
            Submitted::Recorded(..) => next = until,
            Submitted::Answered(..) => return Err("nothing was asked under a key".into()),
        }
    }
    Ok(())
}
