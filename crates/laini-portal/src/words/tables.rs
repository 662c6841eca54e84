/// Of tables that can be sorted.
pub(crate) struct TableWords {
    pub(crate) sort: &'static str,
    pub(crate) turn: &'static str,
}

pub(super) const ENGLISH: TableWords = TableWords { sort: "Sort by this column", turn: "Turn the order round" };

pub(super) const KISWAHILI: TableWords = TableWords { sort: "Panga kwa safu hii", turn: "Geuza mpangilio" };
