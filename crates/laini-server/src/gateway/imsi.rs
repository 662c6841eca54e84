use axum::extract::{Extension, Request, State};
use axum::response::Response;
use laini_core::partner::Product;
use laini_wire::check::{IMSI_PATH, ImsiAnswer, RESPONSE_CODE_OK, RESPONSE_DESC_OK};

use super::GatewayState;
use super::answer::{Answer, Endpoint, answer};
use crate::http::{Context, to_json};

pub(super) const ENDPOINT: Endpoint = Endpoint { path: IMSI_PATH, product: Product::Imsi, render };

/// `POST /imsi/v1/checkATI`: pseudonym, last swap and registration.
pub(super) async fn check_imsi(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    answer(&gateway, context, request, ENDPOINT).await
}

fn render(answer: &Answer) -> Vec<u8> {
    to_json(&ImsiAnswer {
        request_ref_id: (&*answer.request_ref).into(),
        response_code: RESPONSE_CODE_OK.into(),
        response_desc: RESPONSE_DESC_OK.into(),
        imsi: answer.imsi.as_deref().unwrap_or_default().into(),
        last_swap_date: answer.last_swap_date(Product::Imsi),
        msisdn_registration_date: answer.registration_date().into(),
        customer_number: answer.msisdn.digits().into(),
    })
}
