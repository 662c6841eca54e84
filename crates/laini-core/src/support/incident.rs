use crate::partner::WordError;

/// How far an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncidentState {
    /// The cause is looked for.
    Investigating,
    /// The cause is known, and worked on.
    Identified,
    /// It was mended, and is watched.
    Monitoring,
    /// It is over.
    Resolved,
}

/// Why an incident does not move there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IncidentRefusal {
    /// It is over.
    #[error("the incident was resolved; open another one where it has come back")]
    Resolved,
}

impl IncidentState {
    /// Every state, in the order of a usual incident.
    pub const ALL: [Self; 4] = [Self::Investigating, Self::Identified, Self::Monitoring, Self::Resolved];

    /// The word in requests and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = Self::ALL.into_iter().find(|state| state.word() == word);
        found.ok_or(WordError { expected: "investigating, identified, monitoring, resolved" })
    }

    /// Whether it goes on.
    pub fn is_open(self) -> bool {
        match self {
            Self::Investigating | Self::Identified | Self::Monitoring => true,
            Self::Resolved => false,
        }
    }

    /// The state after an update that says `next`. A known cause may turn out to be the wrong one, and what was mended
    /// may break again, so an open incident moves either way; what is over stays over.
    pub fn after(self, next: Self) -> Result<Self, IncidentRefusal> {
        match (self, next) {
            (Self::Investigating | Self::Identified | Self::Monitoring, next) => Ok(next),
            (Self::Resolved, Self::Investigating | Self::Identified | Self::Monitoring | Self::Resolved) => {
                Err(IncidentRefusal::Resolved)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_incident_moves_either_way_and_one_that_is_over_stays_over() {
        for from in IncidentState::ALL {
            assert_eq!(IncidentState::parse(from.word()), Ok(from));
            for to in IncidentState::ALL {
                let expected = if from.is_open() { Ok(to) } else { Err(IncidentRefusal::Resolved) };
                assert_eq!(from.after(to), expected, "{from:?} {to:?}");
            }
        }
        assert_eq!(IncidentState::ALL.into_iter().filter(|state| !state.is_open()).count(), 1);
    }
}
