use anyhow::Context as _;
use clap::Args;
use laini_core::disclosure::{Window, Windows};
use laini_core::partner::{Agreement, AgreementId, AppStatus, Environment, Purpose};

use super::in_force;
use super::show::AgreementReport;
use crate::command::Context;
use crate::command::context::{audit, because, block_on, concerning, now, random};
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
    /// The version after `before`.
    fn after(&self, before: &Agreement) -> Agreement {
        let purposes = self.purposes.as_ref().unwrap_or(&before.purposes);
        Agreement {
            id: AgreementId::from_random(random()),
            valid_from: now(),
            windows: Windows {
                swap: self.swap_window.unwrap_or(before.windows.swap),
                registration: self.registration_window.unwrap_or(before.windows.registration),
            },
            purposes: Purpose::ALL.into_iter().filter(|purpose| purposes.contains(purpose)).collect(),
            exact_times: self.exact_times.unwrap_or(before.exact_times),
            pass_hashed_imsi: self.pass_hashed_imsi.unwrap_or(before.pass_hashed_imsi),
            ..before.clone()
        }
    }
}

/// Puts a new version in force.
pub(crate) fn run(context: &Context, args: &ChangeArgs) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let accounts = house.accounts()?;
    let book = block_on(accounts.load())??;
    let (partner, before) = in_force(&book, &args.partner)?;
    let agreement = args.terms.after(&before);
    let mut apps = book.apps.iter().filter(|app| app.partner == partner.id && app.status != AppStatus::Revoked);
    let stranded =
        apps.find(|app| app.environment == Environment::Production && !agreement.purposes.contains(&app.purpose));
    if let Some(app) = stranded {
        return Err(anyhow::anyhow!("{} asks for {} by default", app.name, app.purpose.word()))
            .hint(format!("allow it here, or first: laini app purpose '{}' PURPOSE", app.name));
    }
    let (id, partner) = (agreement.id, partner.clone());
    let set = format!("version {} after {}", agreement.id, before.id);
    let audit = concerning(partner.id, audit("agreement.change", partner.id.to_string(), &because(&set, &args.reason)));
    block_on(accounts.add_agreement(agreement, audit))??;
    // As it was stored: it begins after every other.
    let book = block_on(accounts.load())??;
    let stored = book.agreements.iter().find(|agreement| agreement.id == id);
    let report = AgreementReport::of(&partner, stored.context("the agreement was added, and is gone")?);
    context.out.data(&report, |report| {
        format!(
            "agreement {} of {} is in force; running servers hold to it within a second",
            report.agreement, report.partner
        )
    })
}
