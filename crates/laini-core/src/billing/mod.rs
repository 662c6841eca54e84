//! Money: what a check costs and what the ledger keeps of it.
//!
//! Owns amounts, prices, charges, the identity of a check, how a month's rows become the lines of an invoice, and the
//! accounts of partners. Must never round twice, mix currencies, use floating point, or let an invoice depend on
//! anything but rows, prices and the invoice before.

mod account;
mod allot;
mod billed;
mod charge;
mod check_id;
mod credit;
mod forecast;
mod invoice;
mod money;
mod month;
mod price;
mod span;
mod tally;

pub use account::{
    Account, AccountStatement, Ageing, Allocation, Entry, EntryKind, Means, OpenItem, Owed, Reminder, Settlement,
    invoice_numbers, normal_reference,
};
pub use allot::{Allotment, Carried, Line, LineKind, Run, allot};
pub use charge::{Charge, FreeReason, Outcome};
pub use check_id::{CheckId, CheckIds, RequestRefError};
pub use credit::{CreditError, Credited, credit};
pub use forecast::{AVERAGED_DAYS, forecast};
pub use invoice::{
    Buyer, Chained, Covered, InvoiceStatement, Seller, StatedBand, StatedPrice, Terms, VAT_BASIS_POINTS, state,
};
pub use money::{AmountError, Currency, CurrencyError, Money, MoneyError};
pub use month::{Month, MonthError};
pub use price::{Allotted, Band, FreeUnits, Price, PriceError, PriceStamp};
pub use span::{Coverage, LATE_ROWS, Span};
pub use tally::{Counted, Overlap, Place, PriceKey, ProductUnits, Tally, TallyError, Unit};
