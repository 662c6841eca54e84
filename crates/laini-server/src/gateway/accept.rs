use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use laini_core::line::Msisdn;
use laini_core::partner::Product;
use laini_core::store::{AcceptedCheck, Submission, Submitted};
use laini_wire::check::RESPONSE_CODE_OK;
use laini_wire::delivery::{Accepted, RESPONSE_DESC_ACCEPTED};

use super::admit::Admitted;
use super::keyed::{Held, Kept};
use super::limits::Permit;
use super::{Gateway, header, ledger_failed};
use crate::http::{ApiError, Context, to_json};

/// A check whose result goes to an address of the app.
pub(super) struct ToAccept<'a> {
    pub(super) context: &'a Context,
    pub(super) admitted: &'a Admitted,
    pub(super) product: Product,
    pub(super) msisdn: Msisdn,
    pub(super) repeat_id: Option<&'a [u8]>,
    pub(super) result_url: &'a str,
}

impl Gateway {
    /// Accepts a check whose result is delivered. Nothing is read and nothing charged yet; from here on
    /// it is decided once, whatever happens to this server.
    pub(super) async fn accept(
        &self,
        asked: ToAccept<'_>,
        permit: Permit<'_>,
        held: Option<Held>,
    ) -> Result<Response, ApiError> {
        let ToAccept { context, product, msisdn, .. } = asked;
        let app = &*asked.admitted.app;
        let address = self.deliveries.address(app, asked.result_url).map_err(ApiError::ResultAddress)?;
        let check = AcceptedCheck {
            id: context.id,
            at: context.at,
            app: app.app.id,
            product,
            msisdn,
            purpose: app.app.purpose,
            reference: None,
            repeat: self.subjects.repeat(app.app.id, product, msisdn, asked.repeat_id),
            address: address.id,
        };
        self.deliveries.accept(check).await.map_err(|error| ledger_failed(&error))?;
        permit.defer();
        let kept = accepted(context);
        let Some(held) = held else { return Ok(kept.answer()) };
        // Where this fails the repeat is accepted once more, and decided as a free repeat.
        let write = Arc::new(move |_: &[_]| kept.to_bytes());
        let submission = Submission { drafts: Vec::new(), answer: Some(held.answered_by(write)), delivery: None };
        match self.submit(submission, context.deadline).await.map_err(|error| ledger_failed(&error))? {
            Submitted::Recorded(_, kept) => Ok(Kept::from_bytes(&kept.unwrap_or_default())?.answer()),
            Submitted::Answered(_, stored) => held.found(stored),
        }
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
