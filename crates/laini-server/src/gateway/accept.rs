use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use laini_core::line::Msisdn;
use laini_core::partner::{AppView, Product, Purpose};
use laini_core::store::{AcceptedCheck, AskedAs, Submission};
use laini_wire::check::RESPONSE_CODE_OK;
use laini_wire::delivery::{Accepted, RESPONSE_DESC_ACCEPTED};

use super::keyed::{Held, Kept};
use super::limits::Permit;
use super::{Gateway, header, ledger_failed};
use crate::Capability;
use crate::http::{ApiError, Context, to_json};

/// A check whose result goes to an address of the app.
pub(super) struct ToAccept<'a> {
    pub(super) context: &'a Context,
    pub(super) app: &'a AppView,
    pub(super) product: Product,
    pub(super) asked: AskedAs,
    pub(super) msisdn: Msisdn,
    pub(super) purpose: Purpose,
    pub(super) reference: Option<String>,
    pub(super) repeat_id: Option<&'a [u8]>,
    pub(super) result_url: &'a str,
}

impl Gateway {
    /// Accepts a check whose result is delivered. Nothing is read and nothing charged yet; from here on
    /// it is decided once, whatever happens to this server. Under a key it is durable together with the
    /// answer that the key gives, or not at all: a repeat is told that answer, and is no second check.
    pub(super) async fn accept(
        &self,
        asked: ToAccept<'_>,
        permit: Permit<'_>,
        held: Option<Held>,
    ) -> Result<Response, ApiError> {
        self.settings.offers(Capability::Delivery)?;
        let ToAccept { context, app, product, msisdn, .. } = asked;
        let address = self.deliveries.address(app, asked.result_url).map_err(ApiError::ResultAddress)?;
        let check = AcceptedCheck {
            id: context.id,
            at: context.at,
            app: app.app.id,
            product,
            asked: asked.asked,
            msisdn,
            purpose: asked.purpose,
            reference: asked.reference,
            repeat: self.subjects.repeat(app.app.id, product, msisdn, asked.repeat_id),
            address: address.id,
        };
        let kept = accepted(context);
        let Some(held) = held else {
            self.deliveries.accept(check).await.map_err(|error| ledger_failed(&error))?;
            permit.defer();
            return Ok(kept.answer());
        };
        let submission = Submission { accepted: Some(check), ..Submission::default() };
        let (written, response) = self.submit_keyed(submission, held, context.deadline, move |_| kept.clone()).await?;
        if written.is_some() {
            self.deliveries.checks_came.notify_one();
            permit.defer();
        }
        Ok(response)
    }
}

fn accepted(context: &Context) -> Kept {
    let body = Accepted {
        request_ref_id: context.id.request_ref().into(),
        response_code: RESPONSE_CODE_OK.into(),
        response_desc: RESPONSE_DESC_ACCEPTED.into(),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CHARGE, HeaderValue::from_static("none; reason=accepted"));
    Kept::new(&headers, to_json(&body))
}
