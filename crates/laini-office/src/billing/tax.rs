use jiff::Timestamp;
use laini_core::billing::{InvoiceStatement, LineKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Invoice;
use crate::{Kept as _, Problem, Work};

/// The longest number or QR text that is kept.
const RECEIPT_CHARS_MAX: usize = 500;

/// What the tax authority returned for an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxReceipt {
    /// The number that it gave the invoice.
    pub number: String,
    /// What its QR code says: a URL or a text.
    pub qr: String,
    /// When it was kept here.
    pub kept: Timestamp,
}

/// Keeps what the tax authority returned, once.
pub fn keep_tax_receipt(work: &mut Work<'_>, invoice: &Invoice, number: &str, qr: &str) -> Result<Invoice, Problem> {
    let mut invoice: Invoice = work.get(invoice.id())?;
    let fits = |text: &str| {
        !text.is_empty() && text.chars().count() <= RECEIPT_CHARS_MAX && !text.chars().any(char::is_control)
    };
    for (field, text) in [("number", number), ("qr", qr)] {
        if !fits(text) {
            return Err(Problem::invalid(field, format!("expected 1 to {RECEIPT_CHARS_MAX} characters on one line")));
        }
    }
    if let Some(kept) = &invoice.tax_receipt {
        if (kept.number.as_str(), kept.qr.as_str()) == (number, qr) {
            return Ok(invoice);
        }
        return Err(Problem::not_now("another receipt of the tax authority is kept for this invoice already"));
    }
    invoice.tax_receipt = Some(TaxReceipt { number: number.to_owned(), qr: qr.to_owned(), kept: work.at });
    work.put(&invoice)?;
    work.note("invoice.tax_receipt", Some(invoice.partner), invoice.statement.number, number);
    Ok(invoice)
}

/// The invoice in the shape in which KRA's eTIMS takes sales: items with quantities, prices and tax codes, and totals
/// by tax code. Amounts in units of the currency, with two decimals; code B is the standard rate, code A exempt.
pub fn tax_export(invoice: &Invoice, zone: &jiff::tz::TimeZone) -> Value {
    let InvoiceStatement { number, issued, buyer, seller, lines, .. } = &invoice.statement;
    let statement = &invoice.statement;
    let issued = zone.to_datetime(*issued);
    let code = if statement.tax_basis_points == 0 { "A" } else { "B" };
    let (taxed, untaxed) = if code == "B" { (statement.subtotal_minor, 0) } else { (0, statement.subtotal_minor) };
    let items = lines.iter().map(|line| {
        let amount = decimal(line.amount_minor);
        let (quantity, price) = match line.unit_minor {
            Some(unit) => (line.units, decimal(unit)),
            None => (1, amount.clone()),
        };
        let what = match line.kind {
            LineKind::SetUp => "set-up fee",
            LineKind::Free => "free checks",
            LineKind::Units => "checks",
            LineKind::Minimum => "monthly minimum",
            LineKind::TakenBack => "reversed checks",
        };
        json!({
            "itemSeq": line.line, "itemCd": format!("LAINI-{}-{}", line.product.word(), line.kind.word()),
            "itemNm": format!("{} {what}, price {}", line.product.word(), line.price_version), "qty": quantity,
            "qtyUnitCd": "U", "prc": price, "splyAmt": amount, "dcRt": "0.00", "dcAmt": "0.00", "taxTyCd": code,
            "taxblAmt": amount,
        })
    });
    json!({
        "tin": seller.tax_number, "invcNo": number, "custTin": buyer.tax_number, "custNm": buyer.name,
        "salesTyCd": "N", "rcptTyCd": "S", "pmtTyCd": "02", "salesSttsCd": "02",
        "cfmDt": issued.strftime("%Y%m%d%H%M%S").to_string(), "salesDt": issued.strftime("%Y%m%d").to_string(),
        "totItemCnt": lines.len(), "taxblAmtA": decimal(untaxed), "taxblAmtB": decimal(taxed),
        "taxRtA": "0.00", "taxRtB": decimal(i64::from(statement.tax_basis_points)),
        "taxAmtA": "0.00", "taxAmtB": decimal(statement.tax_minor), "totTaxblAmt": decimal(statement.subtotal_minor),
        "totTaxAmt": decimal(statement.tax_minor), "totAmt": decimal(statement.total_minor),
        "currency": statement.currency, "itemList": items.collect::<Vec<_>>(),
    })
}

/// Hundredths as a decimal number.
pub(super) fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let hundredths = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
}
