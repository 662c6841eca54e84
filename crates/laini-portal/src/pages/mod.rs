//! Every page, a file or folder for each group.
//!
//! Owns which paths there are and who is shown them. Must never let a member see another partner's things.

mod account;
mod docs;
mod door;
mod home;
mod preferences;
mod products;

use crate::frame::Link;
use crate::page::Page;
use crate::visit::Visit;

/// All of them; a new group is added here and nowhere else.
pub(crate) fn all() -> Vec<Page> {
    [home::pages(), products::pages(), docs::pages(), door::pages(), account::pages(), preferences::pages()].into_iter().flatten().collect()
}

/// The pages of the workspace of whoever looks.
pub(crate) fn rail(_visit: &Visit) -> Vec<Link> {
    Vec::new()
}
