//! The way of a production app from a request to its credentials, as a table: nothing leads past it.

use super::{Side, WordError};

/// Where a request to go live stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GoLiveState {
    /// The partner works on its checklist.
    Preparing,
    /// The checklist is done; the operator has to look.
    AwaitingApproval,
    /// The operator gave it back, with a reason.
    Returned,
    /// The operator approved; the partner has to take its credentials.
    Approved,
    /// The credentials were issued.
    Live,
    /// The partner gave it up.
    Withdrawn,
}

/// What happens to a request to go live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GoLiveEvent {
    /// The partner hands it in.
    Submit,
    /// The operator approves.
    Approve,
    /// The operator gives it back.
    Return,
    /// The partner takes the credentials.
    Collect,
    /// The partner gives it up.
    Withdraw,
}

/// What the system itself checks before an app goes live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GoLiveItem {
    /// An agreement is in force, and it covers the products.
    Agreement,
    /// The partner's data-protection certificate has not expired.
    Certificate,
    /// The terms in force were accepted.
    Terms,
    /// A scripted run in the sandbox was passed.
    Run,
}

/// Why something does not happen to a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GoLiveRefusal {
    /// It does not stand where this can happen.
    #[error("the request is {}, so it cannot be {}", .0.in_words(), .1.in_words())]
    NotFromHere(GoLiveState, GoLiveEvent),
    /// Something of the checklist is open; in the list's own order.
    #[error("the checklist is not done: {}", in_words(.0))]
    Open(Vec<GoLiveItem>),
}

/// Where a request stands after `event`. `open` is what of the checklist is not done: it holds up everything that leads
/// towards going live, each time anew, for an agreement can end and a certificate expire in between.
pub fn next_go_live_state(
    state: GoLiveState,
    event: GoLiveEvent,
    open: &[GoLiveItem],
) -> Result<GoLiveState, GoLiveRefusal> {
    use GoLiveEvent as E;
    use GoLiveState as S;
    let (next, needs_checklist) = match (state, event) {
        (S::Preparing | S::Returned, E::Submit) => (S::AwaitingApproval, true),
        (S::AwaitingApproval, E::Approve) => (S::Approved, true),
        (S::Approved, E::Collect) => (S::Live, true),
        (S::AwaitingApproval | S::Approved, E::Return) => (S::Returned, false),
        (S::Preparing | S::AwaitingApproval | S::Returned | S::Approved, E::Withdraw) => (S::Withdrawn, false),
        _ => return Err(GoLiveRefusal::NotFromHere(state, event)),
    };
    if needs_checklist && !open.is_empty() {
        return Err(GoLiveRefusal::Open(open.to_vec()));
    }
    Ok(next)
}

fn in_words(open: &[GoLiveItem]) -> String {
    open.iter().map(|item| item.what_is_open()).collect::<Vec<_>>().join("; ")
}

impl GoLiveState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Preparing, Self::AwaitingApproval, Self::Returned, Self::Approved, Self::Live, Self::Withdrawn];

    /// The word in answers and lists.
    pub fn word(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Returned => "returned",
            Self::Approved => "approved",
            Self::Live => "live",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|state| state.word() == word);
        found.ok_or(WordError { expected: "preparing, awaiting_approval, returned, approved, live, withdrawn" })
    }

    /// Whether nothing happens to it any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Live | Self::Withdrawn)
    }

    /// Whose turn it is; nobody's at its end.
    pub fn owner(self) -> Option<Side> {
        match self {
            Self::Preparing | Self::Returned | Self::Approved => Some(Side::Partner),
            Self::AwaitingApproval => Some(Side::Operator),
            Self::Live | Self::Withdrawn => None,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::AwaitingApproval => "awaiting approval",
            state => state.word(),
        }
    }
}

impl GoLiveEvent {
    /// Every event.
    pub const ALL: [Self; 5] = [Self::Submit, Self::Approve, Self::Return, Self::Collect, Self::Withdraw];

    /// The verb in the audit trail.
    pub fn word(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Approve => "approve",
            Self::Return => "return",
            Self::Collect => "collect",
            Self::Withdraw => "withdraw",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Submit => "submitted",
            Self::Approve => "approved",
            Self::Return => "returned",
            Self::Collect => "given its credentials",
            Self::Withdraw => "withdrawn",
        }
    }
}

impl GoLiveItem {
    /// The whole list, in its order.
    pub const ALL: [Self; 4] = [Self::Agreement, Self::Certificate, Self::Terms, Self::Run];

    /// The word in answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::Certificate => "certificate",
            Self::Terms => "terms",
            Self::Run => "scripted_run",
        }
    }

    /// What is said while it is open, and what to do.
    pub fn what_is_open(self) -> &'static str {
        match self {
            Self::Agreement => "no agreement that covers the products is in force; sign one with the operator",
            Self::Certificate => {
                "there is no data-protection certificate that is still valid; register it with the organisation"
            }
            Self::Terms => "the terms in force were not accepted; read and accept them",
            Self::Run => "no scripted run was passed; begin one with a sandbox app, and name it",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table in words: `state event → state`, `!` where the checklist must be done.
    const TABLE: &str = "
        preparing Submit awaiting_approval !
        preparing Withdraw withdrawn
        awaiting_approval Approve approved !
        awaiting_approval Return returned
        awaiting_approval Withdraw withdrawn
        returned Submit awaiting_approval !
        returned Withdraw withdrawn
        approved Collect live !
        approved Return returned
        approved Withdraw withdrawn
    ";

    fn expected(state: GoLiveState, event: GoLiveEvent) -> Option<(GoLiveState, bool)> {
        let start = format!("{} {event:?} ", state.word());
        let row = TABLE.lines().find_map(|line| line.trim().strip_prefix(&start))?;
        let (word, mark) = row.split_once(' ').unwrap_or((row, ""));
        Some((GoLiveState::parse(word).unwrap(), mark == "!"))
    }

    #[test]
    fn every_state_every_event_and_every_checklist_is_as_the_table_says() {
        let mut cases = 0;
        for state in GoLiveState::ALL {
            for event in GoLiveEvent::ALL {
                for bits in 0..1u8 << GoLiveItem::ALL.len() {
                    let open: Vec<_> = (0..)
                        .zip(GoLiveItem::ALL)
                        .filter(|(n, _)| bits & (1 << n) != 0)
                        .map(|(_, item)| item)
                        .collect();
                    let told = next_go_live_state(state, event, &open);
                    let right = match expected(state, event) {
                        None => Err(GoLiveRefusal::NotFromHere(state, event)),
                        Some((_, true)) if !open.is_empty() => Err(GoLiveRefusal::Open(open)),
                        Some((next, _)) => Ok(next),
                    };
                    assert_eq!(told, right, "{state:?} {event:?} {bits:04b}");
                    cases += 1;
                }
            }
        }
        assert_eq!(cases, 6 * 5 * 16);
    }

    #[test]
    fn the_only_way_to_live_leads_past_the_operator() {
        // From the start, everything that is reached without an approval.
        let mut reached = vec![GoLiveState::Preparing];
        let mut looked_at = 0;
        while let Some(state) = reached.get(looked_at).copied() {
            looked_at += 1;
            for event in GoLiveEvent::ALL.into_iter().filter(|event| *event != GoLiveEvent::Approve) {
                if let Ok(next) = next_go_live_state(state, event, &[])
                    && !reached.contains(&next)
                {
                    reached.push(next);
                }
            }
        }
        assert!(!reached.contains(&GoLiveState::Live) && !reached.contains(&GoLiveState::Approved), "{reached:?}");
        for state in GoLiveState::ALL.into_iter().filter(|state| state.is_over()) {
            assert!(GoLiveEvent::ALL.iter().all(|event| next_go_live_state(state, *event, &[]).is_err()));
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let refused = next_go_live_state(GoLiveState::Preparing, GoLiveEvent::Submit, &[GoLiveItem::Terms]);
        let said = refused.unwrap_err().to_string();
        assert_eq!(said, "the checklist is not done: the terms in force were not accepted; read and accept them");
        let early = next_go_live_state(GoLiveState::AwaitingApproval, GoLiveEvent::Collect, &[]).unwrap_err();
        assert_eq!(early.to_string(), "the request is awaiting approval, so it cannot be given its credentials");
    }
}
