use std::borrow::Cow;
use std::io::BufRead;

use csv::{ReaderBuilder, StringRecord, Trim};
use laini_core::billing::{Currency, Money};

use super::amount::{day, minor};
use super::csv::{is_filled, next, place};
use super::{Line, LineProblem, Said, bank_id, tidy, unreadable};
use crate::Problem;

/// The portal writes a few lines about the organisation before the header.
const LINES_BEFORE_HEADER_MAX: usize = 30;

/// Where the columns stand.
struct Columns {
    receipt: usize,
    completed: usize,
    status: usize,
    paid_in: usize,
    details: Option<usize>,
    account: Option<usize>,
    currency: Option<usize>,
    /// How many there are.
    count: usize,
}

impl Columns {
    /// `None` where the record is not the header.
    fn of(record: &StringRecord) -> Option<Self> {
        let plain = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
        };
        let heads: Vec<String> = record.iter().map(plain).collect();
        let place = |names: &[&str]| names.iter().find_map(|name| heads.iter().position(|head| head == name));
        Some(Self {
            receipt: place(&["receiptno", "receiptnumber", "receipt"])?,
            completed: place(&["completiontime", "completiondate"])?,
            status: place(&["transactionstatus", "status"])?,
            paid_in: place(&["paidin"])?,
            details: place(&["details"]),
            account: place(&["acno", "accountno", "accountnumber"]),
            currency: place(&["currency"]),
            count: record.len(),
        })
    }

    fn line(&self, record: &StringRecord, place: usize, currency: Currency) -> Result<Option<Line>, Cow<'static, str>> {
        if !is_filled(record, self.count, ',')? {
            return Ok(None);
        }
        let field = |at: usize| record.get(at).unwrap_or_default().trim();
        let text = |at: Option<usize>| at.map(|at| tidy(field(at))).unwrap_or_default();
        let named = text(self.currency);
        if !named.is_empty() && named != currency.as_str() {
            return Err(format!("it is not in {}", currency.as_str()).into());
        }
        let amount = field(self.paid_in);
        let amount_minor = if amount.is_empty() { 0 } else { minor(amount, currency)? };
        // Withdrawals and charges share their receipt number with what they belong to.
        if amount_minor <= 0 || !field(self.status).eq_ignore_ascii_case("completed") {
            return Ok(None);
        }
        let receipt = field(self.receipt);
        if !receipt.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err("a receipt number has letters and digits alone".into());
        }
        let details = text(self.details);
        let account = text(self.account);
        let account = if account.is_empty() { account_in(&details) } else { account };
        Ok(Some(Line {
            place,
            on: day(field(self.completed))?,
            amount: Money::new(amount_minor, currency),
            bank_id: bank_id(&receipt.to_ascii_uppercase())?,
            other_id: None,
            reference: String::new(),
            account,
            // Its rest names a person and their number.
            details: String::new(),
        }))
    }
}

/// The account number in details like `Pay Bill from 2547… - NAME Acc. BANKA`.
fn account_in(details: &str) -> String {
    let after = details.rsplit_once("Acc. ").map(|(_, account)| account.trim());
    after.unwrap_or_default().to_owned()
}

/// Whether the header of such a statement stands where it may.
pub(super) fn is_headed(bytes: &[u8]) -> bool {
    let reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(bytes);
    let mut records = reader.into_records().take(LINES_BEFORE_HEADER_MAX + 1);
    records.any(|record| record.is_ok_and(|record| Columns::of(&record).is_some()))
}

pub(super) fn read(
    bytes: &mut impl BufRead,
    currency: Currency,
    each: &mut dyn FnMut(Said) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(bytes);
    let (mut record, mut columns, mut before) = (StringRecord::new(), None, 0);
    while next(&mut reader, &mut record, each)? {
        let Some(columns) = &columns else {
            columns = Columns::of(&record);
            before += 1;
            if columns.is_none() && before > LINES_BEFORE_HEADER_MAX {
                break;
            }
            continue;
        };
        let place = place(&record);
        each(match columns.line(&record, place, currency) {
            Ok(Some(line)) => Said::Money(line),
            Ok(None) => Said::Other,
            Err(reason) => Said::Bad(LineProblem { place, reason }),
        })?;
    }
    let missing = "it has no header with Receipt No., Completion Time, Transaction Status and Paid In";
    if columns.is_some() { Ok(()) } else { Err(unreadable(missing)) }
}
