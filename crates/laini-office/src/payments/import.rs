use std::collections::HashMap;

use jiff::civil::Date;
use laini_core::billing::Money;
use laini_core::partner::PaymentId;
use sha2::{Digest as _, Sha256};

use super::matching::find_out;
use super::payment::{Payment, Source, bank_key, has_come};
use super::statement::{Format, Line, LineProblem, Said, read};
use crate::agreements::digest_in_words;
use crate::{Problem, Work};

/// How many problems of one statement are told.
const PROBLEMS_TOLD_MAX: usize = 100;

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// Payments that are new.
    pub added: usize,
    /// Of these, those of which it is known whose they are.
    pub matched: usize,
    /// Payments that were recorded before.
    pub known: usize,
    /// What is no payment: withdrawals, pending entries.
    pub passed_over: usize,
    /// How many lines could not be read.
    pub bad: usize,
    /// What is wrong with the first hundred of these.
    pub problems: Vec<LineProblem>,
}

impl Imported {
    fn problem(&mut self, problem: LineProblem) {
        self.bad += 1;
        if self.problems.len() < PROBLEMS_TOLD_MAX {
            self.problems.push(problem);
        }
    }
}

/// Records the payments of a statement. A payment that was recorded before is left as it is, so the same statement
/// twice adds nothing; lines that cannot be read are told, and the others are recorded all the same.
pub fn import(work: &mut Work<'_>, format: Format, bytes: &[u8]) -> Result<Imported, Problem> {
    let (mut imported, mut seen) = (Imported::default(), HashMap::new());
    let currency = work.office.settings.currency;
    read(format, bytes, currency, |read| {
        match read {
            Said::Money(line) => take(work, format, line, &mut seen, &mut imported)?,
            Said::Other => imported.passed_over += 1,
            Said::Bad(problem) => imported.problem(problem),
        }
        Ok(())
    })?;
    if imported.added > 0 {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let name = digest_in_words(&digest)[..16].to_owned();
        work.note(
            "payment.import",
            None,
            name,
            &format!("{} payments of a {} statement", imported.added, format.word()),
        );
    }
    Ok(imported)
}

/// When a payment was booked, and how much it is, in minor units.
type Booked = (Date, i64);

/// Takes a line over. `seen`: what is known of the ids of the lines before it.
fn take(
    work: &mut Work<'_>,
    format: Format,
    line: Line,
    seen: &mut HashMap<String, Booked>,
    imported: &mut Imported,
) -> Result<(), Problem> {
    let (source, booked) = (Source::from(format), (line.on, line.amount.minor));
    if !has_come(work, line.on) {
        let reason = format!("a payment that was booked has a day that has come, and {} has not", line.on).into();
        imported.problem(LineProblem { place: line.place, reason });
        return Ok(());
    }
    let before = match seen.get(&line.bank_id) {
        Some(before) => Some(*before),
        None => recorded(work, source, &line, seen)?,
    };
    seen.insert(line.bank_id.clone(), before.unwrap_or(booked));
    match before {
        Some(before) if before == booked => imported.known += 1,
        Some((on, minor)) => {
            let amount = Money::new(minor, line.amount.currency);
            let reason =
                format!("its id is that of a payment of {amount} on {on}; record it by hand if it is another one");
            imported.problem(LineProblem { place: line.place, reason: reason.into() });
        }
        None => {
            let mut payment = Payment {
                id: PaymentId::from_random(work.office.entropy.next_u64()),
                source,
                bank_id: line.bank_id,
                on: line.on,
                amount_minor: line.amount.minor,
                currency: line.amount.currency.as_str().to_owned(),
                reference: line.reference,
                account: line.account,
                details: line.details,
                partner: None,
                invoice: None,
                matched: None,
                prepaid_minor: 0,
                reversed: None,
                recorded: work.at,
            };
            find_out(work, &mut payment)?;
            imported.added += 1;
            imported.matched += usize::from(payment.partner.is_some());
            work.put(&payment)?;
        }
    }
    Ok(())
}

/// What is recorded of a line's payment; `None` = it is new. By the name that other payments may have too, a payment is
/// found where day and amount are the same, and by one line of a statement.
fn recorded(
    work: &mut Work<'_>,
    source: Source,
    line: &Line,
    seen: &mut HashMap<String, Booked>,
) -> Result<Option<Booked>, Problem> {
    let mut of = |id: &str| -> Result<Option<Booked>, Problem> {
        Ok(work.the::<Payment>("bank_id", bank_key(source, id))?.map(|known| (known.on, known.amount_minor)))
    };
    if let Some(known) = of(&line.bank_id)? {
        return Ok(Some(known));
    }
    let Some(other) = line.other_id.as_ref().filter(|other| !seen.contains_key(*other)) else { return Ok(None) };
    let known = of(other)?.filter(|known| *known == (line.on, line.amount.minor));
    if let Some(known) = known {
        seen.insert(other.clone(), known);
    }
    Ok(known)
}
