use axum::http::{Method, StatusCode};
use laini_core::partner::{AppId, DebtNoticeId, May, MemberRole, PartnerId, StaffRole};
use laini_office::apps::{self, DebtNotice, Why};
use laini_office::{Problem, Work};
use laini_wire::office::ReasonRequest;
use laini_wire::office::apps::{
    DebtNoticeAnswer, DebtNoticeRequest, DebtNoticesAnswer, PartnerLimitsRequest, StandingAnswer, SuspendPartnerRequest,
};
use serde_json::{Value, json};

use super::words::{instant, read_limits};
use super::{Call, Endpoint, Reply, operation, paged, taking};
use crate::openapi::{Answer, Operation};

/// Who suspends and resumes apps: what the operator suspended no partner resumes.
const STOPS_APPS: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Support] };
/// Who ends an app for good.
const ENDS_APPS: May = May { members: &[MemberRole::Owner], staff: &[StaffRole::Admin, StaffRole::Support] };
/// Who suspends and resumes partners.
const STOPS_PARTNERS: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Support, StaffRole::Finance] };
/// Who ends partners.
const ENDS_PARTNERS: May = May { members: &[], staff: &[StaffRole::Admin] };
/// Who gives notice of debt,
const GIVES_NOTICE: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance] };
/// and who sees it.
const SEES_NOTICE: May = May { members: &[MemberRole::Owner, MemberRole::Billing], staff: &StaffRole::ALL };

const NOTICES: &str = "/office/v1/partners/{partner}/debt-notices";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(suspend_app_operation(), suspend_app),
        Endpoint::new(resume_app_operation(), resume_app),
        Endpoint::new(terminate_app_operation(), terminate_app),
        Endpoint::new(suspend_partner_operation(), suspend_partner),
        Endpoint::new(resume_partner_operation(), resume_partner),
        Endpoint::new(terminate_partner_operation(), terminate_partner),
        Endpoint::new(limit_partner_operation(), limit_partner),
        Endpoint::new(list_debt_notices_operation(), list_debt_notices),
        Endpoint::new(give_debt_notice_operation(), give_debt_notice),
        Endpoint::new(withdraw_debt_notice_operation(), withdraw_debt_notice),
    ]
}

fn with_reason(id: &'static str, path: &'static str, summary: &'static str, may: May, status: &str) -> Operation {
    let answer = Answer::ok("How it stands.", &["StandingAnswer"], json!({"status": status}));
    let operation = operation(id, (Method::POST, path), summary, may, answer);
    taking(operation, "ReasonRequest", json!({"reason": "ticket 4711"}))
}

fn standing(status: &str) -> Result<Reply, Problem> {
    Reply::ok(&StandingAnswer { status: status.to_owned() })
}

type OnApp = fn(&mut Work<'_>, PartnerId, AppId, &str) -> Result<(), Problem>;

fn on_app(work: &mut Work<'_>, call: &Call, done: OnApp, status: &str) -> Result<Reply, Problem> {
    let (partner, app) = (call.partner()?, call.id("app", AppId::parse)?);
    let request: ReasonRequest = call.json()?;
    done(work, partner, app, &request.reason)?;
    standing(status)
}

fn suspend_app_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/suspend";
    with_reason("suspend_app", path, "Refuse an app until it is resumed", STOPS_APPS, "suspended")
}

fn suspend_app(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    on_app(work, call, apps::suspend_app, "suspended")
}

fn resume_app_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/resume";
    with_reason("resume_app", path, "Answer a suspended app again", STOPS_APPS, "active")
}

fn resume_app(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    on_app(work, call, apps::resume_app, "active")
}

fn terminate_app_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/terminate";
    with_reason("terminate_app", path, "End an app for good", ENDS_APPS, "terminated")
}

fn terminate_app(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    on_app(work, call, apps::terminate_app, "terminated")
}

fn suspend_partner_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/suspend";
    let answer = Answer::ok("How it stands.", &["StandingAnswer"], json!({"status": "suspended"}));
    let summary = "Refuse all apps of a partner until it is resumed; for debt only once a notice has taken effect";
    let operation = operation("suspend_partner", (Method::POST, path), summary, STOPS_PARTNERS, answer);
    taking(operation, "SuspendPartnerRequest", json!({"because": "other", "reason": "ticket 4711"}))
}

fn suspend_partner(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let partner = call.partner()?;
    let request: SuspendPartnerRequest = call.json()?;
    let because = match request.because.as_str() {
        "debt" => Why::Debt,
        "other" => Why::Other,
        _ => return Err(Problem::invalid("because", "expected debt or other")),
    };
    apps::suspend_partner(work, partner, because, &request.reason)?;
    standing("suspended")
}

fn resume_partner_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/resume";
    with_reason("resume_partner", path, "Answer a suspended partner's apps again", STOPS_PARTNERS, "active")
}

fn resume_partner(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request: ReasonRequest = call.json()?;
    apps::resume_partner(work, call.partner()?, &request.reason)?;
    standing("active")
}

fn terminate_partner_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/terminate";
    let summary = "End all apps of a partner for good, and the partner with them";
    with_reason("terminate_partner", path, summary, ENDS_PARTNERS, "terminated")
}

fn terminate_partner(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request: ReasonRequest = call.json()?;
    apps::terminate_partner(work, call.partner()?, &request.reason)?;
    standing("terminated")
}

fn example() -> Value {
    json!({
        "notice": "0000000000000005", "sent": "2026-11-22T09:00:00Z", "effective": "2026-12-06T09:00:00Z",
        "reason": "invoice 17 is 45 days late", "withdrawn": null,
    })
}

fn answer(notice: &DebtNotice) -> DebtNoticeAnswer {
    DebtNoticeAnswer {
        notice: notice.id.to_string(),
        sent: instant(notice.sent),
        effective: instant(notice.effective),
        reason: notice.reason.clone(),
        withdrawn: notice.withdrawn.map(instant),
    }
}

fn limit_partner_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/limits";
    let answer = Answer::no_content("Running servers go by it within a second.");
    let summary = "Set how many numbers all production apps of a partner may ask about together";
    let operation = operation("limit_partner", (Method::PUT, path), summary, STOPS_APPS, answer);
    let limits = json!({"per_second": 50, "burst": 100, "per_day": 100_000});
    taking(operation, "PartnerLimitsRequest", json!({"limits": limits, "reason": "ticket 4711"}))
}

fn limit_partner(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request: PartnerLimitsRequest = call.json()?;
    apps::limit_partner(work, call.partner()?, read_limits(request.limits)?, &request.reason)?;
    Ok(Reply::no_content())
}

fn list_debt_notices_operation() -> Operation {
    let shown = Answer::ok("A page.", &["DebtNoticesAnswer"], json!({"notices": [example()], "next": null}));
    let summary = "Notices of debt, newest first";
    paged(operation("list_debt_notices", (Method::GET, NOTICES), summary, SEES_NOTICE, shown))
}

fn list_debt_notices(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let found = work.find::<DebtNotice>("partner", call.partner()?, true, call.page()?)?;
    let notices = found.items.iter().map(answer).collect();
    Reply::ok(&DebtNoticesAnswer { notices, next: found.next.map(|next| next.to_string()) })
}

fn give_debt_notice_operation() -> Operation {
    let given = Answer { status: StatusCode::CREATED, ..Answer::ok("The notice.", &["DebtNoticeAnswer"], example()) };
    let summary = "Give a partner notice that it is suspended if it does not pay";
    let operation = operation("give_debt_notice", (Method::POST, NOTICES), summary, GIVES_NOTICE, given);
    taking(operation, "DebtNoticeRequest", json!({"days": 14, "reason": "invoice 17 is 45 days late"}))
}

fn give_debt_notice(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let request: DebtNoticeRequest = call.json()?;
    let notice = apps::give_debt_notice(work, call.partner()?, request.days, &request.reason)?;
    Reply::created(&answer(&notice))
}

fn withdraw_debt_notice_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/debt-notices/{notice}/withdraw";
    let shown = Answer::ok("The notice.", &["DebtNoticeAnswer"], example());
    operation("withdraw_debt_notice", (Method::POST, path), "Withdraw a notice of debt", GIVES_NOTICE, shown)
}

fn withdraw_debt_notice(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let notice = call.id("notice", DebtNoticeId::parse)?;
    Reply::ok(&answer(&apps::withdraw_debt_notice(work, call.partner()?, notice)?))
}
