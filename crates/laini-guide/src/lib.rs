//! The documentation as data: the pages of docs/guide and the passages that they are made of.
//!
//! Owns which pages there are and in which order, what is found in them, whether a question is answered by them at
//! all, and what of a question may be sent to others. Must never say anything that the guide does not, read a file or
//! a clock, or know who asks.

mod index;
mod kiswahili;
mod page;
mod passage;
mod redact;
mod words;

pub use index::{Found, Index, QUESTION_CHARS_MAX, answer, error_passage, search};
pub use page::{GUIDE, Group, Page, page};
pub use passage::{Passage, anchor, headings, passages};
pub use redact::redact;
