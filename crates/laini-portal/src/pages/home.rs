//! The start: a look-up that needs no account, on made-up numbers.

use std::sync::Arc;

use askama::Template;
use laini_core::partner::{Environment, Product};
use laini_core::sandbox::ready_number;
use laini_office::Problem;

use super::docs::{address, check_in_code};
use crate::answer::Answer;
use crate::asking::Both;
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::said::Said;
use crate::visit::{Visit, page};
use crate::words::TryWords;

pub(super) fn pages() -> Vec<Page> {
    vec![Page::get("/", Access::Anyone, show), Page::post("/try", Access::Anyone, try_number, show)]
}

#[derive(Template)]
#[template(path = "public/home.html")]
struct HomePage {
    frame: Frame,
    words: &'static TryWords,
    can_try: bool,
    personas: Vec<PersonaCard>,
    number: String,
    result: Option<TryResult>,
}

/// A number that is ready, with what happens to it.
struct PersonaCard {
    number: String,
    about: &'static str,
}

#[derive(Template)]
#[template(path = "public/try_result.html")]
struct TryResult {
    words: &'static TryWords,
    both: Both,
    said: Option<Said>,
    /// What the same in a terminal is called,
    elsewhere: &'static str,
    /// where that asks,
    address: String,
    /// and the check in each language: HTML.
    codes: String,
}

pub(super) async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    home(&portal, &visit, None)
}

async fn try_number(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let visitors = portal.visitors.ok_or(Problem::not_now("this server lets nobody try numbers without an account"))?;
    let number = portal.office.settings.plan.parse(visit.field("number"));
    let number = number.map_err(|error| Problem::invalid("number", error.to_string()))?;
    let app = portal.app(&visit, visitors).await?;
    let both = portal.ask_both(&visit, &app, &number.digits()).await?;
    let words = &visit.language.words().try_it;
    let said = both.clear.item().map(|item| Said::of(&item, &words.said));
    let codes = check_in_code(&portal, &visit, Product::Imsi, &number.digits());
    let elsewhere = visit.language.words().apps.elsewhere;
    let address = address(&portal).unwrap_or_else(|| "$LAINI".to_owned());
    let result = TryResult { words, both, said, elsewhere, address, codes };
    if visit.is_part { page(&result) } else { home(&portal, &visit, Some(result)) }
}

fn home(portal: &Portal, visit: &Visit, result: Option<TryResult>) -> Result<Answer, Problem> {
    let words = &visit.language.words().try_it;
    let plan = portal.office.settings.plan;
    let personas = words
        .ready
        .iter()
        .filter_map(|(behind, about)| Some(PersonaCard { number: ready_number(*behind, plan)?.digits(), about }));
    page(&HomePage {
        frame: visit.frame(portal, words.title).about(portal.visitors.map(|_| Environment::Sandbox)),
        words,
        can_try: portal.visitors.is_some(),
        personas: personas.collect(),
        number: visit.field("number").to_owned(),
        result,
    })
}
