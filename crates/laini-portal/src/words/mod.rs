//! What the portal says, in each of its languages.
//!
//! Owns the texts of pages that are no documents: a file for each group of pages, with one language under the
//! other. Must never miss one in a language: the compiler sees to that.

mod account_page;
mod apps;
mod catalogue;
mod desk;
mod en;
mod incidents;
mod onboarding;
mod rail;
mod sign_in;
mod status;
mod sw;
mod tickets;
mod try_it;

pub(crate) use account_page::AccountWords;
pub(crate) use apps::AppsWords;
pub(crate) use catalogue::CatalogueWords;
pub(crate) use desk::DeskWords;
pub(crate) use en::ENGLISH;
pub(crate) use incidents::IncidentWords;
pub(crate) use onboarding::OnboardingWords;
pub(crate) use rail::RailWords;
pub(crate) use sign_in::SignInWords;
pub(crate) use status::StatusWords;
pub(crate) use sw::KISWAHILI;
pub(crate) use tickets::TicketWords;
pub(crate) use try_it::{SaidWords, TryWords};

/// Every text, in one language.
pub(crate) struct Words {
    pub(crate) skip: &'static str,
    pub(crate) everywhere: &'static str,
    pub(crate) workspace: &'static str,
    pub(crate) home: &'static str,
    pub(crate) products: &'static str,
    pub(crate) docs: &'static str,
    pub(crate) account: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) light: &'static str,
    pub(crate) dark: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) not_found: &'static str,
    pub(crate) not_found_reason: &'static str,
    pub(crate) forbidden: &'static str,
    pub(crate) not_your_role: &'static str,
    pub(crate) unavailable: &'static str,
    pub(crate) unavailable_reason: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) stale_form: &'static str,
    pub(crate) sign_in: SignInWords,
    pub(crate) try_it: TryWords,
    pub(crate) catalogue: CatalogueWords,
    pub(crate) account_page: AccountWords,
    pub(crate) apps: AppsWords,
    pub(crate) desk: DeskWords,
    pub(crate) onboarding: OnboardingWords,
    pub(crate) rail: RailWords,
    pub(crate) status: StatusWords,
    pub(crate) incidents: IncidentWords,
    pub(crate) tickets: TicketWords,
}
