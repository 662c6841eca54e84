//! One partner, for both sides: its way to production, papers, agreements, going live, apps, people, and what was done.
//!
//! Owns the pages of a partner: a member sees its own under a short path, staff see each under the partner's. Must never
//! have two pages for the same thing, or let one side do what is the other's.

mod agreements;
mod apps;
mod audit;
mod debt;
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
pub(super) use go_live::{of as of_go_live, read_terms, tone as tone_of_go_live};
pub(super) use onboarding::in_words as needs_in_words;
pub(super) use team::{PEOPLE, PEOPLE_PER_PAGE, PersonRow, people_file, person_row};

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
        debt::pages(),
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

/// Staff who see a partner's money, and those who see what was done.
const SEES_MONEY: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor] };
const SEES_TRAIL: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Auditor] };

/// The pages of a partner, each with the end of its path and the staff who see it. The empty one is the way to
/// production.
const SECTIONS: [(&str, May); 11] = [
    ("", May::STAFF),
    ("organisation", May::STAFF),
    ("agreements", May::STAFF),
    ("go-live", May::STAFF),
    ("apps", May::STAFF),
    ("usage", SEES_MONEY),
    ("billing", SEES_MONEY),
    ("invoices", SEES_MONEY),
    ("requests", May::STAFF),
    ("team", May::STAFF),
    ("audit", SEES_TRAIL),
];

impl Head {
    /// Of the page whose path ends in `section`.
    pub(super) fn new(visit: &Visit, (partner, name): (PartnerId, String), section: &str) -> Self {
        let (actor, labels) = (visit.actor(), visit.language.words().partner_page.sections);
        let tab = |((end, may), label): ((&str, May), &'static str)| {
            is_seen(&actor, &may).then(|| Tab { href: path_of(partner, end), label, is_here: end == section })
        };
        let tabs = SECTIONS.into_iter().zip(labels).filter_map(tab).collect();
        Self { partner, name, tabs }
    }
}

/// Whether a page of a partner is a tab for whoever looks.
fn is_seen(actor: &Actor, may: &May) -> bool {
    matches!(actor, Actor::Staff { .. }) && actor.is_allowed(may)
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

#[cfg(test)]
mod tests {
    use laini_core::partner::PersonId;

    use super::*;

    #[test]
    fn staff_have_a_tab_for_each_page_that_their_role_sees_and_members_have_none() {
        let seen = |actor: Actor| -> Vec<&str> {
            SECTIONS.iter().filter(|(_, may)| is_seen(&actor, may)).map(|(end, _)| *end).collect()
        };
        let person = PersonId::from_stored(1);
        for role in StaffRole::ALL {
            let seen = seen(Actor::Staff { person, role });
            let money = matches!(role, StaffRole::Admin | StaffRole::Finance | StaffRole::Auditor);
            for section in ["usage", "billing", "invoices"] {
                assert_eq!(seen.contains(&section), money, "{role:?} {section}");
            }
            let trail = matches!(role, StaffRole::Admin | StaffRole::Auditor);
            assert_eq!(seen.contains(&"audit"), trail, "{role:?}");
            assert!(["", "organisation", "apps", "team"].iter().all(|section| seen.contains(section)), "{role:?}");
        }
        let partner = PartnerId::from_stored(1);
        assert!(seen(Actor::Member { person, partner, role: MemberRole::Owner }).is_empty());
    }
}
