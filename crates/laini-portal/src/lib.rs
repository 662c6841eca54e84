//! The portal: pages for the people around the checks, in one of three workspaces by role.
//!
//! Owns what a browser is sent: routes, sessions as cookies, forms and their protection, words in two languages, and
//! the look. Must never decide what laini-office decides, know how a check is answered (it asks the API from inside,
//! as a client does), name an engine, or need a script: every page can be read and every form sent without one.

mod answer;
mod asking;
mod assets;
mod closing;
mod code;
mod coming;
mod cookie;
mod csrf;
mod csv;
mod fields;
mod figures;
mod frame;
mod incident_card;
mod language;
mod page;
mod pages;
mod plot;
mod portal;
mod said;
mod sorting;
mod status;
mod status_board;
mod ticket_thread;
mod upload;
mod visit;
mod words;
mod working;

pub use page::PageOfAll;
pub use portal::{Papers, Portal, PortalSettings};

/// Every page there is, with who is shown it: for tests that walk through all of them.
pub fn every_page() -> Vec<PageOfAll> {
    pages::all().iter().map(page::Page::listed).collect()
}
