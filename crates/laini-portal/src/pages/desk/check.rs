use std::sync::Arc;

use askama::Template;
use jiff::civil::Date;
use laini_core::desk::{HeldSeen, Judgement, Reason, Seen, SimSeen, SwapSeen, Thresholds, Verdict};
use laini_core::line::Msisdn;
use laini_core::partner::{App, AppStatus, Environment, Purpose};
use laini_office::Problem;
use laini_office::apps;
use laini_office::desk;
use laini_wire::checks::{CHECKS_PATH, CheckItem};
use serde_json::json;

use super::INVESTIGATES;
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::DeskWords;

/// The longest reference of a case, as the API takes it.
const REFERENCE_CHARS_MAX: usize = 128;

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/desk", INVESTIGATES, show).in_rail(Workspace::Investigate, |words| words.desk),
        Page::post("/desk", INVESTIGATES, check, show),
    ]
}

#[derive(Template)]
#[template(path = "desk/check.html")]
struct DeskPage<'a> {
    frame: Frame,
    words: &'static DeskWords,
    apps: Vec<AppChoice>,
    purposes: Vec<(&'static str, &'static str, bool)>,
    reference: &'a str,
    receipt: Option<Receipt>,
}

struct AppChoice {
    id: String,
    name: String,
    environment: &'static str,
    is_chosen: bool,
}

/// What a clerk keeps of a check: everything but the number.
struct Receipt {
    verdict: Shown,
    reasons: Vec<(Shown, String)>,
    masked: String,
    id: String,
    at: String,
    by: String,
    purpose: &'static str,
    reference: String,
    sim: Option<String>,
    as_of: Option<String>,
    charge: String,
    is_sandbox: bool,
}

/// A verdict as it is drawn: a word, a shape and a colour, each enough by itself.
#[derive(Clone, Copy)]
struct Shown {
    word: &'static str,
    shape: &'static str,
    class: &'static str,
}

impl Shown {
    fn of(verdict: Verdict, words: &DeskWords) -> Self {
        match verdict {
            Verdict::Allow => Self { word: words.allow, shape: "●", class: "allow" },
            Verdict::StepUp => Self { word: words.step_up, shape: "▲", class: "step-up" },
            Verdict::Hold => Self { word: words.hold, shape: "■", class: "hold" },
        }
    }
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    desk_page(&portal, &visit, None).await
}

async fn desk_page(portal: &Arc<Portal>, visit: &Arc<Visit>, receipt: Option<Receipt>) -> Result<Answer, Problem> {
    let words = &visit.language.words().desk;
    let apps = usable_apps(portal, visit).await?;
    let choice = |app: &App| AppChoice {
        id: app.id.to_string(),
        name: app.name.clone(),
        environment: app.environment.word(),
        is_chosen: app.id.to_string() == visit.field("app"),
    };
    let purposes = Purpose::ALL.into_iter().zip(words.purposes);
    let purposes = purposes.map(|(purpose, label)| (purpose.word(), label, visit.field("purpose") == purpose.word()));
    page(&DeskPage {
        frame: visit.frame(portal, words.title),
        words,
        apps: apps.iter().map(choice).collect(),
        purposes: purposes.collect(),
        reference: visit.field("reference"),
        receipt,
    })
}

/// The partner's apps that work, production first.
async fn usable_apps(portal: &Arc<Portal>, visit: &Arc<Visit>) -> Result<Vec<App>, Problem> {
    let all = portal.work(visit, |work, visit| apps::apps_of(work, visit.partner()?)).await?;
    let mut usable: Vec<App> = all.into_iter().map(|of| of.app).filter(|app| app.status == AppStatus::Active).collect();
    usable.sort_by_key(|app| app.environment != Environment::Production);
    Ok(usable)
}

async fn check(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let number = portal.office.settings.plan.parse(visit.field("number"));
    let number = number.map_err(|error| Problem::invalid("number", error.to_string()))?;
    let purpose = Purpose::parse(visit.field("purpose")).map_err(|_| Problem::invalid("purpose", "choose one"))?;
    let reference = visit.field("reference").to_owned();
    if reference.is_empty() || reference.chars().count() > REFERENCE_CHARS_MAX {
        return Err(Problem::invalid("reference", "the reference of the case is needed, 128 characters at most"));
    }
    let wanted = visit.field("app");
    let app = usable_apps(&portal, &visit).await?.into_iter().find(|app| app.id.to_string() == wanted);
    let app = app.ok_or(Problem::invalid("app", "choose one of your apps"))?;
    let admitted = portal.work(&visit, move |work, visit| {
        let partner = visit.partner()?;
        desk::admit(work, partner, &[number])?;
        desk::settings(work, partner)
    });
    let settings = admitted.await?;
    let mut asking = json!({"number": number.digits(), "purpose": purpose.word(), "reference": reference});
    if !visit.field("expect").is_empty() {
        asking["expect"] = visit.field("expect").into();
    }
    let asked = portal.ask(&visit, &app, CHECKS_PATH, &asking).await?;
    let item = asked.item().ok_or_else(|| Problem::not_now(asked.error_message()))?;
    let today = portal.office.settings.zone.to_datetime(visit.context.at).date();
    let words = &visit.language.words().desk;
    let judged = judge(&item, today, &settings.thresholds);
    let receipt = Receipt {
        verdict: Shown::of(judged.verdict, words),
        reasons: judged.reasons.iter().map(|(verdict, why)| (Shown::of(*verdict, words), words.reason(*why))).collect(),
        masked: masked(number),
        id: item.id,
        at: portal.shown(visit.context.at),
        by: visit.caller.as_ref().map(|caller| caller.name.clone()).unwrap_or_default(),
        purpose: words.purposes[Purpose::ALL.iter().position(|of| *of == purpose).unwrap_or(0)],
        reference,
        sim: item.sim.and_then(|sim| sim.pseudonym),
        as_of: item.as_of,
        charge: format!("{} {}", item.charge.currency, item.charge.amount),
        is_sandbox: app.environment == Environment::Sandbox,
    };
    desk_page(&portal, &visit, Some(receipt)).await
}

/// What an item tells, in the rules' own terms; a word that is not known is an unknown.
fn judge(item: &CheckItem, today: Date, by: &Thresholds) -> Judgement {
    let day = |on: &Option<String>| on.as_deref().and_then(|on| on.parse::<Date>().ok());
    let swap = item.swap.as_ref().map(|swap| match (swap.status.as_str(), day(&swap.on)) {
        ("swapped", Some(on)) => SwapSeen::On(on),
        ("not_swapped", _) => SwapSeen::None,
        _ => SwapSeen::Unknown,
    });
    let held = item.registration.as_ref().map(|held| match (held.status.as_str(), day(&held.on)) {
        ("within_window", Some(on)) => HeldSeen::Since(on),
        ("older", _) => HeldSeen::Longer,
        _ => HeldSeen::Unknown,
    });
    let sim = item.sim.as_ref().and_then(|sim| sim.compared.as_deref()).map(|compared| match compared {
        "same" => SimSeen::Same,
        "changed" => SimSeen::Changed,
        _ => SimSeen::Unknown,
    });
    let seen = Seen {
        is_served: item.line != "not_served",
        swap: swap.unwrap_or(SwapSeen::Unknown),
        held: held.unwrap_or(HeldSeen::Unknown),
        sim: sim.unwrap_or(SimSeen::NotExpected),
    };
    Judgement::of(&seen, today, by)
}

/// A number of which only the ends are shown.
fn masked(number: Msisdn) -> String {
    let digits = number.digits();
    let (start, rest) = digits.split_at(4.min(digits.len()));
    let (middle, end) = rest.split_at(rest.len().saturating_sub(3));
    format!("{start}{}{end}", "•".repeat(middle.len()))
}

impl DeskWords {
    /// A reason in a sentence.
    fn reason(&self, reason: Reason) -> String {
        let days = |days: u16, of: [&str; 3]| match days {
            0 => of[0].to_owned(),
            1 => of[1].to_owned(),
            more => of[2].replace("{}", &more.to_string()),
        };
        match reason {
            Reason::NotServed => self.not_served.to_owned(),
            Reason::SimChanged => self.sim_changed.to_owned(),
            Reason::SimUnknown => self.sim_unknown.to_owned(),
            Reason::SimSame => self.sim_same.to_owned(),
            Reason::Swapped(ago) => days(ago, self.swapped),
            Reason::SwapUnknown => self.swap_unknown.to_owned(),
            Reason::NotSwapped => self.not_swapped.to_owned(),
            Reason::Held(held) => days(held, self.held),
            Reason::AgeUnknown => self.age_unknown.to_owned(),
            Reason::HeldLonger => self.held_longer.to_owned(),
        }
    }
}
