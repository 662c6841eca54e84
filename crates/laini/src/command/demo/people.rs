//! Who signs in to the demo's portal.

use laini_core::partner::{MemberRole, PartnerId, StaffRole};
use laini_office::people::{self, Person, Purpose, Roster, Seat};
use laini_office::{Actor, Office};
use serde::Serialize;

use crate::command::context::{console, now, random};

/// Where the sessions come from that are opened, and closed, here.
const ADDRESS: &str = "this machine";

/// An address and a password, new with each start.
#[derive(Serialize)]
pub(super) struct SignIn {
    pub(super) email: &'static str,
    pub(super) password: String,
    /// Of whom, and as what.
    pub(super) role: &'static str,
}

/// The bank's owner and the operator's administrator, with fresh passwords.
pub(super) fn sign_ins(office: &Office, bank: PartnerId) -> anyhow::Result<[SignIn; 2]> {
    let owner = Seat::Member { partner: bank, role: MemberRole::Owner };
    let admin = Seat::Staff { role: StaffRole::Admin };
    Ok([
        sign_in(office, owner, "amina@bank.example", "Amina Owino", "owner of the bank")?,
        sign_in(office, admin, "juma@mobile.example", "Juma Mwangi", "the operator's administrator")?,
    ])
}

fn sign_in(office: &Office, seat: Seat, email: &'static str, name: &str, role: &'static str) -> anyhow::Result<SignIn> {
    let word = || random() & 0xffff_ffff;
    let password = format!("{:08x}-{:08x}-{:08x}", word(), word(), word());
    let (person, issued) = office.run(&console(), now(), |work| match work.the::<Person>("email", email)? {
        None => people::invite(work, seat, email, name, false),
        Some(person) => people::reset(work, Roster::of(seat), person.id, false),
    })?;
    office.run(&Actor::Stranger, now(), |work| match issued.purpose {
        Purpose::Invitation | Purpose::Registration => {
            people::accept_invitation(work, &issued.token, &password, None, ADDRESS, None).map(drop)
        }
        Purpose::Reset => people::complete_reset(work, &issued.token, &password),
    })?;
    // The session that an invitation opens: nobody holds its token.
    office.run(&console(), now(), |work| people::sign_out(work, Roster::of(seat), person.id))?;
    Ok(SignIn { email, password, role })
}
