//! Every page, a file or folder for each group.
//!
//! Owns which paths there are and who is shown them. Must never let a member see another partner's things.

mod account;
mod assistant;
mod billing;
mod build;
mod desk;
mod docs;
mod door;
mod elsewhere;
mod home;
mod operate;
mod partner;
mod preferences;
mod products;
mod register;
mod status;
mod support;

use std::sync::LazyLock;

use laini_core::partner::May;

use crate::frame::{Link, LinkGroup};
use crate::page::{Access, Page, RailEntry, Workspace};
use crate::visit::Visit;

/// All of them; a new group is added here and nowhere else.
pub(crate) fn all() -> Vec<Page> {
    [
        home::pages(),
        products::pages(),
        status::pages(),
        docs::pages(),
        assistant::pages(),
        build::pages(),
        billing::pages(),
        desk::pages(),
        support::pages(),
        partner::pages(),
        operate::pages(),
        door::pages(),
        register::pages(),
        elsewhere::pages(),
        account::pages(),
        preferences::pages(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Of the pages in the rail: where each is, who sees it, and how it is called. In the order of [`all`].
static IN_RAIL: LazyLock<Vec<(&'static str, May, RailEntry)>> = LazyLock::new(|| {
    let entry = |page: Page| {
        let may = match page.access {
            Access::SignedIn(may) => may,
            // What is everybody's stands in the rail of those who build with it.
            Access::Anyone => May::MEMBERS,
        };
        page.rail.map(|rail| (page.path, may, rail))
    };
    all().into_iter().filter_map(entry).collect()
});

/// Where the page is among those of the rail: a member's own under its short path, and a partner below all of them.
fn in_the_rail(visit: &Visit) -> &str {
    let Some(below) = visit.path.strip_prefix("/partners/") else { return &visit.path };
    match (visit.actor().partner(), below.split_once('/')) {
        (None, _) => "/operate/partners",
        (Some(_), None) => "/onboarding",
        (Some(_), Some((partner, _))) => &below[partner.len()..],
    }
}

/// The workspaces of whoever looks, with the pages that they may see.
pub(crate) fn rail(visit: &Visit) -> Vec<LinkGroup> {
    let (actor, words) = (visit.actor(), &visit.language.words().rail);
    let seen: Vec<_> = IN_RAIL.iter().filter(|(_, may, _)| actor.is_allowed(may)).collect();
    let path = in_the_rail(visit);
    let longest = seen.iter().filter(|(href, ..)| path.starts_with(href)).map(|(href, ..)| href.len()).max();
    let link = |(href, _, entry): &(&'static str, May, RailEntry)| Link {
        href,
        label: (entry.label)(words),
        is_here: longest == Some(href.len()) && path.starts_with(href),
    };
    let group = |workspace: Workspace| LinkGroup {
        label: words.workspaces[workspace as usize],
        links: seen.iter().filter(|(.., entry)| entry.workspace == workspace).map(|entry| link(entry)).collect(),
    };
    Workspace::ALL.map(group).into_iter().filter(|group| !group.links.is_empty()).collect()
}
