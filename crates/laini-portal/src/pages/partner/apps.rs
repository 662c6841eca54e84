//! A partner and its apps as staff stand to them: suspended, resumed, ended, and how much they may ask.

use std::num::NonZeroU32;
use std::sync::Arc;

use askama::Template;
use laini_core::partner::{App, AppId, AppStatus, Limits, May, PartnerId, PartnerStatus, Product, Rate, StaffRole};
use laini_office::apps::{self, AppPatch, PartnerEnd, Why};
use laini_office::{Problem, Work, organisation};

use super::debt::{self, DebtShown, GIVES_NOTICE};
use super::terms_form::number;
use super::{Head, may, path_of};
use crate::answer::Answer;
use crate::fields::{Fields, field};
use crate::frame::Frame;
use crate::page::{Access, Page};
use crate::portal::Portal;
use crate::visit::{Visit, page};
use crate::words::{PartnerAppsWords, PayingWords};

/// All staff look.
const STAFF: Access = Access::SignedIn(May::STAFF);
/// Who suspends, resumes, ends and limits apps.
const STOPS_APPS: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Support] });
/// Who suspends and resumes partners,
const STOPS_PARTNERS: Access =
    Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Support, StaffRole::Finance] });
/// who sees the pages of prices,
const PRICES: Access =
    Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor] });
/// and who ends them.
const ENDS_PARTNERS: Access = Access::SignedIn(May { members: &[], staff: &[StaffRole::Admin] });

pub(super) fn pages() -> Vec<Page> {
    vec![
        Page::get("/partners/{partner}/apps", STAFF, show),
        Page::post("/partners/{partner}/standing", STOPS_PARTNERS, stand, show),
        Page::post("/partners/{partner}/terminate", ENDS_PARTNERS, terminate, show),
        Page::post("/partners/{partner}/limits", STOPS_APPS, limit, show),
        Page::post("/partners/{partner}/apps/{app}/standing", STOPS_APPS, stand_app, show),
        Page::post("/partners/{partner}/apps/{app}/limits", STOPS_APPS, limit_app, show),
    ]
}

#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no of each thing")]
#[derive(Template)]
#[template(path = "partner/apps.html")]
struct AppsPage {
    frame: Frame,
    words: &'static PartnerAppsWords,
    paying: &'static PayingWords,
    head: Head,
    status: &'static str,
    is_active: bool,
    is_ended: bool,
    limits: LimitsShown,
    apps: Vec<AppRow>,
    debt: DebtShown,
    can_stop: bool,
    can_give_notice: bool,
    can_end: bool,
    can_stop_apps: bool,
    /// Where its prices are, for whoever looks.
    prices: String,
}

struct AppRow {
    id: AppId,
    name: String,
    environment: &'static str,
    status: &'static str,
    tone: &'static str,
    is_active: bool,
    is_revoked: bool,
    key: String,
    last_used: String,
    limits: LimitsShown,
    products: Vec<(Product, LimitsShown)>,
}

/// Limits as they stand in the fields of a form.
struct LimitsShown {
    in_words: String,
    fields: Fields,
}

impl LimitsShown {
    fn of(limits: Limits, words: &PartnerAppsWords) -> Self {
        let shown = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
        let rate = limits.rate.map(|rate| u64::from(rate.per_second.get()));
        let named = [(rate, words.a_second), (limits.per_day, words.a_day), (limits.per_month, words.a_month)];
        let in_words: Vec<_> =
            named.into_iter().filter_map(|(count, time)| Some(format!("{} {time}", count?))).collect();
        let burst = limits.rate.map(|rate| u64::from(rate.burst.get()));
        let fields = Fields::of_pairs(vec![
            field("per_second", shown(rate)),
            field("burst", shown(burst)),
            field("per_day", shown(limits.per_day)),
            field("per_month", shown(limits.per_month)),
        ]);
        let in_words = if in_words.is_empty() { words.no_limit.to_owned() } else { in_words.join(", ") };
        Self { in_words, fields }
    }
}

pub(super) async fn show(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let found = portal.work(&visit, |work, visit| {
        let partner = organisation::find_partner(work, visit.partner()?)?;
        let is_ended = work.look::<PartnerEnd>(partner.id)?.is_some();
        let apps = apps::apps_of(work, partner.id)?;
        let debt = debt::known(work, partner.id)?;
        Ok((partner, is_ended, apps, debt))
    });
    let (partner, is_ended, apps, debt) = found.await?;
    let words = &visit.language.words().partner_apps;
    page(&AppsPage {
        frame: visit.frame(&portal, words.title),
        words,
        paying: &visit.language.words().paying,
        debt: DebtShown::of(&debt, &portal, &visit),
        can_give_notice: may(&visit, &GIVES_NOTICE),
        status: if is_ended { words.ended } else { words.partner_status(partner.status) },
        is_active: partner.status == PartnerStatus::Active,
        is_ended,
        limits: LimitsShown::of(partner.limits, words),
        apps: apps.iter().map(|of| row(&portal, words, &of.app)).collect(),
        can_stop: may(&visit, &STOPS_PARTNERS),
        can_end: may(&visit, &ENDS_PARTNERS),
        can_stop_apps: may(&visit, &STOPS_APPS),
        prices: if may(&visit, &PRICES) {
            format!("/operate/prices/{}", partner.id)
        } else {
            path_of(partner.id, "agreements")
        },
        head: Head::new(&visit, (partner.id, partner.name), "apps"),
    })
}

fn row(portal: &Portal, words: &PartnerAppsWords, app: &App) -> AppRow {
    let used = app.secrets.iter().filter_map(|secret| secret.used).max();
    let limit_of = |product: Product| {
        let own = app.limits.products.iter().find(|(limited, _)| *limited == product);
        (product, LimitsShown::of(own.map_or(Limits::NONE, |(_, limits)| *limits), words))
    };
    AppRow {
        id: app.id,
        name: app.name.clone(),
        environment: app.environment.word(),
        status: app.status.word(),
        tone: match app.status {
            AppStatus::Active => "go",
            AppStatus::Suspended => "care",
            AppStatus::Revoked => "stop",
        },
        is_active: app.status == AppStatus::Active,
        is_revoked: app.status == AppStatus::Revoked,
        key: app.consumer_key.as_str().to_owned(),
        last_used: used.map(|at| portal.shown(at)).unwrap_or_default(),
        limits: LimitsShown::of(app.limits.in_all, words),
        products: app.products.iter().map(limit_of).collect(),
    }
}

async fn stand(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| {
            let (partner, reason) = (visit.partner()?, visit.field("reason"));
            match visit.field("to") {
                "suspend" => apps::suspend_partner(work, partner, Why::Other, reason),
                "suspend_for_debt" => apps::suspend_partner(work, partner, Why::Debt, reason),
                "resume" => apps::resume_partner(work, partner, reason),
                _ => Err(Problem::invalid("to", "expected suspend, suspend_for_debt or resume")),
            }
        })
        .await?;
    back(&visit)
}

async fn terminate(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let end = |work: &mut Work<'_>, visit: &Visit| {
        let partner = organisation::find_partner(work, visit.partner()?)?;
        if visit.field("name") != partner.name {
            return Err(Problem::invalid("name", "type the partner's name, so that the right one is ended"));
        }
        apps::terminate_partner(work, partner.id, visit.field("reason"))
    };
    portal.work(&visit, end).await?;
    back(&visit)
}

async fn limit(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    portal
        .work(&visit, |work, visit| apps::limit_partner(work, visit.partner()?, limits(visit)?, visit.field("reason")))
        .await?;
    back(&visit)
}

type OnApp = fn(&mut Work<'_>, PartnerId, AppId, &str) -> Result<(), Problem>;

async fn stand_app(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let app = visit.id("app", AppId::parse)?;
    portal
        .work(&visit, move |work, visit| {
            let done: OnApp = match visit.field("to") {
                "suspend" => apps::suspend_app,
                "resume" => apps::resume_app,
                "terminate" => apps::terminate_app,
                _ => return Err(Problem::invalid("to", "expected suspend, resume or terminate")),
            };
            done(work, visit.partner()?, app, visit.field("reason"))
        })
        .await?;
    back(&visit)
}

/// Limits an app in all, or one of its products.
async fn limit_app(portal: Arc<Portal>, visit: Arc<Visit>) -> Result<Answer, Problem> {
    let app = visit.id("app", AppId::parse)?;
    portal
        .work(&visit, move |work, visit| {
            let partner = visit.partner()?;
            let present = apps::the_app(work, partner, app)?.app.limits;
            let (mut in_all, mut products) = (present.in_all, present.products);
            match visit.field("product") {
                "" => in_all = limits(visit)?,
                word => {
                    let product = Product::parse(word).map_err(|_| Problem::NotFound("product"))?;
                    products.retain(|(limited, _)| *limited != product);
                    let own = limits(visit)?;
                    products.extend((own != Limits::NONE).then_some((product, own)));
                    products.sort_by_key(|(product, _)| *product);
                }
            }
            let patch = AppPatch { limits: Some((in_all, products)), ..AppPatch::default() };
            apps::change_app(work, partner, app, patch, visit.field("reason"))
        })
        .await?;
    back(&visit)
}

fn limits(visit: &Visit) -> Result<Limits, Problem> {
    let per_second: Option<NonZeroU32> = number(visit, "per_second")?;
    let burst: Option<NonZeroU32> = number(visit, "burst")?;
    let rate = per_second.map(|per_second| Rate { per_second, burst: burst.unwrap_or(per_second) });
    Ok(Limits { rate, per_day: number(visit, "per_day")?, per_month: number(visit, "per_month")? })
}

fn back(visit: &Visit) -> Result<Answer, Problem> {
    Ok(Answer::see_other(path_of(visit.partner()?, "apps")))
}

impl PartnerAppsWords {
    fn partner_status(&self, status: PartnerStatus) -> &'static str {
        match status {
            PartnerStatus::Active => self.active,
            PartnerStatus::Suspended => self.suspended,
        }
    }
}
