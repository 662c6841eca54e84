//! Where letters go in tests.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use laini_core::partner::LetterId;
use laini_office::mail::{Carrier, CarryError, Letter};
use tokio::time::timeout;

use crate::world::World;

/// Keeps every letter.
#[derive(Default)]
pub(crate) struct Pocket(Mutex<Vec<Letter>>);

impl Carrier for Pocket {
    fn carry(&self, _: LetterId, letter: &Letter, _: Timestamp) -> Result<(), CarryError> {
        self.0.lock().unwrap().push(letter.clone());
        Ok(())
    }
}

impl Pocket {
    /// Whoever carries a letter now waits until what is returned is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> Sender<()> {
        let pocket = Arc::clone(self);
        let ((release, released), (held, is_held)) = (channel::<()>(), channel());
        std::thread::spawn(move || {
            let _letters = pocket.0.lock().unwrap();
            held.send(()).unwrap();
            assert!(released.recv().is_err(), "it was dropped");
        });
        is_held.recv().unwrap();
        release
    }
}

impl World {
    /// The next letter to somebody, once the server's worker has sent it: its chores come every two seconds of the
    /// world's clock, which must not run away from its lease.
    pub(crate) async fn letter_to(&self, email: &str) -> Letter {
        let coming = async {
            loop {
                let found = {
                    let mut letters = self.mail.0.lock().unwrap();
                    let place = letters.iter().position(|letter| letter.to == email);
                    place.map(|place| letters.remove(place))
                };
                if let Some(letter) = found {
                    return letter;
                }
                self.clock.advance(2);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        timeout(Duration::from_secs(20), coming).await.expect("a letter comes")
    }
}
