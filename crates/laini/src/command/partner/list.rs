use laini_core::partner::{Environment, Partner};
use laini_core::store::AccountBook;
use serde::Serialize;

use crate::command::Context;
use crate::command::context::block_on;
use crate::command::limits::{LimitsReport, in_words};

/// A partner as it is shown.
#[derive(Serialize)]
pub(super) struct PartnerReport {
    partner: String,
    pub(super) name: String,
    status: &'static str,
    limits: LimitsReport,
    production_apps: usize,
    sandbox_apps: usize,
    #[serde(skip)]
    pub(super) in_words: String,
}

impl PartnerReport {
    pub(super) fn of(book: &AccountBook, partner: &Partner) -> Self {
        let apps = |environment: Environment| {
            book.apps.iter().filter(|app| app.partner == partner.id && app.environment == environment).count()
        };
        Self {
            partner: partner.id.to_string(),
            name: partner.name.clone(),
            status: partner.status.word(),
            limits: partner.limits.into(),
            production_apps: apps(Environment::Production),
            sandbox_apps: apps(Environment::Sandbox),
            in_words: in_words(partner.limits),
        }
    }
}

/// Lists the partners.
pub(crate) fn run(context: &Context) -> anyhow::Result<()> {
    let (house, _) = context.existing_house()?;
    let book = block_on(house.accounts()?.load())??;
    let mut lines: Vec<_> = book.partners.iter().map(|partner| PartnerReport::of(&book, partner)).collect();
    lines.sort_by(|a, b| a.name.cmp(&b.name));
    context.out.data(&lines, |lines| {
        if lines.is_empty() {
            return "no partners yet: laini partner add NAME".to_owned();
        }
        let header =
            format!("{:<20} {:<10} {:<16} {:<12} limits of all its production apps", "partner", "status", "id", "apps");
        let rows = lines.iter().map(|l| {
            let apps = format!("{} live, {} test", l.production_apps, l.sandbox_apps);
            format!("{:<20} {:<10} {:<16} {:<12} {}", l.name, l.status, l.partner, apps, l.in_words)
        });
        std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n")
    })
}
