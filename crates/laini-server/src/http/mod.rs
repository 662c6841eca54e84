//! HTTP: from a TCP connection to a routed request, and from a refusal to its one envelope.
//!
//! Owns the listener with its timeouts and caps, the identity of a request, credentials as headers
//! carry them, bodies within limits, throttles, and the only place where an error becomes a status.
//! Must never know what a check is, touch a store other than the picture of the accounts, or show a
//! header, token, number or caller's id in a log.

mod accounts_picture;
mod authorization;
mod body;
mod connection;
mod context;
mod door;
mod error;
mod forwarded;
mod front;
mod hosts;
mod inside;
mod listener;
mod load;
mod origin;
mod problem;
mod protection;
mod pulse;
mod refused;
mod throttle;
mod tls;

pub use accounts_picture::AccountsPicture;
pub use authorization::{BasicCredentials, basic, bearer};
pub use body::{is_object, read_bytes, read_form, read_json};
pub use context::{Context, IdempotencyKey, caller_repeat_id};
pub use error::{ApiError, Shape, json, json_bytes, to_json};
pub use forwarded::{ForwardedHeader, TrustedProxies};
pub(crate) use front::Front;
pub use hosts::{HostNames, is_host_name};
pub(crate) use inside::OwnApi;
pub use inside::{Asker, Inside};
pub(crate) use listener::{Listening, listen};
pub(crate) use load::Load;
pub use problem::{ForbiddenReason, NumberHint, ResultAddressProblem, SignInProblem, TokenProblem};
pub(crate) use refused::Refused;
pub use throttle::Throttle;
pub use tls::{Tls, TlsError, TlsFiles};
