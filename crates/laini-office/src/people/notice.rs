use super::once_token::{Issued, Purpose};
use super::{Person, Seat};
use crate::mail::{self, Letter};
use crate::{Problem, Work};

/// What somebody is told of their own account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// Their password was changed.
    PasswordChanged,
    /// A second factor was added.
    FactorAdded,
    /// The second factor was removed.
    FactorRemoved,
    /// New recovery codes were made.
    CodesRenewed,
}

/// Queues a letter that tells somebody of a change of their account.
pub(super) fn tell(work: &mut Work<'_>, person: &Person, notice: Notice) -> Result<(), Problem> {
    let (subject, what) = match notice {
        Notice::PasswordChanged => ("Your password was changed", "The password of your account was changed"),
        Notice::FactorAdded => ("A second factor was added", "A second factor was added to your account"),
        Notice::FactorRemoved => ("Your second factor was removed", "The second factor of your account was removed"),
        Notice::CodesRenewed => ("New recovery codes were made", "New recovery codes of your account were made"),
    };
    let at = work.at.to_zoned(work.office.settings.zone.clone());
    let text = format!(
        "Hello {},\n\n{what} on {}.\n\nIf that was you, there is nothing to do. If not, tell an owner or administrator \
         now, and ask for a new password.\n\n{}\n",
        person.name,
        at.strftime("%-d %B %Y at %H:%M (%Z)"),
        work.office.settings.operator,
    );
    let letter = Letter { to: person.email.clone(), subject: subject.into(), text, about: about(person) };
    mail::queue(work, letter).map(drop)
}

/// Queues the letter that brings somebody a token.
pub(super) fn send_token(work: &mut Work<'_>, person: &Person, issued: &Issued) -> Result<(), Problem> {
    let operator = work.office.settings.operator.clone();
    let (subject, why) = match (issued.purpose, person.seat) {
        (Purpose::Invitation, Seat::Staff { role }) => (
            format!("You are invited to the staff of {operator}"),
            format!("you are invited to sign in as {} of {operator}. Choose a password within seven days", role.word()),
        ),
        (Purpose::Invitation, Seat::Member { role, .. }) => (
            format!("You are invited by {operator}"),
            format!("you are invited to sign in at {operator} as {} of your organisation. Choose a password within seven days", role.word()),
        ),
        (Purpose::Reset, _) => (
            "A new password".to_owned(),
            "a new password was asked for. Choose it within 30 minutes; if it was not you who asked, there is nothing to do"
                .to_owned(),
        ),
        (Purpose::Registration, _) => (
            "Confirm your registration".to_owned(),
            format!(
                "an organisation is being registered at {operator} with this e-mail address. Confirm it and choose a \
                 password within 24 hours; if it was not you, there is nothing to do"
            ),
        ),
    };
    // What somebody else wrote does not go to an address that somebody else chose: a name is said to its owner alone, who
    // has come in.
    let name = if issued.purpose == Purpose::Reset { format!(" {}", person.name) } else { String::new() };
    let how = match issued.link(&work.office.settings.people.portal_url) {
        Some(link) => format!("Open this page:\n\n{}", *link),
        None => format!("Use this token:\n\n{}", *issued.token),
    };
    let text = format!(
        "Hello{name},\n\n{why}.\n\n{how}\n\nIt is good once, for you alone. Pass it to nobody.\n\n{operator}\n"
    );
    let letter = Letter { to: person.email.clone(), subject, text, about: about(person) };
    mail::queue(work, letter).map(drop)
}

/// Queues the letter to somebody who is here already, and with whose address a registration was asked for.
pub(super) fn tell_known(work: &mut Work<'_>, person: &Person) -> Result<(), Problem> {
    let operator = &work.office.settings.operator;
    let text = format!(
        "Hello {},\n\nsomebody asked to register an organisation at {operator} with this e-mail address. You can sign \
         in with it already; where the password is lost, ask for a new one. If it was not you who asked, there is \
         nothing to do.\n\n{operator}\n",
        person.name,
    );
    let subject = "You are registered already".to_owned();
    let letter = Letter { to: person.email.clone(), subject, text, about: about(person) };
    mail::queue(work, letter).map(drop)
}

fn about(person: &Person) -> String {
    format!("person {}", person.id)
}
