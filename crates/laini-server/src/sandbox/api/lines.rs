use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use laini_core::line::Msisdn;
use laini_wire::world::LinesAnswer;

use super::{Call, answered};
use crate::gateway::GatewayState;
use crate::http::{ApiError, Context, json};
use crate::sandbox::line_answer;

/// The most lines of one page, and how many it has where nothing is said.
const LINES_PER_PAGE_MAX: usize = 100;

/// `GET /sandbox/v1/lines?after=…&limit=…`: the world's own lines, in order of their numbers.
pub(super) async fn list_lines(
    State(gateway): GatewayState,
    Extension(context): Extension<Context>,
    request: Request,
) -> Response {
    let list = async {
        let (call, _) = Call::admit(&gateway, context, request)?;
        let page = Page::of(&call)?;
        let world = call.world().await?;
        let states = call.see(world, |world, _| world.states()).await?;
        let mut states = states.into_iter().filter(|(msisdn, _)| Some(*msisdn) > page.after);
        let lines: Vec<_> = states.by_ref().take(page.limit).collect();
        let next_after = lines.last().filter(|_| states.next().is_some()).map(|(msisdn, _)| msisdn.digits());
        let lines = lines.iter().map(|(msisdn, state)| line_answer(*msisdn, state, true)).collect();
        Ok(json(StatusCode::OK, &LinesAnswer { lines, next_after }))
    };
    answered(context, list.await)
}

/// Which lines.
struct Page {
    after: Option<Msisdn>,
    limit: usize,
}

impl Page {
    fn of(call: &Call<'_>) -> Result<Self, ApiError> {
        let mut page = Self { after: None, limit: LINES_PER_PAGE_MAX };
        let query = call.parts.uri.query().unwrap_or_default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "after" => {
                    let after = call.gateway.settings().plan.parse(&value).map_err(|_| {
                        ApiError::InvalidField("after", "expected the next_after of the page before".into())
                    })?;
                    page.after = Some(after);
                }
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=LINES_PER_PAGE_MAX).contains(limit));
                    page.limit = limit.ok_or(ApiError::InvalidField("limit", "expected 1 to 100".into()))?;
                }
                _ => return Err(ApiError::InvalidField("query", "expected after and limit".into())),
            }
        }
        Ok(page)
    }
}
