use axum::http::{Method, StatusCode};
use laini_core::partner::{AppId, AppProfile, May, MemberRole, Purpose, StaffRole};
use laini_office::apps::{AppPatch, add_sandbox_app, apps_of, change_app as change, set_budget, the_app};
use laini_office::{Problem, Work};
use laini_wire::office::apps::{AddAppRequest, AppsAnswer, ChangeAppRequest, SetBudgetRequest};
use serde_json::{Value, json};

use super::words::{answer, credentials, networks, products, read_budget, read_limits, read_product_limits};
use super::{CHANGES, Call, Endpoint, LOOKS, Reply, operation, taking};
use crate::openapi::{Answer, Operation};

const APPS: &str = "/office/v1/partners/{partner}/apps";
const APP: &str = "/office/v1/partners/{partner}/apps/{app}";

/// Who sets budgets.
const BUDGETS: May = May {
    members: &[MemberRole::Owner, MemberRole::Billing],
    staff: &[StaffRole::Admin, StaffRole::Support, StaffRole::Finance],
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(list_apps_operation(), list_apps),
        Endpoint::new(add_app_operation(), add_app),
        Endpoint::new(show_app_operation(), show_app),
        Endpoint::new(change_app_operation(), change_app),
        Endpoint::new(set_app_budget_operation(), set_app_budget),
    ]
}

/// An app as the examples show it.
pub(super) fn example() -> Value {
    json!({
        "app": "0000000000000003", "name": "transfers", "environment": "sandbox", "status": "active",
        "partner_status": "active", "consumer_key": "testAbCdEfGh0123456789", "purpose": "fraud_prevention",
        "secrets": [{
            "number": 0, "ending": "k3Qx", "created": "2026-11-01T08:00:00Z", "last_used": "2026-11-22T08:59:00Z",
        }],
        "products": [
            {"product": "imsi", "state": "on", "why": "the sandbox needs no agreement"},
            {"product": "swap", "state": "off", "why": "it is not ticked"},
            {"product": "age", "state": "off", "why": "it is not ticked"},
        ],
        "allowed_addresses": ["192.0.2.0/24"],
        "limits": {"per_second": 10, "burst": 20, "per_day": null, "per_month": null},
        "product_limits": [], "budget": null, "sentinel_with_time": null, "single_token": false,
        "result_addresses": [],
    })
}

fn list_apps_operation() -> Operation {
    let shown = Answer::ok("The apps.", &["AppsAnswer"], json!({"apps": [example()]}));
    operation("list_apps", (Method::GET, APPS), "A partner's apps", LOOKS, shown)
}

fn list_apps(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let apps = apps_of(work, call.partner()?)?;
    Reply::ok(&AppsAnswer { apps: apps.iter().map(answer).collect() })
}

fn add_app_operation() -> Operation {
    let shown = json!({
        "app": "0000000000000003", "consumer_key": "testAbCdEfGh0123456789", "consumer_secret": "…",
    });
    let made = Answer { status: StatusCode::CREATED, ..Answer::ok("Its credentials.", &["CredentialsAnswer"], shown) };
    let summary = "Make a sandbox app; its secret is shown once";
    let operation = operation("add_app", (Method::POST, APPS), summary, CHANGES, made);
    taking(operation, "AddAppRequest", json!({"name": "transfers", "products": ["imsi", "swap"]}))
}

fn add_app(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request: AddAppRequest = call.json()?;
    let ticked = products(&request.products)?;
    let (app, secret) = add_sandbox_app(work, call.partner()?, &request.name, ticked)?;
    Reply::created_once(&credentials(&app, &secret))
}

fn show_app_operation() -> Operation {
    let shown = Answer::ok("The app.", &["AppAnswer"], example());
    operation("show_app", (Method::GET, APP), "Everything about an app but its secrets", LOOKS, shown)
}

fn show_app(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let of = the_app(work, call.partner()?, call.id("app", AppId::parse)?)?;
    Reply::ok(&answer(&of))
}

fn change_app_operation() -> Operation {
    let summary = "Change an app's name, products, purpose, networks, limits or profile";
    let operation =
        operation("change_app", (Method::PATCH, APP), summary, CHANGES, Answer::no_content("It is changed."));
    taking(operation, "ChangeAppRequest", json!({"products": ["imsi"], "allowed_addresses": ["192.0.2.0/24"]}))
}

fn change_app(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, app) = (call.partner()?, call.id("app", AppId::parse)?);
    let request: ChangeAppRequest = call.json()?;
    let of = the_app(work, partner, app)?;
    let purpose = request.purpose.as_deref().map(Purpose::parse).transpose();
    let limits = match (request.limits, &request.product_limits) {
        (None, None) => None,
        (in_all, of_products) => Some((
            in_all.map(read_limits).transpose()?.unwrap_or(of.app.limits.in_all),
            of_products.as_deref().map(read_product_limits).transpose()?.unwrap_or(of.app.limits.products),
        )),
    };
    let patch = AppPatch {
        name: request.name,
        products: request.products.as_deref().map(products).transpose()?,
        purpose: purpose.map_err(|error| Problem::invalid("purpose", error.to_string()))?,
        allowed_addresses: request.allowed_addresses.as_deref().map(networks).transpose()?,
        limits,
        profile: request.single_token.map(|single_token| AppProfile { single_token, ..of.app.profile }),
    };
    change(work, partner, app, patch, request.reason.as_deref().unwrap_or_default())?;
    Ok(Reply::no_content())
}

fn set_app_budget_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/budget";
    let summary = "Set what an app may spend in a month";
    let answer = Answer::no_content("It is set.");
    let operation = operation("set_app_budget", (Method::PUT, path), summary, BUDGETS, answer);
    let budget = json!({
        "currency": "KES", "month_minor": 10_000_000, "warn_at_percent": [50, 80, 100], "overrun_percent": 20,
        "hard_stop": false,
    });
    taking(operation, "SetBudgetRequest", json!({"budget": budget}))
}

fn set_app_budget(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, app) = (call.partner()?, call.id("app", AppId::parse)?);
    let request: SetBudgetRequest = call.json()?;
    let budget = request.budget.map(read_budget).transpose()?;
    set_budget(work, partner, app, budget, request.reason.as_deref().unwrap_or_default())?;
    Ok(Reply::no_content())
}
