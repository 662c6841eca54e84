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
}

/// Queues a letter that tells somebody of a change of their account.
pub(super) fn tell(work: &mut Work<'_>, person: &Person, notice: Notice) -> Result<(), Problem> {
    let (subject, what) = match notice {
        Notice::PasswordChanged => ("Your password was changed", "The password of your account was changed"),
        Notice::FactorAdded => ("A second factor was added", "A second factor was added to your account"),
        Notice::FactorRemoved => ("Your second factor was removed", "The second factor of your account was removed"),
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
    };
    let how = match issued.link(&work.office.settings.people.portal_url) {
        Some(link) => format!("Open this page:\n\n{}", *link),
        None => format!("Use this token:\n\n{}", *issued.token),
    };
    let text = format!(
        "Hello {},\n\n{why}.\n\n{how}\n\nIt is good once, for you alone. Pass it to nobody.\n\n{operator}\n",
        person.name
    );
    let letter = Letter { to: person.email.clone(), subject, text, about: about(person) };
    mail::queue(work, letter).map(drop)
}

fn about(person: &Person) -> String {
    format!("person {}", person.id)
}
