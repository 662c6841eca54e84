//! Seeing a server run: the request that a log line belongs to, metrics, and traces.
//!
//! Owns what is told about the server's own work. Must never take in a number, an IMSI, a token, a
//! secret or any text of a caller, or cost a check anything where nobody looks.

mod distribution;
mod exporter;
mod figures;
mod labels;
mod metrics;
mod request;
mod span_export;
mod traces;

pub(crate) use exporter::Exporter;
pub use exporter::Gauged;
pub use figures::{EndpointFigures, Figures};
pub(crate) use labels::{Endpoint, ErrorCode};
pub use metrics::Metrics;
pub use request::current_request;
pub(crate) use request::of_request;
pub use span_export::{SpanCounts, SpanExport, TracesError};
pub(crate) use traces::{Step, Trace};
pub use traces::{TraceSettings, Traces};
