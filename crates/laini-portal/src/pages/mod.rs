//! Every page, a file or folder for each group.
//!
//! Owns which paths there are and who is shown them. Must never let a member see another partner's things.

mod account;
mod build;
mod docs;
mod door;
mod home;
mod preferences;
mod products;

use laini_office::Actor;

use crate::frame::Link;
use crate::page::Page;
use crate::visit::Visit;

/// All of them; a new group is added here and nowhere else.
pub(crate) fn all() -> Vec<Page> {
    [home::pages(), products::pages(), docs::pages(), build::pages(), door::pages(), account::pages(), preferences::pages()].into_iter().flatten().collect()
}

/// The pages of the workspace of whoever looks.
pub(crate) fn rail(visit: &Visit) -> Vec<Link> {
    let words = &visit.language.words().rail;
    let links: &[(&'static str, &'static str)] = match visit.actor() {
        Actor::Member { .. } => &[("/apps", words.apps)],
        Actor::Staff { .. } | Actor::Stranger | Actor::System | Actor::Console { .. } => &[],
    };
    let link = |&(href, label): &(&'static str, &'static str)| Link { href, label, is_here: visit.path.starts_with(href) };
    links.iter().map(link).collect()
}
