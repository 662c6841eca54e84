//! The workspace of a partner's developers.
//!
//! Owns the pages of apps and keys, and of incidents. Must never show a secret twice.

mod apps;
mod incidents;

use laini_core::partner::{May, MemberRole};

use crate::page::{Access, Page};

/// Every member looks,
const LOOKS: Access = Access::SignedIn(May::MEMBERS);
/// and these change apps.
const BUILDS: Access = Access::SignedIn(May { members: &[MemberRole::Owner, MemberRole::Developer], staff: &[] });

pub(super) fn pages() -> Vec<Page> {
    [apps::pages(), incidents::pages()].into_iter().flatten().collect()
}
