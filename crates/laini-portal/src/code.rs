/// A language in which somebody reads examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CodeLanguage {
    /// As cookies and forms have it.
    pub(crate) word: &'static str,
    /// As the guide calls it.
    pub(crate) name: &'static str,
}

impl CodeLanguage {
    /// In the order of the guide.
    pub(crate) const ALL: [Self; 6] = [
        Self { word: "curl", name: "curl" },
        Self { word: "rust", name: "Rust" },
        Self { word: "python", name: "Python" },
        Self { word: "typescript", name: "TypeScript" },
        Self { word: "php", name: "PHP" },
        Self { word: "java", name: "Java" },
    ];

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.word == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_shows_code_in_each_of_them_and_in_no_other() {
        let text = laini_guide::page("getting-started").unwrap().text;
        let tabs: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once(" tab=")?.1)).collect();
        let names = CodeLanguage::ALL.map(|language| language.name);
        assert!(tabs.len() >= names.len() && tabs.chunks(names.len()).all(|tabs| tabs == names), "{tabs:?}");
        for language in CodeLanguage::ALL {
            assert_eq!(CodeLanguage::parse(language.word), Some(language));
        }
        assert_eq!(CodeLanguage::parse("Rust"), None);
    }
}
