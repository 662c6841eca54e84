//! Invoices, credit notes, disputes, closes.
//!
//! Owns their paths and what is sent of them. Must never decide who is to pay what: laini-office does.

mod endpoints;
mod wire;

use jiff::Timestamp;
use laini_core::billing::{Credited, Month};
use laini_core::partner::DisputeId;
use laini_core::store::RecordId;
use laini_office::billing::{
    CreditNote, Dispute, Invoice, Settlement, closes, credit_invoice, credit_notes, disputes, invoice_of, invoices,
    invoices_of, keep_tax_receipt, lines_csv, next_close, open_dispute, paper, settle_dispute, tax_export,
    tax_export_of_credit, verify_invoice as compute_again,
};
use laini_office::{Problem, Work};
use laini_wire::office::invoices::{
    CloseAnswer, ClosedAnswer, ClosesAnswer, CreditRequest, DisputeRequest, DisputesAnswer, NextCloseAnswer,
    SettleRequest, TaxReceiptRequest, VerificationAnswer,
};

use super::{Call, Noun, Reply};
pub(super) use endpoints::BOTH_LOOK;

pub(super) const NOUN: Noun = Noun {
    tag: "invoices",
    description: "Months that are closed, and what partners are to pay for them.",
    endpoints: endpoints::endpoints,
    schemas: endpoints::schemas,
};

fn list_invoices(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let month = call
        .query("month")
        .map(|text| Month::parse(text).map_err(|error| Problem::invalid("month", error.to_string())));
    Reply::ok(&wire::invoices(&invoices(work, month.transpose()?, call.page()?)?))
}

fn list_partner_invoices(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    Reply::ok(&wire::invoices(&invoices_of(work, call.partner()?, call.page()?)?))
}

/// The invoice that the path names, of the partner that it names.
pub(super) fn invoice(work: &mut Work<'_>, call: &Call) -> Result<Invoice, Problem> {
    let number = call.id("invoice", str::parse::<u64>).ok().filter(|number| *number >> 63 == 0);
    invoice_of(work, call.partner()?, number.ok_or(Problem::NotFound("invoice"))?)
}

fn show_invoice(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let found = invoice(work, call)?;
    let notes = credit_notes(work, found.statement.number)?;
    let disputes: Vec<Dispute> = work.all("invoice", found.statement.number)?;
    Reply::ok(&wire::invoice(&found, &notes, &disputes)?)
}

fn print_invoice(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let found = invoice(work, call)?;
    let name = format!("invoice-{}.html", found.statement.number);
    Ok(Reply::file("text/html;charset=UTF-8", name, paper(&found).html().into_bytes()))
}

fn print_invoice_pdf(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let found = invoice(work, call)?;
    let name = format!("invoice-{}.pdf", found.statement.number);
    Ok(Reply::file("application/pdf", name, paper(&found).pdf()))
}

fn list_invoice_lines(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let found = invoice(work, call)?;
    let name = format!("invoice-{}.csv", found.statement.number);
    Ok(Reply::file("text/csv;charset=UTF-8", name, lines_csv(&found).into_bytes()))
}

fn export_invoice_tax(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let found = invoice(work, call)?;
    Reply::ok(&tax_export(&found, &work.office.settings.zone)?)
}

fn export_credit_note_tax(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let number = call.id("credit_note", str::parse::<u64>).ok().filter(|number| *number >> 63 == 0);
    let note = number.map(|number| work.look::<CreditNote>(RecordId(number))).transpose()?.flatten();
    let (note, partner) = (note.ok_or(Problem::NotFound("credit note"))?, call.partner()?);
    if note.partner != partner {
        return Err(Problem::NotFound("credit note"));
    }
    let of = invoice_of(work, partner, note.invoice)?;
    Reply::ok(&tax_export_of_credit(&note, &of, &work.office.settings.zone)?)
}

fn keep_invoice_tax_receipt(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let TaxReceiptRequest { number, qr } = call.json()?;
    let found = invoice(work, call)?;
    keep_tax_receipt(work, &found, &number, &qr)?;
    Ok(Reply::no_content())
}

fn verify_invoice(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let found = invoice(work, call)?;
    let done = compute_again(work.office, &found)?;
    Reply::ok(&VerificationAnswer {
        number: done.number,
        units: done.units,
        total_minor: done.total_minor,
        chain_heads: done.heads,
        differences: done.differences,
    })
}

fn credit_invoice_lines(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let CreditRequest { lines, reason } = call.json()?;
    let found = invoice(work, call)?;
    let lines = lines.iter().map(|line| Credited { line: line.line, amount_minor: line.amount_minor });
    let note = credit_invoice(work, &found, &lines.collect::<Vec<_>>(), &reason)?;
    Reply::created(&wire::credit_note(&note))
}

fn dispute_invoice_line(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let DisputeRequest { line, reason } = call.json()?;
    let found = invoice(work, call)?;
    let dispute = open_dispute(work, &found, line, &reason)?;
    Reply::created(&wire::dispute(&dispute))
}

fn settle_invoice_dispute(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let SettleRequest { accept_minor, answer } = call.json()?;
    let id = call.id("dispute", DisputeId::parse)?;
    let dispute: Dispute = work.get(id)?;
    if dispute.partner != call.partner()? {
        return Err(Problem::NotFound("dispute"));
    }
    let settlement = accept_minor.map_or(Settlement::Reject, |amount_minor| Settlement::Accept { amount_minor });
    Reply::ok(&wire::dispute(&settle_dispute(work, id, settlement, &answer)?))
}

fn list_disputes(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let state = call.query("state").unwrap_or("open");
    if !["open", "accepted", "rejected"].contains(&state) {
        return Err(Problem::invalid("state", "expected one of: open, accepted, rejected"));
    }
    let page = disputes(work, state, call.page()?)?;
    let (disputes, next) = (page.items.iter().map(wire::dispute).collect(), page.next.map(|next| next.to_string()));
    Reply::ok(&DisputesAnswer { disputes, next })
}

fn list_closes(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let page = closes(work, call.page()?)?;
    let close = |close: &laini_office::billing::MonthClose| CloseAnswer {
        month: close.month.to_string(),
        frozen: told(close.frozen),
        is_done: close.is_done,
    };
    let (closes, next) = (page.items.iter().map(close).collect(), page.next.map(|next| next.to_string()));
    Reply::ok(&ClosesAnswer { closes, next })
}

fn show_next_close(work: &mut Work<'_>, _: &Call) -> Result<Reply, Problem> {
    let next = next_close(work.office, work.at)?.ok_or(Problem::NotFound("month"))?;
    Reply::ok(&NextCloseAnswer {
        month: next.month.to_string(),
        ends: told(next.ends),
        begun: next.begun.map(told),
        invoices_made: next.invoices_made,
        is_over: next.is_over,
        writers_behind: next.writers_behind,
    })
}

/// What the close came to that was made beside this.
fn close_month(_: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let report = call.closed.as_ref().ok_or_else(|| Problem::Store("no month was closed".to_owned()))?;
    let (month, invoices_made, was_closed) = (report.month.to_string(), report.made, report.was_done);
    Reply::ok(&ClosedAnswer { month, invoices_made, was_closed })
}

fn told(at: Timestamp) -> String {
    at.to_string()
}
