use axum::extract::{Extension, Request, State};
use axum::response::Response;
use laini_core::partner::Product;
use laini_wire::check::{AGE_PATH, AgeAnswer, RESPONSE_CODE_OK, RESPONSE_DESC_OK};

use super::GatewayState;
use super::answer::{Answer, Endpoint, answer};
use crate::http::{Context, to_json};

pub(super) const ENDPOINT: Endpoint = Endpoint { path: AGE_PATH, product: Product::Age, render };

/// `POST /registration/lookup/v1/checkATI`: since when the present holding exists.
pub(super) async fn check_age(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    answer(&gateway, context, request, ENDPOINT).await
}

fn render(answer: &Answer) -> Vec<u8> {
    to_json(&AgeAnswer {
        request_ref_id: (&*answer.request_ref).into(),
        response_code: RESPONSE_CODE_OK.into(),
        response_desc: RESPONSE_DESC_OK.into(),
        msisdn_registration_date: answer.registration_date().into(),
        customer_number: answer.msisdn.digits().into(),
    })
}
