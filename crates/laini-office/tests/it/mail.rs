//! Letters: carried once each, tried again for three days, forgotten afterwards.

use std::sync::Mutex;

use jiff::Timestamp;
use laini_core::partner::LetterId;
use laini_core::store::{RecordKind, RecordQuery};
use laini_office::mail::{Carrier, CarryError, Letter, forget_given_up, queue, send_due};
use laini_office::{Actor, Problem};

use crate::desk::Desk;
use crate::people::Pocket;

fn letter() -> Letter {
    let text = "a token: laini_t_0000".to_owned();
    Letter {
        to: "a@bank.example".to_owned(),
        subject: "Hello\r\nBcc: b@c".to_owned(),
        text,
        about: "test 1".to_owned(),
    }
}

/// Fails as it is told, and counts.
struct Failing {
    is_final: bool,
    tried: Mutex<Vec<Timestamp>>,
}

impl Carrier for Failing {
    fn carry(&self, _: LetterId, _: &Letter, at: Timestamp) -> Result<(), CarryError> {
        self.tried.lock().unwrap().push(at);
        Err(CarryError { is_final: self.is_final, reason: "no connection".to_owned() })
    }
}

fn records(desk: &Desk, index: &'static str) -> usize {
    let kind = RecordKind("letter");
    let query = RecordQuery { kind, index, key: "all".to_owned(), after: None, newest_first: false, limit: 100 };
    futures_executor::block_on(desk.office.store.find(query)).unwrap().len()
}

#[test]
fn a_letter_is_carried_once_and_only_if_its_work_was_saved() {
    let desk = Desk::open();
    let pocket = Pocket::default();
    let failed = desk.run(&Actor::System, |work| {
        queue(work, letter())?;
        Err::<(), _>(Problem::NotFound("invoice"))
    });
    assert!(failed.is_err());
    assert_eq!(send_due(&desk.office, &pocket, desk.at), Ok(0));
    let id = desk.run(&Actor::System, |work| queue(work, letter())).unwrap();
    let stored =
        futures_executor::block_on(desk.office.store.record(RecordKind("letter"), id.into())).unwrap().unwrap();
    let stored = String::from_utf8(stored.body).unwrap();
    assert!(!stored.contains("laini_t_") && !stored.contains("bank.example"), "{stored}");
    assert_eq!(send_due(&desk.office, &pocket, desk.at), Ok(1));
    assert_eq!(send_due(&desk.office, &pocket, desk.at), Ok(0));
    let carried = pocket.0.lock().unwrap().pop().unwrap();
    assert_eq!(carried.subject, "Hello  Bcc: b@c", "a subject is one line");
    assert_eq!((records(&desk, "due"), records(&desk, "given_up")), (0, 0));
}

#[test]
fn what_cannot_be_carried_is_tried_for_three_days_and_then_given_up() {
    let mut desk = Desk::open();
    desk.run(&Actor::System, |work| queue(work, letter())).unwrap();
    let failing = Failing { is_final: false, tried: Mutex::default() };
    let began = desk.at;
    for step_s in std::iter::repeat_n(60, 300).chain(std::iter::repeat_n(600, 600)) {
        send_due(&desk.office, &failing, desk.at).unwrap();
        desk.wait_s(step_s);
    }
    let tried = failing.tried.into_inner().unwrap();
    let minutes: Vec<_> = tried.iter().map(|at| (at.as_second() - began.as_second()) / 60).collect();
    assert_eq!(minutes[..9], [0, 1, 3, 7, 15, 31, 63, 127, 255]);
    assert!(minutes.windows(2).all(|pair| pair[1] - pair[0] <= 250));
    assert!((72 * 60..77 * 60).contains(minutes.last().unwrap()), "{minutes:?}");
    assert_eq!((records(&desk, "due"), records(&desk, "given_up")), (0, 1));
    assert_eq!(forget_given_up(&desk.office, desk.at), Ok(0));
    desk.wait_s(30 * 86_400);
    assert_eq!(forget_given_up(&desk.office, desk.at), Ok(1));
    assert_eq!(records(&desk, "given_up"), 0);
}

#[test]
fn what_is_refused_for_good_is_not_tried_again() {
    let desk = Desk::open();
    desk.run(&Actor::System, |work| queue(work, letter())).unwrap();
    let failing = Failing { is_final: true, tried: Mutex::default() };
    for _ in 0..3 {
        assert_eq!(send_due(&desk.office, &failing, desk.at), Ok(0));
    }
    assert_eq!(failing.tried.into_inner().unwrap().len(), 1);
    assert_eq!(records(&desk, "given_up"), 1);
}

#[test]
fn a_letter_that_is_being_carried_is_not_carried_by_another_node() {
    struct Nested<'a>(&'a Desk, Pocket);
    impl Carrier for Nested<'_> {
        fn carry(&self, id: LetterId, letter: &Letter, at: Timestamp) -> Result<(), CarryError> {
            assert_eq!(send_due(&self.0.office, &self.1, at), Ok(0));
            self.1.carry(id, letter, at)
        }
    }
    let desk = Desk::open();
    desk.run(&Actor::System, |work| queue(work, letter())).unwrap();
    let nested = Nested(&desk, Pocket::default());
    assert_eq!(send_due(&desk.office, &nested, desk.at), Ok(1));
    assert_eq!(nested.1.0.lock().unwrap().len(), 1);
}
