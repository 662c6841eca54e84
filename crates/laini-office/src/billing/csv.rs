use std::fmt::Write as _;

use super::Invoice;

/// The lines of an invoice as CSV, its sums in further rows; amounts in minor units.
pub fn lines_csv(invoice: &Invoice) -> String {
    let statement = &invoice.statement;
    let mut csv = "invoice,month,line,kind,product,price_version,units,unit_minor,amount_minor,currency\r\n".to_owned();
    let mut row = |line: &str, kind: &str, product: &str, version: &str, units: &str, unit: &str, amount: i64| {
        let (number, month, currency) = (statement.number, statement.month, &statement.currency);
        let _ =
            write!(csv, "{number},{month},{line},{kind},{product},{version},{units},{unit},{amount},{currency}\r\n");
    };
    for line in &statement.lines {
        let unit = line.unit_minor.map(|unit| unit.to_string()).unwrap_or_default();
        let (number, version, units) = (line.line.to_string(), line.price_version.to_string(), line.units.to_string());
        row(&number, line.kind.word(), line.product.word(), &version, &units, &unit, line.amount_minor);
    }
    row("", "subtotal", "", "", "", "", statement.subtotal_minor);
    row("", "tax", "", "", "", "", statement.tax_minor);
    row("", "total", "", "", "", "", statement.total_minor);
    csv
}
