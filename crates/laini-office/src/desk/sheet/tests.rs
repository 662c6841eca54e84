use std::fmt::Write as _;

use laini_core::line::NumberPlan;

use super::archive::pack;
use super::*;

const PLAN: NumberPlan = NumberPlan::KENYA;

fn read(text: &str) -> Sheet {
    Sheet::read(text.as_bytes()).unwrap()
}

fn refused(bytes: &[u8]) -> SheetError {
    Sheet::read(bytes).err().unwrap()
}

/// What a table comes to, by the columns that are guessed: numbers with their references.
fn asked(sheet: &Sheet) -> Vec<(String, String)> {
    let entries = guess(sheet, PLAN).unwrap().read(sheet, PLAN);
    entries.rows.into_iter().map(|row| (row.number, row.reference)).collect()
}

fn workbook(sheet: &str, shared: &str) -> Vec<u8> {
    pack(&[
        ("xl/workbook.xml", br#"<workbook xmlns:r="r"><sheets><sheet name="Cheques" sheetId="1" r:id="rId7"/></sheets></workbook>"#),
        (
            "xl/_rels/workbook.xml.rels",
            br#"<Relationships><Relationship Id="rId1" Target="styles.xml"/><Relationship Id="rId7" Target="worksheets/one.xml"/></Relationships>"#,
        ),
        ("xl/sharedStrings.xml", shared.as_bytes()),
        ("xl/worksheets/one.xml", sheet.as_bytes()),
    ])
    .unwrap()
}

#[test]
fn lists_of_numbers_are_taken_as_they_are_pasted() {
    for text in [
        "0722000001\n0722000002",
        "0722000001, 0722000002",
        "0722 000 001;0722 000 002",
        "\u{feff}+254722000001\r\n\r\n722000002\r\n",
        "254722000001\t254722000002",
        "0722-000-001\n0722-000-002\n",
    ] {
        let asked: Vec<String> = asked(&read(text)).into_iter().map(|(number, _)| number).collect();
        assert_eq!(asked, ["254722000001", "254722000002"], "{text:?}");
    }
}

#[test]
fn tables_of_every_spreadsheet_are_told_apart_by_what_is_in_them() {
    let wanted = [("254722000001".to_owned(), "A-1".to_owned()), ("254722000002".to_owned(), "A-2".to_owned())];
    for text in [
        "Phone,Cheque no,Amount\n0722000001,A-1,100\n0722000002,A-2,\"1,200.00\"\n",
        "\u{feff}Kiasi;Namba;Rejeleo\r\n100,50;0722000001;A-1\r\n1 200;0722000002;A-2\r\n",
        "ref\tmsisdn\nA-1\t254722000001\nA-2\t=\"254722000002\"\n",
        "\"Mobile number\"|\"Reference; ours\"\n\"0722 000 001\"|A-1\n\"0722 000 002\"|A-2",
        "Phone,Ref\n0722000001,A-1\n0722000001,A-9\nnobody,A-8\n0722000002,A-2\n",
    ] {
        assert_eq!(asked(&read(text)), wanted, "{text:?}");
    }
    let utf16: Vec<u8> = "Phone,Ref\n0722000001,A-1".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(asked(&Sheet::read(&[&[0xff, 0xfe][..], &utf16].concat()).unwrap()).len(), 1);
    assert_eq!(asked(&Sheet::read(b"Phone,Name\n0722000001,Jos\xe9\n").unwrap()).len(), 1);
}

#[test]
fn what_is_left_out_is_said_by_line() {
    let sheet = read("Phone,Ref\n0722000001,a\n0722000001,b\n\n+254722000001,c\n2.54722E+11,d\n07220000,e\n");
    let entries = guess(&sheet, PLAN).unwrap().read(&sheet, PLAN);
    assert_eq!(entries.rows.len(), 1);
    assert_eq!(entries.duplicates, [(3, 2), (5, 2)]);
    assert_eq!(entries.invalid, [6, 7]);
}

#[test]
fn formulas_are_texts_and_nothing_of_a_cell_is_run_or_broken_over_lines() {
    let sheet = read("Phone,Ref\n0722000001,\"=cmd|' /C calc'!A0\"\n=HYPERLINK(\"x\"),b\n0722000002,\"two\nlines\"\n");
    let asked = asked(&sheet);
    assert_eq!(asked[0].1, "=cmd|' /C calc'!A0");
    assert_eq!(asked[1].1, "two lines");
    assert_eq!(asked.len(), 2);
    let long = format!("0722000001,{}", "x".repeat(5_000));
    assert_eq!(read(&long).rows[0].cells[1].chars().count(), CELL_CHARS_MAX);
}

#[test]
fn the_enrolled_digits_are_told_by_name_and_by_their_looks() {
    let of = |text: &str| guess(&read(text), PLAN).unwrap();
    let kept = of("line,number,check,sim\n1,0722000001,chk_1,2719836450192837\n2,0722000002,chk_2,\n");
    assert_eq!((kept.number, kept.enrolled), (1, Some(3)));
    let broken = of("number,sim\n0722000001,2719836450192837\n0722000002,2.71984E+15\n");
    assert_eq!(broken.enrolled, None, "a spreadsheet has taken them for figures");
    assert_eq!(of("Simu,Simu ya pili\n0722000001,0722000002\n").enrolled, None, "a second telephone is no SIM");
    let nameless = read("0722000001,2719836450192837\n0722000002,2719836450192838\n");
    assert_eq!((nameless.width(), guess(&nameless, PLAN).unwrap().enrolled), (2, None), "no name says so");
    let sheet = read("Phone,Enrolled as\n0722000001, 2719836450192837 \n");
    let entries = guess(&sheet, PLAN).unwrap().read(&sheet, PLAN);
    assert_eq!(entries.rows[0].enrolled, "2719836450192837");
}

#[test]
fn columns_that_cannot_be_are_refused() {
    let sheet = read("0722000001,a\n");
    let columns = guess(&sheet, PLAN).unwrap();
    assert_eq!((columns.number, columns.has_header), (0, false));
    Columns { reference: Some(0), ..columns }.checked(&sheet).unwrap_err();
    Columns { reference: Some(2), ..columns }.checked(&sheet).unwrap_err();
    Columns { reference: Some(1), ..columns }.checked(&sheet).unwrap();
    assert!(guess(&read("a,b\nc,d\n"), PLAN).is_none());
}

#[test]
fn a_table_has_an_end() {
    let mut rows = "0722000001\n".repeat(ROWS_MAX + 1);
    assert_eq!(read(&rows).rows.len(), ROWS_MAX + 1, "one more may be a header");
    rows.push_str("0722000001\n");
    assert_eq!(refused(rows.as_bytes()), SheetError::TooManyRows);
    // A million rows of a few bytes fit into the file's limit, and not into the rows'.
    assert_eq!(refused("1\n".repeat(1_000_000).as_bytes()), SheetError::TooManyRows);
    assert_eq!(refused(&vec![b'1'; FILE_BYTES_MAX + 1]), SheetError::TooLarge);
    let unclosed = format!("Phone,Name\n0722000001,\"ACME\n{}", "0722000002,B\n".repeat(CELL_LINES_MAX));
    assert_eq!(refused(unclosed.as_bytes()), SheetError::Unclosed);
    assert_eq!(refused(b""), SheetError::Empty);
    assert_eq!(refused(b"\n;;\n"), SheetError::Empty);
    assert_eq!(refused(b"%PDF-1.7"), SheetError::Unknown);
    assert_eq!(refused(b"0722\0"), SheetError::Unknown);
}

#[test]
fn all_text_of_a_table_is_counted_however_often_a_cell_names_it() {
    let packed = |cell: &str, shared: &str| {
        let row = format!("<row>{}</row>", cell.repeat(COLUMNS_MAX));
        let sheet = format!("<worksheet><sheetData>{}</sheetData></worksheet>", row.repeat(ROWS_MAX));
        workbook(&sheet, &format!("<sst><si><t>{shared}</t></si></sst>"))
    };
    let shared = packed("<c t=\"s\"><v>0</v></c>", &"a".repeat(CELL_CHARS_MAX));
    assert!(shared.len() < 200_000, "{} bytes", shared.len());
    assert_eq!(refused(&shared), SheetError::Bomb);
    let honest = Sheet::read(&packed("<c t=\"s\"><v>0</v></c>", &"b".repeat(20))).unwrap();
    assert_eq!((honest.rows.len(), honest.width()), (ROWS_MAX, COLUMNS_MAX));
    // A text table of the largest file fits, though each of its letters becomes two bytes.
    let largest = [&[0xe9_u8; 103][..], b",", &[0xe9; 104], b"\n"].concat().repeat(ROWS_MAX);
    assert!((FILE_BYTES_MAX - 10_000..=FILE_BYTES_MAX).contains(&largest.len()));
    assert_eq!(Sheet::read(&largest).unwrap().rows.len(), ROWS_MAX);
    let nothing = format!("<sst>{}</sst>", "<si/>".repeat(400_001));
    assert_eq!(refused(&workbook("<worksheet/>", &nothing)), SheetError::TooManyRows);
}

#[test]
fn rows_beyond_the_last_line_that_can_be_are_refused() {
    let after_last = |next: &str| {
        let cell = "<c><v>722000001</v></c>";
        let rows = format!("<row r=\"{}\">{cell}</row><row{next}>{cell}</row>", u32::MAX);
        Sheet::read(&workbook(&format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"), "<sst/>"))
    };
    assert_eq!(after_last("").err(), Some(SheetError::Broken));
    assert_eq!(after_last(" r=\"7\"").unwrap().rows[1].line, 7);
}

#[test]
fn a_workbook_shows_the_values_of_its_cells() {
    let sheet = r#"<worksheet><sheetData>
        <row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>
        <row r="2"><c r="A2"><v>722000001</v></c><c r="C2" t="inlineStr"><is><t>A &amp; B</t></is></c></row>
        <row r="4"><c r="A4"><f>"2547"&amp;"22000002"</f><v>2.54722000002E11</v></c><c r="C4" t="str"><f>cmd()</f><v>A-2</v></c></row>
        <row r="5"><c r="A5" t="e"><v>#REF!</v></c><c r="XFD5"><v>1</v></c></row>
        </sheetData></worksheet>"#;
    let shared = "<sst><si><t>Phone</t></si><si><r><t>Cheque </t></r><r><t>no</t></r><rPh><t>x</t></rPh></si></sst>";
    let read = Sheet::read(&workbook(sheet, shared)).unwrap();
    assert_eq!(read.rows[0].cells, ["Phone", "", "Cheque no"]);
    assert_eq!(read.rows[2].line, 4);
    let wanted = [("254722000001".to_owned(), "A & B".to_owned()), ("254722000002".to_owned(), "A-2".to_owned())];
    assert_eq!(asked(&read), wanted);
}

#[test]
fn a_workbook_that_unpacks_to_too_much_or_lies_is_refused() {
    let bomb = format!("<sst><si><t>{}</t></si></sst>", "a".repeat(40 * 1024 * 1024));
    let packed = workbook("<worksheet/>", &bomb);
    assert!(packed.len() < 100_000, "{} bytes", packed.len());
    assert_eq!(refused(&packed), SheetError::Bomb);
    let mut rows = "<worksheet><sheetData>".to_owned();
    for number in 0..=ROWS_MAX + 1 {
        write!(rows, "<row r=\"{}\"><c><v>1</v></c></row>", number + 1).unwrap();
    }
    assert_eq!(refused(&workbook(&(rows + "</sheetData></worksheet>"), "<sst/>")), SheetError::TooManyRows);
    let good = workbook("<worksheet><sheetData><row><c><v>722000001</v></c></row></sheetData></worksheet>", "<sst/>");
    assert_eq!(asked(&Sheet::read(&good).unwrap()).len(), 1);
    // Cut or changed anywhere, it is refused or read; it never ends the process.
    for cut in (0..good.len()).step_by(7) {
        let _ = Sheet::read(&good[..cut]);
        let mut changed = good.clone();
        changed[cut] ^= 0xff;
        let _ = Sheet::read(&changed);
    }
    let entity = "<!DOCTYPE a [<!ENTITY b \"0722000001\">]><worksheet><sheetData><row><c t=\"str\"><v>&b;</v></c></row></sheetData></worksheet>";
    assert_eq!(refused(&workbook(entity, "<sst/>")), SheetError::Broken);
    assert_eq!(refused(&pack(&[("word/document.xml", b"<a/>")]).unwrap()), SheetError::Unknown);
}

#[test]
fn what_is_written_as_a_workbook_is_read_back_and_nothing_of_it_is_a_formula() {
    let texts = ["=cmd|' /C calc'!A0", "@SUM(1)", "-1", "00100.50", "<b> & \"B\"", "2547•••••001", "", "a  b", "1E+11"];
    let row = || [Cell::Whole(17)].into_iter().chain(texts.map(|text| Cell::Text(text.to_owned()))).collect();
    let head = ["line", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let file = SheetFormat::Xlsx.write(&head, [row(), row()].into_iter()).unwrap();
    assert_eq!(file, SheetFormat::Xlsx.write(&head, [row(), row()].into_iter()).unwrap(), "the same bytes");
    let sheet = Sheet::read(&file).unwrap();
    assert_eq!(sheet.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(sheet.rows[0].cells, head);
    for row in &sheet.rows[1..] {
        assert_eq!(row.cells[0], "17");
        assert_eq!(row.cells[1..], texts);
    }
    let mut archive = super::archive::Archive::open(&file).unwrap();
    let xml = String::from_utf8(archive.part("xl/worksheets/sheet1.xml").unwrap().unwrap()).unwrap();
    assert!(!xml.contains("<f") && xml.contains("state=\"frozen\""), "{xml}");
    // No control character that XML has no way to say keeps the others from being read.
    let odd =
        SheetFormat::Xlsx.write(&["a"], [vec![Cell::Text("b\u{0}\u{1b}\u{ffff}c".to_owned())]].into_iter()).unwrap();
    assert_eq!(Sheet::read(&odd).unwrap().rows[1].cells, ["bc"]);
}
