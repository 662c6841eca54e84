//! Questions to the documentation.

use serde::{Deserialize, Serialize};

/// `POST /office/v1/questions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuestionRequest {
    /// What somebody wants to know, in their own words: 1 to 1,000 characters.
    pub question: String,
}

/// A passage of the documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassageAnswer {
    /// The page that it is on.
    pub page: String,
    /// The section.
    pub heading: String,
    /// Where the portal has it.
    pub href: String,
    /// What of it is about the question, a line for each paragraph or row.
    pub quote: String,
}

/// `GET /office/v1/documentation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassagesAnswer {
    /// What was found, best first.
    pub passages: Vec<PassageAnswer>,
}

/// A request whose id stands in a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamedRequestAnswer {
    /// Its `requestRefID`.
    pub id: String,
    /// What became of it; null: not known, or not the asker's.
    pub found: Option<FoundRequestAnswer>,
}

/// What the ledger says of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundRequestAnswer {
    /// When it was decided, RFC 3339.
    pub at: String,
    /// The app that asked, by name.
    pub app: String,
    /// `imsi`, `swap` or `age`.
    pub product: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// What came of it: `answered`, `repeated`, `not_served`, `unknown` or `withheld`.
    pub outcome: String,
    /// What it was charged, such as `KES 20.00`.
    pub charge: String,
    /// Whether that was taken back since.
    pub is_reversed: bool,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuestionAnswer {
    /// Whether the documentation has an answer; otherwise there are no passages.
    pub is_known: bool,
    /// The passages in the words of a model, where one is set and answered in time.
    pub phrased: Option<String>,
    /// The passages that answer it, best first.
    pub passages: Vec<PassageAnswer>,
    /// The requests whose ids stand in the question, for whoever signed in.
    pub requests: Vec<NamedRequestAnswer>,
}
