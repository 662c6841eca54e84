//! Partners: the organisations that ask, what they agreed to, and their apps.
//!
//! Owns the vocabulary and the immutable picture of it that every check is decided on. Must never
//! read a credential's plain text after it was hashed: that is [`crate::access`].

mod accounts;
mod app;
mod id;

pub use accounts::{Accounts, AppView};
pub use app::{Agreement, App, AppProfile, AppStatus, Environment, Partner, Product, ProductSet, WordError};
pub use id::{AgreementId, AppId, IdError, PartnerId};
