use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use laini_core::partner::Product;
use laini_wire::check::{RESPONSE_CODE_OK, RESPONSE_DESC_OK, SwapAnswer};

use super::GatewayState;
use super::answer::{Answer, answer};
use crate::http::{Context, json};

/// `POST /imsi/v2/checkATI`: the last swap, to the minute.
pub(super) async fn check_swap(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    answer(&gateway, context, request, Product::Swap, render).await
}

fn render(answer: &Answer<'_>) -> Response {
    let body = SwapAnswer {
        request_ref_id: (&*answer.request_ref).into(),
        response_code: RESPONSE_CODE_OK.into(),
        response_desc: RESPONSE_DESC_OK.into(),
        last_swap_date: answer.last_swap_date(Product::Swap),
    };
    json(StatusCode::OK, &body)
}
