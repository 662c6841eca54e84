//! Apps over HTTP: what a partner does about its own, and whether apps and partners are answered.
//!
//! Owns the endpoints of apps, a file for each group of them, and the words in which an app is shown. Must never show a
//! secret in an answer that can be asked for again.

mod app;
mod result_addresses;
mod secrets;
mod standing;
mod words;

use laini_core::partner::{May, MemberRole, StaffRole};
use laini_wire::office::apps as wire;

use super::described::{operation, paged, taking};
use super::{Beside, Call, Endpoint, Noun, Reply};
use crate::openapi::{Schemas, collect};

pub(super) use words::{credentials, hex, instant, products};

pub(super) const NOUN: Noun = Noun {
    tag: "apps",
    description: "A partner's apps: made, changed, their secrets rotated, suspended and ended.",
    endpoints: || {
        let groups = [app::endpoints(), secrets::endpoints(), result_addresses::endpoints(), standing::endpoints()];
        groups.into_iter().flatten().collect()
    },
    schemas,
};

/// Who looks at apps.
const LOOKS: May = May::ANYBODY;
/// Who changes them.
pub(super) const CHANGES: May =
    May { members: &[MemberRole::Owner, MemberRole::Developer], staff: &[StaffRole::Admin, StaffRole::Support] };

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<wire::AppsAnswer>(&mut schemas);
    collect::<wire::AppAnswer>(&mut schemas);
    collect::<wire::AddAppRequest>(&mut schemas);
    collect::<wire::CredentialsAnswer>(&mut schemas);
    collect::<wire::ChangeAppRequest>(&mut schemas);
    collect::<wire::SetBudgetRequest>(&mut schemas);
    collect::<wire::NewSecretAnswer>(&mut schemas);
    collect::<wire::AddResultAddressRequest>(&mut schemas);
    collect::<wire::ResultAddressAnswer>(&mut schemas);
    collect::<wire::SigningSecretAnswer>(&mut schemas);
    collect::<wire::ActivityAnswer>(&mut schemas);
    collect::<laini_wire::office::ReasonRequest>(&mut schemas);
    collect::<wire::SuspendPartnerRequest>(&mut schemas);
    collect::<wire::PartnerLimitsRequest>(&mut schemas);
    collect::<wire::StandingAnswer>(&mut schemas);
    collect::<wire::DebtNoticeRequest>(&mut schemas);
    collect::<wire::DebtNoticeAnswer>(&mut schemas);
    collect::<wire::DebtNoticesAnswer>(&mut schemas);
    schemas
}
