//! Every partner, however it came here; and adding one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use askama::Template;
use jiff::Timestamp;
use laini_core::partner::{
    Agreement, Agreements, AppStatus, Environment, May, NoAgreement, OnboardingStep, Partner, PartnerId, PartnerStatus,
    StaffRole,
};
use laini_office::apps::PartnerEnd;
use laini_office::onboarding::{self, Begins, Onboarding};
use laini_office::traffic::checks_of_partners;
use laini_office::{Problem, Work};

use super::LOOKS;
use super::partners::tabs;
use crate::answer::Answer;
use crate::csv::{file, push_line};
use crate::fields::{Fields, field};
use crate::figures::count;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::pages::billing::may;
use crate::portal::Portal;
use crate::sorting::{Sorting, Table, by_text};
use crate::visit::{Visit, page};
use crate::words::{OnboardingWords, OperatingWords};

/// Who adds partners.
pub(super) const ADDS: Access =
    Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Onboarding] });
/// Partners on a page.
const PARTNERS: usize = 50;
/// Checks are told of so many hours.
const HOURS: u16 = 24;
pub(super) const HERE: &str = "/operate/partners/all";
/// The columns of the file.
const HEAD: [&str; 8] =
    ["partner", "name", "status", "step", "agreement", "agreement_at", "production_apps", "checks_24_hours"];

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get(HERE, LOOKS, show),
        Page::get("/operate/partners.csv", LOOKS, download),
        Page::post("/operate/partners", ADDS, add, show),
    ]
}

#[derive(Template)]
#[template(path = "operate/all_partners.html")]
struct AllPartnersPage {
    frame: Frame,
    words: &'static OnboardingWords,
    operating: &'static OperatingWords,
    tabs: Vec<(String, &'static str, bool)>,
    sorting: Sorting<Known>,
    rows: Vec<Row>,
    /// What is looked for.
    wanted: String,
    /// What goes on in the address of the file and of the next page.
    filters: String,
    next: Option<PartnerId>,
    can_add: bool,
    fields: Fields,
}

struct Row {
    partner: PartnerId,
    name: String,
    status: &'static str,
    tone: &'static str,
    step: &'static str,
    agreement: String,
    apps: String,
    checks: String,
}

/// A partner, with what is told of it.
struct Known {
    partner: Partner,
    stands: Stands,
    agreed: Agreed,
    /// Production apps that were not ended.
    apps: u64,
    checks: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stands {
    Active,
    Suspended,
    Ended,
}

impl Stands {
    fn word(self) -> &'static str {
        ["active", "suspended", "ended"][self as usize]
    }

    fn tone(self) -> &'static str {
        ["go", "care", "stop"][self as usize]
    }
}

/// What is agreed with a partner now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Agreed {
    /// Something, without an end, or until then.
    InForce(Option<Timestamp>),
    /// Something that begins then.
    Begins(Timestamp),
    /// Something that was over then.
    Ended(Timestamp),
    /// Nothing.
    Nothing,
}

impl Agreed {
    fn of(agreements: Vec<Agreement>, now: Timestamp) -> Self {
        match Agreements::new(agreements).at(now) {
            Ok(agreement) => Self::InForce(agreement.valid_until),
            Err(NoAgreement::NotBegun(at)) => Self::Begins(at),
            Err(NoAgreement::Ended(at)) => Self::Ended(at),
            Err(NoAgreement::Never) => Self::Nothing,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::InForce(_) => "in_force",
            Self::Begins(_) => "begins",
            Self::Ended(_) => "ended",
            Self::Nothing => "none",
        }
    }

    fn at(self) -> Option<Timestamp> {
        match self {
            Self::InForce(until) => until,
            Self::Begins(at) | Self::Ended(at) => Some(at),
            Self::Nothing => None,
        }
    }

    fn label(self, words: &OperatingWords) -> &'static str {
        words.agreements[match self {
            Self::InForce(None) => 0,
            Self::InForce(Some(_)) => 1,
            Self::Begins(_) => 2,
            Self::Ended(_) => 3,
            Self::Nothing => 4,
        }]
    }
}

static KNOWN: Table<Known> = Table {
    name: "sort",
    columns: &[
        ("partner", |one, other| by_text(&one.partner.name, &other.partner.name)),
        ("status", |one, other| one.stands.cmp(&other.stands)),
        ("agreement", |one, other| one.agreed.cmp(&other.agreed)),
        ("apps", |one, other| one.apps.cmp(&other.apps)),
        ("checks", |one, other| one.checks.cmp(&other.checks)),
    ],
    comes: "partner",
};

/// Whether a name is one that is looked for.
pub(super) fn is_wanted(name: &str, wanted: &str) -> bool {
    name.to_lowercase().contains(&wanted.trim().to_lowercase())
}

/// Every partner that is looked for, by name.
fn known(work: &mut Work<'_>, visit: &Visit) -> Result<Vec<Known>, Problem> {
    let (mut book, checks) = (work.book()?, checks_of_partners(work, HOURS)?);
    let ended: HashSet<_> = work.all::<PartnerEnd>("at", "all")?.into_iter().map(|end| end.partner).collect();
    let mut agreements: HashMap<PartnerId, Vec<Agreement>> = HashMap::new();
    for agreement in std::mem::take(&mut book.agreements) {
        agreements.entry(agreement.partner).or_default().push(agreement);
    }
    let mut apps: HashMap<PartnerId, u64> = HashMap::new();
    let lives = |status, environment| status != AppStatus::Revoked && environment == Environment::Production;
    for app in book.apps.iter().filter(|app| lives(app.status, app.environment)) {
        *apps.entry(app.partner).or_default() += 1;
    }
    let (now, wanted) = (work.at, visit.query("name"));
    let known = book.partners.into_iter().filter(|partner| is_wanted(&partner.name, wanted)).map(|partner| Known {
        stands: match partner.status {
            _ if ended.contains(&partner.id) => Stands::Ended,
            PartnerStatus::Suspended => Stands::Suspended,
            PartnerStatus::Active => Stands::Active,
        },
        agreed: Agreed::of(agreements.remove(&partner.id).unwrap_or_default(), now),
        apps: apps.get(&partner.id).copied().unwrap_or(0),
        checks: checks.get(&partner.id).copied().unwrap_or(0),
        partner,
    });
    let mut known: Vec<_> = known.collect();
    known.sort_by(|one, other| by_text(&one.partner.name, &other.partner.name));
    Ok(known)
}

/// How far a partner is: one that came with an agreement is live without a way; `None` = on no way, and nothing is
/// agreed.
fn step(way: Option<OnboardingStep>, agreed: Agreed) -> Option<OnboardingStep> {
    way.or_else(|| matches!(agreed, Agreed::InForce(_)).then_some(OnboardingStep::Live))
}

/// What goes on in addresses: what is looked for, and the order.
pub(super) fn filters<T: 'static>(wanted: &str, sorting: &Sorting<T>) -> String {
    let name = form_urlencoded::Serializer::new(String::new()).append_pair("name", wanted).finish();
    format!("{name}{}", sorting.and())
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        let mut known = known(work, visit)?;
        let sorting = Sorting::of(&KNOWN, visit, HERE, &mut known);
        // The page begins after the last partner of the one before, wherever that stands now.
        let before = known.iter().position(|one| one.partner.id.to_string() == visit.query("after"));
        known.drain(..before.map_or(0, |last| last + 1));
        let next = known.get(PARTNERS - 1).filter(|_| known.len() > PARTNERS).map(|last| last.partner.id);
        known.truncate(PARTNERS);
        let on_page = known.into_iter().map(|one| {
            let way = work.look::<Onboarding>(one.partner.id)?.map(|way| way.step);
            Ok((step(way, one.agreed), one))
        });
        Ok((on_page.collect::<Result<Vec<_>, Problem>>()?, next, sorting))
    });
    let (known, next, sorting) = found.await?;
    let all = visit.language.words();
    let (words, operating) = (&all.onboarding, &all.operating);
    let row = |(step, one): (Option<OnboardingStep>, Known)| Row {
        status: operating.statuses[one.stands as usize],
        tone: one.stands.tone(),
        step: step.map_or(operating.no_way, |step| words.step(step)),
        agreement: match one.agreed.at() {
            Some(at) => format!("{} {}", one.agreed.label(operating), portal.shown(at)),
            None => one.agreed.label(operating).to_owned(),
        },
        apps: count(one.apps),
        checks: count(one.checks),
        partner: one.partner.id,
        name: one.partner.name,
    };
    let wanted = visit.query("name").trim().to_owned();
    let kept = || vec![field("agreement", Begins::WithStandardAgreement.word())];
    page(&AllPartnersPage {
        frame: visit.frame(&portal, words.partners),
        words,
        operating,
        tabs: tabs(all, HERE),
        filters: filters(&wanted, &sorting),
        sorting,
        rows: known.into_iter().map(row).collect(),
        wanted,
        next,
        can_add: may(&visit, ADDS),
        fields: Fields::sent_or(&visit, "agreement", kept),
    })
}

/// The partners that are looked for, as a file.
async fn download(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        let mut known = known(work, visit)?;
        Sorting::of(&KNOWN, visit, HERE, &mut known);
        let ways = work.all::<Onboarding>("all", "all")?;
        Ok((known, ways.into_iter().map(|way| (way.partner, way.step)).collect::<HashMap<_, _>>()))
    });
    let (known, ways) = found.await?;
    let push = |csv: &mut String, one: &Known| {
        let step = step(ways.get(&one.partner.id).copied(), one.agreed).map_or("", OnboardingStep::word);
        let id = one.partner.id.to_string();
        let at = one.agreed.at().map(|at| at.to_string()).unwrap_or_default();
        let (apps, checks) = (one.apps.to_string(), one.checks.to_string());
        let (name, status, agreed) = (&one.partner.name, one.stands.word(), one.agreed.word());
        push_line(csv, [&id, name, status, step, agreed, &at, &apps, &checks]);
    };
    Ok(file("partners.csv", HEAD, &known, push))
}

async fn add(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let add = |work: &mut Work<'_>, visit: &Visit| {
        onboarding::add(work, visit.field("name"), Begins::parse(visit.field("agreement"))?)
    };
    let partner = portal.work(&visit, add).await?;
    Ok(Answer::see_other(format!("/partners/{partner}?done=added")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_is_found_by_any_part_of_its_name() {
        for (wanted, expected) in [("", true), ("bank", true), (" DEMO ", true), ("o b", true), ("sacco", false)] {
            assert_eq!(is_wanted("Demo Bank", wanted), expected, "{wanted}");
        }
    }

    #[test]
    fn who_came_with_an_agreement_is_live_without_a_way() {
        let in_force = Agreed::InForce(None);
        assert_eq!(step(None, in_force), Some(OnboardingStep::Live));
        assert_eq!(step(None, Agreed::Nothing), None);
        assert_eq!(step(Some(OnboardingStep::Returned), in_force), Some(OnboardingStep::Returned));
    }

    #[test]
    fn an_agreement_is_told_with_the_day_that_matters() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(Agreed::of(Vec::new(), now), Agreed::Nothing);
        assert_eq!((Agreed::Ended(now).word(), Agreed::Ended(now).at()), ("ended", Some(now)));
        assert_eq!((Agreed::InForce(None).word(), Agreed::InForce(None).at()), ("in_force", None));
        assert!(Agreed::InForce(None) < Agreed::Begins(now) && Agreed::Ended(now) < Agreed::Nothing);
    }
}
