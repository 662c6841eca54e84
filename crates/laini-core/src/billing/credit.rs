use serde::{Deserialize, Serialize};

use super::{Currency, InvoiceStatement, Money};

/// What is given back of a line, before tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credited {
    /// The number of the invoice's line.
    pub line: u32,
    /// How much, in minor units; above zero.
    pub amount_minor: i64,
}

/// Why so much cannot be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreditError {
    /// The invoice has no such line.
    #[error("the invoice has no line {0}")]
    NoSuchLine(u32),
    /// A credit gives something back.
    #[error("the amount of line {0} must be above zero")]
    NothingOfLine(u32),
    /// A credit note without lines.
    #[error("name at least one line")]
    NoLines,
    /// More than is left.
    #[error("of line {line} only {left_minor} minor units are left to be given back")]
    MoreThanLeft {
        /// Which line.
        line: u32,
        /// What is left of it.
        left_minor: i64,
    },
}

/// Checks a credit against the lines of an invoice and what was given back of them `before`; the sum and its tax,
/// in minor units. The tax of all credits together is that of their sum, rounded once: an invoice that is given
/// back line by line gives back its own tax.
pub fn credit(
    invoice: &InvoiceStatement,
    before: &[Credited],
    credited: &[Credited],
) -> Result<(i64, i64), CreditError> {
    if credited.is_empty() {
        return Err(CreditError::NoLines);
    }
    let mut all = before.to_vec();
    for one in credited {
        let line = invoice.lines.iter().find(|line| line.line == one.line).ok_or(CreditError::NoSuchLine(one.line))?;
        if one.amount_minor <= 0 {
            return Err(CreditError::NothingOfLine(one.line));
        }
        let left_minor = line.amount_minor.saturating_sub(sum(all.iter().filter(|other| other.line == one.line)));
        if one.amount_minor > left_minor {
            return Err(CreditError::MoreThanLeft { line: one.line, left_minor });
        }
        all.push(*one);
    }
    let currency = Currency::parse(&invoice.currency).unwrap_or(Currency::KES);
    let tax = |minor| Money::new(minor, currency).share(invoice.tax_basis_points).map_or(0, |tax| tax.minor);
    let (earlier, together) = (sum(before), sum(&all));
    Ok((together - earlier, tax(together) - tax(earlier)))
}

fn sum<'a>(credited: impl IntoIterator<Item = &'a Credited>) -> i64 {
    credited.into_iter().fold(0, |sum, one| sum.saturating_add(one.amount_minor))
}
