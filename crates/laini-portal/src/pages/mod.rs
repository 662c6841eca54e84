//! Every page, a file or folder for each group.
//!
//! Owns which paths there are and who is shown them. Must never let a member see another partner's things.

mod account;
mod build;
mod desk;
mod docs;
mod door;
mod home;
mod onboarding;
mod operate;
mod preferences;
mod products;

use laini_core::partner::MemberRole;
use laini_office::Actor;

use crate::frame::Link;
use crate::page::Page;
use crate::visit::Visit;

/// All of them; a new group is added here and nowhere else.
pub(crate) fn all() -> Vec<Page> {
    [
        home::pages(),
        products::pages(),
        docs::pages(),
        build::pages(),
        desk::pages(),
        onboarding::pages(),
        operate::pages(),
        door::pages(),
        account::pages(),
        preferences::pages(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The pages of the workspace of whoever looks.
pub(crate) fn rail(visit: &Visit) -> Vec<Link> {
    let words = &visit.language.words().rail;
    let (apps, desk, thresholds) =
        (("/apps", words.apps), ("/desk", words.desk), ("/desk/settings", words.desk_settings));
    let (onboarding, partners) = (("/onboarding", words.onboarding), ("/operate/partners", words.partners));
    let links = match visit.actor() {
        Actor::Member { role: MemberRole::Owner, .. } => vec![apps, desk, thresholds, onboarding],
        Actor::Member { role: MemberRole::FraudDesk, .. } => vec![desk, apps],
        Actor::Member { .. } => vec![apps, onboarding],
        Actor::Staff { .. } => vec![partners],
        Actor::Stranger | Actor::System | Actor::Console { .. } => Vec::new(),
    };
    let longest = links.iter().filter(|(href, _)| visit.path.starts_with(href)).map(|(href, _)| href.len()).max();
    let link = |(href, label): (&'static str, &'static str)| Link {
        href,
        label,
        is_here: longest == Some(href.len()) && visit.path.starts_with(href),
    };
    links.into_iter().map(link).collect()
}
