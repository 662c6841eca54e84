/// Of the audit trail.
pub(crate) struct AuditWords {
    pub(crate) title: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) at: &'static str,
    pub(crate) actor: &'static str,
    pub(crate) actor_hint: &'static str,
    pub(crate) everybody: &'static str,
    pub(crate) our_people: &'static str,
    pub(crate) action: &'static str,
    pub(crate) action_hint: &'static str,
    pub(crate) target: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) from: &'static str,
    pub(crate) until: &'static str,
    pub(crate) filter: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_hint: &'static str,
    /// In the order of [`KINDS`].
    pub(crate) kinds: [&'static str; 7],
}

/// What kind of somebody the office says did something: those of the trail, and the sides.
const KINDS: [&str; 7] = ["staff", "member", "cli", "laini", "stranger", "operator", "partner"];

impl AuditWords {
    /// What kind of somebody it was, by their name in the trail (`staff:` and an id); never who.
    pub(crate) fn kind<'n>(&self, name: &'n str) -> &'n str {
        let kind = name.split_once(':').map_or(name, |(kind, _)| kind);
        KINDS.into_iter().zip(self.kinds).find(|(known, _)| *known == kind).map_or(kind, |(_, told)| told)
    }
}

pub(super) const ENGLISH: AuditWords = AuditWords {
    title: "Audit trail",
    lead: "Who did what. Rows are added, and never changed.",
    at: "When",
    actor: "Who",
    actor_hint: "how it begins: staff:, member:, cli:",
    everybody: "everybody",
    our_people: "our own people",
    action: "What",
    action_hint: "how it begins: app., agreement.",
    target: "On what",
    reason: "Details",
    from: "From",
    until: "Until",
    filter: "Show",
    none: "Nothing fits",
    none_hint: "Ask for less: leave a filter empty.",
    kinds: ["staff", "member", "command line", "laini", "stranger", "operator", "partner"],
};

pub(super) const KISWAHILI: AuditWords = AuditWords {
    title: "Kumbukumbu ya matendo",
    lead: "Nani alifanya nini. Mistari huongezwa, haibadilishwi kamwe.",
    at: "Lini",
    actor: "Nani",
    actor_hint: "inavyoanza: staff:, member:, cli:",
    everybody: "kila mtu",
    our_people: "watu wetu wenyewe",
    action: "Nini",
    action_hint: "inavyoanza: app., agreement.",
    target: "Juu ya nini",
    reason: "Maelezo",
    from: "Kuanzia",
    until: "Hadi",
    filter: "Onyesha",
    none: "Hakuna kinachofaa",
    none_hint: "Uliza kidogo: acha kichujio tupu.",
    kinds: ["mfanyakazi", "mtu wa mshirika", "mstari wa amri", "laini", "mgeni", "mtandao", "mshirika"],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_did_something_is_told_by_their_kind_in_each_language() {
        for (name, english, kiswahili) in [
            ("staff:00000000000000a1", "staff", "mfanyakazi"),
            ("member:00000000000000a1", "member", "mtu wa mshirika"),
            ("cli:root", "command line", "mstari wa amri"),
            ("operator", "operator", "mtandao"),
            ("partner", "partner", "mshirika"),
            ("somebody:1", "somebody", "somebody"),
        ] {
            assert_eq!((ENGLISH.kind(name), KISWAHILI.kind(name)), (english, kiswahili), "{name}");
        }
    }
}
