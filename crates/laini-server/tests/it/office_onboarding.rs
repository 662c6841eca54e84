//! From papers to an agreement in force, as a partner's owner and the operator's staff walk it; and the shortcuts that
//! are refused.

use laini_core::partner::{MemberRole, PartnerId, StaffRole};
use laini_office::people::Seat;
use laini_office::{Actor, onboarding};
use laini_server::Clock as _;
use serde_json::{Value, json};

use crate::office_apps::{BANK, Caller};
use crate::world::World;

const NEW: PartnerId = PartnerId::from_stored(31);
const PDF: &str = "%PDF-1.7\n1 0 obj\n<< >>\nendobj\nstartxref\n9\n%%EOF\n";
const PAPERS: [&str; 3] = ["incorporation", "tax_pin", "data_protection"];

/// Both sides' people.
struct Sides<'w> {
    owner: Caller<'w>,
    developer: Caller<'w>,
    staff: Caller<'w>,
    support: Caller<'w>,
    /// The owner of another partner.
    stranger: Caller<'w>,
}

impl<'w> Sides<'w> {
    /// A partner that has just asked to be taken on.
    fn begun(world: &'w World) -> Self {
        let console = Actor::Console { user: "test".to_owned() };
        world.office.run(&console, world.clock.now(), |work| onboarding::begin(work, NEW, "Example Bank")).unwrap();
        let member = |number, partner, role| Caller::about(world, NEW, number, Seat::Member { partner, role });
        let staff = |number, role| Caller::about(world, NEW, number, Seat::Staff { role });
        Self {
            owner: member(701, NEW, MemberRole::Owner),
            developer: member(702, NEW, MemberRole::Developer),
            staff: staff(703, StaffRole::Onboarding),
            support: staff(704, StaffRole::Support),
            stranger: member(705, BANK, MemberRole::Owner),
        }
    }

    async fn standing(&self) -> (String, Vec<String>) {
        let shown = self.owner.done("GET", "onboarding", None).await;
        let words = |value: &Value| value.as_str().unwrap().to_owned();
        (words(&shown["step"]), shown["missing"].as_array().unwrap().iter().map(words).collect())
    }

    /// Whose turn it is, and what the next step needs; the operator's list says the same.
    async fn next(&self) -> (Value, Value) {
        let shown = self.owner.done("GET", "onboarding", None).await;
        let listed = self.staff.at("GET", "/office/v1/onboardings", None).await.json();
        let of_it = listed["onboardings"].as_array().unwrap().iter().find(|one| one["partner"] == NEW.to_string());
        let of_it = of_it.unwrap();
        assert_eq!((&of_it["owner"], &of_it["needs"]), (&shown["owner"], &shown["needs"]));
        (shown["owner"].clone(), shown["needs"].clone())
    }

    async fn hand_in_papers(&self) {
        self.owner.done("PUT", "organisation", Some(details())).await;
        for purpose in PAPERS {
            let sent = self.owner.send_document(purpose, "paper.pdf", PDF).await;
            assert_eq!(sent.status, 200, "{sent:?}");
        }
    }

    async fn draft(&self) -> String {
        let drafted = self.staff.done("POST", "agreements", Some(terms())).await;
        assert_eq!((&drafted["state"], &drafted["version"]), (&json!("draft"), &json!(1)));
        format!("agreements/{}", drafted["agreement"].as_str().unwrap())
    }
}

fn details() -> Value {
    let contact = json!({"name": "A. Wanjiru", "email": "a.wanjiru@bank.example"});
    json!({
        "legal_name": "Example Bank Ltd", "registration_number": "PVT-2016-000001", "kra_pin": "P051234567Z",
        "data_protection_number": "ODPC-0001", "data_protection_expires": "2027-06-30",
        "physical_address": "Kenyatta Avenue 1, Nairobi", "billing_contact": contact, "technical_contact": contact,
    })
}

fn terms() -> Value {
    json!({
        "prices": [{"product": "imsi", "currency": "KES", "bands": [{"unit_minor": 2_000}]}],
        "swap_months": 3, "registration_months": 12, "notice_days": 30,
        "purposes": [{"purpose": "fraud_prevention", "lawful_basis": "legitimate_interests"}],
    })
}

fn to(step: &str, reason: &str) -> Value {
    json!({"move": step, "reason": reason})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_comes_from_its_papers_to_an_agreement_in_force() {
    let world = World::start_office().await;
    let sides = Sides::begun(&world);
    let Sides { owner, staff, .. } = &sides;
    let (step, missing) = sides.standing().await;
    assert_eq!((&*step, missing.len()), ("submitted", 8 + PAPERS.len()), "{missing:?}");
    let (owner_of_it, needs) = sides.next().await;
    assert_eq!((owner_of_it, &needs[0], &needs[1]), (json!("operator"), &json!("review"), &json!("legal_name")));
    sides.hand_in_papers().await;
    assert_eq!(sides.standing().await, ("submitted".to_owned(), Vec::new()));
    assert_eq!(sides.next().await, (json!("operator"), json!(["review"])));
    let kept = owner.done("GET", "documents", None).await;
    let document = kept["documents"][0]["document"].as_str().unwrap();
    let file = owner.call("GET", &format!("documents/{document}"), None).await;
    assert_eq!((file.status, &*file.body), (200, PDF));
    assert!(file.header("content-disposition").unwrap().starts_with("attachment"), "{file:?}");

    // Looked at, given back with a reason, put right, and looked at again.
    staff.done("POST", "onboarding/moves", Some(to("take_up", ""))).await;
    staff.done("POST", "onboarding/moves", Some(to("return", "the certificate is of another company"))).await;
    assert_eq!(sides.next().await, (json!("partner"), json!(["submission"])));
    owner.done("POST", "onboarding/comments", Some(json!({"text": "Here is ours."}))).await;
    assert_eq!(owner.send_document("incorporation", "ours.pdf", &PDF.replace("1 0", "2 0")).await.status, 200);
    owner.done("POST", "onboarding/moves", Some(to("submit", ""))).await;
    let on_the_way = staff.at("GET", "/office/v1/onboardings?step=submitted", None).await.json();
    assert_eq!(on_the_way["onboardings"][0]["partner"], NEW.to_string());
    staff.done("POST", "onboarding/moves", Some(to("take_up", ""))).await;

    assert_eq!(sides.next().await, (json!("operator"), json!(["agreement"])));
    let version = sides.draft().await;
    let sent = staff.done("POST", &format!("{version}/send"), None).await;
    assert_eq!(sides.standing().await.0, "agreement_sent");
    assert_eq!(sides.next().await, (json!("partner"), json!(["signature:partner", "signature:operator"])));
    let signature = Some(json!({"sha256": sent["sha256"]}));
    let once = owner.done("POST", &format!("{version}/signatures"), signature.clone()).await;
    assert_eq!((&once["state"], once["signatures"].as_array().unwrap().len()), (&json!("sent"), 1));
    assert_eq!(sides.next().await, (json!("operator"), json!(["signature:operator"])));
    let agreed = staff.done("POST", &format!("{version}/signatures"), signature).await;
    assert_eq!((&agreed["state"], agreed["signatures"].as_array().unwrap().len()), (&json!("signed"), 2));
    assert_eq!(sides.standing().await.0, "signed");
    assert_eq!(sides.next().await, (json!("operator"), json!(["go_live"])));
    staff.done("POST", "onboarding/moves", Some(to("go_live", ""))).await;

    let timeline = owner.done("GET", "onboarding", None).await;
    let steps: Vec<_> = timeline["history"].as_array().unwrap().iter().map(|moved| moved["step"].clone()).collect();
    let expected =
        ["submitted", "under_review", "returned", "submitted", "under_review", "agreement_sent", "signed", "live"];
    assert_eq!(steps, expected);
    assert_eq!(timeline["history"][2]["reason"], "the certificate is of another company");
    assert_eq!((&timeline["comments"][0]["side"], &timeline["owner"]), (&json!("partner"), &json!(null)));
    let page = owner.call("GET", &format!("{version}/html"), None).await;
    assert!(page.body.contains("Example Bank Ltd") && page.body.contains(sent["sha256"].as_str().unwrap()));
    // Given notice, it ends.
    let ended = owner.done("POST", "agreement-end", Some(json!({"reason": "we stop lending"}))).await;
    assert!(ended["ends"].as_str().unwrap() > "2026-12-22", "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_skipped_and_nobody_acts_for_the_other_side() {
    let world = World::start_office().await;
    let sides = Sides::begun(&world);
    let Sides { owner, developer, staff, support, stranger } = &sides;
    let moves = "onboarding/moves";
    let version = sides.draft().await;
    let send = format!("{version}/send");
    let why = async |caller: &Caller<'_>, status, path: &str, body: Option<Value>, expected: &str| {
        let told = caller.refused(status, "POST", path, body).await;
        assert!(told.contains(expected), "{path}: {told}");
    };
    // Before its papers are there and somebody has looked at them.
    why(staff, 409, &send, None, "missing before an agreement is sent").await;
    sides.hand_in_papers().await;
    why(staff, 409, &send, None, "does not come next").await;
    why(staff, 409, moves, Some(to("go_live", "")), "cannot go live").await;
    why(owner, 409, moves, Some(to("take_up", "")), "for the operator to do").await;
    why(staff, 400, moves, Some(to("sign", "")), "expected one of").await;
    staff.done("POST", moves, Some(to("take_up", ""))).await;
    why(staff, 400, moves, Some(to("return", " ")), "reason").await;
    staff.done("POST", moves, Some(to("return", "it has expired"))).await;
    why(staff, 409, moves, Some(to("submit", "")), "for the partner to do").await;
    owner.done("POST", moves, Some(to("submit", ""))).await;
    staff.done("POST", moves, Some(to("take_up", ""))).await;
    let sent = staff.done("POST", &send, None).await;

    let (sign, signature) = (format!("{version}/signatures"), Some(json!({"sha256": sent["sha256"]})));
    why(owner, 409, &sign, Some(json!({"sha256": "0".repeat(64)})), "another one than the one that was read").await;
    // By role, and by partner; and an agreement is found below its own partner alone.
    for (caller, status) in [(developer, 403), (support, 403), (stranger, 404)] {
        caller.refused(status, "POST", &sign, signature.clone()).await;
    }
    let elsewhere = format!("/office/v1/partners/{BANK}/{version}");
    assert_eq!(staff.at("GET", &elsewhere, None).await.status, 404);
    owner.done("POST", &sign, signature.clone()).await;
    why(owner, 409, &sign, signature.clone(), "signed already").await;
    why(staff, 409, moves, Some(to("go_live", "")), "cannot go live").await;
    staff.refused(409, "PUT", &version, Some(terms())).await;
    // Taken back, the signature is gone with the text.
    let again = staff.done("POST", &format!("{version}/take-back"), None).await;
    assert_eq!((&again["state"], &again["signatures"]), (&json!("draft"), &json!([])));
    owner.refused(409, "POST", &sign, signature).await;
    staff.done("DELETE", &version, None).await;
    staff.refused(404, "GET", &version, None).await;
    staff.done("POST", moves, Some(to("reject", "no licence"))).await;
    why(owner, 409, moves, Some(to("submit", "")), "does not come next").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn details_and_documents_that_are_none_are_refused_by_name() {
    let world = World::start_office().await;
    let sides = Sides::begun(&world);
    let Sides { owner, developer, stranger, .. } = &sides;
    let with = |field: &str, value: Value| {
        let mut details = details();
        details[field] = value;
        Some(details)
    };
    for (field, value) in [
        ("kra_pin", json!("051234567")),
        ("mpesa_number", json!("12")),
        ("billing_contact", json!({"name": "A. Wanjiru", "email": "nowhere"})),
        ("partner", json!(BANK.to_string())),
    ] {
        let told = owner.refused(400, "PUT", "organisation", with(field, value)).await;
        assert!(told.contains(field), "{field}: {told}");
    }
    developer.refused(403, "PUT", "organisation", Some(details())).await;
    stranger.refused(404, "GET", "organisation", None).await;
    assert_eq!(developer.done("GET", "organisation", None).await["name"], "Example Bank");
    for (purpose, name, bytes, expected) in [
        ("tax_pin", "pin.pdf", "#!/bin/sh\n", "it is no PDF"),
        ("tax_pin", "pin.exe", PDF, "it is no PDF, JPEG or PNG"),
        ("tax_pin", "..%2Fpin.pdf", PDF, "without folders"),
        ("passport", "pin.pdf", PDF, "expected"),
    ] {
        let sent = owner.send_document(purpose, name, bytes).await;
        let told = sent.text("errorMessage");
        assert!(sent.status == 400 && told.contains(expected), "{purpose} {name}: {told}");
    }
    assert_eq!(developer.send_document("tax_pin", "pin.pdf", PDF).await.status, 403);
    // The same one twice is one.
    for _ in 0..2 {
        assert_eq!(owner.send_document("tax_pin", "pin.pdf", PDF).await.status, 200);
    }
    let kept = owner.done("GET", "documents", None).await;
    assert_eq!(kept["documents"].as_array().unwrap().len(), 1, "{kept}");
}
