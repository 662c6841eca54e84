use std::fmt::Write as _;
use std::io;

use quick_xml::escape::escape;

use super::archive::pack;

/// The parts that are the same in every workbook: one sheet, and the styles 0 (whole numbers), 1 (texts), 2 (header).
const FIXED: [(&str, &[u8]); 5] = [
    ("[Content_Types].xml", include_bytes!("parts/content_types.xml")),
    ("_rels/.rels", include_bytes!("parts/package.rels.xml")),
    ("xl/workbook.xml", include_bytes!("parts/workbook.xml")),
    ("xl/_rels/workbook.xml.rels", include_bytes!("parts/workbook.rels.xml")),
    ("xl/styles.xml", include_bytes!("parts/styles.xml")),
];
/// A sheet until its cells: the first row stays in view.
const HEAD: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews>"#,
    r#"<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>"#,
    r#"</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>"#,
);
/// The width of a column, in characters.
const COLUMN_CHARS: u32 = 20;

/// As what rows are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SheetFormat {
    /// Text with commas between.
    #[default]
    Csv,
    /// A workbook of one sheet.
    Xlsx,
}

/// A cell that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A number that can be sorted by.
    Whole(u32),
    /// A text, whatever it looks like.
    Text(String),
}

impl SheetFormat {
    /// Both, CSV first.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Xlsx];

    /// Its word, which is how names of such files end.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    /// Reads a format's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }

    /// What such a file is.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// A file of these rows below their header. Fails where it would be larger than its format can be.
    pub fn write(self, head: &[&str], rows: impl Iterator<Item = Vec<Cell>>) -> io::Result<Vec<u8>> {
        match self {
            Self::Csv => text(head, rows),
            Self::Xlsx => workbook(head, rows),
        }
    }
}

fn text(head: &[&str], rows: impl Iterator<Item = Vec<Cell>>) -> io::Result<Vec<u8>> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    csv.write_record(head)?;
    for row in rows {
        let cells = row.into_iter().map(|cell| match cell {
            Cell::Whole(number) => number.to_string(),
            Cell::Text(text) => harmless(text),
        });
        csv.write_record(cells)?;
    }
    csv.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

/// A text that no spreadsheet takes for a formula when it opens a text file.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

/// Each text stands in its cell as a text, with a text's format: there is no place where a formula could stand, and a
/// cell that is edited stays a text.
fn workbook(head: &[&str], rows: impl Iterator<Item = Vec<Cell>>) -> io::Result<Vec<u8>> {
    const TEXT: u8 = 1;
    const HEADER: u8 = 2;
    let columns = head.len();
    let mut xml = format!(
        r#"{HEAD}<cols><col min="1" max="{columns}" width="{COLUMN_CHARS}" customWidth="1"/></cols><sheetData><row>"#
    );
    for title in head {
        put(&mut xml, title, HEADER);
    }
    for row in rows {
        xml.push_str("</row><row>");
        for cell in row {
            match cell {
                Cell::Whole(number) => write!(xml, "<c><v>{number}</v></c>").map_err(io::Error::other)?,
                Cell::Text(text) => put(&mut xml, &text, TEXT),
            }
        }
    }
    xml.push_str("</row></sheetData></worksheet>");
    let sheet = ("xl/worksheets/sheet1.xml", xml.as_bytes());
    pack(&FIXED.into_iter().chain([sheet]).collect::<Vec<_>>())
}

fn put(xml: &mut String, text: &str, style: u8) {
    // What XML has no way to say is left out.
    let text: String = text.chars().filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')).collect();
    let text = escape(text);
    xml.push_str(&format!(r#"<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>"#));
}
