//! A paper as PDF.
//!
//! Owns how a paper lies on pages of A4: text that wraps, tables that break over pages, a foot with the page's number.
//! Must never write a date, a random id or anything else that makes the same paper other bytes, or leave a character
//! out.

mod font;
mod sheet;
mod table;
#[cfg(test)]
mod tests;

use self::font::Font;
use self::sheet::{LEFT, Look, RIGHT, Sheets, WIDTH};
use super::{Block, Paper, Signature};

const TITLE: Look = Look { font: Font::Bold, size: 18.0, leading: 23.0, grey: 0.0 };
const HEADING: Look = Look { font: Font::Bold, size: 11.5, leading: 16.0, grey: 0.0 };
const TEXT: Look = Look { font: Font::Plain, size: 9.5, leading: 13.0, grey: 0.0 };
const NAME: Look = Look { grey: 0.35, ..TEXT };
const SIDE: Look = Look { font: Font::Bold, ..TEXT };
/// What names of facts take of the width.
const NAMES_WIDTH: f32 = 150.0;
/// Room for a signature by hand.
const SIGNATURE_HEIGHT: f32 = 62.0;

/// The whole file. The same paper gives the same bytes.
pub(super) fn file(paper: &Paper) -> Vec<u8> {
    let mut sheets = Sheets::new();
    sheets.flow(&paper.title, (LEFT, WIDTH), TITLE);
    sheets.skip(4.0);
    for line in &paper.lead {
        sheets.flow(line, (LEFT, WIDTH), TEXT);
    }
    for block in &paper.blocks {
        match block {
            Block::Heading(text) => {
                sheets.skip(14.0);
                // Never the last thing on a page.
                sheets.need(HEADING.leading + 3.0 * TEXT.leading);
                sheets.flow(text, (LEFT, WIDTH), HEADING);
                sheets.skip(2.0);
            }
            Block::Text(text) => {
                sheets.skip(4.0);
                sheets.flow(text, (LEFT, WIDTH), TEXT);
            }
            Block::Facts(facts) => {
                sheets.skip(6.0);
                for (name, value) in facts {
                    fact(&mut sheets, name, value);
                }
            }
            Block::Table(of) => {
                sheets.skip(8.0);
                table::draw(&mut sheets, of);
            }
            Block::Signatures(signatures) => signatures.iter().for_each(|one| signature(&mut sheets, one)),
        }
    }
    sheets.finish(&paper.title, &paper.foot)
}

/// A name, and beside it its value.
fn fact(sheets: &mut Sheets, name: &str, value: &str) {
    let names = font::wrapped(name, NAME.font, NAME.size, NAMES_WIDTH - 10.0);
    let values = font::wrapped(value, TEXT.font, TEXT.size, WIDTH - NAMES_WIDTH);
    for place in 0..names.len().max(values.len()) {
        sheets.need(TEXT.leading);
        if let Some(line) = names.get(place) {
            sheets.write(line, LEFT, 0.0, NAME);
        }
        if let Some(line) = values.get(place) {
            sheets.write(line, LEFT + NAMES_WIDTH, 0.0, TEXT);
        }
        sheets.take(TEXT.leading);
    }
}

/// Who signed; where nobody did yet, a line to sign upon.
fn signature(sheets: &mut Sheets, signature: &Signature) {
    sheets.skip(10.0);
    sheets.need(SIGNATURE_HEIGHT);
    sheets.flow(&format!("For {}", signature.side), (LEFT, WIDTH), SIDE);
    if signature.by.is_empty() {
        sheets.take(28.0);
        sheets.rule((LEFT, LEFT + (RIGHT - LEFT) / 2.0), 0.3);
        sheets.take(2.0);
        sheets.flow("name, date, signature", (LEFT, WIDTH), NAME);
    } else {
        sheets.flow(&signature.by, (LEFT, WIDTH), TEXT);
    }
}
