use axum::http::{Method, StatusCode};
use laini_core::partner::{AppId, ResultAddress, ResultAddressId};
use laini_office::apps::{
    add_result_address as add, note_proof, remove_result_address as remove, roll_secret, the_address,
};
use laini_office::{Problem, Work};
use laini_wire::office::apps::{AddResultAddressRequest, SigningSecretAnswer};
use serde_json::{Value, json};

use super::words::result_address;
use super::{Beside, CHANGES, Call, Endpoint, Reply, operation, taking};
use crate::delivery::signing_secret;
use crate::openapi::{Answer, Operation};

const ADDRESS: &str = "/office/v1/partners/{partner}/apps/{app}/result-addresses/{address}";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(add_result_address_operation(), add_result_address),
        Endpoint::new(prove_result_address_operation(), prove_result_address).beside(Beside::Challenge),
        Endpoint::new(roll_signing_secret_operation(), roll_signing_secret),
        Endpoint::new(remove_result_address_operation(), remove_result_address),
    ]
}

fn example() -> Value {
    let (address, url) = ("0000000000000004", "https://bank.example/laini");
    json!({"address": address, "url": url, "proven": "2026-11-22T08:00:00Z", "previous_until": null})
}

fn with_secret(description: &'static str) -> Answer {
    let shown = json!({"address": example(), "signing_secret": "whsec_…"});
    Answer { status: StatusCode::CREATED, ..Answer::ok(description, &["SigningSecretAnswer"], shown) }
}

fn secret_of(work: &Work<'_>, address: &ResultAddress) -> Result<Reply, Problem> {
    let secret = signing_secret(&work.office.keys, address.id, address.secret_generation);
    let signing_secret = secret.to_string();
    Reply::created_once(&SigningSecretAnswer { address: result_address(address), signing_secret })
}

fn add_result_address_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/result-addresses";
    let summary = "Register an address that results are delivered to; nothing goes there before it is proven";
    let answer = with_secret("The address, and what signs its deliveries.");
    let operation = operation("add_result_address", (Method::POST, path), summary, CHANGES, answer);
    taking(operation, "AddResultAddressRequest", json!({"url": "https://bank.example/laini"}))
}

fn add_result_address(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, app) = (call.partner()?, call.id("app", AppId::parse)?);
    let request: AddResultAddressRequest = call.json()?;
    let address = add(work, partner, app, &request.url, call.reach)?;
    secret_of(work, &address)
}

fn prove_result_address_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/result-addresses/{address}/prove";
    let summary = "Challenge a result address; it is proven once it answers";
    let answer = Answer::ok("It answered.", &["ResultAddressAnswer"], example());
    operation("prove_result_address", (Method::POST, path), summary, CHANGES, answer)
}

fn prove_result_address(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, app, address) = ids(call)?;
    the_address(work, partner, app, address)?;
    match &call.proof {
        Some(Ok(())) => Reply::ok(&result_address(&note_proof(work, partner, app, address)?)),
        Some(Err(why)) => Err(Problem::not_now(format!(
            "the address is not proven: {why}; it answers 2xx with the value of \"challenge\""
        ))),
        None => Err(Problem::Store("no challenge was sent".to_owned())),
    }
}

fn roll_signing_secret_operation() -> Operation {
    let path = "/office/v1/partners/{partner}/apps/{app}/result-addresses/{address}/roll-secret";
    let summary = "Begin the next signing secret; for a day the one before signs as well";
    let answer = with_secret("The address, and the new secret.");
    operation("roll_signing_secret", (Method::POST, path), summary, CHANGES, answer)
}

fn roll_signing_secret(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, app, address) = ids(call)?;
    let address = roll_secret(work, partner, app, address)?;
    secret_of(work, &address)
}

fn remove_result_address_operation() -> Operation {
    let answer = Answer::no_content("It is gone.");
    operation("remove_result_address", (Method::DELETE, ADDRESS), "Remove a result address", CHANGES, answer)
}

fn remove_result_address(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, app, address) = ids(call)?;
    remove(work, partner, app, address)?;
    Ok(Reply::no_content())
}

fn ids(call: &Call) -> Result<(laini_core::partner::PartnerId, AppId, ResultAddressId), Problem> {
    Ok((call.partner()?, call.id("app", AppId::parse)?, call.id("address", ResultAddressId::parse)?))
}
