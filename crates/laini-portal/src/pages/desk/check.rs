use std::sync::Arc;

use askama::Template;
use laini_core::partner::{App, AppStatus, DeskCheckId, Environment, PartnerId, Purpose};
use laini_office::desk::{self, TypedCheck};
use laini_office::{Problem, Work, apps};
use laini_server::http::Asker;

use super::INVESTIGATES;
use super::receipt::{Receipt, names};
use crate::answer::Answer;
use crate::frame::Frame;
use crate::page::{Page, Workspace};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{DeskBatchWords, DeskHistoryWords, DeskWords};

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/desk", INVESTIGATES, show).in_rail(Workspace::Investigate, |words| words.desk),
        Page::post("/desk", INVESTIGATES, check, show),
        Page::get("/desk/history/{check}", INVESTIGATES, show_receipt),
        Page::post("/desk/history/{check}/reveal", INVESTIGATES, reveal, show_receipt),
    ]
}

#[derive(Template)]
#[template(path = "desk/check.html")]
struct DeskPage {
    frame: Frame,
    words: &'static DeskWords,
    history: &'static DeskHistoryWords,
    batch: &'static DeskBatchWords,
    partner: PartnerId,
    apps: Vec<AppChoice>,
    purposes: Vec<(&'static str, &'static str, bool)>,
    reference: String,
    receipt: Option<Receipt>,
    /// Where the number of the receipt is uncovered.
    reveal_at: String,
}

/// An app to ask in the name of.
pub(super) struct AppChoice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) environment: &'static str,
    pub(super) is_chosen: bool,
}

impl AppChoice {
    pub(super) fn all(apps: &[App], chosen: &str) -> Vec<Self> {
        let choice = |app: &App| Self {
            id: app.id.to_string(),
            name: app.name.clone(),
            environment: app.environment.word(),
            is_chosen: app.id.to_string() == chosen,
        };
        apps.iter().map(choice).collect()
    }
}

/// The purposes of a form, and whether each is chosen.
pub(super) fn purposes(words: &DeskWords, chosen: &str) -> Vec<(&'static str, &'static str, bool)> {
    let all = Purpose::ALL.into_iter().zip(words.purposes);
    all.map(|(purpose, label)| (purpose.word(), label, chosen == purpose.word())).collect()
}

async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let said = Said {
        app: visit.field("app").to_owned(),
        purpose: visit.field("purpose").to_owned(),
        reference: visit.field("reference").to_owned(),
    };
    desk_page(&portal, &visit, said, None).await
}

/// What the form was filled with before.
struct Said {
    app: String,
    purpose: String,
    reference: String,
}

async fn desk_page(
    portal: &Arc<Portal>,
    visit: &Arc<Visit>,
    said: Said,
    receipt: Option<(DeskCheckId, Receipt)>,
) -> Result<Answer, Problem> {
    let all = visit.language.words();
    let (words, history) = (&all.desk, &all.desk_history);
    let apps = usable_apps(portal, visit).await?;
    let title = if receipt.is_some() { history.receipt } else { words.title };
    let reveal_at = receipt.as_ref().map(|(id, _)| format!("/desk/history/{id}/reveal")).unwrap_or_default();
    // What was asked, or would be: by the app that the form names, or by the first of its list.
    let environment = match &receipt {
        Some((_, receipt)) if receipt.is_sandbox => Some(Environment::Sandbox),
        Some(_) => Some(Environment::Production),
        None => apps.iter().find(|app| app.id.to_string() == said.app).or(apps.first()).map(|app| app.environment),
    };
    page(&DeskPage {
        frame: visit.frame(portal, title).about(environment),
        words,
        history,
        batch: &all.desk_batch,
        partner: visit.partner()?,
        apps: AppChoice::all(&apps, &said.app),
        purposes: purposes(words, &said.purpose),
        reference: said.reference,
        receipt: receipt.map(|(_, receipt)| receipt),
        reveal_at,
    })
}

/// The partner's apps that work, production first.
pub(super) async fn usable_apps(portal: &Arc<Portal>, visit: &Arc<Visit>) -> Result<Vec<App>, Problem> {
    let all = portal.work(visit, |work, visit| apps::apps_of(work, visit.partner()?)).await?;
    let mut usable: Vec<App> = all.into_iter().map(|of| of.app).filter(|app| app.status == AppStatus::Active).collect();
    usable.sort_by_key(|app| app.environment != Environment::Production);
    Ok(usable)
}

/// The app that the form names.
pub(super) async fn chosen_app(portal: &Arc<Portal>, visit: &Arc<Visit>) -> Result<App, Problem> {
    let wanted = visit.field("app");
    let app = usable_apps(portal, visit).await?.into_iter().find(|app| app.id.to_string() == wanted);
    app.ok_or(Problem::invalid("app", "choose one of your apps"))
}

/// The purpose that the form names.
pub(super) fn chosen_purpose(visit: &Visit) -> Result<Purpose, Problem> {
    Purpose::parse(visit.field("purpose")).map_err(|_| Problem::invalid("purpose", "choose one"))
}

async fn check(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let said = |name| visit.field(name).to_owned();
    let (number, app, purpose) = (said("number"), said("app"), said("purpose"));
    let typed = TypedCheck { number, app, purpose, reference: said("reference"), expect: said("expect") };
    let begin = move |work: &mut Work<'_>, visit: &Visit| desk::begin_check(work, visit.partner()?, &typed);
    let about = portal.work(&visit, begin).await?;
    let asker = Asker::from(&visit.context);
    let told = laini_server::desk::ask(&portal.inside, &portal.office, asker, &about, None).await?;
    let keep = move |work: &mut Work<'_>, visit: &Visit| desk::keep_check(work, visit.partner()?, &about, told.clone());
    let kept = portal.work(&visit, keep).await?;
    Ok(Answer::see_other(format!("/desk/history/{}", kept.id)))
}

async fn show_receipt(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    receipt_page(&portal, &visit, None).await
}

async fn receipt_page(portal: &Arc<Portal>, visit: &Arc<Visit>, number: Option<String>) -> Result<Answer, Problem> {
    let id = visit.id("check", DeskCheckId::parse)?;
    let found = portal.work(visit, move |work, visit| {
        let check = desk::check(work, visit.partner()?, id)?;
        let by = names(work, [check.person])?.remove(&check.person).unwrap_or_default();
        Ok((check, by))
    });
    let (check, by) = found.await?;
    let receipt = Receipt { number, ..Receipt::of_check(portal, visit.language.words(), &check, by) };
    let said = Said {
        app: check.app.to_string(),
        purpose: check.purpose.word().to_owned(),
        reference: receipt.reference.clone(),
    };
    desk_page(portal, visit, said, Some((id, receipt))).await
}

/// Uncovers the number of a receipt on the page that answers, and nowhere else.
async fn reveal(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let id = visit.id("check", DeskCheckId::parse)?;
    let reveal = move |work: &mut Work<'_>, visit: &Visit| {
        desk::reveal_check(work, visit.partner()?, id, visit.field("reason")).map(|number| number.to_string())
    };
    let number = portal.work(&visit, reveal).await?;
    receipt_page(&portal, &visit, Some(number)).await
}
