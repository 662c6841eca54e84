//! What partners owe, over HTTP: accounts, statements, ageing.

use axum::http::Method;
use jiff::ToSpan as _;
use laini_core::billing::{AccountStatement, Ageing};
use laini_office::payments::{self, today};
use laini_office::{Problem, Work};
use laini_wire::office::payments::{
    AccountAnswer, AgedAmounts, AgedPartner, AgeingAnswer, EntryAnswer, OwedAnswer, StatementAnswer,
};
use serde_json::json;

use super::described::{asking, in_query, operation, refusing};
use super::payments::params::{MAY_READ, MAY_READ_ALL, day_of};
use super::{Call, Endpoint, Noun, Reply};
use crate::http::ApiError;
use crate::openapi::{Answer, Operation, Parameter, Schemas, collect};

pub(super) const NOUN: Noun = Noun {
    tag: "statements",
    description: "What partners owe: accounts, statements of account, ageing.",
    endpoints: || {
        vec![
            Endpoint::new(show_account_operation(), show_account),
            Endpoint::new(show_statement_operation(), show_statement),
            Endpoint::new(show_ageing_operation(), show_ageing),
        ]
    },
    schemas,
};

/// What a statement can be asked for as.
const FILES: [&str; 3] = ["text/csv;charset=UTF-8", "text/html;charset=UTF-8", "application/pdf"];

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<AccountAnswer>(&mut schemas);
    collect::<StatementAnswer>(&mut schemas);
    collect::<AgeingAnswer>(&mut schemas);
    schemas
}

fn day(name: &'static str, description: &'static str) -> Parameter {
    in_query(name, description, json!({"type": "string", "format": "date"}))
}

fn show_account_operation() -> Operation {
    let invoice = json!({
        "invoice": 17, "issued": "2026-11-01", "due": "2026-12-01", "total_minor": 116_000, "open_minor": 16_000,
    });
    let example = json!({
        "on": "2026-11-22", "currency": "KES", "open_minor": 16_000, "overdue_minor": 0, "credit_minor": 0,
        "suspend_from": null, "invoices": [invoice],
    });
    operation(
        "show_account",
        (Method::GET, "/office/v1/partners/{partner}/account"),
        "What a partner owes today",
        MAY_READ,
        Answer::ok("The account.", &["AccountAnswer"], example),
    )
}

fn show_statement_operation() -> Operation {
    let entry = json!({
        "on": "2026-11-01", "entry": "invoice", "id": "17", "amount_minor": 116_000, "balance_minor": 116_000,
    });
    let example = json!({
        "from": "2026-11-01", "until": "2026-11-22", "currency": "KES", "opening_minor": 0, "entries": [entry],
        "closing_minor": 116_000,
    });
    let operation = operation(
        "show_statement",
        (Method::GET, "/office/v1/partners/{partner}/statement"),
        "A statement of account; as JSON, CSV, a page of HTML or PDF",
        MAY_READ,
        Answer { files: &FILES, ..Answer::ok("The statement.", &["StatementAnswer"], example) },
    );
    let formats = json!({"type": "string", "enum": ["json", "csv", "html", "pdf"]});
    let queries = [
        day("from", "The first day; without it, 90 days before the last."),
        day("until", "The last day; without it, today."),
        in_query("format", "Without it, json.", formats),
    ];
    refusing(asking(operation, queries), ApiError::InvalidField("from", "expected a day like 2026-11-22".into()))
}

fn show_ageing_operation() -> Operation {
    let amounts = json!({
        "not_due_minor": 16_000, "days_1_to_30_minor": 0, "days_31_to_60_minor": 0, "days_61_to_90_minor": 0,
        "over_90_days_minor": 0, "credit_minor": 0,
    });
    let partner = json!({"partner": "0000000000000002", "name": "Bank A", "amounts": amounts});
    let example = json!({"on": "2026-11-22", "currency": "KES", "partners": [partner], "all": amounts});
    let operation = operation(
        "show_ageing",
        (Method::GET, "/office/v1/ageing"),
        "What all partners owe, by how long it is overdue",
        MAY_READ_ALL,
        Answer::ok("The ageing.", &["AgeingAnswer"], example),
    );
    let no_day = ApiError::InvalidField("on", "expected a day like 2026-11-22".into());
    refusing(asking(operation, [day("on", "The day; without it, today.")]), no_day)
}

fn show_account(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let partner = payments::known_partner(work, call.partner()?)?.id;
    let account = payments::account(work, partner, today(work))?;
    let overdue = payments::overdue(work, partner)?;
    let owed = account.invoices.iter().map(|owed| OwedAnswer {
        invoice: owed.item.number,
        issued: owed.item.issued.to_string(),
        due: owed.item.due.to_string(),
        total_minor: owed.item.total.minor,
        open_minor: owed.open_minor,
    });
    Reply::ok(&AccountAnswer {
        on: account.on.to_string(),
        currency: account.currency.as_str().to_owned(),
        open_minor: account.open_minor().map_err(payments::uncountable)?,
        overdue_minor: overdue.amount_minor,
        credit_minor: account.credit_minor,
        suspend_from: overdue.suspend_from.map(|day| day.to_string()),
        invoices: owed.collect(),
    })
}

fn show_statement(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let until = day_of(call, "until")?.unwrap_or_else(|| today(work));
    let from = day_of(call, "from")?.unwrap_or_else(|| until.saturating_sub(90.days()));
    let partner = payments::known_partner(work, call.partner()?)?;
    let statement = payments::statement_between(work, partner.id, from, until)?;
    let name = |extension: &str| format!("statement-{}-{until}.{extension}", partner.id);
    match call.query("format").unwrap_or("json") {
        "json" => Reply::ok(&told(&statement)),
        "csv" => Ok(Reply::file(FILES[0], name("csv"), payments::statement_csv(&statement).into_bytes())),
        "html" => {
            let paper = payments::statement_paper(&work.office.settings.operator, &partner, &statement);
            Ok(Reply::file(FILES[1], name("html"), paper.html().into_bytes()))
        }
        "pdf" => {
            let paper = payments::statement_paper(&work.office.settings.operator, &partner, &statement);
            Ok(Reply::file(FILES[2], name("pdf"), paper.pdf()))
        }
        _ => Err(Problem::invalid("format", "expected json, csv, html, pdf")),
    }
}

fn told(statement: &AccountStatement) -> StatementAnswer {
    let entry = |entry: &laini_core::billing::Entry| EntryAnswer {
        on: entry.on.to_string(),
        entry: entry.kind.word().to_owned(),
        id: payments::entry_id(entry),
        amount_minor: entry.amount_minor,
        balance_minor: entry.balance_minor,
    };
    StatementAnswer {
        from: statement.from.to_string(),
        until: statement.until.to_string(),
        currency: statement.currency.as_str().to_owned(),
        opening_minor: statement.opening_minor,
        entries: statement.entries.iter().map(entry).collect(),
        closing_minor: statement.closing_minor,
    }
}

fn show_ageing(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let on = day_of(call, "on")?.unwrap_or_else(|| today(work));
    let (partners, all) = payments::ageing(work, on)?;
    let aged = |one: payments::PartnerAgeing| AgedPartner {
        partner: one.partner.to_string(),
        name: one.name,
        amounts: amounts(&one.ageing),
    };
    Reply::ok(&AgeingAnswer {
        on: on.to_string(),
        currency: work.office.settings.currency.as_str().to_owned(),
        partners: partners.into_iter().map(aged).collect(),
        all: amounts(&all),
    })
}

fn amounts(ageing: &Ageing) -> AgedAmounts {
    AgedAmounts {
        not_due_minor: ageing.not_due,
        days_1_to_30_minor: ageing.days_1_to_30,
        days_31_to_60_minor: ageing.days_31_to_60,
        days_61_to_90_minor: ageing.days_61_to_90,
        over_90_days_minor: ageing.over_90_days,
        credit_minor: ageing.credit,
    }
}
