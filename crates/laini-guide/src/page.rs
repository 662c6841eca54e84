/// A page of the documentation.
#[derive(Debug)]
pub struct Page {
    /// Where the portal has it.
    pub href: &'static str,
    /// The name of its file, without its ending.
    pub name: &'static str,
    /// What lists call it.
    pub title: &'static str,
    /// Among which pages it is listed.
    pub group: Group,
    /// Its Markdown.
    pub text: &'static str,
}

/// Pages that are listed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// From nothing to the first answer.
    GetStarted,
    /// What is asked and answered.
    Api,
    /// From an organisation's papers to invoices.
    GoingLive,
    /// For whoever runs the server.
    Operate,
    /// Where one looks things up.
    Reference,
}

impl Group {
    /// In the order of lists.
    pub const ALL: [Self; 5] = [Self::GetStarted, Self::Api, Self::GoingLive, Self::Operate, Self::Reference];
}

macro_rules! guide {
    ($($group:ident { $($name:literal $title:literal),+ $(,)? })+) => {
        &[$($(Page {
            href: concat!("/docs/", $name),
            name: $name,
            title: $title,
            group: Group::$group,
            text: include_str!(concat!("../../../docs/guide/", $name, ".md")),
        }),+),+]
    };
}

/// All of it, in the order in which it is read.
pub const GUIDE: &[Page] = guide! {
    GetStarted {
        "overview" "Overview",
        "which-check" "Which check?",
        "onboarding" "Onboarding",
        "more-details" "More details",
        "how-it-works" "How it works",
        "getting-started" "Getting started",
        "integration-steps" "Integration steps",
        "sandbox" "Testing",
        "how-to" "How to",
    }
    Api {
        "checks" "The clear answer",
        "pseudonym" "The hashed IMSI",
        "delivery" "Results by delivery",
        "limits" "Limits and budgets",
        "requests" "Requests",
        "sdk" "SDK",
    }
    GoingLive {
        "agreements" "Agreements",
        "apps" "Apps and keys",
        "going-live" "Go live",
        "billing" "Prices and invoices",
        "payments" "Payments",
        "people" "People and sign-in",
        "desk" "The desk",
        "privacy" "Privacy",
        "support" "Support",
        "incidents" "Status and incidents",
        "faq" "FAQs",
    }
    Operate {
        "operations" "Running it",
        "operator" "The operator's API",
        "feed" "The feed",
        "upstream" "Your own back end",
        "internet" "On the Internet",
        "observe" "Logs and metrics",
        "assistant" "The assistant",
        "scale" "Several nodes",
        "store-copy" "Moving stores",
    }
    Reference {
        "errors" "Error codes",
        "what-the-page-says" "What the page says",
        "api" "API as a document",
    }
};

/// The page of this name.
pub fn page(name: &str) -> Option<&'static Page> {
    GUIDE.iter().find(|page| page.name == name)
}

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
            assert!(page(stem).is_some(), "{name} is on no page");
        }
    }
}
