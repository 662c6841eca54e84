use axum::http::StatusCode;
use laini_office::Problem;

/// The status of a page that says `problem`.
pub(crate) fn status_of(problem: &Problem) -> StatusCode {
    match problem {
        Problem::NotFound(_) => StatusCode::NOT_FOUND,
        Problem::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Problem::NotNow(_) | Problem::Taken(_) | Problem::Contended => StatusCode::CONFLICT,
        Problem::Forbidden(_) => StatusCode::FORBIDDEN,
        Problem::Unproven(_) => StatusCode::UNAUTHORIZED,
        Problem::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
        Problem::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Problem::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
