use laini_core::store::{RecordId, RecordKey, RecordKind};
use serde::{Deserialize, Serialize};

use crate::{Kept, Problem, Work};

/// The last number that was given to a paper of some kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Numbering {
    series: Series,
    last: u64,
}

/// Papers that are numbered together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Series {
    Invoice,
    CreditNote,
}

impl Kept for Numbering {
    const KIND: RecordKind = RecordKind("numbering");
    const NOUN: &'static str = "numbering";

    fn id(&self) -> RecordId {
        self.series.id()
    }

    fn keys(&self) -> Vec<RecordKey> {
        Vec::new()
    }
}

impl Series {
    fn id(self) -> RecordId {
        RecordId(match self {
            Self::Invoice => 1,
            Self::CreditNote => 2,
        })
    }
}

/// The next number of a series. It is saved with the paper that has it, or not at all: there are no gaps.
pub(super) fn next_number(work: &mut Work<'_>, series: Series) -> Result<u64, Problem> {
    let before = work.look::<Numbering>(series.id())?.map_or(0, |numbering| numbering.last);
    work.put(&Numbering { series, last: before + 1 })?;
    Ok(before + 1)
}
