use jiff::Timestamp;
use jiff::tz::TimeZone;
use laini_core::billing::{Currency, InvoiceStatement, Line, LineKind, Money};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};

use super::{CreditNote, Invoice};
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

/// `invcNo` of credit notes begins after it: eTIMS numbers them among the invoices, here they have a series of their
/// own.
const CREDIT_NOTES_AFTER: u64 = 1_000_000_000;
/// The tax codes of eTIMS, and what they stand for in hundredths of a per cent: exempt, standard, zero-rated, outside
/// of VAT, reduced.
const TAX_CODES: [(char, u32); 5] = [('A', 0), ('B', 1_600), ('C', 0), ('D', 0), ('E', 800)];
/// How long `custNm` and `trdeNm` may be.
const NAME_CHARS_MAX: usize = 60;
/// Who is named as the one who entered it; a field that must be there.
const ENTERED_BY: &str = "laini";

/// The invoice in the structure in which KRA's eTIMS takes sales (OSCU and VSCU, `TrnsSalesSaveWrReq`). Amounts are
/// numbers in units of the currency, without tax but for `totAmt`.
pub fn tax_export(invoice: &Invoice, zone: &TimeZone) -> Result<Value, Problem> {
    let statement = &invoice.statement;
    let items = statement.lines.iter().map(|line| {
        let (quantity, each) = line.unit_minor.map_or((1, line.amount_minor), |unit| (line.units, unit));
        Item { line, quantity, each, amount: line.amount_minor }
    });
    Sale {
        statement,
        number: statement.number,
        trader_number: statement.number.to_string(),
        issued: statement.issued,
        sums: [statement.subtotal_minor, statement.tax_minor, statement.total_minor],
        is_credit: false,
    }
    .export(&items.collect::<Vec<_>>(), zone)
}

/// A credit note in the same structure: a credit note after sale, of the invoice that `orgInvcNo` names.
pub fn tax_export_of_credit(note: &CreditNote, invoice: &Invoice, zone: &TimeZone) -> Result<Value, Problem> {
    let statement = &invoice.statement;
    let item = |credited: &laini_core::billing::Credited| {
        let line = statement.lines.iter().find(|line| line.line == credited.line);
        line.map(|line| Item { line, quantity: 1, each: credited.amount_minor, amount: credited.amount_minor })
    };
    let items: Option<Vec<Item<'_>>> = note.lines.iter().map(item).collect();
    Sale {
        statement,
        number: CREDIT_NOTES_AFTER + note.number,
        trader_number: format!("CN-{}", note.number),
        issued: note.issued,
        sums: [note.subtotal_minor, note.tax_minor, note.total_minor],
        is_credit: true,
    }
    .export(&items.ok_or(Problem::NotFound("line"))?, zone)
}

/// A line of what is told.
struct Item<'a> {
    line: &'a Line,
    quantity: u64,
    each: i64,
    amount: i64,
}

/// What is told of an invoice or a credit note.
struct Sale<'a> {
    statement: &'a InvoiceStatement,
    number: u64,
    trader_number: String,
    issued: Timestamp,
    /// Without tax, the tax, and both.
    sums: [i64; 3],
    is_credit: bool,
}

impl Sale<'_> {
    fn export(&self, items: &[Item<'_>], zone: &TimeZone) -> Result<Value, Problem> {
        let statement = self.statement;
        if statement.currency != Currency::KES.as_str() {
            return Err(Problem::not_now("eTIMS takes sales in KES alone"));
        }
        let issued = zone.to_datetime(self.issued);
        let (at, on) = (issued.strftime("%Y%m%d%H%M%S").to_string(), issued.strftime("%Y%m%d").to_string());
        let name: String = statement.buyer.name.chars().take(NAME_CHARS_MAX).collect();
        let seller: String = statement.seller.name.chars().take(NAME_CHARS_MAX).collect();
        let buyer_number = &statement.buyer.tax_number;
        let [subtotal, tax, total] = self.sums.map(amount);
        let mut sale = json!({
            "tin": statement.seller.tax_number, "bhfId": "00", "trdInvcNo": self.trader_number, "invcNo": self.number,
            "orgInvcNo": if self.is_credit { statement.number } else { 0 }, "custTin": buyer_number, "custNm": name,
            "salesTyCd": "N", "rcptTyCd": if self.is_credit { "R" } else { "S" }, "pmtTyCd": "02", "salesSttsCd": "02",
            "cfmDt": at, "salesDt": on, "stockRlsDt": null, "cnclReqDt": null, "cnclDt": null,
            "rfdDt": self.is_credit.then_some(&at), "rfdRsnCd": self.is_credit.then_some("06"),
            "totItemCnt": items.len(), "totTaxblAmt": subtotal, "totTaxAmt": tax, "totAmt": total,
            "prchrAcptcYn": "N", "remark": null, "regrId": ENTERED_BY, "regrNm": ENTERED_BY, "modrId": ENTERED_BY,
            "modrNm": ENTERED_BY, "itemList": self.items(items)?,
            "receipt": {
                "custTin": buyer_number, "custMblNo": null, "rcptPbctDt": at, "trdeNm": seller,
                "adrs": statement.buyer.address.join(", "), "topMsg": null, "btmMsg": null, "prchrAcptcYn": "N",
            },
        });
        if let Value::Object(fields) = &mut sale {
            self.sums_by_code(fields);
        }
        Ok(sale)
    }

    /// The code of the rate that all of it is taxed at; a rate of no code is told under the standard one.
    fn code(&self) -> char {
        let rate = self.statement.tax_basis_points;
        TAX_CODES.iter().find(|(_, of)| *of == rate).map_or('B', |(code, _)| *code)
    }

    fn sums_by_code(&self, fields: &mut Map<String, Value>) {
        let [subtotal, tax, _] = self.sums;
        for (code, rate) in TAX_CODES {
            let is_it = code == self.code();
            let rate = if is_it { self.statement.tax_basis_points } else { rate };
            let (taxable, tax) = if is_it { (subtotal, tax) } else { (0, 0) };
            fields.insert(format!("taxblAmt{code}"), amount(taxable));
            fields.insert(format!("taxRt{code}"), amount(rate.into()));
            fields.insert(format!("taxAmt{code}"), amount(tax));
        }
    }

    /// The tax of the sum is rounded once; items share it so that theirs is the same together.
    fn items(&self, items: &[Item<'_>]) -> Result<Vec<Value>, Problem> {
        let [_, tax_in_all, _] = self.sums;
        let share = |of: i64| {
            let tax = Money::new(of, Currency::KES).share(self.statement.tax_basis_points);
            tax.map(|tax| tax.minor).map_err(|error| Problem::Store(error.to_string()))
        };
        let (mut sum, mut told, mut found) = (0i64, 0i64, Vec::new());
        for (sequence, item) in (1..).zip(items) {
            sum = sum.saturating_add(item.amount);
            let until_here = if sequence == items.len() { tax_in_all } else { share(sum)? };
            let tax = until_here - told;
            told = until_here;
            let Item { line, quantity, each, amount: of } = item;
            let (product, kind) = (line.product.word(), line.kind.word());
            found.push(json!({
                "itemSeq": sequence, "itemCd": format!("LAINI-{product}-{kind}"), "itemClsCd": null,
                "itemNm": format!("{product} {}, price {}", what(line.kind), line.price_version), "bcd": null,
                "pkgUnitCd": "NT", "pkg": quantity, "qtyUnitCd": "U", "qty": quantity, "prc": amount(*each),
                "splyAmt": amount(*of), "dcRt": 0, "dcAmt": 0, "isrccCd": null, "isrccNm": null, "isrcRt": null,
                "isrcAmt": null, "taxTyCd": self.code(), "taxblAmt": amount(*of), "taxAmt": amount(tax),
                "totAmt": amount(of.saturating_add(tax)),
            }));
        }
        Ok(found)
    }
}

fn what(kind: LineKind) -> &'static str {
    match kind {
        LineKind::SetUp => "set-up fee",
        LineKind::Free => "free checks",
        LineKind::Units => "checks",
        LineKind::Minimum => "monthly minimum",
        LineKind::TakenBack => "reversed checks",
    }
}

/// Hundredths as a number of JSON, with the digits of the decimal.
fn amount(hundredths: i64) -> Value {
    decimal(hundredths).parse::<Number>().map_or(Value::Null, Value::Number)
}

/// Hundredths as a decimal number.
pub(super) fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let hundredths = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
}
