use std::collections::HashMap;
use std::collections::hash_map::Entry;

use laini_core::partner::PaymentId;
use sha2::{Digest as _, Sha256};

use super::matching::find_out;
use super::payment::{Payment, bank_key};
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

fn take(
    work: &mut Work<'_>,
    format: Format,
    line: Line,
    seen: &mut HashMap<String, i64>,
    imported: &mut Imported,
) -> Result<(), Problem> {
    let source = format.into();
    let before = match seen.entry(line.bank_id.clone()) {
        Entry::Occupied(before) => Some(*before.get()),
        Entry::Vacant(free) => {
            free.insert(line.amount.minor);
            work.the::<Payment>("bank_id", bank_key(source, &line.bank_id))?.map(|known| known.amount_minor)
        }
    };
    match before {
        Some(before) if before == line.amount.minor => imported.known += 1,
        Some(_) => {
            let reason = "another payment of the same id has another amount".into();
            imported.problem(LineProblem { place: line.place, reason });
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
