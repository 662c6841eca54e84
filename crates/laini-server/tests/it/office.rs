//! Who may what in the office: every operation of the document, every kind of caller; and what every write has in
//! common.

use jiff::{SignedDuration, Timestamp};
use laini_core::partner::{MemberRole, Partner, PartnerId, PartnerStatus, PersonId, StaffRole};
use laini_office::Actor;
use laini_office::people::{Person, Seat, open_session};
use laini_server::Clock as _;
use serde_json::Value;

use crate::wire::{Connection, Reply, request};
use crate::world::World;

/// The partner of most members, and the one of a stranger to it.
const OWN: PartnerId = PartnerId::from_stored(11);
const OTHER: PartnerId = PartnerId::from_stored(12);
/// One that the operator has suspended.
const SUSPENDED: PartnerId = PartnerId::from_stored(13);
/// What a role is told that may not.
const NOT_OF_THAT_ROLE: &str = "Forbidden - your role may not do this; ask an owner or administrator";

/// Who calls, and with which seat.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Caller {
    Nobody,
    SandboxApp,
    ProductionApp,
    /// Somebody whose session was ended by nothing but that they are disabled.
    Disabled(Seat),
    /// Somebody who signed in too long ago.
    Expired(Seat),
    Seated(Seat),
}

fn callers() -> Vec<Caller> {
    let staff = StaffRole::ALL.map(|role| Caller::Seated(Seat::Staff { role }));
    let own = MemberRole::ALL.map(|role| Caller::Seated(Seat::Member { partner: OWN, role }));
    let other = MemberRole::ALL.map(|role| Caller::Seated(Seat::Member { partner: OTHER, role }));
    // What it is suspended from is checks: its people see why, and pay.
    let suspended = MemberRole::ALL.map(|role| Caller::Seated(Seat::Member { partner: SUSPENDED, role }));
    let apps = [Caller::Nobody, Caller::SandboxApp, Caller::ProductionApp];
    let heads = [Seat::Staff { role: StaffRole::Admin }, Seat::Member { partner: OWN, role: MemberRole::Owner }];
    let gone = heads.map(Caller::Disabled).into_iter().chain(heads.map(Caller::Expired));
    apps.into_iter().chain(gone).chain(staff).chain(own).chain(other).chain(suspended).collect()
}

/// A token of somebody on this seat.
pub(crate) fn signed_in(world: &World, number: u64, seat: Seat) -> String {
    signed_in_at(world, number, seat, world.clock.now())
}

/// A token of somebody on this seat, who signed in at an instant.
fn signed_in_at(world: &World, number: u64, seat: Seat, at: Timestamp) -> String {
    let id = PersonId::from_stored(number);
    let email = format!("person-{number}@bank.example");
    let person = Person { id, email, name: format!("Person {number}"), seat, created: at, is_disabled: false };
    let opened = world.office.run(&Actor::System, at, |work| {
        if work.look::<Person>(id)?.is_none() {
            work.put(&person)?;
        }
        open_session(work, id, "127.0.0.1")
    });
    opened.unwrap().to_string()
}

/// A token of somebody who is disabled meanwhile: not as it is done, which ends their sessions.
fn disabled(world: &World, number: u64, seat: Seat) -> String {
    let token = signed_in(world, number, seat);
    let disable = world.office.run(&Actor::System, world.clock.now(), |work| {
        let person: Person = work.get(PersonId::from_stored(number))?;
        work.put(&Person { is_disabled: true, ..person })
    });
    disable.unwrap();
    token
}

/// An operation of the office, as the document describes it.
struct Described {
    method: String,
    path: String,
    body: Option<(String, String)>,
    members: Vec<String>,
    staff: Vec<String>,
}

fn described() -> Vec<Described> {
    let document = laini_server::openapi::document();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(may) = operation.get("x-laini-may") else { continue };
            let words =
                |of: &Value| of.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect();
            let body = operation["requestBody"]["content"].as_object().and_then(|content| {
                let (media_type, content) = content.iter().next()?;
                let example = content["example"].as_str().map_or_else(|| content["example"].to_string(), str::to_owned);
                Some((media_type.clone(), example))
            });
            found.push(Described {
                method: method.to_ascii_uppercase(),
                path: path.clone(),
                body,
                members: words(&may["members"]),
                staff: words(&may["staff"]),
            });
        }
    }
    assert!(!found.is_empty(), "the document describes no operation of the office");
    found
}

impl Described {
    /// The path, of a partner and of things that are not there.
    fn filled(&self, partner: PartnerId) -> String {
        let parts = self.path.split('/').map(|part| match part {
            "{partner}" => partner.to_string(),
            part if part.starts_with('{') => "00000000000000aa".to_owned(),
            part => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// `None` = it is let in; otherwise how it is refused.
    fn refusal(&self, caller: Caller) -> Option<u16> {
        match caller {
            Caller::Nobody | Caller::SandboxApp | Caller::ProductionApp | Caller::Disabled(_) | Caller::Expired(_) => {
                Some(401)
            }
            Caller::Seated(Seat::Member { partner: OTHER, .. }) if self.path.contains("{partner}") => Some(404),
            Caller::Seated(Seat::Member { role, .. }) => {
                (!self.members.contains(&role.word().to_owned())).then_some(403)
            }
            Caller::Seated(Seat::Staff { role }) => (!self.staff.contains(&role.word().to_owned())).then_some(403),
        }
    }
}

fn is_refused_by_role(reply: &Reply) -> bool {
    reply.status == 403 && reply.json()["errorMessage"] == NOT_OF_THAT_ROLE
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_caller_may_in_the_office_what_the_document_says() {
    let world = World::start_with_accounts(|book| {
        let status = PartnerStatus::Suspended;
        book.partners.push(Partner { status, ..Partner::new(SUSPENDED, "Suspended Bank".to_owned()) });
    })
    .await;
    let long_ago = world.clock.now() - SignedDuration::from_hours(12);
    let mut connection = Connection::open(world.address).await;
    let (mut cases, mut wrong) = (0, Vec::new());
    for operation in described() {
        for (number, caller) in (1..).zip(callers()) {
            // Anew for each: one of the operations may end it.
            let token = match caller {
                Caller::Nobody => None,
                Caller::SandboxApp => Some(world.token(&world.sandbox).await),
                Caller::ProductionApp => Some(world.token(&world.production).await),
                Caller::Disabled(seat) => Some(disabled(&world, number, seat)),
                Caller::Expired(seat) => Some(signed_in_at(&world, number, seat, long_ago)),
                Caller::Seated(seat) => Some(signed_in(&world, number, seat)),
            };
            let partner = match caller {
                Caller::Seated(Seat::Member { partner: SUSPENDED, .. }) => SUSPENDED,
                _ => OWN,
            };
            let mut headers = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
            let (media_type, body) = operation.body.clone().unwrap_or_default();
            if !media_type.is_empty() {
                headers += &format!("Content-Type: {media_type}\r\n");
            }
            connection.send(request(&operation.method, &operation.filled(partner), &headers, &body)).await;
            let reply = connection.reply().await.unwrap();
            let is_right = match operation.refusal(caller) {
                Some(403) => is_refused_by_role(&reply),
                Some(status) => reply.status == status,
                None => ![401, 405, 500, 503].contains(&reply.status) && !is_refused_by_role(&reply),
            };
            if !is_right {
                let (method, path) = (&operation.method, &operation.path);
                wrong.push(format!("{caller:?} at {method} {path}: {} {}", reply.status, reply.body));
            }
            cases += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("family=\"who may what in the office\" cases={cases} failures=0 seed=none");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_write_takes_a_field_that_it_does_not_name() {
    let world = World::start().await;
    let mut connection = Connection::open(world.address).await;
    let mut cases = 0;
    let json = described()
        .into_iter()
        .filter(|operation| operation.body.as_ref().is_some_and(|(media_type, _)| media_type == "application/json"));
    for (number, operation) in (100..).zip(json) {
        let seat = match (operation.staff.first(), operation.members.first()) {
            (Some(role), _) => Seat::Staff { role: StaffRole::parse(role).unwrap() },
            (None, Some(role)) => Seat::Member { partner: OWN, role: MemberRole::parse(role).unwrap() },
            (None, None) => panic!("nobody may {} {}", operation.method, operation.path),
        };
        let token = signed_in(&world, number, seat);
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        for field in ["id", "partner", "role", "status", "is_admin", "created", "charge_minor", "unknown"] {
            let mut body: Value = serde_json::from_str(&operation.body.as_ref().unwrap().1).unwrap();
            if body.get(field).is_some() {
                continue;
            }
            body[field] = Value::from("1");
            connection.send(request(&operation.method, &operation.filled(OWN), &headers, &body.to_string())).await;
            let reply = connection.reply().await.unwrap();
            let is_refused = [400, 404].contains(&reply.status);
            assert!(is_refused, "{} {} takes {field}: {}", operation.method, operation.path, reply.body);
            cases += 1;
        }
    }
    println!("family=\"mass assignment\" cases={cases} failures=0 seed=none");
}
