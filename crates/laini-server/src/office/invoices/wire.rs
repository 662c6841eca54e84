//! From the office's things to what is sent.

use laini_office::billing::{CreditNote, Dispute, DisputeState, Invoice};
use laini_office::{Page, Problem};
use laini_wire::office::invoices::{
    CreditNoteAnswer, CreditedLine, DisputeAnswer, InvoiceAnswer, InvoiceStatement, InvoiceSummary, InvoiceTaxReceipt,
    InvoicesAnswer,
};

use super::told;

pub(super) fn invoices(page: &Page<Invoice>) -> InvoicesAnswer {
    let invoices = page.items.iter().map(summary).collect();
    InvoicesAnswer { invoices, next: page.next.map(|next| next.to_string()) }
}

fn summary(invoice: &Invoice) -> InvoiceSummary {
    let statement = &invoice.statement;
    InvoiceSummary {
        number: statement.number,
        month: statement.month.to_string(),
        partner: invoice.partner.to_string(),
        buyer: statement.buyer.name.clone(),
        issued: told(statement.issued),
        due: statement.due.to_string(),
        currency: statement.currency.clone(),
        total_minor: statement.total_minor,
        credit_notes: invoice.credits,
    }
}

pub(super) fn invoice(invoice: &Invoice, notes: &[CreditNote], disputes: &[Dispute]) -> Result<InvoiceAnswer, Problem> {
    // The canonical form and the form on the wire are one, which a test holds.
    let statement: InvoiceStatement =
        serde_json::from_slice(&invoice.json()?).map_err(|error| Problem::Store(error.to_string()))?;
    let receipt = invoice.tax_receipt.as_ref();
    Ok(InvoiceAnswer {
        statement,
        tax_receipt: receipt.map(|kept| InvoiceTaxReceipt { number: kept.number.clone(), qr: kept.qr.clone() }),
        credit_notes: notes.iter().map(credit_note).collect(),
        disputes: disputes.iter().map(dispute).collect(),
    })
}

pub(super) fn credit_note(note: &CreditNote) -> CreditNoteAnswer {
    let line = |line: &laini_core::billing::Credited| CreditedLine { line: line.line, amount_minor: line.amount_minor };
    CreditNoteAnswer {
        number: note.number,
        invoice: note.invoice,
        issued: told(note.issued),
        currency: note.currency.clone(),
        lines: note.lines.iter().map(line).collect(),
        reason: note.reason.clone(),
        tax_minor: note.tax_minor,
        total_minor: note.total_minor,
    }
}

pub(super) fn dispute(dispute: &Dispute) -> DisputeAnswer {
    DisputeAnswer {
        dispute: dispute.id.to_string(),
        partner: dispute.partner.to_string(),
        invoice: dispute.invoice,
        line: dispute.line,
        state: dispute.state.word().to_owned(),
        reason: dispute.reason.clone(),
        answer: dispute.answer.clone(),
        opened: told(dispute.opened),
        credit_note: match dispute.state {
            DisputeState::Accepted { credit_note } => Some(credit_note),
            DisputeState::Open | DisputeState::Rejected => None,
        },
    }
}
