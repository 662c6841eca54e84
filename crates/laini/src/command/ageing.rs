use clap::Args;
use jiff::civil::Date;
use laini_core::billing::{Ageing, Money};
use laini_office::payments::{ageing, today};
use serde::Serialize;

use super::Context;
use super::context::in_office;

/// `laini ageing`
#[derive(Args)]
pub(crate) struct AgeingArgs {
    /// On which day (default: today).
    #[arg(long, value_name = "DAY")]
    on: Option<Date>,
}

#[derive(Serialize)]
struct AgeingReport {
    on: String,
    currency: String,
    partners: Vec<AgedReport>,
    all: AgedReport,
}

#[derive(Serialize)]
struct AgedReport {
    partner: Option<String>,
    name: String,
    not_due_minor: i64,
    days_1_to_30_minor: i64,
    days_31_to_60_minor: i64,
    days_61_to_90_minor: i64,
    over_90_days_minor: i64,
    credit_minor: i64,
}

impl AgedReport {
    fn of(partner: Option<String>, name: String, ageing: &Ageing) -> Self {
        Self {
            partner,
            name,
            not_due_minor: ageing.not_due,
            days_1_to_30_minor: ageing.days_1_to_30,
            days_31_to_60_minor: ageing.days_31_to_60,
            days_61_to_90_minor: ageing.days_61_to_90,
            over_90_days_minor: ageing.over_90_days,
            credit_minor: ageing.credit,
        }
    }

    fn amounts(&self) -> [i64; 6] {
        let Self { not_due_minor, days_1_to_30_minor, days_31_to_60_minor, days_61_to_90_minor, .. } = *self;
        let last = [self.over_90_days_minor, self.credit_minor];
        [not_due_minor, days_1_to_30_minor, days_31_to_60_minor, days_61_to_90_minor, last[0], last[1]]
    }
}

/// Shows what all partners owe, by how long it is overdue.
pub(crate) fn run(context: &Context, args: &AgeingArgs) -> anyhow::Result<()> {
    let (on, currency, (partners, all)) = in_office(context, |work| {
        let on = args.on.unwrap_or_else(|| today(work));
        Ok((on, work.office.settings.currency, ageing(work, on)?))
    })?;
    let partners = partners.into_iter().map(|one| AgedReport::of(Some(one.partner.to_string()), one.name, &one.ageing));
    let report = AgeingReport {
        on: on.to_string(),
        currency: currency.as_str().to_owned(),
        partners: partners.collect(),
        all: AgedReport::of(None, "all".to_owned(), &all),
    };
    context.out.data(&report, |report| {
        let header = ["not due", "1-30 days", "31-60 days", "61-90 days", "over 90 days", "credit"];
        let line = |name: &str, cells: [String; 6]| {
            cells.iter().fold(format!("{name:<20}"), |line, cell| format!("{line} {cell:>18}"))
        };
        let row =
            |one: &AgedReport| line(&one.name, one.amounts().map(|minor| Money::new(minor, currency).to_string()));
        let rows = report.partners.iter().chain([&report.all]).map(row);
        std::iter::once(line("partner", header.map(str::to_owned))).chain(rows).collect::<Vec<_>>().join("\n")
    })
}
