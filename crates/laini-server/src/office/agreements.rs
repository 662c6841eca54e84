//! Agreements: drafted, sent, signed, ended.

use axum::http::Method;
use laini_core::partner::{AgreementId, DocumentId, May, PartnerId};
use laini_office::agreements::{self, AgreementRecord, AgreementState, Terms, digest_in_words};
use laini_office::{Problem, Work};
use laini_wire::office::agreements::{
    AgreementAnswer, AgreementTerms, AgreementsAnswer, EndAnswer, EndRequest, SignRequest, SignatureItem,
    SignedOnPaperRequest,
};
use serde_json::{Value, json};

use super::described::{LOOKERS, ONBOARDERS, PAPERS, asking, file, in_query, operation, paged, recast, taking};
use super::{Call, Endpoint, Noun, Reply};
use crate::openapi::{Answer, Operation, Schemas, collect};

const PATH: &str = "/office/v1/partners/{partner}/agreements";
const ONE: &str = "/office/v1/partners/{partner}/agreements/{agreement}";

pub(super) const NOUN: Noun = Noun {
    tag: "agreements",
    description: "What partners agree to: versions that are drafted, laid before both sides and signed by them.",
    endpoints,
    schemas,
};

fn schemas() -> Schemas {
    let mut schemas = Vec::new();
    collect::<AgreementTerms>(&mut schemas);
    collect::<AgreementAnswer>(&mut schemas);
    collect::<AgreementsAnswer>(&mut schemas);
    collect::<SignRequest>(&mut schemas);
    collect::<SignedOnPaperRequest>(&mut schemas);
    collect::<EndRequest>(&mut schemas);
    collect::<EndAnswer>(&mut schemas);
    schemas
}

fn endpoints() -> Vec<Endpoint> {
    let list = Answer::ok("A page of them.", &["AgreementsAnswer"], json!({"agreements": [example()]}));
    let list =
        operation("list_agreements", (Method::GET, PATH), "The versions of a partner's agreement", LOOKERS, list);
    let show = operation("show_agreement", (Method::GET, ONE), "A version of an agreement", LOOKERS, answer());
    let remove = operation(
        "remove_agreement_draft",
        (Method::DELETE, ONE),
        "Throw a draft away",
        ONBOARDERS,
        Answer::no_content("It is gone."),
    );
    vec![
        Endpoint::new(paged(list), list_agreements),
        Endpoint::new(all_operation(), list_all_agreements),
        Endpoint::new(show, show_agreement),
        Endpoint::new(draft_operation(), draft_agreement),
        Endpoint::new(redraft_operation(), redraft_agreement),
        Endpoint::new(remove, remove_agreement_draft),
        Endpoint::new(step("send", ONBOARDERS), send_agreement),
        Endpoint::new(step("take-back", ONBOARDERS), take_agreement_back),
        Endpoint::new(sign_operation(), sign_agreement),
        Endpoint::new(on_paper_operation(), note_paper_signatures),
        Endpoint::new(pdf_operation(), fetch_agreement_pdf),
        Endpoint::new(html_operation(), fetch_agreement_html),
        Endpoint::new(end_operation(), end_agreement),
    ]
}

fn terms_example() -> Value {
    json!({
        "prices": [{"product": "imsi", "currency": "KES", "bands": [{"unit_minor": 2_000}]}],
        "swap_months": 3, "registration_months": 12, "notice_days": 30,
        "purposes": [{"purpose": "fraud_prevention", "lawful_basis": "legitimate_interests"}],
    })
}

fn example() -> Value {
    let signature = json!({
        "side": "partner", "name": "A. Wanjiru", "at": "2026-11-28T08:00:00Z", "address": "192.0.2.7",
        "sha256": "9f".repeat(32),
    });
    let mut terms = terms_example();
    terms["limits"] = json!({});
    json!({
        "agreement": "0000000000000004", "partner": "0000000000000002", "version": 1, "state": "sent", "terms": terms,
        "sha256": "9f".repeat(32), "signatures": [signature],
    })
}

fn answer() -> Answer {
    Answer::ok("The version.", &["AgreementAnswer"], example())
}

fn all_operation() -> Operation {
    let answer =
        Answer::ok("A page of them, the newest first.", &["AgreementsAnswer"], json!({"agreements": [example()]}));
    let path = (Method::GET, "/office/v1/agreements");
    let summary = "The versions of all partners that are in a state";
    let all = operation("list_all_agreements", path, summary, May::STAFF, answer);
    let states = json!({"type": "string", "enum": AgreementState::ALL.map(AgreementState::word)});
    paged(asking(all, [in_query("state", "In which state; sent if not said.", states)]))
}

fn list_all_agreements(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let state = AgreementState::parse(call.query("state").unwrap_or("sent"))?;
    let page = agreements::list_in_state(work, state, call.page()?)?;
    let next = page.next.map(|next| next.to_string());
    Reply::ok(&AgreementsAnswer { agreements: page.items.iter().map(answer_of).collect::<Result<_, _>>()?, next })
}

fn draft_operation() -> Operation {
    let summary = "Write a new version; it changes nothing before both sides have signed it";
    let draft = operation("draft_agreement", (Method::POST, PATH), summary, ONBOARDERS, answer());
    taking(draft, "AgreementTerms", terms_example())
}

fn redraft_operation() -> Operation {
    let redraft = operation("redraft_agreement", (Method::PUT, ONE), "Write a draft anew", ONBOARDERS, answer());
    taking(redraft, "AgreementTerms", terms_example())
}

fn step(verb: &'static str, may: laini_core::partner::May) -> Operation {
    if verb == "send" {
        let path = (Method::POST, "/office/v1/partners/{partner}/agreements/{agreement}/send");
        operation("send_agreement", path, "Lay a draft before both sides: its text stands", may, answer())
    } else {
        let path = (Method::POST, "/office/v1/partners/{partner}/agreements/{agreement}/take-back");
        let summary = "Make a version that was sent a draft again; who signed has not";
        operation("take_agreement_back", path, summary, may, answer())
    }
}

fn sign_operation() -> Operation {
    let path = (Method::POST, "/office/v1/partners/{partner}/agreements/{agreement}/signatures");
    let summary = "Sign the text of this digest for one's side; with the second signature it is agreed";
    let sign = operation("sign_agreement", path, summary, PAPERS, answer());
    taking(sign, "SignRequest", json!({"sha256": "9f".repeat(32)}))
}

fn on_paper_operation() -> Operation {
    let path = (Method::POST, "/office/v1/partners/{partner}/agreements/{agreement}/signed-on-paper");
    let summary = "Take note that both sides signed on paper";
    let noted = operation("note_paper_signatures", path, summary, ONBOARDERS, answer());
    taking(noted, "SignedOnPaperRequest", json!({"document": "0000000000000003"}))
}

fn pdf_operation() -> Operation {
    let path = (Method::GET, "/office/v1/partners/{partner}/agreements/{agreement}/pdf");
    let answer = file("What was sent, byte for byte; a draft as it would be sent.", "application/pdf");
    operation("fetch_agreement_pdf", path, "The text that both sides sign, as PDF", LOOKERS, answer)
}

fn html_operation() -> Operation {
    let path = (Method::GET, "/office/v1/partners/{partner}/agreements/{agreement}/html");
    let answer = file("The text, with who has signed it.", "text/html;charset=UTF-8");
    operation("fetch_agreement_html", path, "A version with its signatures, as a page", LOOKERS, answer)
}

fn end_operation() -> Operation {
    let path = (Method::POST, "/office/v1/partners/{partner}/agreement-end");
    let answer = Answer::ok("When it is over.", &["EndAnswer"], json!({"ends": "2026-12-28T21:00:00Z"}));
    let end = operation("end_agreement", path, "Give notice: no version is in force from then on", PAPERS, answer);
    taking(end, "EndRequest", json!({"reason": "we stop lending"}))
}

fn named(call: &Call) -> Result<(PartnerId, AgreementId), Problem> {
    Ok((call.partner()?, call.id("agreement", AgreementId::parse)?))
}

fn answer_of(record: &AgreementRecord) -> Result<AgreementAnswer, Problem> {
    let signatures = record.signatures.iter().map(|signature| SignatureItem {
        side: signature.side.word().to_owned(),
        name: signature.name.clone(),
        at: signature.at.to_string(),
        address: signature.address.clone(),
        sha256: digest_in_words(&signature.digest),
    });
    Ok(AgreementAnswer {
        agreement: record.id.to_string(),
        partner: record.partner.to_string(),
        version: record.number,
        state: record.state.word().to_owned(),
        terms: recast("terms", &record.terms)?,
        sha256: record.text.as_ref().map(|text| digest_in_words(&text.pdf)),
        signatures: signatures.collect(),
    })
}

fn told(record: &AgreementRecord) -> Result<Reply, Problem> {
    Reply::ok(&answer_of(record)?)
}

fn list_agreements(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let page = agreements::list_agreements(work, call.partner()?, call.page()?)?;
    let next = page.next.map(|next| next.to_string());
    Reply::ok(&AgreementsAnswer { agreements: page.items.iter().map(answer_of).collect::<Result<_, _>>()?, next })
}

fn show_agreement(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, id) = named(call)?;
    told(&agreements::agreement(work, partner, id)?)
}

fn terms(call: &Call) -> Result<Terms, Problem> {
    recast("terms", &call.json::<AgreementTerms>()?)
}

fn draft_agreement(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    told(&agreements::draft(work, call.partner()?, terms(call)?)?)
}

fn redraft_agreement(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, id) = named(call)?;
    told(&agreements::redraft(work, partner, id, terms(call)?)?)
}

fn remove_agreement_draft(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, id) = named(call)?;
    agreements::remove_draft(work, partner, id)?;
    Ok(Reply::no_content())
}

fn send_agreement(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, id) = named(call)?;
    told(&agreements::send(work, partner, id)?)
}

fn take_agreement_back(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, id) = named(call)?;
    told(&agreements::take_back(work, partner, id)?)
}

fn sign_agreement(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: SignRequest = call.json()?;
    told(&agreements::sign(work, named(call)?, &asked.sha256, &call.address)?)
}

fn note_paper_signatures(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: SignedOnPaperRequest = call.json()?;
    let scan = DocumentId::parse(&asked.document).map_err(|error| Problem::invalid("document", error.to_string()))?;
    told(&agreements::sign_on_paper(work, named(call)?, scan)?)
}

fn fetch_agreement_pdf(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, id) = named(call)?;
    let record = agreements::agreement(work, partner, id)?;
    let bytes = agreements::text_pdf(work, &record)?;
    Ok(Reply::file("application/pdf", format!("agreement-{id}.pdf"), bytes))
}

fn fetch_agreement_html(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let (partner, id) = named(call)?;
    let record = agreements::agreement(work, partner, id)?;
    let page = agreements::paper(work, &record)?.html();
    Ok(Reply::file("text/html;charset=UTF-8", format!("agreement-{id}.html"), page.into_bytes()))
}

fn end_agreement(work: &mut Work<'_>, call: &Call) -> Result<Reply, Problem> {
    let asked: EndRequest = call.json()?;
    let at = asked.at.as_deref().map(str::parse).transpose();
    let at = at.map_err(|_| Problem::invalid("at", "expected an instant such as 2026-12-31T21:00:00Z"))?;
    let ends = agreements::end(work, call.partner()?, at, &asked.reason)?;
    Reply::ok(&EndAnswer { ends: ends.to_string() })
}
