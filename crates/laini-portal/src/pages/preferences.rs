use std::sync::Arc;

use laini_office::Problem;

use super::door::own_path;
use super::home;
use crate::answer::Answer;
use crate::code::CodeLanguage;
use crate::cookie;
use crate::language::Language;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Theme, Visit};

pub(super) fn pages() -> Vec<Page> {
    vec![Page::post("/preferences", Access::Anyone, choose, home::show)]
}

/// Takes a language, one of code or a theme, and goes back to where it was chosen.
async fn choose(_: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let mut answer = Answer::see_other(own_path(visit.field("next")));
    if let Some(language) = Language::parse(visit.field("language")) {
        answer = answer.with_cookie(cookie::choice(cookie::LANGUAGE, language.tag()));
    }
    if let Some(theme) = Theme::parse(visit.field("theme")) {
        answer = answer.with_cookie(cookie::choice(cookie::THEME, theme.word()));
    }
    if let Some(code) = CodeLanguage::parse(visit.field("code")) {
        answer = answer.with_cookie(cookie::choice(cookie::CODE, code.word));
    }
    Ok(answer)
}
