use crate::visit::Visit;

/// What stands in the fields of a form: what was sent, or else what is kept.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Of the form that was sent and refused, if it is the one that has a field `of`; else of `kept`.
    pub(crate) fn sent_or(visit: &Visit, of: &str, kept: impl FnOnce() -> Vec<(String, String)>) -> Self {
        let was_sent = visit.form.iter().any(|(name, _)| name == of);
        if was_sent { Self(visit.form.clone()) } else { Self(kept()) }
    }

    /// Of these names and values.
    pub(crate) fn of_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The value of a field; empty where there is none.
    pub(crate) fn of(&self, name: &str) -> &str {
        self.0.iter().find(|(named, _)| named == name).map_or("", |(_, value)| value)
    }

    /// The value of one of the fields of a thing: `imsi_bands`.
    pub(crate) fn below(&self, of: &str, name: &str) -> &str {
        self.of(&format!("{of}_{name}"))
    }

    /// Whether one of the fields of a thing is ticked.
    pub(crate) fn is_on(&self, of: &str, name: &str) -> bool {
        !self.below(of, name).is_empty()
    }

    /// Whether a field has this value among its own.
    pub(crate) fn has(&self, name: &str, value: &str) -> bool {
        self.0.iter().any(|(named, one)| named == name && one == value)
    }
}

/// A field's name with its value.
#[expect(clippy::needless_pass_by_value, reason = "values are given as they are")]
pub(crate) fn field(name: impl Into<String>, value: impl ToString) -> (String, String) {
    (name.into(), value.to_string())
}
