//! Apps, their secrets, result addresses and limits; whether they and their partners are answered.

use serde::{Deserialize, Serialize};

/// `GET /office/v1/partners/{partner}/apps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppsAnswer {
    /// The partner's apps by name, ended ones too.
    pub apps: Vec<AppAnswer>,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppAnswer {
    /// Its id.
    pub app: String,
    /// Its name.
    pub name: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// `active`, `suspended` or `revoked`.
    pub status: String,
    /// Whether its partner is `active` or `suspended`.
    pub partner_status: String,
    /// The public half of its credentials.
    pub consumer_key: String,
    /// Its secrets that are good, by number.
    pub secrets: Vec<SecretAnswer>,
    /// Every product, and how it stands.
    pub products: Vec<ProductAnswer>,
    /// What it asks for, where a request does not say.
    pub purpose: String,
    /// From which networks it is answered; none = from anywhere.
    pub allowed_addresses: Vec<String>,
    /// How many numbers it may ask about, of everything.
    pub limits: LimitsBody,
    /// What is limited of a product by itself.
    pub product_limits: Vec<ProductLimitsBody>,
    /// What it may spend in a month; null = anything.
    pub budget: Option<BudgetBody>,
    /// "No swap" with a time (true), without (false), or in each path's own form (null).
    pub sentinel_with_time: Option<bool>,
    /// Whether a new token invalidates the previous ones.
    pub single_token: bool,
    /// Where its results can be delivered.
    pub result_addresses: Vec<ResultAddressAnswer>,
}

/// A secret, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecretAnswer {
    /// Its number among the secrets of its app.
    pub number: u32,
    /// Its last four characters; null = it was made elsewhere, or before they were kept.
    pub ending: Option<String>,
    /// Since when it is good (RFC 3339); null = it is not known.
    pub created: Option<String>,
    /// When it last got a token, to about a minute; null = never, as far as is known.
    pub last_used: Option<String>,
}

/// How a product stands for an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductAnswer {
    /// `imsi`, `swap` or `age`.
    pub product: String,
    /// `on`, `pending` or `off`.
    pub state: String,
    /// Why.
    pub why: String,
}

/// How many numbers may be asked about; null = no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitsBody {
    /// Numbers per second in the long run; comes with `burst`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub per_second: Option<u32>,
    /// Numbers at once; comes with `per_second`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
    pub burst: Option<u32>,
    /// Numbers in a day of the operator's zone.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(maximum = 1_000_000_000))]
    pub per_day: Option<u64>,
    /// Numbers in a calendar month of the operator's zone.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(maximum = 1_000_000_000))]
    pub per_month: Option<u64>,
}

/// What all production apps of a partner may ask about together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PartnerLimitsRequest {
    /// The limits; what is left out has none.
    #[serde(deserialize_with = "crate::object::required")]
    pub limits: LimitsBody,
    /// Why; kept in the audit trail.
    #[serde(default)]
    pub reason: String,
}

/// The limits of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProductLimitsBody {
    /// `imsi`, `swap` or `age`.
    pub product: String,
    /// Its limits.
    #[serde(deserialize_with = "crate::object::required")]
    pub limits: LimitsBody,
}

/// What an app may spend in a calendar month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BudgetBody {
    /// The currency of the agreement, `KES`.
    pub currency: String,
    /// The month's budget before tax, in minor units.
    pub month_minor: i64,
    /// At which shares of it a warning is given, in per cent, ascending.
    #[serde(default)]
    pub warn_at_percent: Vec<u8>,
    /// How far beyond it checks are still answered, in per cent.
    #[serde(default)]
    pub overrun_percent: u16,
    /// Whether checks stop at the budget itself.
    #[serde(default)]
    pub hard_stop: bool,
}

/// A result address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResultAddressAnswer {
    /// Its id.
    pub address: String,
    /// The address.
    pub url: String,
    /// When it answered its challenge; null = not yet, and nothing is sent there.
    pub proven: Option<String>,
    /// Until when the signing secret before signs as well.
    pub previous_until: Option<String>,
}

/// `POST /office/v1/partners/{partner}/apps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddAppRequest {
    /// Its name, unique within the partner.
    pub name: String,
    /// What it will be able to call: `imsi`, `swap`, `age`.
    pub products: Vec<String>,
}

/// Fresh credentials; the secret is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialsAnswer {
    /// The app's id.
    pub app: String,
    /// The public half.
    pub consumer_key: String,
    /// The secret half, shown this once.
    pub consumer_secret: String,
}

/// `PATCH /office/v1/partners/{partner}/apps/{app}`: what is not named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeAppRequest {
    /// Another name.
    #[serde(default)]
    pub name: Option<String>,
    /// All products that are ticked from now on.
    #[serde(default)]
    pub products: Option<Vec<String>>,
    /// What it asks for, where a request does not say.
    #[serde(default)]
    pub purpose: Option<String>,
    /// From which networks it is answered; none = from anywhere.
    #[serde(default)]
    pub allowed_addresses: Option<Vec<String>>,
    /// How many numbers it may ask about, of everything.
    #[serde(default, deserialize_with = "crate::object::maybe")]
    pub limits: Option<LimitsBody>,
    /// What is limited of products by themselves.
    #[serde(default)]
    pub product_limits: Option<Vec<ProductLimitsBody>>,
    /// Whether a new token invalidates the previous ones.
    #[serde(default)]
    pub single_token: Option<bool>,
    /// Why, for the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

/// `PUT /office/v1/partners/{partner}/apps/{app}/budget`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetBudgetRequest {
    /// The budget; null = none.
    pub budget: Option<BudgetBody>,
    /// Why, for the audit trail.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A further secret; it is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewSecretAnswer {
    /// The app's id.
    pub app: String,
    /// The secret, shown this once. The one before stays good until it is retired.
    pub consumer_secret: String,
}

/// `POST …/result-addresses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddResultAddressRequest {
    /// The address, `https://…`, or `laini:listen`.
    pub url: String,
}

/// A result address with its signing secret, which is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SigningSecretAnswer {
    /// The address.
    pub address: ResultAddressAnswer,
    /// What deliveries are signed with, `whsec_…`; shown this once.
    pub signing_secret: String,
}

/// `GET /office/v1/partners/{partner}/apps/{app}/activity`: today, since the operator's midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActivityAnswer {
    /// Checks that reached the registry.
    pub checks: u64,
    /// Calls that failed, as far as they are kept.
    pub failed: u64,
    /// What the checks cost at list prices, in minor units.
    pub charged_minor: i64,
    /// When it called last, RFC 3339; null: not today.
    pub last_call: Option<String>,
}

/// `POST /office/v1/partners/{partner}/suspend`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SuspendPartnerRequest {
    /// `debt`, which needs a notice that has taken effect, or `other`.
    pub because: String,
    /// 1 to 500 characters.
    pub reason: String,
}

/// Whether a partner is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StandingAnswer {
    /// `active`, `suspended` or `terminated`; holds everywhere within 5 seconds.
    pub status: String,
}

/// `POST /office/v1/partners/{partner}/debt-notices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DebtNoticeRequest {
    /// In how many days it takes effect, 7 to 180.
    pub days: i64,
    /// Which invoices; 1 to 500 characters.
    pub reason: String,
}

/// A notice of debt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DebtNoticeAnswer {
    /// Its id.
    pub notice: String,
    /// When it was given.
    pub sent: String,
    /// From when on the partner may be suspended.
    pub effective: String,
    /// Which invoices.
    pub reason: String,
    /// When it was withdrawn; null = it stands.
    pub withdrawn: Option<String>,
}

/// `GET /office/v1/partners/{partner}/debt-notices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DebtNoticesAnswer {
    /// Newest first.
    pub notices: Vec<DebtNoticeAnswer>,
    /// `after` of the next page, where there is one.
    pub next: Option<String>,
}
