//! What was asked by a caller's own references: counted once, and then sorted and downloaded.

use std::sync::Arc;

use askama::Template;
use jiff::civil::Date;
use laini_core::partner::PartnerId;
use laini_office::Problem;
use laini_office::billing::ReferenceUsage;
use laini_office::jobs::{CameTo, Figures};

use super::usage::{Counted, USED, Used};
use super::{BOTH, OWN, base, day};
use crate::answer::Answer;
use crate::csv::{file, push_line};
use crate::frame::Frame;
use crate::page::Page;
use crate::pages::partner::{Head, named};
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::UsageWords;
use crate::working::Working;

/// The columns of the file.
const HEAD: [&str; 6] = ["reference", "product", "checks", "charged", "charged_minor", "currency"];

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/usage/references", OWN, show),
        Page::get("/usage/references.csv", OWN, download),
        Page::get("/partners/{partner}/usage/references", BOTH, show),
        Page::get("/partners/{partner}/usage/references.csv", BOTH, download),
    ]
}

static REFERENCES: Table<Used> = Table { name: "sort", columns: USED, comes: "" };

/// A row of the file, with what the page shows of it: both are in one order.
type InFile = (Used, ReferenceUsage);

static FILE: Table<InFile> = Table {
    name: REFERENCES.name,
    columns: &[
        ("name", |one, other| by_text(&one.0.name, &other.0.name)),
        ("checks", |one, other| one.1.checks.cmp(&other.1.checks)),
        ("charged", |one, other| one.1.charged.cmp(&other.1.charged)),
        ("spend", |one, other| one.1.charged_minor.cmp(&other.1.charged_minor)),
    ],
    comes: REFERENCES.comes,
};

#[derive(Template)]
#[template(path = "billing/references.html")]
struct ReferencesPage {
    frame: Frame,
    words: &'static UsageWords,
    base: String,
    head: Head,
    from: String,
    until: String,
    partner: PartnerId,
    /// How far it is, where it is being counted.
    working: Option<Working>,
    counted: Option<Counted>,
    /// When that was counted.
    counted_at: String,
}

/// The days that are asked for, from the first until before the last.
fn days(visit: &Visit) -> Result<Option<(Date, Date)>, Problem> {
    Ok(day(visit, "from")?.zip(day(visit, "until")?))
}

fn used(one: &ReferenceUsage, words: &UsageWords) -> Used {
    let name = format!("{} · {}", one.reference.as_deref().unwrap_or(words.no_reference), one.product.word());
    Used::new(name, one.checks, one.charged, one.charged_minor)
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let words = &visit.language.words().usage;
    let (partner, here) = (visit.partner()?, format!("{}/usage/references", base(&visit)));
    let of = portal.work(&visit, |work, visit| named(work, visit)).await?;
    let (mut working, mut counted, mut counted_at) = (None, None, String::new());
    if let Some((from, until)) = days(&visit)? {
        let figures = Figures::References(from, until);
        if !visit.query("again").is_empty() {
            if let Some(job) = portal.office.jobs.figures_of(partner, figures).filter(|job| !job.is_under_way()) {
                portal.office.jobs.forget(&job);
            }
            return Ok(Answer::see_other(format!("{here}?from={from}&until={until}")));
        }
        let job = portal.figures(&visit, partner, figures).await?;
        counted_at = portal.shown_to_second(job.begun);
        match portal.came_to(&job)? {
            Some(CameTo::References(found)) => {
                let used = found.iter().map(|one| used(one, words)).collect();
                let texts = (words.references, words.reference);
                let currency = portal.office.settings.currency;
                counted = Some(Counted::new(&REFERENCES, &visit, here, texts, used, currency));
            }
            Some(_) => {}
            None => working = Some(Working::of(&job, &portal, &visit, visit.language.words().working.counting)),
        }
    }
    page(&ReferencesPage {
        frame: visit.frame(&portal, words.references),
        words,
        base: base(&visit),
        head: Head::new(&visit, of, "usage"),
        from: visit.query("from").to_owned(),
        until: visit.query("until").to_owned(),
        partner,
        working,
        counted,
        counted_at,
    })
}

/// What was counted, as a file; where that is not known any more, its page counts it.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let (words, partner) = (&visit.language.words().usage, visit.partner()?);
    let Some((from, until)) = days(&visit)? else { return Ok(written(&portal, "references.csv", &[])) };
    let job = portal.office.jobs.figures_of(partner, Figures::References(from, until));
    let came_to = job.map(|job| portal.came_to(&job)).transpose()?.flatten();
    let Some(CameTo::References(found)) = came_to else {
        return Ok(Answer::see_other(format!("{}/usage/references?from={from}&until={until}", base(&visit))));
    };
    let mut rows: Vec<InFile> = found.iter().map(|one| (used(one, words), one.clone())).collect();
    Sorting::of(&FILE, &visit, "", &mut rows);
    Ok(written(&portal, &format!("references-{from}-{until}.csv"), &rows))
}

fn written(portal: &Portal, name: &str, rows: &[InFile]) -> Answer {
    let currency = portal.office.settings.currency;
    file(name, HEAD, rows, |csv, (_, one)| {
        let [checks, charged] = [one.checks, one.charged].map(|figure| figure.to_string());
        let (reference, minor) = (one.reference.as_deref().unwrap_or_default(), one.charged_minor.to_string());
        push_line(csv, [reference, one.product.word(), &checks, &charged, &minor, currency.as_str()]);
    })
}
