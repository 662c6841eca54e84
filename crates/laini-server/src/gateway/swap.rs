use axum::extract::{Extension, Request, State};
use axum::response::Response;
use laini_core::partner::Product;
use laini_wire::check::{RESPONSE_CODE_OK, RESPONSE_DESC_OK, SWAP_PATH, SwapAnswer};

use super::GatewayState;
use super::answer::{Answer, Endpoint, answer};
use crate::http::{Context, to_json};

pub(super) const ENDPOINT: Endpoint = Endpoint { path: SWAP_PATH, product: Product::Swap, render };

/// `POST /imsi/v2/checkATI`: the last swap, to the minute.
pub(super) async fn check_swap(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    answer(&gateway, context, request, ENDPOINT).await
}

fn render(answer: &Answer) -> Vec<u8> {
    to_json(&SwapAnswer {
        request_ref_id: (&*answer.request_ref).into(),
        response_code: RESPONSE_CODE_OK.into(),
        response_desc: RESPONSE_DESC_OK.into(),
        last_swap_date: answer.last_swap_date(Product::Swap),
    })
}
