/// A page of the documentation.
pub(super) struct Guide {
    /// Where it is.
    pub(super) href: &'static str,
    /// What the rail calls it.
    pub(super) title: &'static str,
    /// Its Markdown.
    pub(super) text: &'static str,
}

macro_rules! guide {
    ($($name:literal $title:literal),+ $(,)?) => {
        &[$(Guide {
            href: concat!("/docs/", $name),
            title: $title,
            text: include_str!(concat!("../../../../../docs/guide/", $name, ".md")),
        }),+]
    };
}

/// All of it, in the order in which it is read.
pub(super) const GUIDE: &[Guide] = guide![
    "overview" "Overview",
    "getting-started" "Getting started",
    "how-it-works" "How it works",
    "checks" "The clear answer",
    "what-the-page-says" "What the page says",
    "desk" "The desk",
    "sandbox" "Testing",
    "errors" "Error codes",
    "requests" "Requests",
    "limits" "Limits and budgets",
    "delivery" "Results by delivery",
    "api" "API as a document",
    "sdk" "SDK",
    "pseudonym" "The hashed IMSI",
    "onboarding" "Onboarding",
    "agreements" "Agreements",
    "apps" "Apps and keys",
    "going-live" "Go live",
    "billing" "Prices and invoices",
    "payments" "Payments",
    "people" "People and sign-in",
    "privacy" "Privacy",
    "faq" "Questions",
    "support" "Support",
    "incidents" "Status and incidents",
    "operations" "Running it",
    "operator" "The operator's API",
    "feed" "The feed",
    "upstream" "Your own back end",
    "internet" "On the Internet",
    "observe" "Logs and metrics",
    "scale" "Several nodes",
    "store-copy" "Moving stores",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_guide_is_a_page() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            // The reference of the commands is for a terminal: `laini help`.
            let Some(stem) = name.strip_suffix(".md").filter(|stem| *stem != "cli") else { continue };
            let href = format!("/docs/{stem}");
            assert!(GUIDE.iter().any(|guide| guide.href == href), "{name} is on no page");
        }
    }
}
