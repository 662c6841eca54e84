use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;

use crate::words::{ENGLISH, KISWAHILI, Words};

/// The languages that the portal speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Kiswahili,
}

impl Language {
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::Kiswahili];

    /// Its tag (BCP 47).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Kiswahili => "sw",
        }
    }

    /// What it calls itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Kiswahili => "Kiswahili",
        }
    }

    /// Everything that the portal says in it.
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::Kiswahili => &KISWAHILI,
        }
    }

    pub(crate) fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The first of ours that a browser names (RFC 9110, section 12.5.4, weights left aside); otherwise English.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let named = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut tags = named.split(',').map(|part| part.trim().get(..2).unwrap_or_default());
        tags.find_map(Self::parse).unwrap_or(Self::English)
    }
}
