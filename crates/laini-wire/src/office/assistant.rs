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

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundRequestAnswer {
    /// Whose app called: the partner's id.
    pub partner: String,
    /// When it came, RFC 3339.
    pub at: String,
    /// The app that called, by name.
    pub app: String,
    /// `imsi`, `swap` or `age`; null: the path is of no one product.
    pub product: Option<String>,
    /// `sandbox` or `production`.
    pub environment: String,
    /// The HTTP status; null: not kept any more.
    pub status: Option<u16>,
    /// How it failed; null: it did not, or that is not kept any more.
    pub failure: Option<NamedFailure>,
    /// What came of it: `answered`, `repeated`, `not_served`, `unknown` or `withheld`; null: it was not recorded.
    pub outcome: Option<String>,
    /// What it was charged, such as `KES 20.00`; null: nothing, for it was not recorded.
    pub charge: Option<String>,
    /// Whether that was taken back since.
    pub is_reversed: bool,
    /// Whether it is billed: charged more than nothing, and not taken back.
    pub is_billed: bool,
}

/// How a request failed that a question names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamedFailure {
    /// The code of the table of errors.
    pub error_code: String,
    /// What its caller was told.
    pub error_message: String,
    /// The step at which it ended: `token`, `request`, `limits`, `registry`, `disclosure` or `charge`.
    pub stage: String,
    /// What the page of the error says; null: the code has none.
    pub passage: Option<PassageAnswer>,
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
