//! `laini invoice …`: months are closed, and what came of them is shown, verified, disputed and given back.
//!
//! Owns how invoices are told to people. Must never compute an amount by itself.

mod close;
mod credit;
mod dispute;
mod list;
mod print;
mod receipt;
mod rows;
mod show;
mod verify;

use std::sync::Arc;

use clap::Subcommand;
use laini_core::billing::Month;
use laini_core::store::RecordId;
use laini_office::billing::Invoice;
use laini_office::{Office, Problem};

use super::Context;
use super::context::{console, now};

/// What to do with invoices.
#[derive(Subcommand)]
pub(crate) enum InvoiceCommand {
    /// Close a month, or every month that is over; again does no harm.
    Close(close::CloseArgs),
    /// List the newest invoices.
    List(list::ListArgs),
    /// Show an invoice with its lines, credit notes and disputes.
    Show(show::ShowArgs),
    /// Write an invoice, or a credit note, as a file.
    Print(print::PrintArgs),
    /// Write the rows of the ledger that an invoice, or a line of it, stands on.
    Rows(rows::RowsArgs),
    /// Compute an invoice again from the ledger, and look for its chain heads there; exit code 1 where it differs.
    Verify(verify::VerifyArgs),
    /// Give something of an invoice back.
    Credit(credit::CreditArgs),
    /// Dispute a line of an invoice.
    Dispute(dispute::DisputeArgs),
    /// Settle a dispute.
    Settle(dispute::SettleArgs),
    /// List disputes.
    Disputes(dispute::DisputesArgs),
    /// Keep what the tax authority returned for an invoice.
    Receipt(receipt::ReceiptArgs),
}

/// Runs one of them.
pub(crate) fn run(context: &Context, command: &InvoiceCommand) -> anyhow::Result<()> {
    match command {
        InvoiceCommand::Close(args) => close::run(context, args),
        InvoiceCommand::List(args) => list::run(context, args),
        InvoiceCommand::Show(args) => show::run(context, args),
        InvoiceCommand::Print(args) => print::run(context, args),
        InvoiceCommand::Rows(args) => rows::run(context, args),
        InvoiceCommand::Verify(args) => verify::run(context, args),
        InvoiceCommand::Credit(args) => credit::run(context, args),
        InvoiceCommand::Dispute(args) => dispute::open(context, args),
        InvoiceCommand::Settle(args) => dispute::settle(context, args),
        InvoiceCommand::Disputes(args) => dispute::list(context, args),
        InvoiceCommand::Receipt(args) => receipt::run(context, args),
    }
}

/// Reads a month.
pub(super) fn month(text: &str) -> Result<Month, String> {
    Month::parse(text).map_err(|error| error.to_string())
}

/// The office of the data directory.
pub(super) fn office(context: &Context) -> anyhow::Result<Arc<Office>> {
    let (house, config) = context.existing_house()?;
    house.office(&config, &house.ledger_beside()?)
}

/// The invoice of a number.
pub(super) fn invoice(office: &Office, number: u64) -> anyhow::Result<Invoice> {
    let found = office.run(&console(), now(), |work| work.look::<Invoice>(RecordId(number)))?;
    found.ok_or_else(|| anyhow::Error::from(Problem::NotFound("invoice")))
}
