//! Settings: defaults, then the file, then `LAINI_*`, then flags. An unknown key is an error.
//!
//! Owns every setting's name, unit, range and default. Must never be read by name at run time: parts
//! get typed values.

mod assistant;
mod listeners;
mod mail;
mod reload;
mod resolve;
mod settings;
mod single_sign_on;
mod store;
mod traces;
mod upstream;

pub(crate) use reload::Changes;
#[cfg(test)]
pub(crate) use reload::LIVE;
pub(crate) use resolve::{Resolved, example, resolve};
pub(crate) use settings::{Config, LogConfig, LogFormat, LogLevel};
pub(crate) use store::StoreKind;
pub(crate) use upstream::RegistryKind;
