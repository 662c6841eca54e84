use laini_office::Work;
use laini_office::desk::batch::{BatchRow, BatchState, Came, DeskBatch, Quote};
use laini_office::desk::{DeskAlarm, DeskCheck, Finding, masked};
use laini_wire::office::desk as wire;
use serde_json::{Value, json};

pub(super) fn batch(work: &Work<'_>, batch: &DeskBatch, quote: Option<&Quote>) -> wire::DeskBatchAnswer {
    let counts = batch.counts;
    wire::DeskBatchAnswer {
        batch: batch.id.to_string(),
        partner: batch.partner.to_string(),
        person: batch.person.to_string(),
        app: batch.app.to_string(),
        environment: batch.environment.word().to_owned(),
        purpose: batch.purpose.map(|purpose| purpose.word().to_owned()),
        reference: batch.started.map(|_| batch.reference(work)),
        state: batch.state.word().to_owned(),
        stopped: match &batch.state {
            BatchState::Stopped(why) => Some(why.clone()),
            BatchState::Draft | BatchState::Running | BatchState::Done => None,
        },
        waits: batch.waits.clone(),
        brought: batch.brought.to_string(),
        started: batch.started.map(|at| at.to_string()),
        ended: batch.ended.map(|at| at.to_string()),
        rows: counts.rows,
        duplicates: batch.duplicates,
        invalid: batch.invalid,
        allow: counts.allow,
        step_up: counts.step_up,
        hold: counts.hold,
        failed: counts.failed,
        charged: batch.charged().map(|charged| charged.to_string()).unwrap_or_default(),
        has_rows: batch.has_rows,
        quote: quote.map(|quote| wire::DeskQuoteAnswer {
            product: quote.product.word().to_owned(),
            each: quote.each.to_string(),
            free: quote.free,
            free_left: quote.free_left,
            cost: quote.cost.to_string(),
            is_sandbox: quote.is_sandbox,
        }),
    }
}

pub(super) fn finding(finding: &Finding) -> wire::DeskFindingAnswer {
    let reasons = finding.judgement.reasons.iter().map(|(verdict, reason)| wire::DeskReasonAnswer {
        reason: reason.word().to_owned(),
        days: reason.days(),
        verdict: verdict.word().to_owned(),
    });
    wire::DeskFindingAnswer {
        check: finding.check.clone(),
        at: finding.at.to_string(),
        verdict: finding.judgement.verdict.word().to_owned(),
        reasons: reasons.collect(),
        sim: finding.sim.clone(),
        as_of: finding.as_of.clone(),
        charge: finding.charge().map(|charge| charge.to_string()).unwrap_or_default(),
    }
}

pub(super) fn row(work: &Work<'_>, (number, row): (u32, BatchRow)) -> wire::DeskRowAnswer {
    let (state, failed, found) = match row.came {
        None => ("waiting", None, None),
        Some(Came::Failed(why)) => ("failed", Some(why), None),
        Some(Came::Found(found)) => ("answered", None, Some(finding(&found))),
    };
    wire::DeskRowAnswer {
        row: number,
        line: row.line,
        number: work.office.settings.plan.parse(&row.number).map(masked).unwrap_or_default(),
        reference: row.reference,
        enrolled: row.enrolled,
        amount: row.amount,
        name: row.name,
        state: state.to_owned(),
        failed,
        finding: found,
    }
}

pub(super) fn check(work: &Work<'_>, check: &DeskCheck) -> wire::DeskCheckAnswer {
    wire::DeskCheckAnswer {
        receipt: check.id.to_string(),
        person: check.person.to_string(),
        app: check.app.to_string(),
        environment: check.environment.word().to_owned(),
        purpose: check.purpose.word().to_owned(),
        reference: check.reference(work.office),
        number: check.masked.clone(),
        finding: finding(&check.finding),
    }
}

pub(super) fn alarm(alarm: &DeskAlarm) -> wire::DeskAlarmAnswer {
    let seen = alarm.seen.as_ref();
    wire::DeskAlarmAnswer {
        alarm: alarm.id.to_string(),
        person: alarm.person.to_string(),
        what: alarm.alarm.word().to_owned(),
        at: alarm.at.to_string(),
        seen_by: seen.map(|seen| seen.by.to_string()),
        seen_at: seen.map(|seen| seen.at.to_string()),
        explanation: seen.map(|seen| seen.explanation.clone()),
    }
}

pub(super) fn example_batch() -> Value {
    json!({
        "batch": "0000000000000007", "partner": "0000000000000002", "person": "0000000000000001",
        "app": "0000000000000003", "environment": "production", "purpose": null, "reference": null, "state": "draft",
        "stopped": null, "waits": null, "brought": "2026-11-28T08:00:00Z", "started": null, "ended": null, "rows": 48,
        "duplicates": 1, "invalid": 1, "allow": 0, "step_up": 0, "hold": 0, "failed": 0, "charged": "KES 0.00",
        "has_rows": true,
        "quote": {
            "product": "imsi", "each": "KES 20.00", "free": 0, "free_left": 0, "cost": "KES 960.00",
            "is_sandbox": false,
        },
    })
}

pub(super) fn example_finding() -> Value {
    json!({
        "check": "971f-4359-b611-6845a1be45ef280786", "at": "2026-11-28T08:00:00Z", "verdict": "hold",
        "reasons": [{"reason": "swapped", "days": 1, "verdict": "hold"}], "sim": "9233817055099406",
        "as_of": "2026-11-28T07:58:00Z", "charge": "KES 20.00",
    })
}
