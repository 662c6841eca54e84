//! Money: what a check costs and what the ledger keeps of it.
//!
//! Owns amounts, prices, charges, the identity of a check, and the accounts of partners. Must never round twice, mix
//! currencies, or use floating point.

mod account;
mod charge;
mod check_id;
mod money;
mod price;

pub use account::{
    Account, Ageing, Allocation, Entry, EntryKind, Means, OpenItem, Owed, Reminder, Settlement, Statement,
    invoice_numbers, normal_reference,
};
pub use charge::{Charge, FreeReason, Outcome};
pub use check_id::{CheckId, CheckIds, RequestRefError};
pub use money::{AmountError, Currency, CurrencyError, Money, MoneyError};
pub use price::{Band, FreeUnits, Price, PriceError, PriceStamp};
