use std::sync::Arc;

use axum::http::HeaderMap;
use jiff::Timestamp;
use laini_core::access::TokenError;
use laini_core::billing::{Currency, Money, PriceStamp};
use laini_core::partner::{AppStatus, AppView, Environment, PartnerStatus, Product};

use super::Gateway;
use crate::http::{ApiError, Context, ForbiddenReason, TokenProblem, bearer};

/// An app that may ask.
pub(super) struct Admitted {
    pub(super) app: Arc<AppView>,
    pub(super) price: PriceStamp,
}

/// What a check costs in the sandbox of a partner without an agreement. Sandbox charges are shown and
/// never invoiced.
const SANDBOX_PRICE: PriceStamp = PriceStamp { version: 0, list: Money::new(0, Currency::KES), exact: true };

impl Gateway {
    /// Whether the caller may ask for `product`: its token, app and environment, then agreement and
    /// product.
    pub(super) fn admit(&self, headers: &HeaderMap, product: Product, context: &Context) -> Result<Admitted, ApiError> {
        let app = self.admit_app(headers, context)?;
        let price = price(&app, product, context.at)?;
        Ok(Admitted { app, price })
    }

    /// The app that calls, where it may ask at all.
    pub(super) fn admit_app(&self, headers: &HeaderMap, context: &Context) -> Result<Arc<AppView>, ApiError> {
        let app = self.caller(headers, context)?;
        may_ask(&app, context.at)?;
        Ok(app)
    }

    /// The app behind the caller's token, where it may call at all: token, app and environment.
    pub(crate) fn caller(&self, headers: &HeaderMap, context: &Context) -> Result<Arc<AppView>, ApiError> {
        let _step = self.step("admit");
        let claims = self.tokens.verify(bearer(headers).map_err(ApiError::Token)?, context.at).map_err(|error| {
            ApiError::Token(match error {
                TokenError::Unknown => TokenProblem::Unknown,
                TokenError::Expired => TokenProblem::Expired,
            })
        })?;
        let app = self.accounts.current().app(claims.app).map(Arc::clone);
        let app = app
            .filter(|app| app.app.environment == claims.environment)
            .ok_or(ApiError::Token(TokenProblem::Unknown))?;
        // A newer epoch than the picture's was begun a moment ago on this node or another.
        if app.app.status == AppStatus::Revoked || claims.epoch < app.app.token_epoch {
            return Err(ApiError::Token(TokenProblem::Revoked));
        }
        if !context.environments.include(app.app.environment) {
            return Err(ApiError::Forbidden(ForbiddenReason::WrongEnvironment));
        }
        // A revocation could not be heard any more.
        if app.app.environment == Environment::Production && self.accounts.is_outdated() {
            return Err(ApiError::Unreachable);
        }
        may_call(&app)?;
        if !app.app.allowed_addresses.allow(context.address) {
            return Err(ApiError::Forbidden(ForbiddenReason::WrongAddress));
        }
        if app.app.client_certificate.is_some_and(|own| context.certificate != Some(own)) {
            return Err(ApiError::Forbidden(ForbiddenReason::WrongCertificate));
        }
        Ok(app)
    }
}

/// Whether neither the app nor its partner is suspended.
pub(super) fn may_call(app: &AppView) -> Result<(), ApiError> {
    if app.partner.status == PartnerStatus::Suspended {
        return Err(ApiError::Forbidden(ForbiddenReason::PartnerSuspended));
    }
    if app.app.status == AppStatus::Suspended {
        return Err(ApiError::Forbidden(ForbiddenReason::AppSuspended));
    }
    Ok(())
}

/// Whether its agreement is in force.
pub(super) fn may_ask(app: &AppView, at: Timestamp) -> Result<(), ApiError> {
    app.may_ask(at).map_err(|why| ApiError::Forbidden(ForbiddenReason::NoAgreement(why)))
}

/// What a check of `product` costs `app`, where it may ask for it.
pub(super) fn price(app: &AppView, product: Product, at: Timestamp) -> Result<PriceStamp, ApiError> {
    if !app.app.products.contains(product) {
        return Err(ApiError::NoProduct);
    }
    let in_sandbox = app.app.environment == Environment::Sandbox;
    let price = app.price(product, at).or(in_sandbox.then_some(SANDBOX_PRICE));
    price.ok_or(ApiError::Forbidden(ForbiddenReason::NotInAgreement(product)))
}
