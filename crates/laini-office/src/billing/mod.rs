//! Billing: a month is closed, and becomes invoices; what is disputed, and given back.
//!
//! Owns month closes, invoices, credit notes, disputes, the numbers of papers, usage and what-if prices. Must never
//! change an invoice once it is made, leave a number out, or compute an amount that does not follow from rows, prices
//! and the invoice before.
//!
//! A close is two steps. First its marks are frozen: the month's end, and how far each writer's chain was then. Then
//! the rows up to there are counted, and invoices are made one by one, each with its number in one unit of work. A
//! close that is interrupted goes on where it was: the marks stay, and an invoice that is there is not made again.

mod close;
mod count;
mod counted_days;
mod credit_note;
mod csv;
mod dispute;
mod export;
mod figures;
mod invoice;
mod month_so_far;
mod number;
mod paper;
mod price_book;
mod revenue;
mod rows;
mod simulate;
mod tax;
mod usage;
mod verify;

pub use close::{CloseReport, MonthClose, NextClose, close_due, close_month, closes, next_close};
pub use counted_days::CountedDays;
pub use credit_note::{CreditNote, credit_invoice, credit_notes};
pub use csv::lines_csv;
pub use dispute::{DISPUTE_DAYS, Dispute, DisputeState, Settlement, disputes, open_dispute, settle_dispute};
pub use export::{LedgerExport, NamedRow, Names, export_csv};
pub use figures::work_out;
pub use invoice::{Invoice, invoice_of, invoices, invoices_of};
pub use month_so_far::{MonthSoFar, ProductSoFar, month_so_far};
pub use paper::{paper, paper_of_credit};
pub use price_book::PriceBook;
pub use revenue::{Earned, REVENUE_MONTHS_MAX, revenue};
pub use rows::{RowsPage, has_rows_at_hand, invoice_rows, line_rows};
pub use simulate::{Simulation, simulate};
pub use tax::{TaxReceipt, keep_tax_receipt, tax_export, tax_export_of_credit};
pub use usage::{DayUsage, ReferenceUsage, usage_by_day, usage_by_reference};
pub use verify::{Verification, verify_invoice};
