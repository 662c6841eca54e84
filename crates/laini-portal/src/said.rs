use laini_wire::checks::CheckItem;

use crate::words::SaidWords;

/// What an answer says, a sentence for each fact.
pub(crate) struct Said {
    pub(crate) lines: Vec<Line>,
    /// The amount, with its currency.
    pub(crate) charge: String,
    /// Up to when the registry is complete.
    pub(crate) as_of: Option<String>,
}

/// One fact. Its tone is a class of the style sheet, and never says more than the words do.
pub(crate) struct Line {
    pub(crate) tone: &'static str,
    pub(crate) text: String,
}

impl Said {
    /// Reads an item. A status that this page does not know is an unknown.
    pub(crate) fn of(item: &CheckItem, words: &SaidWords) -> Self {
        let mut lines = Vec::new();
        if item.line == "not_served" {
            lines.push(Line { tone: "", text: words.not_served.to_owned() });
        } else {
            lines.extend(item.swap.as_ref().map(|swap| match (swap.status.as_str(), &swap.on) {
                ("swapped", Some(on)) => Line { tone: "stop", text: format!("{} {on}", words.swapped) },
                ("not_swapped", _) => Line { tone: "go", text: words.not_swapped.to_owned() },
                _ => Line { tone: "", text: with_reason(words.swap_unknown, swap.reason.as_deref()) },
            }));
            lines.extend(item.registration.as_ref().map(|held| match (held.status.as_str(), &held.on) {
                ("within_window", Some(on)) => Line { tone: "care", text: format!("{} {on}", words.new_line) },
                ("older", _) => Line { tone: "go", text: words.old_line.to_owned() },
                _ => Line { tone: "", text: with_reason(words.age_unknown, held.reason.as_deref()) },
            }));
        }
        let charge = format!("{} {}", item.charge.currency, item.charge.amount);
        Self { lines, charge, as_of: item.as_of.clone() }
    }
}

fn with_reason(text: &str, reason: Option<&str>) -> String {
    reason.map_or_else(|| text.to_owned(), |reason| format!("{text} ({})", reason.replace('_', " ")))
}
