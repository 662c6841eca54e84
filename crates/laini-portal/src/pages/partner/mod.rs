//! One partner, for both sides: its way to production, papers, agreements, going live, apps, people, and what was done.
//!
//! Owns the pages of a partner: a member sees its own under a short path, staff see each under the partner's. Must never
//! have two pages for the same thing, or let one side do what is the other's.

mod agreements;
mod apps;
mod audit;
mod documents;
mod go_live;
mod onboarding;
mod organisation;
mod privacy;
mod run;
mod team;
mod terms_form;

use laini_core::partner::{May, MemberRole, PartnerId, StaffRole};
use laini_office::{Actor, Problem, Work, organisation as office};

use crate::page::{Access, Page};
use crate::visit::Visit;

pub(super) use audit::pages_of_all as pages_of_whole_trail;
pub(super) use go_live::{of as of_go_live, read_terms};
pub(super) use onboarding::in_words as needs_in_words;
pub(super) use team::{PEOPLE, PEOPLE_PER_PAGE, PersonRow, person_row};

/// Whoever signed in looks,
const LOOKS: Access = Access::SignedIn(May::ANYBODY);
/// as members do at their own.
const MEMBERS: Access = Access::SignedIn(May::MEMBERS);
/// Who acts for the operator.
const OPERATES: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Onboarding] });
/// Who acts for either side.
const SIGNS: Access =
    Access::SignedIn(May { members: &[MemberRole::Owner], staff: &[StaffRole::Admin, StaffRole::Onboarding] });
/// Who prepares apps for going live.
const PREPARES: Access = Access::SignedIn(May { members: &[MemberRole::Owner, MemberRole::Developer], staff: &[] });

pub(super) fn pages() -> Vec<Page> {
    let groups = [
        onboarding::pages(),
        organisation::pages(),
        documents::pages(),
        agreements::pages(),
        go_live::pages(),
        run::pages(),
        apps::pages(),
        team::pages(),
        audit::pages(),
        privacy::pages(),
    ];
    groups.into_iter().flatten().collect()
}

/// What stands above a page about a partner.
pub(super) struct Head {
    pub(super) partner: PartnerId,
    pub(super) name: String,
    /// For staff, the pages of the partner; members find them in their rail.
    pub(super) tabs: Vec<Tab>,
}

pub(super) struct Tab {
    pub(super) href: String,
    pub(super) label: &'static str,
    pub(super) is_here: bool,
}

/// The pages of a partner, each with the end of its path. The empty one is the way to production.
const SECTIONS: [&str; 8] = ["", "organisation", "agreements", "go-live", "apps", "requests", "team", "audit"];

impl Head {
    /// Of the page whose path ends in `section`.
    pub(super) fn new(visit: &Visit, (partner, name): (PartnerId, String), section: &str) -> Self {
        let labels = visit.language.words().partner_page.sections;
        let tab =
            |(end, label): (&str, &'static str)| Tab { href: path_of(partner, end), label, is_here: end == section };
        let is_staff = matches!(visit.actor(), Actor::Staff { .. });
        let tabs = if is_staff { SECTIONS.into_iter().zip(labels).map(tab).collect() } else { Vec::new() };
        Self { partner, name, tabs }
    }
}

/// Where a page of a partner is, whoever looks.
pub(super) fn path_of(partner: PartnerId, section: &str) -> String {
    if section.is_empty() { format!("/partners/{partner}") } else { format!("/partners/{partner}/{section}") }
}

/// Where whoever looks finds a page of the partner: a member under its short path.
fn home(visit: &Visit, section: &str) -> Result<String, Problem> {
    let partner = visit.partner()?;
    Ok(match (visit.actor(), section) {
        (Actor::Member { .. }, "") => "/onboarding".to_owned(),
        (Actor::Member { .. }, section) => format!("/{section}"),
        (_, section) => path_of(partner, section),
    })
}

/// The partner that the page is about, with its name.
pub(super) fn named(work: &Work<'_>, visit: &Visit) -> Result<(PartnerId, String), Problem> {
    let partner = visit.partner()?;
    Ok((partner, office::find_partner(work, partner)?.name))
}

/// Whether whoever looks may do what is let in by `access`.
fn may(visit: &Visit, access: &Access) -> bool {
    matches!(access, Access::SignedIn(may) if visit.actor().is_allowed(may))
}

/// A text of a form that may be left empty.
fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
