use jiff::ToSpan as _;
use jiff::civil::Date;
use laini_core::billing::{Account, AccountStatement, Ageing, Means, OpenItem, Reminder, Settlement};
use laini_core::partner::PartnerId;

use super::receivable::money;
use super::reminding::{Reminded, SUSPENSION_NOTICE_DAYS};
use super::{Certificate, CreditPosting, Payment, Receivable, known_partner, today, uncountable};
use crate::{Problem, Work};

/// The longest time of one statement.
const STATEMENT_DAYS_MAX: i32 = 3 * 366;

/// What a partner owes, by age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerAgeing {
    /// Who.
    pub partner: PartnerId,
    /// What it is called.
    pub name: String,
    /// How much.
    pub ageing: Ageing,
}

/// What a partner owes past its day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// How much, in minor units; 0 = nothing.
    pub amount_minor: i64,
    /// The invoices, those due first in front.
    pub invoices: Vec<u64>,
    /// Since when something has been overdue.
    pub since: Option<Date>,
    /// From when on the partner can be suspended for it: so many days after the last reminder was sent
    /// ([`SUSPENSION_NOTICE_DAYS`]). `None` = not yet.
    pub suspend_from: Option<Date>,
}

/// What stands in a partner's account.
fn facts(work: &mut Work<'_>, partner: PartnerId) -> Result<(Vec<OpenItem>, Vec<Settlement>), Problem> {
    let items = work.all::<Receivable>("partner", partner)?;
    let items = items.iter().map(Receivable::item).collect::<Result<_, _>>()?;
    let mut settlements = Vec::new();
    for payment in work.all::<Payment>("partner", partner)? {
        settlements.extend(payment.settlement()?);
    }
    for certificate in work.all::<Certificate>("partner", partner)? {
        settlements.extend(certificate.settlement()?);
    }
    for credit in work.all::<CreditPosting>("partner", partner)? {
        let amount = money(credit.amount_minor, &credit.currency)?;
        let (means, id, on, invoice) = (Means::CreditNote, credit.number, credit.on, Some(credit.invoice));
        settlements.push(Settlement { means, id, on, amount, invoice, reversed: None });
    }
    Ok((items, settlements))
}

/// A partner's account at the end of a day.
pub fn account(work: &mut Work<'_>, partner: PartnerId, on: Date) -> Result<Account, Problem> {
    let (items, settlements) = facts(work, partner)?;
    Account::on(on, work.office.settings.currency, &items, &settlements).map_err(uncountable)
}

/// A partner's statement of account, from the first day to the last.
pub fn statement_between(
    work: &mut Work<'_>,
    partner: PartnerId,
    from: Date,
    until: Date,
) -> Result<AccountStatement, Problem> {
    known_partner(work, partner)?;
    if from > until || (until - from).get_days() > STATEMENT_DAYS_MAX {
        return Err(Problem::invalid("from", "a day before `until`, by three years at most"));
    }
    let (items, settlements) = facts(work, partner)?;
    AccountStatement::between((from, until), work.office.settings.currency, &items, &settlements).map_err(uncountable)
}

/// What every partner owes, by age, and all of them together; those who owe nothing and have no credit are left out.
pub fn ageing(work: &mut Work<'_>, on: Date) -> Result<(Vec<PartnerAgeing>, Ageing), Problem> {
    let (mut partners, mut sum) = (Vec::new(), Ageing::default());
    for partner in work.book()?.partners {
        let of = Ageing::of(&account(work, partner.id, on)?).map_err(uncountable)?;
        if of != Ageing::default() {
            sum = sum.plus(&of).map_err(uncountable)?;
            partners.push(PartnerAgeing { partner: partner.id, name: partner.name, ageing: of });
        }
    }
    Ok((partners, sum))
}

/// What a partner owes past its day, and from when on it can be suspended for that.
pub fn overdue(work: &mut Work<'_>, partner: PartnerId) -> Result<Overdue, Problem> {
    let account = account(work, partner, today(work))?;
    let mut overdue = Overdue {
        amount_minor: account.overdue_minor().map_err(uncountable)?,
        invoices: Vec::new(),
        since: None,
        suspend_from: None,
    };
    for owed in account.overdue() {
        overdue.invoices.push(owed.item.number);
        overdue.since = overdue.since.or(owed.item.due.checked_add(1.day()).ok());
        let last = work.the::<Reminded>("of", Reminded::key_of(owed.item.number, Reminder::Last))?;
        let from = last.and_then(|last| last.on.checked_add(SUSPENSION_NOTICE_DAYS.days()).ok());
        overdue.suspend_from = [overdue.suspend_from, from].into_iter().flatten().min();
    }
    Ok(overdue)
}
