/// Of what is worked out while a page waits for it.
pub(crate) struct WorkingWords {
    pub(crate) splitting: &'static str,
    pub(crate) verifying: &'static str,
    pub(crate) counting: &'static str,
    pub(crate) rows_read: &'static str,
    pub(crate) read_until: &'static str,
    pub(crate) look_again: &'static str,
}

pub(super) const ENGLISH: WorkingWords = WorkingWords {
    splitting: "Where the lines of the invoice part is being worked out, once.",
    verifying: "The invoice is being computed again from the ledger.",
    counting: "The checks are being added up by reference.",
    rows_read: "rows of the ledger read",
    read_until: "up to",
    look_again: "Look again",
};

pub(super) const KISWAHILI: WorkingWords = WorkingWords {
    splitting: "Mipaka ya mistari ya ankara inatafutwa, mara moja tu.",
    verifying: "Ankara inakokotolewa tena kutoka kwa leja.",
    counting: "Kaguzi zinajumlishwa kwa rejeleo.",
    rows_read: "safu za leja zimesomwa",
    read_until: "hadi",
    look_again: "Tazama tena",
};
