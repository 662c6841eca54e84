//! What the operations of payments, statements and balances have in common.

use axum::http::Method;
use jiff::civil::Date;
use laini_core::billing::Currency;
use laini_core::partner::{May, MemberRole, StaffRole};
use laini_office::{Problem, Work};
use serde_json::{Value, json};

use crate::office::Call;
use crate::openapi::{Access, Answer, Body, Operation, Parameter};

/// Who looks at what a partner owes.
pub(in crate::office) const MAY_READ: May = May {
    members: &[MemberRole::Owner, MemberRole::Billing],
    staff: &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor],
};
/// Who looks at what all partners owe.
pub(in crate::office) const MAY_READ_ALL: May =
    May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance, StaffRole::Auditor] };
/// Who says what was paid.
pub(in crate::office) const MAY_ACT: May = May { members: &[], staff: &[StaffRole::Admin, StaffRole::Finance] };
/// Who registers a certificate.
pub(in crate::office) const MAY_REGISTER: May =
    May { members: &[MemberRole::Owner, MemberRole::Billing], staff: &[StaffRole::Admin, StaffRole::Finance] };

/// An operation with the parameters that its path names.
pub(in crate::office) fn operation(
    id: &'static str,
    (method, path): (Method, &'static str),
    summary: &'static str,
    may: May,
    answer: Answer,
) -> Operation {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &'static str| Parameter {
        name,
        place: "path",
        required: true,
        description: "An id.",
        schema: json!({"type": "string", "pattern": "^[0-9a-f]{16}$"}),
    };
    let parameters = names.map(parameter).collect();
    Operation { parameters, ..Operation::new(id, (method, path), summary, Access::Session(may), answer) }
}

/// With a body.
pub(in crate::office) fn taking(operation: Operation, schema: &'static str, example: Value) -> Operation {
    Operation { body: Some(Body::json(schema, example)), ..operation }
}

/// With parameters of the query.
pub(in crate::office) fn asking(mut operation: Operation, queries: Vec<Parameter>) -> Operation {
    operation.parameters.extend(queries);
    operation
}

/// A parameter of the query.
pub(in crate::office) fn query(name: &'static str, description: &'static str, schema: Value) -> Parameter {
    Parameter { name, place: "query", required: false, description, schema }
}

/// Which page of a list.
pub(in crate::office) fn page() -> Vec<Parameter> {
    vec![
        query("after", "The next of the page before.", json!({"type": "string"})),
        query("limit", "How many at most.", json!({"type": "integer", "minimum": 1, "maximum": 500})),
    ]
}

/// A day.
pub(in crate::office) fn day(field: &'static str, text: &str) -> Result<Date, Problem> {
    text.parse().map_err(|_| Problem::invalid(field, "expected a day like 2026-11-22"))
}

/// A day of the query.
pub(in crate::office) fn day_of(call: &Call, name: &'static str) -> Result<Option<Date>, Problem> {
    call.query(name).map(|text| day(name, text)).transpose()
}

/// There is but one currency.
pub(in crate::office) fn own_currency(work: &Work<'_>, currency: &str) -> Result<(), Problem> {
    let own = work.office.settings.currency;
    if Currency::parse(currency) == Ok(own) {
        return Ok(());
    }
    Err(Problem::invalid("currency", format!("the accounts here are in {}", own.as_str())))
}
