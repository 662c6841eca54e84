use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::archive::Archive;
use super::{COLUMNS_MAX, Sheet, SheetError, cell};

/// Texts that the cells of a workbook share, at most.
const SHARED_MAX: usize = 400_000;

/// Reads the first sheet of an XLSX workbook: the values that its cells show, never its formulas.
pub(super) fn read(bytes: &[u8]) -> Result<Sheet, SheetError> {
    let mut archive = Archive::open(bytes)?;
    let path = first_sheet(&mut archive)?;
    let shared = match archive.part("xl/sharedStrings.xml")? {
        Some(xml) => shared(&xml)?,
        None => Vec::new(),
    };
    let xml = archive.part(&path)?.ok_or(SheetError::Broken)?;
    cells(&xml, &shared)
}

/// Where the first sheet lies: the workbook names a relation, and the relations name its part.
fn first_sheet(archive: &mut Archive<'_>) -> Result<String, SheetError> {
    let workbook = archive.part("xl/workbook.xml")?.ok_or(SheetError::Unknown)?;
    let relations = archive.part("xl/_rels/workbook.xml.rels")?.ok_or(SheetError::Broken)?;
    let wanted = find(&workbook, "sheet", |element| attribute(element, "id"))?.ok_or(SheetError::Broken)?;
    let target = find(&relations, "Relationship", |element| {
        attribute(element, "Id").filter(|id| *id == wanted).and_then(|_| attribute(element, "Target"))
    })?;
    let target = target.ok_or(SheetError::Broken)?;
    Ok(target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned))
}

/// What `read` makes of the first element of this name of which it makes anything.
fn find(
    xml: &[u8],
    name: &str,
    read: impl Fn(&BytesStart<'_>) -> Option<String>,
) -> Result<Option<String>, SheetError> {
    let mut reader = Reader::from_reader(xml);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| SheetError::Broken)? {
            Event::Start(element) | Event::Empty(element) if element.local_name().into_inner() == name => {
                if let Some(found) = read(&element) {
                    return Ok(Some(found));
                }
            }
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}

/// The texts that cells share; those of pieces are put together, and readings above them left out.
fn shared(xml: &[u8]) -> Result<Vec<String>, SheetError> {
    let mut reader = Reader::from_reader(xml);
    let (mut buffer, mut texts, mut text) = (Vec::new(), Vec::new(), String::new());
    let (mut is_text, mut is_reading) = (false, false);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| SheetError::Broken)? {
            Event::Start(element) => match element.local_name().into_inner() {
                "si" => text.clear(),
                "t" => is_text = !is_reading,
                "rPh" => is_reading = true,
                _ => {}
            },
            Event::End(element) => match element.local_name().into_inner() {
                "si" => share(&mut texts, cell(&text))?,
                "t" => is_text = false,
                "rPh" => is_reading = false,
                _ => {}
            },
            Event::Empty(element) if element.local_name().into_inner() == "si" => share(&mut texts, String::new())?,
            Event::Eof => return Ok(texts),
            event if is_text => append(&mut text, &event)?,
            _ => {}
        }
    }
}

fn share(texts: &mut Vec<String>, text: String) -> Result<(), SheetError> {
    if texts.len() >= SHARED_MAX {
        return Err(SheetError::TooManyRows);
    }
    texts.push(text);
    Ok(())
}

/// A cell that is being read.
#[derive(Default)]
struct Open {
    column: usize,
    kind: String,
    text: String,
}

fn cells(xml: &[u8], shared: &[String]) -> Result<Sheet, SheetError> {
    let mut reader = Reader::from_reader(xml);
    let mut buffer = Vec::new();
    let (mut sheet, mut row, mut open) = (Sheet::default(), Vec::new(), Open::default());
    let (mut line, mut next_column, mut is_value) = (0_u32, 0, false);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|_| SheetError::Broken)? {
            Event::Start(element) => match element.local_name().into_inner() {
                "row" => {
                    let named = attribute(&element, "r").and_then(|text| text.parse().ok());
                    line = named.or_else(|| line.checked_add(1)).ok_or(SheetError::Broken)?;
                    next_column = 0;
                }
                "c" => {
                    let named = attribute(&element, "r").and_then(|place| column_of(&place));
                    let kind = attribute(&element, "t").unwrap_or_default();
                    open = Open { column: named.unwrap_or(next_column), kind, text: String::new() };
                }
                "v" | "t" => is_value = true,
                _ => {}
            },
            Event::End(element) => match element.local_name().into_inner() {
                "row" => sheet.push(line, std::mem::take(&mut row))?,
                "c" => {
                    next_column = open.column.saturating_add(1);
                    put(&mut row, &open, shared);
                }
                "v" | "t" => is_value = false,
                _ => {}
            },
            Event::Eof => return Ok(sheet),
            event if is_value => append(&mut open.text, &event)?,
            _ => {}
        }
    }
}

fn put(row: &mut Vec<String>, open: &Open, shared: &[String]) {
    if open.column >= COLUMNS_MAX {
        return;
    }
    let value = match open.kind.as_str() {
        "s" => open.text.trim().parse::<usize>().ok().and_then(|at| shared.get(at)).cloned().unwrap_or_default(),
        "e" => String::new(),
        "" | "n" => whole(open.text.trim()),
        _ => cell(&open.text),
    };
    while row.len() <= open.column {
        row.push(String::new());
    }
    row[open.column] = value;
}

/// A number as its cell holds it, without the form that floating point gives to whole ones.
fn whole(text: &str) -> String {
    let value = text.parse::<f64>().ok().filter(|value| value.fract() == 0.0 && (0.0..1e15).contains(value));
    value.map_or_else(|| cell(text), |value| format!("{value:.0}"))
}

/// The column of a place such as `AB12`, from 0.
fn column_of(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_uppercase);
    let number = letters.take(4).fold(0_usize, |sum, letter| sum * 26 + usize::from(letter - b'A') + 1);
    number.checked_sub(1)
}

fn append(text: &mut String, event: &Event<'_>) -> Result<(), SheetError> {
    match event {
        Event::Text(piece) => text.push_str(&piece.xml_content(XmlVersion::Implicit1_0)),
        Event::CData(piece) => text.push_str(&piece.xml_content(XmlVersion::Implicit1_0)),
        Event::GeneralRef(entity) => {
            let by_number = entity.resolve_char_ref().map_err(|_| SheetError::Broken)?;
            let named = by_number.map(|c| c.to_string());
            let known = named.or_else(|| resolve_predefined_entity(entity).map(str::to_owned));
            text.push_str(&known.ok_or(SheetError::Broken)?);
        }
        _ => {}
    }
    Ok(())
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.attributes().flatten().find(|attribute| attribute.key.local_name().into_inner() == name)?;
    Some(found.value.into_owned())
}
