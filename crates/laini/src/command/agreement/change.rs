use anyhow::Context as _;
use clap::Args;
use laini_core::disclosure::Window;
use laini_core::partner::{AppStatus, Environment, Purpose};
use laini_office::agreements::{self, PurposeTerms, change_at_once};

use super::in_force;
use super::show::AgreementReport;
use crate::command::Context;
use crate::command::context::{block_on, console, now};
use crate::failure::WithHint as _;

/// `laini agreement change`
#[derive(Args)]
pub(crate) struct ChangeArgs {
    /// The partner: its name or id.
    partner: String,
    #[command(flatten)]
    terms: Terms,
    /// Why; kept in the audit trail.
    #[arg(long)]
    reason: String,
}

/// What becomes other; what is not named stays.
#[derive(Args)]
#[group(required = true, multiple = true)]
struct Terms {
    /// For which purposes it may ask: fraud_prevention, onboarding, cheque_confirmation, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = Purpose::parse)]
    purposes: Option<Vec<Purpose>>,
    /// Whether `/v1/checks` answers instants where it would answer days.
    #[arg(long)]
    exact_times: Option<bool>,
    /// Whether the operator's own hashed IMSI, where the feed carries one, is answered instead of laini's.
    #[arg(long)]
    pass_hashed_imsi: Option<bool>,
    /// How many calendar months back swaps are disclosed.
    #[arg(long, value_name = "MONTHS", value_parser = window)]
    swap_window: Option<Window>,
    /// How many calendar months back registrations are disclosed.
    #[arg(long, value_name = "MONTHS", value_parser = window)]
    registration_window: Option<Window>,
}

fn window(months: &str) -> Result<Window, String> {
    let months = months.parse().map_err(|_| "expected a number of months".to_owned())?;
    Window::months(months).map_err(|error| error.to_string())
}

impl Terms {
    /// Changes what is named.
    fn change(&self, terms: &mut agreements::Terms) {
        if let Some(purposes) = &self.purposes {
            let known = std::mem::take(&mut terms.purposes);
            let of = |purpose| known.iter().find(|of| of.purpose == purpose).copied();
            let named = Purpose::ALL.into_iter().filter(|purpose| purposes.contains(purpose));
            terms.purposes = named.map(|purpose| of(purpose).unwrap_or(PurposeTerms::usual(purpose))).collect();
        }
        terms.exact_times = self.exact_times.unwrap_or(terms.exact_times);
        terms.pass_hashed_imsi = self.pass_hashed_imsi.unwrap_or(terms.pass_hashed_imsi);
        terms.swap_months = self.swap_window.map_or(terms.swap_months, Window::as_months);
        terms.registration_months = self.registration_window.map_or(terms.registration_months, Window::as_months);
    }
}

/// Puts a new version in force.
pub(crate) fn run(context: &Context, args: &ChangeArgs) -> anyhow::Result<()> {
    let (house, config) = context.existing_house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let (partner, _) = in_force(&book, &args.partner)?;
    if let Some(purposes) = &args.terms.purposes {
        let mut apps = book.apps.iter().filter(|app| app.partner == partner.id && app.status != AppStatus::Revoked);
        let stranded = apps.find(|app| app.environment == Environment::Production && !purposes.contains(&app.purpose));
        if let Some(app) = stranded {
            return Err(anyhow::anyhow!("{} asks for {} by default", app.name, app.purpose.word()))
                .hint(format!("allow it here, or first: laini app purpose '{}' PURPOSE", app.name));
        }
    }
    let office = house.office(&config, &house.ledger_beside()?)?;
    let changed = office.run(&console(), now(), |work| {
        change_at_once(work, partner.id, |terms| args.terms.change(terms), args.reason.trim())
    })?;
    // As it was stored: it begins after every other.
    let book = block_on(accounts.load())??;
    let stored = book.agreements.iter().find(|agreement| agreement.id == changed.id);
    let report = AgreementReport::of(partner, stored.context("the agreement was added, and is gone")?);
    context.out.data(&report, |report| {
        format!(
            "agreement {} of {} is in force; running servers hold to it within a second",
            report.agreement, report.partner
        )
    })
}
