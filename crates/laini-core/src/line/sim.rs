use super::{HashedImsi, Imsi};

/// What tells the SIM behind a number from the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sim {
    /// Its IMSI.
    Imsi(Imsi),
    /// The operator's own hash of its IMSI, where a back end states nothing else.
    Hashed(HashedImsi),
}

impl Sim {
    /// The IMSI, where it is known.
    pub fn imsi(&self) -> Option<Imsi> {
        match self {
            Self::Imsi(imsi) => Some(*imsi),
            Self::Hashed(_) => None,
        }
    }
}

impl From<Imsi> for Sim {
    fn from(imsi: Imsi) -> Self {
        Self::Imsi(imsi)
    }
}
