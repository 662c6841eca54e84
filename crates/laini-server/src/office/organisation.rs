//! The organisation behind a partner.

use axum::http::Method;
use laini_office::organisation::{self, Details, Missing};
use laini_office::{Problem, Work};
use laini_wire::office::organisation::{OrganisationAnswer, OrganisationDetails};
use serde_json::{Value, json};

use super::described::{LOOKERS, PAPERS, operation, recast, taking};
use super::{Call, Endpoint, Noun, Reply};
use crate::openapi::{Answer, Operation, Schemas, collect};

const PATH: &str = "/office/v1/partners/{partner}/organisation";

pub(super) const NOUN: Noun = Noun {
    tag: "organisations",
    description: "The organisation behind a partner: what it is registered as, and how it is reached.",
    endpoints: || {
        vec![Endpoint::new(show_operation(), show_organisation), Endpoint::new(set_operation(), set_organisation)]
    },
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<OrganisationDetails>(&mut schemas);
    collect::<OrganisationAnswer>(&mut schemas);
    schemas
}

fn example() -> Value {
    let contact = json!({"name": "A. Wanjiru", "email": "a.wanjiru@bank.example", "phone": "+254 20 000 0000"});
    json!({
        "legal_name": "Example Bank Ltd", "registration_number": "PVT-2016-000001", "kra_pin": "P051234567Z",
        "data_protection_number": "ODPC-0001", "data_protection_expires": "2027-06-30",
        "physical_address": "Kenyatta Avenue 1, Nairobi", "billing_contact": contact, "technical_contact": contact,
    })
}

fn answer() -> Answer {
    let example = json!({
        "partner": "0000000000000002", "name": "Example Bank", "details": example(), "missing": ["document:tax_pin"],
    });
    Answer::ok("The organisation.", &["OrganisationAnswer"], example)
}

fn show_operation() -> Operation {
    operation("show_organisation", (Method::GET, PATH), "What is known of a partner's organisation", LOOKERS, answer())
}

fn set_operation() -> Operation {
    let summary = "Put other details in the place of those there are";
    let set = operation("set_organisation", (Method::PUT, PATH), summary, PAPERS, answer());
    taking(set, "OrganisationDetails", example())
}

fn show_organisation(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let partner = organisation::find_partner(work, call.partner()?)?;
    let details = organisation::details(work, partner.id)?;
    let missing = organisation::missing(work, partner.id)?.into_iter().map(Missing::word).collect();
    let details = recast("details", &details)?;
    Reply::ok(&OrganisationAnswer { partner: partner.id.to_string(), name: partner.name, details, missing })
}

fn set_organisation(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: OrganisationDetails = call.json()?;
    let partner = organisation::find_partner(work, call.partner()?)?;
    let details: Details = recast("details", &asked)?;
    let details = recast("details", &organisation::set_details(work, partner.id, details)?)?;
    let missing = organisation::missing(work, partner.id)?.into_iter().map(Missing::word).collect();
    Reply::ok(&OrganisationAnswer { partner: partner.id.to_string(), name: partner.name, details, missing })
}
