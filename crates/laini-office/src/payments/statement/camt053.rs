use std::borrow::Cow;
use std::io::BufRead;

use laini_core::billing::{Currency, Money};
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::amount::{day, minor};
use super::{Line, LineProblem, Said, bank_id, tidy, unreadable};
use crate::Problem;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";
const VERSIONS: std::ops::RangeInclusive<u8> = 2..=8;
/// Elements within each other.
const DEPTH_MAX: usize = 32;
/// The longest text of an element, in bytes; nothing that is used is longer.
const TEXT_BYTES_MAX: usize = 2_000;
/// Payments that a bank booked as one entry.
const DETAILS_MAX: usize = 2_000;

/// What is read of an entry, or of one of the payments in it.
#[derive(Debug, Clone, Default)]
struct Part {
    amount: String,
    currency: String,
    direction: String,
    id: String,
    other_id: String,
    reference: String,
    details: String,
}

/// An entry as it is read.
#[derive(Debug, Default)]
struct Entry {
    own: Part,
    status: String,
    is_reversal: bool,
    booked: String,
    valued: String,
    parts: Vec<Part>,
}

pub(super) fn read(
    bytes: &mut impl BufRead,
    currency: Currency,
    each: &mut dyn FnMut(Said) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut reader = Reader::from_reader(bytes);
    let mut document = Document { currency, path: Vec::new(), text: String::new(), entry: None, entries: 0 };
    let (mut buffer, mut is_closed) = (Vec::new(), false);
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|error| unreadable(no_xml(&error)))?;
        match event {
            Event::Start(start) if !is_closed => document.open(&start)?,
            Event::Empty(start) if !is_closed => {
                document.open(&start)?;
                document.close(each)?;
            }
            Event::End(_) => {
                document.close(each)?;
                is_closed = document.path.is_empty();
            }
            Event::Text(text) => document.add(&text.xml_content(XmlVersion::Implicit1_0))?,
            Event::CData(text) => document.add(&text.xml_content(XmlVersion::Implicit1_0))?,
            Event::GeneralRef(entity) => {
                let character = character(&entity)?;
                document.add(character.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(unreadable("it declares a document type; a bank's statement has none")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Start(_) | Event::Empty(_) => return Err(unreadable("something follows its end")),
            Event::Eof if is_closed => return Ok(()),
            Event::Eof => return Err(unreadable("it ends before it is complete")),
        }
    }
}

fn no_xml(error: &quick_xml::Error) -> Cow<'static, str> {
    match error {
        quick_xml::Error::Io(_) => "it cannot be read to its end".into(),
        _ => "it is not well-formed XML in UTF-8".into(),
    }
}

/// The five entities of XML and characters by their number: nothing else is ever expanded.
fn character(entity: &BytesRef<'_>) -> Result<char, Problem> {
    let by_number = entity.resolve_char_ref().map_err(|_| unreadable("it names a character that is none"))?;
    let named = || match &**entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    };
    by_number.or_else(named).ok_or_else(|| unreadable("it names an entity of its own; a bank's statement has none"))
}

struct Document {
    currency: Currency,
    /// The names of the elements that are open.
    path: Vec<String>,
    /// What stands in the innermost one.
    text: String,
    entry: Option<Entry>,
    entries: usize,
}

impl Document {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Problem> {
        if self.path.len() == DEPTH_MAX {
            return Err(unreadable(format!("its elements lie deeper than {DEPTH_MAX} in each other")));
        }
        let name = start.local_name().into_inner().to_owned();
        if self.path.is_empty() {
            is_statement(start)?;
        }
        self.path.push(name);
        self.text.clear();
        match (self.within_entry(), &mut self.entry) {
            (Some([]), entry) => {
                self.entries += 1;
                *entry = Some(Entry::default());
            }
            (Some(["NtryDtls", "TxDtls"]), Some(entry)) => {
                if entry.parts.len() == DETAILS_MAX {
                    return Err(unreadable(format!("an entry has more than {DETAILS_MAX} payments")));
                }
                entry.parts.push(Part::default());
            }
            (Some(["Amt"]), Some(entry)) => entry.own.currency = attribute(start, "Ccy")?,
            (Some([.., "TxDtls" | "TxAmt", "Amt"]), Some(entry)) => {
                // What the payment itself says goes before its details, and stands before them.
                if let Some(part) = entry.parts.last_mut().filter(|part| part.amount.is_empty()) {
                    part.currency = attribute(start, "Ccy")?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Where in an entry this is; `None` outside of one.
    fn within_entry(&self) -> Option<&'static [&'static str]> {
        let [document, report, statement, entry, within @ ..] = &self.path[..] else { return None };
        let is_entry = [document, report, statement, entry] == ["Document", "BkToCstmrStmt", "Stmt", "Ntry"];
        let known = || KNOWN.iter().find(|known| within.iter().eq(known.iter())).copied();
        if is_entry { Some(known().unwrap_or(&["?"])) } else { None }
    }

    fn add(&mut self, text: &str) -> Result<(), Problem> {
        if self.within_entry().is_none() {
            return Ok(());
        }
        if self.text.len() + text.len() > TEXT_BYTES_MAX {
            return Err(unreadable(format!("a text in it is longer than {TEXT_BYTES_MAX} bytes")));
        }
        self.text.push_str(text);
        Ok(())
    }

    fn close(&mut self, each: &mut dyn FnMut(Said) -> Result<(), Problem>) -> Result<(), Problem> {
        let within = self.within_entry();
        if let (Some(within), Some(entry)) = (within, &mut self.entry) {
            entry.take(within, tidy(&self.text));
        }
        self.text.clear();
        self.path.pop();
        if let (Some([]), Some(entry)) = (within, self.entry.take_if(|_| within == Some(&[]))) {
            entry.lines(self.entries, self.currency).into_iter().try_for_each(each)?;
        }
        Ok(())
    }
}

/// What is read of an entry, by where it stands.
static KNOWN: &[&[&str]] = &[
    &[],
    &["Amt"],
    &["CdtDbtInd"],
    &["RvslInd"],
    &["Sts"],
    &["Sts", "Cd"],
    &["BookgDt", "Dt"],
    &["BookgDt", "DtTm"],
    &["ValDt", "Dt"],
    &["ValDt", "DtTm"],
    &["AcctSvcrRef"],
    &["NtryRef"],
    &["AddtlNtryInf"],
    &["NtryDtls", "TxDtls"],
    &["NtryDtls", "TxDtls", "Amt"],
    &["NtryDtls", "TxDtls", "CdtDbtInd"],
    &["NtryDtls", "TxDtls", "AmtDtls", "TxAmt", "Amt"],
    &["NtryDtls", "TxDtls", "Refs", "AcctSvcrRef"],
    &["NtryDtls", "TxDtls", "Refs", "TxId"],
    &["NtryDtls", "TxDtls", "Refs", "EndToEndId"],
    &["NtryDtls", "TxDtls", "RmtInf", "Ustrd"],
    &["NtryDtls", "TxDtls", "RmtInf", "Strd", "CdtrRefInf", "Ref"],
];

impl Entry {
    /// Takes over the text of an element.
    fn take(&mut self, within: &[&str], text: String) {
        match within {
            ["Amt"] => self.own.amount = text,
            ["CdtDbtInd"] => self.own.direction = text,
            ["RvslInd"] => self.is_reversal = text == "true" || text == "1",
            ["Sts"] if self.status.is_empty() => self.status = text,
            ["Sts", "Cd"] => self.status = text,
            ["BookgDt", _] => self.booked = text,
            ["ValDt", _] => self.valued = text,
            ["AcctSvcrRef"] => self.own.id = text,
            ["NtryRef"] => self.own.other_id = text,
            ["AddtlNtryInf"] => self.own.details = text,
            ["NtryDtls", "TxDtls", rest @ ..] => {
                if let Some(part) = self.parts.last_mut() {
                    part.take(rest, text);
                }
            }
            _ => {}
        }
    }

    /// What it comes to: a line for each payment in it, where their amounts are told and come to its own.
    fn lines(self, place: usize, currency: Currency) -> Vec<Said> {
        if self.own.direction != "CRDT" || self.is_reversal || self.status != "BOOK" {
            let is_known = ["CRDT", "DBIT"].contains(&self.own.direction.as_str());
            return vec![if is_known { Said::Other } else { bad(place, "it does not say credit or debit") }];
        }
        let read = || -> Result<Vec<Line>, Cow<'static, str>> {
            let on = day(if self.booked.is_empty() { &self.valued } else { &self.booked })?;
            let whole = self.own.amount_minor(currency)?;
            let line = |amount, id: &str, part: &Part| -> Result<Line, Cow<'static, str>> {
                let (bank_id, other_id, account) = (bank_id(id)?, None, String::new());
                let amount = Money::new(amount, currency);
                let (reference, details) = (part.reference.clone(), part.details.clone());
                Ok(Line { place, on, amount, bank_id, other_id, reference, account, details })
            };
            if self.parts.len() < 2 {
                let part = self.parts.first().cloned().unwrap_or_default();
                // `NtryRef` is not unique at every bank, so the payment's own id goes before it.
                let ids = [&self.own.id, &part.id, &self.own.other_id, &part.other_id];
                let id = ids.into_iter().find(|id| !id.is_empty()).map_or("", String::as_str);
                let other_id = bank_id(&self.own.other_id).ok().filter(|other| self.own.id.is_empty() && other != id);
                let details = if part.details.is_empty() { &self.own.details } else { &part.details };
                let part = Part { details: details.clone(), ..part.clone() };
                return Ok(vec![Line { other_id, ..line(whole, id, &part)? }]);
            }
            let own_id = if self.own.id.is_empty() { &self.own.other_id } else { &self.own.id };
            let amounts: Vec<i64> =
                self.parts.iter().map(|part| part.amount_minor(currency)).collect::<Result<_, _>>()?;
            if amounts.iter().try_fold(0_i64, |sum, amount| sum.checked_add(*amount)) != Some(whole) {
                return Err("its payments do not come to its amount".into());
            }
            let numbered = self.parts.iter().zip(amounts).enumerate();
            let lines = numbered.map(|(number, (part, amount))| {
                let named = if part.id.is_empty() { format!("{own_id}/{}", number + 1) } else { part.id.clone() };
                line(amount, if own_id.is_empty() { &part.id } else { &named }, part)
            });
            lines.collect()
        };
        match read() {
            Ok(lines) => lines.into_iter().map(Said::Money).collect(),
            Err(reason) => vec![bad(place, reason)],
        }
    }
}

impl Part {
    fn take(&mut self, within: &[&str], text: String) {
        match within {
            // What the transaction itself says goes before its details.
            ["Amt"] => self.amount = text,
            ["AmtDtls", ..] if self.amount.is_empty() => self.amount = text,
            ["CdtDbtInd"] => self.direction = text,
            ["Refs", "AcctSvcrRef"] => self.id = text,
            ["Refs", "TxId"] => self.other_id = text,
            ["Refs", "EndToEndId"] if self.other_id.is_empty() && text != "NOTPROVIDED" => self.other_id = text,
            ["RmtInf", "Strd", ..] => self.reference = text,
            ["RmtInf", "Ustrd"] => {
                if !self.details.is_empty() {
                    self.details.push(' ');
                }
                self.details = tidy(&(std::mem::take(&mut self.details) + &text));
            }
            _ => {}
        }
    }

    fn amount_minor(&self, currency: Currency) -> Result<i64, Cow<'static, str>> {
        if self.currency != currency.as_str() {
            return Err(format!("it is not in {}", currency.as_str()).into());
        }
        if !self.amount.starts_with(|c: char| c.is_ascii_digit()) || self.amount.contains(',') {
            return Err("its amount is no decimal number".into());
        }
        let amount = minor(without_zeros(&self.amount), currency)?;
        if amount > 0 { Ok(amount) } else { Err("its amount is not above zero".into()) }
    }
}

/// An amount to the cent, where ISO 20022 writes up to five decimals and those after the cents are zeros.
fn without_zeros(text: &str) -> &str {
    let decimals = text.split_once('.').map_or("", |(_, decimals)| decimals);
    let after_cents = decimals.get(2..).unwrap_or_default();
    let says_nothing = after_cents.len() <= 3 && after_cents.bytes().all(|b| b == b'0');
    if says_nothing { &text[..text.len() - after_cents.len()] } else { text }
}

fn bad(place: usize, reason: impl Into<Cow<'static, str>>) -> Said {
    Said::Bad(LineProblem { place, reason: reason.into() })
}

/// Whether the document is a statement of a version that is known.
fn is_statement(root: &BytesStart<'_>) -> Result<(), Problem> {
    let expected = || unreadable("it is no camt.053 statement of the versions 02 to 08");
    let prefix = root.name().prefix().map(|prefix| prefix.into_inner().to_owned());
    let declared = prefix.map_or("xmlns".to_owned(), |prefix| format!("xmlns:{prefix}"));
    let namespace = attribute(root, &declared)?;
    let version = namespace.strip_prefix(NAMESPACE).filter(|version| version.len() == 2);
    let version = version.and_then(|version| version.parse().ok()).filter(|version| VERSIONS.contains(version));
    version.filter(|_| root.local_name().into_inner() == "Document").map(drop).ok_or_else(expected)
}

/// The value of an attribute, empty where there is none.
fn attribute(of: &BytesStart<'_>, name: &str) -> Result<String, Problem> {
    let found = of.try_get_attribute(name).map_err(|_| unreadable("it is not well-formed XML in UTF-8"))?;
    Ok(found.map(|attribute| attribute.value.into_owned()).unwrap_or_default())
}
