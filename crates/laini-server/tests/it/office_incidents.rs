//! Incidents and tickets over HTTP: who may what, and what apps are sent.

use laini_core::partner::{MemberRole, PartnerId, ResultAddress, ResultAddressId, StaffRole};
use laini_office::people::Seat;
use serde_json::{Value, json};

use crate::office_apps::Caller;
use crate::receiver::Receiver;
use crate::world::{NOW, World};

const INCIDENTS: &str = "/office/v1/incidents";

fn incident() -> Value {
    json!({
        "title": "Checks are slow", "severity": "major", "components": ["checks"], "products": ["imsi"],
        "text": "We look for the cause.",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn support_opens_an_incident_and_whoever_it_reaches_sees_what_failed() {
    let world = World::start().await;
    let (support, viewer) = (Caller::staff(&world, StaffRole::Support), Caller::member(&world, MemberRole::Viewer));
    let told = support.at("GET", "/office/v1/incident-audience?products=imsi", None).await;
    assert_eq!(told.json()["partners"].as_array().map(Vec::len), Some(1), "{}", told.body);
    let opened = support.at("POST", INCIDENTS, Some(incident())).await;
    assert_eq!(opened.status, 201, "{}", opened.body);
    let id = opened.text("id");
    let path = format!("{INCIDENTS}/{id}");
    assert_eq!(viewer.at("GET", &path, None).await.json()["state"], "investigating");
    let update = json!({"state": "monitoring", "text": "A disk was replaced."});
    assert_eq!(support.at("POST", &format!("{path}/updates"), Some(update)).await.json()["state"], "monitoring");
    let impact = viewer.done("GET", &format!("incidents/{id}/impact"), None).await;
    assert_eq!((&impact["failed"], &impact["billed"], &impact["apps"]), (&json!(0), &json!(0), &json!(2)), "{impact}");
    let over = support.at("POST", &format!("{path}/resolve"), Some(json!({"text": "Over."}))).await.json();
    assert_eq!(over["updates"].as_array().map(Vec::len), Some(3));
    let again = support.at("POST", &format!("{path}/resolve"), Some(json!({"text": "Over."}))).await;
    assert_eq!(again.status, 409, "{}", again.body);
    let open = viewer.at("GET", &format!("{INCIDENTS}?state=open"), None).await.json();
    assert_eq!(open["incidents"], json!([]));
    for (bad, field) in [
        (json!({"severity": "bad"}), "severity"),
        (json!({"components": ["nothing"]}), "components"),
        (json!({"apps": ["0000000000000001"]}), "apps"),
        (json!({"started": "yesterday"}), "started"),
    ] {
        let mut body = incident();
        body.as_object_mut().unwrap().extend(bad.as_object().unwrap().clone());
        let refused = support.at("POST", INCIDENTS, Some(body)).await;
        assert!(refused.status == 400 && refused.body.contains(field), "{bad}: {}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_that_are_reached_are_sent_what_happened() {
    let receiver = Receiver::start().await;
    let url = receiver.url();
    let world = World::start_with_accounts(|book| {
        let (id, app) = (ResultAddressId::from_stored(77), book.apps[1].id);
        let proven = Some(NOW.parse().unwrap());
        book.result_addresses.push(ResultAddress { id, app, url, proven, secret_generation: 1, previous_until: None });
    })
    .await;
    let support = Caller::staff(&world, StaffRole::Support);
    let opened = support.at("POST", INCIDENTS, Some(incident())).await.json();
    let id = opened["id"].as_str().unwrap();
    let end = json!({"text": "Over."});
    support.at("POST", &format!("{INCIDENTS}/{id}/resolve"), Some(end)).await;
    // The chore looks every other second.
    world.clock.advance(3);
    let received = receiver.got(2).await;
    let told: Vec<_> = received.iter().map(|one| (one.json()["type"].clone(), one.json()["update"].clone())).collect();
    assert!(told.contains(&(json!("incident.opened"), json!(1))), "{told:?}");
    assert!(told.contains(&(json!("incident.resolved"), json!(2))), "{told:?}");
    let first = received[0].json();
    assert_eq!((&first["incident"], &first["title"]), (&json!(id), &json!("Checks are slow")), "{first}");
    assert_eq!(first["startedAt"], NOW);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_goes_from_side_to_side_and_is_nobody_elses() {
    let world = World::start().await;
    let (developer, support) =
        (Caller::member(&world, MemberRole::Developer), Caller::staff(&world, StaffRole::Support));
    let new = json!({"subject": "Refused", "severity": "critical", "text": "Why was 0722 000 001 refused?"});
    let opened = developer.done("POST", "tickets", Some(new.clone())).await;
    assert_eq!((&opened["state"], &opened["due"]), (&json!("open"), &json!("2026-11-22T10:00:00Z")), "{opened}");
    assert!(!opened.to_string().contains("0722"), "{opened}");
    let path = format!("tickets/{}", opened["id"].as_str().unwrap());
    let due = support.at("GET", "/office/v1/tickets", None).await.json();
    assert_eq!(due["tickets"][0]["id"], opened["id"]);
    let answered = support.done("POST", &format!("{path}/replies"), Some(json!({"text": "No agreement."}))).await;
    assert_eq!((&answered["state"], &answered["due"]), (&json!("waiting_for_partner"), &Value::Null));
    let closed = developer.done("POST", &format!("{path}/close"), None).await;
    assert_eq!((&closed["state"], closed["thread"].as_array().map(Vec::len)), (&json!("solved"), Some(2)));
    support.refused(409, "POST", &format!("{path}/replies"), Some(json!({"text": "More."}))).await;
    let other = Caller::about(&world, PartnerId::from_stored(2), 9, Seat::Staff { role: StaffRole::Support });
    other.refused(404, "GET", &path, None).await;
    let mut foreign = new;
    foreign["reference"] = json!("971f-4359-b611-6845a1be45ef26453458");
    let refused = developer.refused(400, "POST", "tickets", Some(foreign)).await;
    assert!(refused.contains("no request of yours"), "{refused}");
}
