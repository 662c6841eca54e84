//! One node at a time does the chores, and another takes them over.

use laini_office::{LEASE, lease_chores, release_chores};

use crate::desk::Desk;

#[test]
fn chores_are_one_holders_until_its_lease_ends_or_it_leaves_them() {
    let mut desk = Desk::open();
    let (one, two) = (u64::MAX, 7);
    let until = desk.at + LEASE;
    assert_eq!(lease_chores(&desk.office, one, desk.at), Ok(Some(until)));
    assert_eq!(lease_chores(&desk.office, two, desk.at), Ok(None));
    desk.wait_s(10);
    assert_eq!(lease_chores(&desk.office, one, desk.at), Ok(Some(desk.at + LEASE)), "its own is renewed");
    desk.wait_s(29);
    assert_eq!(lease_chores(&desk.office, two, desk.at), Ok(None));
    assert_eq!(release_chores(&desk.office, two, desk.at), Ok(()), "what is another's is not left");
    assert_eq!(lease_chores(&desk.office, two, desk.at), Ok(None));
    desk.wait_s(1);
    assert_eq!(lease_chores(&desk.office, two, desk.at), Ok(Some(desk.at + LEASE)), "it ended");
    assert_eq!(lease_chores(&desk.office, one, desk.at), Ok(None));
    assert_eq!(release_chores(&desk.office, two, desk.at), Ok(()));
    assert_eq!(lease_chores(&desk.office, one, desk.at), Ok(Some(desk.at + LEASE)), "it was left");
}
