use axum::http::Method;
use laini_core::access::SecretHash;
use laini_core::partner::{May, MemberRole};
use laini_office::going_live::{TermsAcceptance, accept_terms as accept, terms};
use laini_office::{Problem, Work};
use laini_wire::office::going_live::{AcceptTermsRequest, TermsAcceptedAnswer, TermsAnswer};
use serde_json::{Value, json};

use crate::office::apps::{hex, instant};
use crate::office::described::{operation, taking};
use crate::office::{Call, Endpoint, Reply};
use crate::openapi::{Access, Answer, Operation};

/// Who binds a partner.
const ACCEPTS: May = May { members: &[MemberRole::Owner], staff: &[] };

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new(show_terms_operation(), show_terms), Endpoint::new(accept_terms_operation(), accept_terms)]
}

fn show_terms_operation() -> Operation {
    let terms = terms();
    let shown = json!({"version": terms.version, "sha256": hex(&terms.digest), "text": "…"});
    let answer = Answer::ok("The terms.", &["TermsAnswer"], shown);
    let summary = "The terms that a partner accepts before it goes live";
    // Whoever registers an organisation reads them before they are anybody.
    Operation::new("show_terms", (Method::GET, "/office/v1/terms"), summary, Access::Anyone, answer)
}

fn show_terms(_: &mut Work<'_>, _: &Call) -> Result<Reply, Problem> {
    let terms = terms();
    let (sha256, text) = (hex(&terms.digest), terms.text.to_owned());
    Reply::ok(&TermsAnswer { version: terms.version, sha256, text })
}

fn accept_terms_operation() -> Operation {
    let mut shown = example();
    (shown["at"], shown["by"]) = (json!("2026-11-22T09:00:00Z"), json!("member:0000000000000001"));
    let answer = Answer::ok("That they are accepted.", &["TermsAcceptedAnswer"], shown);
    let path = "/office/v1/partners/{partner}/terms/accept";
    let operation = operation("accept_terms", (Method::POST, path), "Accept the terms in force", ACCEPTS, answer);
    taking(operation, "AcceptTermsRequest", example())
}

/// The terms in force, as somebody accepts them.
pub(in crate::office) fn example() -> Value {
    let terms = terms();
    json!({"version": terms.version, "sha256": hex(&terms.digest)})
}

fn accept_terms(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let accepted = accept(work, call.partner()?, read(&call.json()?)?, &call.address)?;
    let TermsAcceptance { version, digest, at, by, .. } = accepted;
    Reply::ok(&TermsAcceptedAnswer { version, sha256: hex(&digest), at: instant(at), by })
}

/// Which terms were read: their version, and SHA-256 of their text.
pub(in crate::office) fn read(request: &AcceptTermsRequest) -> Result<(u32, [u8; 32]), Problem> {
    // A digest is a digest, whatever it is of.
    let digest = SecretHash::parse_hex(&request.sha256);
    let digest = digest.map_err(|_| Problem::invalid("sha256", "expected 64 hexadecimal digits"))?;
    Ok((request.version, digest.0))
}
