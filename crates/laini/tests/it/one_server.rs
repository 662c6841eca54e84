//! One server per data directory.

use std::fs;

use crate::bank::{Bank, IMSI};
use crate::running::Lab;

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

#[test]
fn a_second_server_is_refused_by_name_of_the_first_and_a_dead_ones_lock_is_no_obstacle() {
    let lab = Lab::new();
    let numbers = lab.import_sample(100, 1).served();
    let app = lab.partner_app("Bank A", "production");
    let first = lab.serve();
    let bank = Bank::of(&first, &app);
    let said = lab.refused(&SERVE);
    let pid = first.pid.as_raw_nonzero().to_string();
    assert!(said.contains(&pid), "the running server, {pid}, is not named: {said}");
    assert!(said.contains("hint: "), "{said}");
    // The refused one has disturbed nothing.
    assert_eq!(bank.check(IMSI, &numbers[0]).status, 200);

    first.kill9();
    let lock = fs::read_to_string(lab.data().join("ledger.lock")).unwrap();
    assert_eq!(lock.trim(), pid, "the dead server's lock lies there");
    let next = lab.serve();
    assert_eq!(Bank::of(&next, &app).check(IMSI, &numbers[1]).status, 200);
    next.stop();
    lab.serve().stop();
}
