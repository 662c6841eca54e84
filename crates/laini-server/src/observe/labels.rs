//! Everything that tells one series from another: closed sets, and the names that the operator gave
//! its feeds. Nothing that a caller chose.

use std::fmt::{self, Write as _};

use laini_core::billing::Outcome;
use laini_core::partner::{Environment, Product};
use laini_wire::check::{AGE_PATH, IMSI_PATH, SWAP_PATH};
use laini_wire::checks::CHECKS_PATH;
use laini_wire::delivery::DELIVERIES_PATH;
use laini_wire::token::{GENERATE_PATH, OAUTH2_PATH};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelSetEncoder, LabelValueEncoder};

/// What a request went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    Imsi,
    Swap,
    Age,
    Checks,
    Token,
    Operator,
    Sandbox,
    Deliveries,
    Probe,
    Other,
}

impl Endpoint {
    pub(super) const ALL: [Self; 10] = [
        Self::Imsi,
        Self::Swap,
        Self::Age,
        Self::Checks,
        Self::Token,
        Self::Operator,
        Self::Sandbox,
        Self::Deliveries,
        Self::Probe,
        Self::Other,
    ];

    /// By the path alone, whether or not the method fits.
    pub(crate) fn of_path(path: &str) -> Self {
        match path {
            IMSI_PATH => Self::Imsi,
            SWAP_PATH => Self::Swap,
            AGE_PATH => Self::Age,
            GENERATE_PATH | OAUTH2_PATH => Self::Token,
            "/livez" | "/readyz" => Self::Probe,
            _ if path.starts_with(CHECKS_PATH) => Self::Checks,
            _ if path.starts_with(DELIVERIES_PATH) => Self::Deliveries,
            _ if path.starts_with("/sandbox/") => Self::Sandbox,
            _ if path.starts_with("/operator/") => Self::Operator,
            _ => Self::Other,
        }
    }

    /// In a word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Imsi => "imsi",
            Self::Swap => "swap",
            Self::Age => "age",
            Self::Checks => "checks",
            Self::Token => "token",
            Self::Operator => "operator",
            Self::Sandbox => "sandbox",
            Self::Deliveries => "deliveries",
            Self::Probe => "probe",
            Self::Other => "other",
        }
    }
}

/// The first digit of an HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct StatusClass(u8);

impl StatusClass {
    /// 1xx to 5xx.
    pub(super) const COUNT: usize = 5;

    pub(super) const ALL: [Self; Self::COUNT] = [Self(1), Self(2), Self(3), Self(4), Self(5)];

    /// Its place among all.
    pub(super) fn place(status: axum::http::StatusCode) -> usize {
        usize::from(status.as_u16() / 100).clamp(1, Self::COUNT) - 1
    }
}

/// One of the codes of the error table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ErrorCode(pub(crate) &'static str);

/// The labels of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfRequest {
    pub(super) endpoint: Endpoint,
    pub(super) status: StatusClass,
}

/// The label of a latency.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfEndpoint {
    pub(super) endpoint: Endpoint,
}

/// The label of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfRefusal {
    pub(super) code: ErrorCode,
}

/// The labels of a recorded check.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct OfCheck {
    pub(super) product: Product,
    pub(super) environment: Environment,
    pub(super) outcome: Outcome,
}

/// The label of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfFeed {
    pub(super) source: String,
}

/// What waits in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Waiting {
    Checks,
    Deliveries,
    Dead,
}

/// The label of what waits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfOutbox {
    pub(super) what: Waiting,
}

/// The label of the build.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfBuild {
    pub(super) version: &'static str,
}

impl EncodeLabelValue for Endpoint {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(self.word())
    }
}

impl EncodeLabelValue for StatusClass {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        write!(encoder, "{}xx", self.0)
    }
}

impl EncodeLabelValue for ErrorCode {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(self.0)
    }
}

impl EncodeLabelValue for Waiting {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.write_str(match self {
            Self::Checks => "checks",
            Self::Deliveries => "deliveries",
            Self::Dead => "dead",
        })
    }
}

impl EncodeLabelSet for OfCheck {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        [("product", self.product.word()), ("environment", self.environment.word()), ("outcome", self.outcome.word())]
            .encode(encoder)
    }
}
