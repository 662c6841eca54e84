use proptest::prelude::*;

use super::*;

fn all(format: Format, bytes: &[u8]) -> Result<Vec<Said>, Problem> {
    let mut lines = Vec::new();
    read(format, bytes, Currency::KES, |line| {
        lines.push(line);
        Ok(())
    })?;
    Ok(lines)
}

fn money(format: Format, bytes: &[u8]) -> Vec<(String, i64, String, String)> {
    let told = |line| match line {
        Said::Money(line) => {
            let of = if line.account.is_empty() { line.reference } else { line.account };
            Some((line.bank_id, line.amount.minor, of, line.on.to_string()))
        }
        Said::Other | Said::Bad(_) => None,
    };
    all(format, bytes).unwrap().into_iter().filter_map(told).collect()
}

fn problems(format: Format, bytes: &[u8]) -> Vec<(usize, String)> {
    let told = |line| match line {
        Said::Bad(problem) => Some((problem.place, problem.reason.into_owned())),
        Said::Money(_) | Said::Other => None,
    };
    all(format, bytes).unwrap().into_iter().filter_map(told).collect()
}

fn row(id: &str, minor: i64, of: &str, on: &str) -> (String, i64, String, String) {
    (id.to_owned(), minor, of.to_owned(), on.to_owned())
}

const CSV: &str = "\u{feff}Reference, DATE ,Description,Amount,ID\r\n\
    INV-17,22/11/2026,\"Bank A, Nairobi\",\"1,160.00\",FT1\r\n\
    ,2026-11-23,fee,-50.00,FT2\r\n\
    bank-a,2026-11-24,,20,FT3\r\n";

pub(crate) const MPESA: &str = "Short Code:,600000\n\
    Organization Name:,Test Mobile\n\
    Time Period:,From 01-11-2026 00:00:00 To 30-11-2026 23:59:59\n\
    \n\
    Receipt No.,Completion Time,Initiation Time,Details,Transaction Status,Paid In,Withdrawn,Balance,\
    Balance Confirmed,Reason Type,Other Party Info,Linked Transaction ID,A/C No.\n\
    SKM7A1B2C3,22-11-2026 10:03:45,22-11-2026 10:03:40,Pay Bill from 25472****01 - A PERSON Acc. BANKA,Completed,\
    \"1,160.00\",,\"51,160.00\",true,Pay Utility,254722000001 - A PERSON,,BANKA\n\
    SKM7A1B2C3,22-11-2026 10:03:45,22-11-2026 10:03:40,Pay Bill Charge,Completed,,-5.00,\"51,155.00\",true,,,,\n\
    SKM7A1B2C4,22-11-2026 11:00:00,,Pay Bill from 25472****02 - B PERSON Acc. INV-18,Completed,200,,,,,,,\n\
    SKM7A1B2C5,22-11-2026 11:00:00,,Pay Bill,Cancelled,200,,,,,,,BANKA\n";

fn camt(version: &str, entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}\">\
         <BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt><Id>1</Id>\
         <Bal><Amt Ccy=\"KES\">9.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>{entries}</Stmt></BkToCstmrStmt></Document>\n"
    )
}

const ENTRY: &str = "<Ntry><Amt Ccy=\"KES\">1160.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>\
    <BookgDt><Dt>2026-11-22</Dt></BookgDt><AcctSvcrRef>BNK1</AcctSvcrRef><NtryDtls><TxDtls>\
    <Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RmtInf><Ustrd>Invoice 17 &amp; thanks &#x41;</Ustrd>\
    <Strd><CdtrRefInf><Ref>INV-17</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry>";

const BATCH: &str = "<Ntry><NtryRef>9</NtryRef><Amt Ccy=\"KES\">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>\
    <Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>2026-11-23T08:00:00+03:00</DtTm></BookgDt><NtryDtls>\
    <TxDtls><Refs><AcctSvcrRef>T1</AcctSvcrRef></Refs><Amt Ccy=\"KES\">10.00</Amt></TxDtls>\
    <TxDtls><AmtDtls><TxAmt><Amt Ccy=\"KES\">20.00</Amt></TxAmt></AmtDtls></TxDtls></NtryDtls></Ntry>";

#[test]
fn a_banks_table_is_read_whatever_the_order_and_case_of_its_columns() {
    let expected = [row("FT1", 116_000, "INV-17", "2026-11-22"), row("FT3", 2_000, "bank-a", "2026-11-24")];
    assert_eq!(money(Format::Csv, CSV.as_bytes()), expected);
    let semicolons = "date;amount;id\n2026-11-22;5.00;a\n";
    assert_eq!(money(Format::Csv, semicolons.as_bytes()), [row("a", 500, "", "2026-11-22")]);
    let credits =
        "Value Date\tCredit\tDebit\tTransaction ID\tCurrency\n2026-11-22\t5\t\ta\tKES\n2026-11-22\t\t7\tb\tKES\n";
    assert_eq!(money(Format::Csv, credits.as_bytes()), [row("a", 500, "", "2026-11-22")]);
}

#[test]
fn a_statement_tells_what_it_is() {
    let with_mark = format!("\u{feff}{}", camt("08", ENTRY));
    let bare_mpesa = &MPESA[MPESA.find("Receipt No.").unwrap()..];
    // Where the header would stand after so many lines, it is no paybill's any more.
    let buried = "x,y\n".repeat(40) + bare_mpesa;
    let cases = [
        (CSV, Format::Csv),
        ("date,amount,id\n2026-11-22,1,<b>\n", Format::Csv),
        ("", Format::Csv),
        ("\u{feff}", Format::Csv),
        (&buried, Format::Csv),
        (MPESA, Format::Mpesa),
        (bare_mpesa, Format::Mpesa),
        (&with_mark, Format::Camt053),
        ("\r\n  <Document", Format::Camt053),
    ];
    for (text, format) in cases {
        assert_eq!(Format::told_by(text.as_bytes()), format, "{text}");
    }
    assert_eq!(Format::told_by(b"\xff\xfe\x00"), Format::Csv);
}

#[test]
fn what_is_wrong_with_a_table_is_told_by_line() {
    let text = "date,amount,id,currency\n2026-11-22,1.005,a,\n31/02/2026,1,b,\n2026-11-22,1,,\n\
        2026-11-22,1,c,USD\nx\n,,,\n\n  \n2026-11-22,1,d,KES\n";
    let told = problems(Format::Csv, text.as_bytes());
    assert_eq!(told.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
    assert_eq!(told[0].1, "an amount has at most two decimals, and commas between its thousands: 1,234.50");
    assert_eq!(told[3].1, "it is not in KES");
    assert_eq!(problems(Format::Csv, b"date,amount,id\n\xff\xff,1,a\n")[0].0, 2);
    for text in ["", "date,amount\n2026-11-22,1\n", "\n\n"] {
        assert!(all(Format::Csv, text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn a_row_with_another_number_of_fields_than_the_header_is_told_and_is_no_payment() {
    let table = "date,amount,id\n2026-11-22,1,160.00,FT1\n2026-11-22,5.00\n2026-11-22,6.00,FT2,\n";
    assert_eq!(money(Format::Csv, table.as_bytes()), []);
    let told = problems(Format::Csv, table.as_bytes());
    assert_eq!(told.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(told[0].1, "it has 4 fields, and the header has 3; a field with a comma needs quotation marks");
    // Before its header, a paybill's statement has lines of any number of fields.
    let paybill = MPESA.replace("\"1,160.00\"", "1,160.00") + ",,,,,,,,,,,,\nTotal,\n";
    let expected = [row("SKM7A1B2C4", 20_000, "INV-18", "2026-11-22")];
    assert_eq!(money(Format::Mpesa, paybill.as_bytes()), expected);
    let told = problems(Format::Mpesa, paybill.as_bytes());
    assert_eq!(told.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [6, 11]);
}

#[test]
fn rows_that_a_quotation_mark_takes_in_are_told_and_a_field_of_two_lines_is_a_field() {
    let head = "date,amount,id,description\n";
    let taken_in = format!("{head}2026-11-22,5.00,FT1,\"rent\n2026-11-22,6.00,FT2,food\n2026-11-23,7.00,FT3,\"\n");
    assert_eq!(money(Format::Csv, taken_in.as_bytes()), []);
    let told = problems(Format::Csv, taken_in.as_bytes());
    assert!(told.len() == 1 && told[0].0 == 2 && told[0].1.contains("close its quotation mark"), "{told:?}");
    let two_lines = format!("{head}2026-11-22,5.00,FT1,\"rent,\nNovember\"\n2026-11-22,6.00,FT2,food\n");
    assert_eq!(money(Format::Csv, two_lines.as_bytes()).len(), 2);
}

#[test]
fn a_paybill_statement_is_read_after_its_preamble_and_names_no_person() {
    let expected =
        [row("SKM7A1B2C3", 116_000, "BANKA", "2026-11-22"), row("SKM7A1B2C4", 20_000, "INV-18", "2026-11-22")];
    assert_eq!(money(Format::Mpesa, MPESA.as_bytes()), expected);
    assert!(!format!("{:?}", all(Format::Mpesa, MPESA.as_bytes()).unwrap()).contains("PERSON"));
    assert!(all(Format::Mpesa, CSV.as_bytes()).is_err(), "another file");
}

#[test]
fn camt_053_is_read_in_each_version_and_batches_payment_by_payment() {
    for version in ["02", "04", "08"] {
        let text = camt(version, &[ENTRY, BATCH].concat());
        let expected = [
            row("BNK1", 116_000, "INV-17", "2026-11-22"),
            row("T1", 1_000, "", "2026-11-23"),
            row("9/2", 2_000, "", "2026-11-23"),
        ];
        assert_eq!(money(Format::Camt053, text.as_bytes()), expected, "{version}");
    }
    let prefixed =
        camt("08", ENTRY).replace("<Document xmlns=", "<d:Document xmlns:d=").replace("</Document", "</d:Document");
    assert_eq!(money(Format::Camt053, prefixed.as_bytes()).len(), 1);
    let all = all(Format::Camt053, camt("08", ENTRY).as_bytes()).unwrap();
    assert!(matches!(&all[..], [Said::Money(line)] if line.details == "Invoice 17 & thanks A"), "{all:?}");
}

#[test]
fn a_payment_of_camt_053_is_known_by_the_banks_own_id_before_the_number_of_its_entry() {
    let entry = |own: &str, number: &str, part: &str| {
        let own = format!("<NtryRef>{number}</NtryRef><AcctSvcrRef>{own}</AcctSvcrRef>");
        let refs = format!("<Refs><AcctSvcrRef>{part}</AcctSvcrRef><TxId>X</TxId>");
        ENTRY.replace("<AcctSvcrRef>BNK1</AcctSvcrRef>", &own).replace("<Refs>", &refs)
    };
    for (own, number, part, id, other) in [
        ("A", "9", "T", "A", None),
        ("", "9", "T", "T", Some("9")),
        ("", "9", "", "9", None),
        ("", "", "T", "T", None),
        ("", "T", "T", "T", None),
        ("", "", "", "X", None),
    ] {
        let text = camt("08", &entry(own, number, part));
        let all = all(Format::Camt053, text.as_bytes()).unwrap();
        let [Said::Money(line)] = &all[..] else { panic!("{own} {number} {part}: {all:?}") };
        assert_eq!((&*line.bank_id, line.other_id.as_deref()), (id, other), "{own} {number} {part}");
    }
}

#[test]
fn an_amount_of_camt_053_has_up_to_five_decimals_where_they_are_zeros() {
    for (amount, expected) in
        [("1160", 1), ("1160.0", 1), ("1160.00000", 1), ("1160.000", 1), ("1160.000000", 0), ("1160.00001", 0)]
    {
        let text = camt("08", &ENTRY.replace("1160.00", amount));
        let expected = &[row("BNK1", 116_000, "INV-17", "2026-11-22")][..expected];
        assert_eq!(money(Format::Camt053, text.as_bytes()), expected, "{amount}");
    }
}

#[test]
fn only_money_that_was_booked_counts_and_what_is_wrong_is_told_by_entry() {
    let others = [
        ENTRY.replace("CRDT", "DBIT"),
        ENTRY.replace("BOOK", "PDNG"),
        ENTRY.replace("<Sts>", "<RvslInd>true</RvslInd><Sts>"),
        String::new(),
    ];
    for entry in others {
        assert_eq!(money(Format::Camt053, camt("08", &entry).as_bytes()), [], "{entry}");
        assert_eq!(problems(Format::Camt053, camt("08", &entry).as_bytes()), [], "{entry}");
    }
    let wrong = [
        ENTRY.replace("KES", "USD"),
        ENTRY.replace("1160.00", "1160.005"),
        ENTRY.replace("1160.00", "-1160.00"),
        ENTRY.replace("1160.00", "1,160.00"),
        ENTRY.replace("<AcctSvcrRef>BNK1</AcctSvcrRef>", ""),
        ENTRY.replace("2026-11-22", "today"),
        ENTRY.replace("CRDT", "?"),
        BATCH.replace("20.00", "19.00"),
    ];
    for entry in wrong {
        let told = problems(Format::Camt053, camt("08", &[ENTRY, &entry].concat()).as_bytes());
        assert_eq!(told.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [2], "{entry}");
    }
}

#[test]
fn entities_document_types_and_other_documents_are_refused() {
    let whole = camt("08", ENTRY);
    let with =
        |doctype: &str, text: &str| whole.replacen('\n', &format!("\n{doctype}"), 1).replacen("Invoice 17", text, 1);
    let lol = "<!DOCTYPE lolz [<!ENTITY a \"lol\">\
        <!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;\">]>";
    let external = "<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    let table = [
        (with(lol, "&c;"), "declares a document type"),
        (with(external, "&x;"), "declares a document type"),
        (with("<!DOCTYPE d SYSTEM \"http://127.0.0.1/d.dtd\">", ""), "declares a document type"),
        (with("", "&c;"), "an entity of its own"),
        (with("", "&#xFFFFFFFF;"), "a character that is none"),
        (whole.replace("001.08", "001.01"), "no camt.053 statement"),
        (whole.replace("camt.053", "pain.001"), "no camt.053 statement"),
        (whole.replace("Document", "Dokument"), "no camt.053 statement"),
        (whole.replace("</Stmt>", ""), "not well-formed"),
        (whole[..whole.find("<Ntry>").unwrap()].to_owned(), "ends before"),
        (format!("{whole}{whole}"), "follows its end"),
        (with("", &"<a>".repeat(DEPTH)), "deeper than"),
        (with("", &"x".repeat(3_000)), "longer than"),
        (String::new(), "ends before"),
    ];
    for (text, reason) in table {
        let error = all(Format::Camt053, text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

const DEPTH: usize = 40;

#[test]
fn what_is_too_large_is_refused_without_being_kept() {
    let header = b"date,amount,id\n".as_slice();
    let endless = header.chain(std::io::repeat(b'x'));
    let error = read(Format::Csv, endless, Currency::KES, |_| Ok(())).unwrap_err();
    assert_eq!(error, Problem::TooLarge { limit_bytes: STATEMENT_BYTES_MAX });
    let many = format!("date,amount,id\n{}", "2026-11-22,1,a\n".repeat(LINES_MAX + 1));
    assert!(all(Format::Csv, many.as_bytes()).unwrap_err().to_string().contains("more than 20000 lines"));
}

/// A sample with some of it cut out, doubled or overwritten.
fn broken(sample: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let change = (0..sample.len(), 0..40_usize, prop::collection::vec(any::<u8>(), 0..12));
    prop::collection::vec(change, 1..4).prop_map(move |changes| {
        let mut bytes = sample.as_bytes().to_vec();
        for (at, length, new) in changes {
            let at = at.min(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, new);
        }
        bytes
    })
}

fn assert_sane(format: Format, bytes: &[u8]) -> Result<(), TestCaseError> {
    for line in all(format, bytes).unwrap_or_default() {
        if let Said::Money(line) = line {
            prop_assert!(line.amount.minor > 0 && line.amount.currency == Currency::KES);
            prop_assert!(!line.bank_id.trim().is_empty() && line.bank_id.chars().count() <= ID_CHARS_MAX + 8);
            for text in [&line.reference, &line.account, &line.details] {
                prop_assert!(text.chars().count() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    #[test]
    fn any_table_is_read_or_refused(bytes in prop_oneof![
        broken(CSV), prop::collection::vec(any::<u8>(), 0..200),
    ]) {
        assert_sane(Format::Csv, &bytes)?;
    }

    #[test]
    fn any_paybill_statement_is_read_or_refused(bytes in prop_oneof![
        broken(MPESA), prop::collection::vec(any::<u8>(), 0..200),
    ]) {
        assert_sane(Format::Mpesa, &bytes)?;
    }

    #[test]
    fn any_xml_is_read_or_refused(bytes in prop_oneof![
        broken(Box::leak(camt("08", &[ENTRY, BATCH].concat()).into_boxed_str())),
        prop::collection::vec(any::<u8>(), 0..200),
    ]) {
        assert_sane(Format::Camt053, &bytes)?;
    }

    #[test]
    fn an_amount_is_what_is_written_or_none(text in "[-+(]?[0-9,]{0,8}[.]?[0-9]{0,4}[)]?|\\PC{0,12}") {
        if let Ok(minor) = super::amount::minor(&text, Currency::KES) {
            let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
            let (units, cents) = digits.split_once('.').unwrap_or((&digits, ""));
            let cents = format!("{cents:0<2}");
            let expected: i64 = format!("{units}{}", &cents[..2]).parse().unwrap();
            prop_assert_eq!(minor.abs(), expected);
        }
    }
}
