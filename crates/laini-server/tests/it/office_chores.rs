//! The office's chores on a running server.

use std::time::Duration;

use laini_core::partner::{MemberRole, PartnerId};
use laini_core::store::{RecordKind, RecordQuery};
use laini_office::Actor;
use laini_office::people::{Seat, ask_for_reset, invite};
use laini_server::Clock as _;
use tokio::time::timeout;

use crate::world::World;

const EMAIL: &str = "owner@bank.example";

impl World {
    /// When each letter that waits is tried next, in microseconds of the epoch.
    async fn letters_due(&self) -> Vec<i64> {
        let query = RecordQuery {
            kind: RecordKind("letter"),
            index: "due",
            key: "all".to_owned(),
            after: None,
            newest_first: false,
            limit: 10,
        };
        self.office.store.find(query).await.unwrap().iter().map(|found| found.order).collect()
    }

    /// Lets time pass, slowly enough for the lease of the chores, until the letters that wait are as they shall be.
    async fn until_letters(&self, are: impl Fn(&[i64]) -> bool) {
        let coming = async {
            while !are(&self.letters_due().await) {
                self.clock.advance(2);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        timeout(Duration::from_secs(20), coming).await.expect("the chores go on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chore_that_takes_long_keeps_no_other_waiting() {
    let world = World::start().await;
    let held = world.mail.hold();
    let seat = Seat::Member { partner: PartnerId::from_stored(1), role: MemberRole::Owner };
    let at = world.clock.now();
    world.office.run(&Actor::System, at, |work| invite(work, seat, EMAIL, "An Owner", true).map(drop)).unwrap();
    let queued = world.letters_due().await;
    assert_eq!(queued.len(), 1);
    // It is being carried: the chore that sends letters waits for the one who takes them.
    world.until_letters(|due| due != queued).await;
    let at = world.clock.now();
    world.office.run(&Actor::Stranger, at, |work| ask_for_reset(work, EMAIL)).unwrap();
    // Another chore answers that by a second letter meanwhile.
    world.until_letters(|due| due.len() == 2).await;
    drop(held);
    world.until_letters(<[i64]>::is_empty).await;
}
