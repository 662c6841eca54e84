use jiff::Timestamp;
use jiff::civil::Date;
use laini_core::billing::{Money, Owed, Reminder};
use laini_core::partner::{MemberRole, PartnerId};
use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::account::account;
use super::{order, today};
use crate::mail::{Letter, queue};
use crate::people::{Person, Seat};
use crate::{Actor, Kept, Office, Problem, Work, key, unique};

/// A partner can be suspended for a debt so many days after the last reminder was sent, which says so.
pub const SUSPENSION_NOTICE_DAYS: i32 = 14;

/// A reminder that was sent: each once for each invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminded {
    /// The invoice.
    pub invoice: u64,
    /// Whose.
    pub partner: PartnerId,
    /// Which letter, in its word.
    pub reminder: String,
    /// The day.
    pub on: Date,
}

impl Reminded {
    /// What it is found by.
    pub(super) fn key_of(invoice: u64, reminder: Reminder) -> String {
        format!("{invoice}:{}", reminder.word())
    }
}

impl Kept for Reminded {
    const KIND: RecordKind = RecordKind("reminded");
    const NOUN: &'static str = "reminder";

    fn id(&self) -> RecordId {
        let digest: [u8; 32] = Sha256::digest(format!("{}:{}", self.invoice, self.reminder)).into();
        RecordId(u64::from_be_bytes(*digest.first_chunk().unwrap_or(&[0; 8])) >> 1)
    }

    fn keys(&self) -> Vec<RecordKey> {
        vec![unique("of", format!("{}:{}", self.invoice, self.reminder)), key("partner", self.partner, order(self.on))]
    }
}

/// Sends the reminders whose day has come, each once, a unit of work for each partner. One whose account cannot be
/// counted keeps nobody else's back.
pub fn remind(office: &Office, now: Timestamp) -> Result<(), Problem> {
    let partners = office.run(&Actor::System, now, |work| Ok(work.book()?.partners))?;
    for partner in partners {
        if let Err(problem) = office.run(&Actor::System, now, |work| remind_partner(work, partner.id, &partner.name)) {
            tracing::error!(partner = %partner.id, %problem, "a partner is not reminded");
        }
    }
    Ok(())
}

fn remind_partner(work: &mut Work<'_>, partner: PartnerId, name: &str) -> Result<(), Problem> {
    let on = today(work);
    let account = account(work, partner, on)?;
    for owed in account.invoices.iter().filter(|owed| owed.open_minor > 0) {
        let Some(reminder) = Reminder::on(owed.item.due, on) else { continue };
        let number = owed.item.number;
        if work.the::<Reminded>("of", Reminded::key_of(number, reminder))?.is_some() {
            continue;
        }
        if send(work, partner, name, owed, reminder)? == 0 {
            // Somebody may be invited meanwhile: it is tried again with the next round.
            tracing::warn!(partner = %partner, invoice = number, "nobody of the partner can be reminded");
            continue;
        }
        work.put(&Reminded { invoice: number, partner, reminder: reminder.word().to_owned(), on })?;
        work.note("invoice.remind", Some(partner), number, reminder.word());
    }
    Ok(())
}

/// Queues a letter for everybody who looks after the partner's invoices, or for its owners where nobody does; how
/// many.
fn send(
    work: &mut Work<'_>,
    partner: PartnerId,
    name: &str,
    owed: &Owed,
    reminder: Reminder,
) -> Result<usize, Problem> {
    let people: Vec<Person> = work.all("partner", partner)?;
    let of_role = |role| {
        let seat = Seat::Member { partner, role };
        people.iter().filter(move |person| person.seat == seat && !person.is_disabled).collect::<Vec<_>>()
    };
    let billing = of_role(MemberRole::Billing);
    let recipients = if billing.is_empty() { of_role(MemberRole::Owner) } else { billing };
    let (subject, text) = words(name, owed, reminder);
    for person in &recipients {
        let about = format!("invoice {}", owed.item.number);
        let (to, subject, text) = (person.email.clone(), subject.clone(), text.clone());
        queue(work, Letter { to, subject, text, about })?;
    }
    Ok(recipients.len())
}

/// What a letter says: its subject and its text.
fn words(name: &str, owed: &Owed, reminder: Reminder) -> (String, String) {
    let (number, due) = (owed.item.number, owed.item.due);
    let amount = Money::new(owed.open_minor, owed.item.total.currency);
    let (subject, told) = match reminder {
        Reminder::DueSoon => (format!("Invoice {number} is due on {due}"), format!("is due on {due}")),
        Reminder::Overdue => (format!("Invoice {number} is overdue"), format!("was due on {due}")),
        Reminder::Second => {
            (format!("Invoice {number} is two weeks overdue"), format!("was due on {due}, two weeks ago"))
        }
        Reminder::Last => (
            format!("Invoice {number}: last reminder"),
            format!(
                "was due on {due}. This is the last reminder. If it is not paid within {SUSPENSION_NOTICE_DAYS} days, \
                 production checks can be suspended",
            ),
        ),
    };
    let text = format!(
        "To {name}\n\nInvoice {number} {told}.\nOpen: {amount}.\n\nIf you have paid, or sent a certificate of withheld \
         tax, meanwhile: thank you, and please disregard this letter.\n"
    );
    (subject, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use laini_core::billing::{Currency, OpenItem};

    #[test]
    fn letters_say_what_is_open_and_the_last_one_what_follows() {
        let day = jiff::civil::date(2026, 10, 31);
        let total = Money::new(116_000, Currency::KES);
        let item = OpenItem { number: 17, partner: PartnerId::from_stored(1), total, issued: day, due: day };
        let owed = Owed { item, open_minor: 16_000 };
        for reminder in Reminder::ALL {
            let (subject, text) = words("Bank A", &owed, reminder);
            assert!(subject.contains("17") && text.contains("KES 160.00") && text.contains("2026-10-31"), "{text}");
            assert_eq!(text.contains("suspended"), reminder == Reminder::Last, "{text}");
        }
    }
}
