//! How letters leave: into a folder, or over SMTP.
//!
//! Owns how a letter looks as a mail. Must never decide whether or when one is sent, or log whom it is for.

mod folder;
mod smtp;

use jiff::Timestamp;
use laini_core::partner::LetterId;
use laini_office::mail::{CarryError, Letter};
use lettre::message::Mailbox;
use lettre::message::header::ContentType;

pub use folder::FolderCarrier;
pub use smtp::{SmtpCarrier, SmtpSettings, SmtpTls};

/// Who letters are from.
#[derive(Clone)]
pub struct Sender(Mailbox);

/// A text that nobody can send from.
#[derive(Debug, thiserror::Error)]
#[error("expected a sender such as laini@mobile.example or Mobile <laini@mobile.example>")]
pub struct SenderError;

impl Sender {
    /// Reads an address, with or without a name.
    pub fn parse(text: &str) -> Result<Self, SenderError> {
        text.parse().map(Self).map_err(|_| SenderError)
    }
}

/// The letter as a mail. The id makes its Message-ID, so that a mail that goes out twice is seen as one.
fn message(from: &Sender, id: LetterId, letter: &Letter, at: Timestamp) -> Result<lettre::Message, CarryError> {
    let failed = |reason: &str| CarryError { is_final: true, reason: reason.to_owned() };
    let to: Mailbox = letter.to.parse().map_err(|_| failed("its address cannot be written into a mail"))?;
    let domain = from.0.email.domain();
    let sent = std::time::SystemTime::from(at);
    lettre::Message::builder()
        .from(from.0.clone())
        .to(to)
        .subject(&letter.subject)
        .date(sent)
        .message_id(Some(format!("<{id}@{domain}>")))
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text.clone())
        .map_err(|_| failed("it cannot be written as a mail"))
}
