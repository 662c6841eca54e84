//! Money: what a check costs and what the ledger keeps of it.
//!
//! Owns amounts, prices, charges and the identity of a check. Must never round twice, mix
//! currencies, or use floating point.

mod charge;
mod check_id;
mod money;
mod price;

pub use charge::{Charge, FreeReason, Outcome};
pub use check_id::{CheckId, CheckIds, RequestRefError};
pub use money::{AmountError, Currency, CurrencyError, Money, MoneyError};
pub use price::{Band, FreeUnits, Price, PriceError, PriceStamp};
