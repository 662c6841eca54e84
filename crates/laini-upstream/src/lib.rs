//! A registry that is asked over HTTP: the operator's own back end behind the port
//! [`laini_core::store::Registry`].
//!
//! Owns how it is asked (template, TLS, pool, deadline, retry, circuit breaker) and how its answer is
//! read (pointers, conditions, dates). Must never trust what comes back: size, time, form, the echoed
//! number; and must never turn what it does not understand into "never swapped" or "not served".

mod breaker;
mod exchange;
mod json;
mod mapping;
mod registry;
mod target;
mod tls;

pub use mapping::{Mapping, MappingError, MappingSettings};
pub use registry::{Clock, HttpRegistry, UpstreamLimits};
pub use target::{Credential, Method, Target, TargetError};
pub use tls::{TlsError, TlsFiles};
