//! Papers: agreements, invoices, statements, letters, as one model that becomes HTML and PDF.
//!
//! Owns what a paper is made of and how it looks. Must never decide what a paper says, or look different for the same
//! paper: its bytes are hashed and signed.

mod html;
mod pdf;

/// A paper.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paper {
    /// What it is: `Invoice 17`.
    pub title: String,
    /// Who it is from and to, in a line each, under the title.
    pub lead: Vec<String>,
    /// What it says.
    pub blocks: Vec<Block>,
    /// At the foot of every page: its number, the hash that it stands on.
    pub foot: String,
}

/// A part of a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// A table.
    Table(Table),
    /// Who signed, when, from where.
    Signatures(Vec<Signature>),
}

/// A table; numbers stand at the right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The heads of its columns, and whether numbers stand there.
    pub columns: Vec<(String, bool)>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// Its sums: rows under a line.
    pub sums: Vec<Vec<String>>,
}

/// A signature as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// For whom: the partner's or the operator's name.
    pub side: String,
    /// Who signed, when and from where, in words; empty: not yet.
    pub by: String,
}

impl Paper {
    /// The paper as a page of HTML, without scripts, styled for screen and print.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// What stands on that page, to be put into another one.
    pub fn fragment(&self) -> String {
        html::fragment(self)
    }

    /// The paper as PDF, on pages of A4. The same paper gives the same bytes.
    pub fn pdf(&self) -> Vec<u8> {
        pdf::file(self)
    }
}
