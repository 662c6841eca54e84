//! Prepaid: a partner pays first, and its production checks stop where that is used up.
//!
//! Owns balances and their top-ups. Must never count what was used (the ledger does), put more on a balance than was
//! paid and is free, or put the same money there twice.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::slice;

use jiff::{SignedDuration, Timestamp};
use laini_core::billing::Money;
use laini_core::partner::{PartnerId, PaymentId, Prepaid, TopUpId};
use laini_core::store::{AccountsChange, PartnerChange, RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::payments::{Payment, account, known_partner, today};
use crate::{Kept, Page, PageRequest, Problem, Work, key};

/// Tax in a top-up where nobody says otherwise: 16 %.
pub const TAX_BASIS_POINTS: u32 = 1_600;
/// The highest tax, in hundredths of a per cent.
pub const TAX_BASIS_POINTS_MAX: u32 = 10_000;
/// Other nodes' clocks are not further ahead than this.
const NOT_LATER: SignedDuration = SignedDuration::from_hours(1);

/// What a partner paid in advance. Checks are decided on the same sum in its account; this is what top-ups are added
/// up in, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Balance {
    partner: PartnerId,
    from: Timestamp,
    paid_minor: i64,
}

impl Kept for Balance {
    const KIND: RecordKind = RecordKind("prepaid");
    const NOUN: &'static str = "prepaid balance";

    fn id(&self) -> RecordId {
        self.partner.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("all", "all", self.from.as_microsecond())]
    }
}

/// Money that was put on a balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUp {
    /// Its id.
    pub id: TopUpId,
    /// Whose.
    pub partner: PartnerId,
    /// The payment that it was taken of.
    pub payment: PaymentId,
    /// What was taken of the payment, in minor units.
    pub gross_minor: i64,
    /// The tax in it.
    pub tax_minor: i64,
    /// What checks can be paid from: the rest.
    pub net_minor: i64,
    /// When.
    pub at: Timestamp,
}

impl Kept for TopUp {
    const KIND: RecordKind = RecordKind("top_up");
    const NOUN: &'static str = "top-up";

    fn id(&self) -> RecordId {
        self.id.into()
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![key("partner", self.partner, self.at.as_microsecond())]
    }
}

/// How a balance stands; amounts before tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Checks decided from then on are paid from it.
    pub from: Timestamp,
    /// All top-ups.
    pub paid: Money,
    /// What checks have cost since, by the highest price of each.
    pub used: Money,
    /// What is left; below zero where charges came in that could not be refused any more.
    pub left: Money,
}

/// How a partner's balance stands; `None` where it pays invoices.
pub fn standing(work: &mut Work<'_>, partner: PartnerId) -> Result<Option<Standing>, Problem> {
    let Some(prepaid) = known_partner(work, partner)?.prepaid else { return Ok(None) };
    let its = work.read_book()?.apps.iter().filter(|app| app.partner == partner);
    let apps: Vec<_> = its.map(|app| app.id).collect();
    let used = work.office.counted.charged(work.office, &apps, (prepaid.from, work.at + NOT_LATER))?;
    let money = |minor| Money::new(minor, work.office.settings.currency);
    let left = prepaid.paid_minor.saturating_sub(used);
    Ok(Some(Standing { from: prepaid.from, paid: money(prepaid.paid_minor), used: money(used), left: money(left) }))
}

/// What of each of a partner's payments can be put on its balance, in minor units, in the order of the payments. What
/// settles invoices is not free, whatever payment it came with; a payment whose day has not come is looked at on it.
pub fn free(work: &mut Work<'_>, partner: PartnerId, payments: &[Payment]) -> Result<Vec<i64>, Problem> {
    let today = today(work);
    let mut credit_on = BTreeMap::new();
    let mut free = Vec::with_capacity(payments.len());
    for payment in payments {
        let credit_minor = match credit_on.entry(today.max(payment.on)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let credit_minor = account(work, partner, *place.key())?.credit_minor;
                *place.insert(credit_minor)
            }
        };
        let left_minor = payment.amount_minor - payment.prepaid_minor;
        free.push(if payment.reversed.is_some() { 0 } else { credit_minor.min(left_minor) });
    }
    Ok(free)
}

/// Puts money of a payment on its partner's balance, which begins with the first top-up: from then on its production
/// checks are paid from it, and are on no invoice. `amount_minor` is taken of the payment, with its tax; `None` = all
/// of it that is free.
pub fn top_up(
    work: &mut Work<'_>,
    partner: PartnerId,
    payment: PaymentId,
    amount_minor: Option<i64>,
    tax_basis_points: u32,
) -> Result<TopUp, Problem> {
    known_partner(work, partner)?;
    if tax_basis_points > TAX_BASIS_POINTS_MAX {
        return Err(Problem::invalid("tax_basis_points", format!("0 to {TAX_BASIS_POINTS_MAX}; 16 % is 1600")));
    }
    let mut payment: Payment = work
        .look(payment)?
        .filter(|found: &Payment| found.partner == Some(partner))
        .ok_or(Problem::NotFound(Payment::NOUN))?;
    if payment.reversed.is_some() {
        return Err(Problem::not_now("the payment was reversed"));
    }
    // Read before what is counted: two that top up at once must see each other.
    let mut balance =
        work.look::<Balance>(partner)?.unwrap_or(Balance { partner, from: Prepaid::begins(work.at), paid_minor: 0 });
    let free: i64 = free(work, partner, slice::from_ref(&payment))?.into_iter().sum();
    let gross_minor = amount_minor.unwrap_or(free);
    if gross_minor <= 0 || gross_minor > free {
        let free = Money::new(free, work.office.settings.currency);
        return Err(Problem::not_now(format!(
            "of this payment {free} are free: the rest settles invoices or was used"
        )));
    }
    let (net, tax) = Money::new(gross_minor, work.office.settings.currency).without_tax(tax_basis_points);
    let paid_minor = balance.paid_minor.checked_add(net.minor);
    balance.paid_minor = paid_minor.ok_or(Problem::not_now("the balance would be too large to count"))?;
    payment.prepaid_minor += gross_minor;
    let id = TopUpId::from_random(work.office.entropy.next_u64());
    let (net_minor, tax_minor, at) = (net.minor, tax.minor, work.at);
    let top_up = TopUp { id, partner, payment: payment.id, gross_minor, tax_minor, net_minor, at };
    for_checks(work, &balance);
    work.put(&balance)?;
    work.put(&payment)?;
    work.put(&top_up)?;
    work.note("prepaid.top-up", Some(partner), payment.id, &format!("{net} and {tax} tax"));
    Ok(top_up)
}

/// Tells the servers of a balance.
fn for_checks(work: &mut Work<'_>, balance: &Balance) {
    let prepaid = Prepaid { from: balance.from, paid_minor: balance.paid_minor };
    work.accounts(AccountsChange::Partner(balance.partner, PartnerChange::Prepaid(prepaid)));
}

/// A partner's top-ups, the newest first.
pub fn top_ups(work: &mut Work<'_>, partner: PartnerId, page: PageRequest) -> Result<Page<TopUp>, Problem> {
    known_partner(work, partner)?;
    work.find("partner", partner, true, page)
}
