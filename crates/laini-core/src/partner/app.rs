use std::fmt;

use super::{AppId, AppLimits, AppSecret, Limits, PartnerId, Prepaid, Purpose};
use crate::access::{AddressRules, ConsumerKey};

/// An organisation that calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Its id.
    pub id: PartnerId,
    /// Its name, unique in an installation.
    pub name: String,
    /// Whether its apps work at all.
    pub status: PartnerStatus,
    /// What all its production apps together may ask.
    pub limits: Limits,
    /// What it paid in advance; `None` = it pays invoices.
    pub prepaid: Option<Prepaid>,
}

impl Partner {
    /// A new partner: active, without limits, paying invoices.
    pub fn new(id: PartnerId, name: String) -> Self {
        Self { id, name, status: PartnerStatus::Active, limits: Limits::NONE, prepaid: None }
    }
}

/// Whether a partner's apps work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PartnerStatus {
    /// They do.
    #[default]
    Active,
    /// None does, until the partner is resumed (403).
    Suspended,
}

impl PartnerStatus {
    /// The word in lists and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = [Self::Active, Self::Suspended].into_iter().find(|status| status.word() == word);
        found.ok_or(WordError { expected: "active, suspended" })
    }
}

/// A pair of consumer key and secret.
#[derive(Debug, Clone, PartialEq)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// Whose it is.
    pub partner: PartnerId,
    /// Its name, unique within the partner.
    pub name: String,
    /// Where its credentials work.
    pub environment: Environment,
    /// What it may call.
    pub products: ProductSet,
    /// Whether it works at all.
    pub status: AppStatus,
    /// Tokens of an earlier epoch are revoked.
    pub token_epoch: u32,
    /// The public half of its credentials.
    pub consumer_key: ConsumerKey,
    /// One secret, or [`AppSecret::LIVE_MAX`] during a rotation; in the order of their numbers.
    pub secrets: Vec<AppSecret>,
    /// Which of two published forms it wants where the page contradicts itself.
    pub profile: AppProfile,
    /// What it asks for, where a request does not say.
    pub purpose: Purpose,
    /// How much it may ask and spend.
    pub limits: AppLimits,
    /// SHA-256 of the only client certificate (DER) under which it is answered; `None` = any or none.
    pub client_certificate: Option<[u8; 32]>,
    /// From which addresses it is answered; none named = from anywhere.
    pub allowed_addresses: AddressRules,
}

/// Whether an app works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppStatus {
    /// It works.
    Active,
    /// It does not work until it is resumed (403).
    Suspended,
    /// It never works again.
    Revoked,
}

impl AppStatus {
    /// The word in lists and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        let found = [Self::Active, Self::Suspended, Self::Revoked].into_iter().find(|status| status.word() == word);
        found.ok_or(WordError { expected: "active, suspended, revoked" })
    }
}

/// Choices per app between published forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AppProfile {
    /// "No swap" on `imsi` and `swap`: `Some(true)` = `01-01-1900 00:00`, `Some(false)` = `01-01-1900`,
    /// `None` = each product's own form.
    pub sentinel_with_time: Option<bool>,
    /// A new token invalidates the previous ones, as published.
    pub single_token: bool,
}

/// Where credentials work; it travels with them, never with the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// Made-up lines.
    Sandbox,
    /// The operator's registry.
    Production,
}

/// What an app may call; each has its own price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// `POST /imsi/v1/checkATI`.
    Imsi,
    /// `POST /imsi/v2/checkATI`.
    Swap,
    /// `POST /registration/lookup/v1/checkATI`.
    Age,
}

/// A word that names nothing of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of: {expected}")]
pub struct WordError {
    /// The words there are.
    pub expected: &'static str,
}

impl Environment {
    /// The word in exports, headers and commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        match word {
            "sandbox" => Ok(Self::Sandbox),
            "production" => Ok(Self::Production),
            _ => Err(WordError { expected: "sandbox, production" }),
        }
    }
}

impl Product {
    /// Every product.
    pub const ALL: [Self; 3] = [Self::Imsi, Self::Swap, Self::Age];

    /// The word in exports, prices and commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Imsi => "imsi",
            Self::Swap => "swap",
            Self::Age => "age",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, WordError> {
        Self::ALL.into_iter().find(|p| p.word() == word).ok_or(WordError { expected: "imsi, swap, age" })
    }
}

/// A set of products.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ProductSet(u8);

impl ProductSet {
    /// Every product.
    pub fn all() -> Self {
        Product::ALL.into_iter().collect()
    }

    /// Whether it holds `product`.
    pub fn contains(self, product: Product) -> bool {
        self.0 & Self::bit(product) != 0
    }

    /// Its products, in their own order.
    pub fn iter(self) -> impl Iterator<Item = Product> {
        Product::ALL.into_iter().filter(move |product| self.contains(*product))
    }

    /// Reads words separated by commas; at least one.
    pub fn parse(words: &str) -> Result<Self, WordError> {
        words.split(',').map(|word| Product::parse(word.trim())).collect()
    }

    fn bit(product: Product) -> u8 {
        match product {
            Product::Imsi => 1,
            Product::Swap => 2,
            Product::Age => 4,
        }
    }
}

impl FromIterator<Product> for ProductSet {
    fn from_iter<I: IntoIterator<Item = Product>>(products: I) -> Self {
        Self(products.into_iter().fold(0, |set, product| set | Self::bit(product)))
    }
}

impl fmt::Display for ProductSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Product::word).collect();
        f.write_str(&words.join(","))
    }
}

impl fmt::Debug for ProductSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProductSet({self})")
    }
}
