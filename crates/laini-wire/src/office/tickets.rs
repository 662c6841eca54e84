//! Tickets.

use serde::{Deserialize, Serialize};

/// `POST /office/v1/partners/{partner}/tickets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OpenTicketRequest {
    /// What it is about: 1 to 150 characters.
    pub subject: String,
    /// The `requestRefID` that it is about, one of the partner's own.
    #[serde(default)]
    pub reference: Option<String>,
    /// `minor`, `major` or `critical`.
    pub severity: String,
    /// What is asked: 1 to 5,000 characters. Phone numbers are masked.
    pub text: String,
}

/// `POST /office/v1/partners/{partner}/tickets/{ticket}/replies`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TicketReplyRequest {
    /// 1 to 5,000 characters. Phone numbers are masked.
    pub text: String,
}

/// A ticket, with all that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketAnswer {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub partner: String,
    /// What it is about.
    pub subject: String,
    /// The `requestRefID` that it is about; null: about none.
    pub reference: Option<String>,
    /// `minor`, `major` or `critical`.
    pub severity: String,
    /// `open`, `waiting_for_partner`, `waiting_for_operator` or `solved`.
    pub state: String,
    /// When it was opened (RFC 3339).
    pub opened: String,
    /// When something was said last, or it was closed.
    pub changed: String,
    /// Until when the operator answers; null: the operator does not have the word.
    pub due: Option<String>,
    /// When the operator answered first; null: not yet.
    pub answered: Option<String>,
    /// What was said, the oldest first.
    pub thread: Vec<TicketSaid>,
}

/// Something that was said in a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketSaid {
    /// When (RFC 3339).
    pub at: String,
    /// `partner` or `operator`.
    pub side: String,
    /// What.
    pub text: String,
}

/// A ticket in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketItem {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub partner: String,
    /// What it is about.
    pub subject: String,
    /// `minor`, `major` or `critical`.
    pub severity: String,
    /// `open`, `waiting_for_partner`, `waiting_for_operator` or `solved`.
    pub state: String,
    /// When it was opened (RFC 3339).
    pub opened: String,
    /// When something was said last, or it was closed.
    pub changed: String,
    /// Until when the operator answers; null: the operator does not have the word.
    pub due: Option<String>,
}

/// A page of tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketsAnswer {
    /// The tickets.
    pub tickets: Vec<TicketItem>,
    /// Where the next page begins; null: this was the last.
    pub next: Option<String>,
}
