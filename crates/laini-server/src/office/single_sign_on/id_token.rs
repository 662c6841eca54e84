use jiff::Timestamp;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use laini_office::people::Vouched;
use serde::Deserialize;
use serde_json::Value;

use super::SingleSignOn;

/// Signatures that are believed: all of them by a private key that the provider alone has.
const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];
/// The longest token.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Keys of a provider that are looked at.
const KEYS_MAX: usize = 50;
/// By so much the provider's clock may be off.
const LEEWAY_S: i64 = 60;
/// What the provider calls a sign-in with several factors (RFC 8176).
const SEVERAL_FACTORS: &str = "mfa";

/// A key that the provider signs with.
pub(super) struct Key {
    id: Option<String>,
    algorithm: Option<KeyAlgorithm>,
    public: DecodingKey,
}

/// The keys of a JWKS that can be used; others are left out.
pub(super) fn read_keys(bytes: &[u8]) -> Option<Vec<Key>> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    let keys = document.get("keys")?.as_array()?.iter().take(KEYS_MAX).filter_map(|key| {
        let jwk: Jwk = serde_json::from_value(key.clone()).ok()?;
        let is_to_sign = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let public = DecodingKey::from_jwk(&jwk).ok().filter(|_| is_to_sign)?;
        Some(Key { id: jwk.common.key_id, algorithm: jwk.common.key_algorithm, public })
    });
    Some(keys.collect())
}

/// What a token must be of.
pub(super) struct Expected<'a> {
    pub(super) settings: &'a SingleSignOn,
    pub(super) nonce: &'a str,
    pub(super) at: Timestamp,
}

/// Why a token is not believed. Texts are told to whoever brought it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("it is no token")]
    Form,
    #[error("it is not signed in a way that is believed")]
    Algorithm,
    #[error("it is not signed by a key of the identity provider")]
    Signature,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is for somebody else")]
    Audience,
    #[error("it has expired, or is of the future")]
    Time,
    #[error("it is of another sign-on")]
    Nonce,
    #[error("the identity provider does not say that the e-mail address is verified")]
    EmailUnverified,
    #[error("the e-mail address is of a domain that does not sign in here in this way")]
    EmailDomain,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<Value>,
    #[serde(default)]
    amr: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Whom a token vouches for (OpenID Connect Core 1.0, 3.1.3.7).
pub(super) fn verify(token: &str, keys: &[Key], expected: &Expected<'_>) -> Result<Vouched, Flaw> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Flaw::Form);
    }
    let claims = signed_claims(token, keys)?;
    let (settings, now) = (expected.settings, expected.at.as_second());
    if claims.iss != settings.issuer {
        return Err(Flaw::Issuer);
    }
    let is_for_us = match &claims.aud {
        Audience::One(one) => *one == settings.audience,
        Audience::Several(several) => {
            several.contains(&settings.audience) && (several.len() == 1 || claims.azp.is_some())
        }
    };
    if !is_for_us || claims.azp.is_some_and(|party| party != settings.client_id) {
        return Err(Flaw::Audience);
    }
    let begins = claims.iat.max(claims.nbf.unwrap_or(i64::MIN));
    if claims.exp.saturating_add(LEEWAY_S) <= now || begins > now + LEEWAY_S {
        return Err(Flaw::Time);
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(Flaw::Nonce);
    }
    let email = claims.email.filter(|_| claims.email_verified == Some(Value::Bool(true)));
    let email = email.ok_or(Flaw::EmailUnverified)?;
    let domain = email.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
    let domains = &settings.email_domains;
    if !domains.is_empty() && !domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain)) {
        return Err(Flaw::EmailDomain);
    }
    let has_factor = claims.amr.iter().any(|method| method == SEVERAL_FACTORS);
    Ok(Vouched { email, subject: claims.sub, issuer: claims.iss, has_factor })
}

/// The claims of a token that a key of the provider has signed.
fn signed_claims(token: &str, keys: &[Key]) -> Result<Claims, Flaw> {
    let header = decode_header(token).map_err(|_| Flaw::Algorithm)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Flaw::Algorithm);
    }
    // The key says what it is good for, not the token.
    let fitting = keys.iter().filter(|key| {
        (header.kid.is_none() || key.id == header.kid)
            && key.public.family() == header.alg.family()
            && key.algorithm.is_none_or(|algorithm| algorithm == header.alg.into())
    });
    // Times are held against our own clock, and so is the rest: here it is the signature alone.
    let mut validation = Validation::new(header.alg);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation.required_spec_claims.clear();
    let mut flaw = Flaw::Signature;
    for key in fitting {
        match decode::<Claims>(token, &key.public, &validation) {
            Ok(found) => return Ok(found.claims),
            Err(error) if matches!(error.kind(), jsonwebtoken::errors::ErrorKind::Json(_)) => flaw = Flaw::Form,
            Err(_) => {}
        }
    }
    Err(flaw)
}
