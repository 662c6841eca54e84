//! What the portal says, in each of its languages.
//!
//! Owns the texts of pages that are no documents: a file for each group of pages, with one language under the
//! other. Must never miss one in a language: the compiler sees to that.

mod account_page;
mod agreements;
mod apps;
mod assistant;
mod audit;
mod billing;
mod catalogue;
mod desk;
mod desk_batch;
mod desk_history;
mod documentation;
mod en;
mod finance;
mod go_live;
mod incidents;
mod invoices;
mod onboarding;
mod operating;
mod organisation;
mod partner_apps;
mod partner_page;
mod paying;
mod privacy;
mod rail;
mod refusals;
mod register;
mod requests;
mod running;
mod sign_in;
mod simulator;
mod status;
mod sw;
mod tables;
mod team;
mod tickets;
mod try_it;
mod usage;
mod webhooks;
mod working;

pub(crate) use account_page::AccountWords;
pub(crate) use agreements::AgreementsWords;
pub(crate) use apps::AppsWords;
pub(crate) use assistant::AskWords;
pub(crate) use audit::AuditWords;
pub(crate) use billing::BillingWords;
pub(crate) use catalogue::CatalogueWords;
pub(crate) use desk::DeskWords;
pub(crate) use desk_batch::DeskBatchWords;
pub(crate) use desk_history::DeskHistoryWords;
pub(crate) use documentation::DocsWords;
pub(crate) use en::ENGLISH;
pub(crate) use finance::FinanceWords;
pub(crate) use go_live::GoLiveWords;
pub(crate) use incidents::IncidentWords;
pub(crate) use invoices::InvoicesWords;
pub(crate) use onboarding::OnboardingWords;
pub(crate) use operating::OperatingWords;
pub(crate) use organisation::OrganisationWords;
pub(crate) use partner_apps::PartnerAppsWords;
pub(crate) use partner_page::PartnerPageWords;
pub(crate) use paying::PayingWords;
pub(crate) use privacy::PrivacyWords;
pub(crate) use rail::RailWords;
pub(crate) use register::RegisterWords;
pub(crate) use requests::RequestsWords;
pub(crate) use running::RunningWords;
pub(crate) use sign_in::SignInWords;
pub(crate) use simulator::SimulatorWords;
pub(crate) use status::StatusWords;
pub(crate) use sw::KISWAHILI;
pub(crate) use tables::TableWords;
pub(crate) use team::TeamWords;
pub(crate) use tickets::TicketWords;
pub(crate) use try_it::{SaidWords, TryWords};
pub(crate) use usage::UsageWords;
pub(crate) use webhooks::WebhooksWords;
pub(crate) use working::WorkingWords;

/// Every text, in one language.
pub(crate) struct Words {
    /// What a rule refuses with, from the English that it is written in.
    pub(crate) refusal: fn(String) -> String,
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
    pub(crate) usage: UsageWords,
    pub(crate) billing: BillingWords,
    pub(crate) invoices: InvoicesWords,
    pub(crate) finance: FinanceWords,
    pub(crate) desk: DeskWords,
    pub(crate) desk_batch: DeskBatchWords,
    pub(crate) desk_history: DeskHistoryWords,
    pub(crate) documentation: DocsWords,
    pub(crate) assistant: AskWords,
    pub(crate) onboarding: OnboardingWords,
    pub(crate) operating: OperatingWords,
    pub(crate) paying: PayingWords,
    pub(crate) rail: RailWords,
    pub(crate) requests: RequestsWords,
    pub(crate) simulator: SimulatorWords,
    pub(crate) webhooks: WebhooksWords,
    pub(crate) status: StatusWords,
    pub(crate) incidents: IncidentWords,
    pub(crate) tickets: TicketWords,
    pub(crate) running: RunningWords,
    pub(crate) agreements: AgreementsWords,
    pub(crate) audit: AuditWords,
    pub(crate) go_live: GoLiveWords,
    pub(crate) organisation: OrganisationWords,
    pub(crate) partner_apps: PartnerAppsWords,
    pub(crate) partner_page: PartnerPageWords,
    pub(crate) privacy: PrivacyWords,
    pub(crate) register: RegisterWords,
    pub(crate) tables: TableWords,
    pub(crate) team: TeamWords,
    pub(crate) working: WorkingWords,
}
