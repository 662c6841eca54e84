use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use laini_core::partner::{App, AppId, AppStatus, Product};
use laini_office::{Problem, Unproven};
use laini_server::http::Inside;
use laini_wire::check::{AGE_PATH, IMSI_PATH, SWAP_PATH};
use laini_wire::checks::{CHECKS_PATH, CheckItem, ChecksAnswer};
use laini_wire::error::code;
use laini_wire::header;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Serializer, Value, json};

use crate::portal::Portal;
use crate::visit::Visit;

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What the API answered.
pub(crate) struct Asked {
    pub(crate) status: StatusCode,
    /// The headers that are laini's own, or say how much more may be asked, and when.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Asked {
    /// The body, with a line for each field where it is JSON; fields stand as they came.
    pub(crate) fn pretty(&self) -> String {
        in_lines(&self.body).unwrap_or_else(|| String::from_utf8_lossy(&self.body).into_owned())
    }

    /// The one item of an answer to one number.
    pub(crate) fn item(&self) -> Option<CheckItem> {
        serde_json::from_slice::<ChecksAnswer>(&self.body).ok()?.checks.into_iter().next()
    }

    /// A text of the body; empty where there is none.
    pub(crate) fn field(&self, name: &str) -> String {
        let told = serde_json::from_slice::<Value>(&self.body).ok();
        told.as_ref().and_then(|told| told.get(name)?.as_str()).unwrap_or_default().to_owned()
    }

    /// What an answer that is none says, in the API's own words and with its code.
    pub(crate) fn error_message(&self) -> String {
        let refusal = self.refusal();
        refusal.map_or_else(|| self.status.to_string(), |told| format!("{} ({})", told.error_message, told.error_code))
    }

    /// The same, without code and status: for people who asked by a form.
    fn told(&self) -> String {
        let message = self.refusal().map_or_else(|| self.status.to_string(), |told| told.error_message);
        message.split_once(" - ").map_or(message.clone(), |(_, why)| why.to_owned())
    }

    fn refusal(&self) -> Option<Refusal> {
        serde_json::from_slice(&self.body).ok()
    }

    /// An answer that is none, as a page says it.
    fn problem(&self) -> Problem {
        match self.status {
            StatusCode::NOT_FOUND => Problem::NotFound("thing"),
            StatusCode::UNAUTHORIZED => {
                let is_needed = self.refusal().is_some_and(|told| told.error_code == code::CODE_NEEDED);
                Problem::Unproven(if is_needed { Unproven::CodeNeeded } else { Unproven::Wrong })
            }
            StatusCode::FORBIDDEN => Problem::Forbidden(self.told().into()),
            StatusCode::TOO_MANY_REQUESTS => {
                let named = self.headers.iter().find(|(name, _)| name == header::RETRY_AFTER);
                let retry_after_s = named.and_then(|(_, value)| value.parse().ok()).unwrap_or(1);
                Problem::TooOften { retry_after_s }
            }
            status if status.is_client_error() => Problem::not_now(self.told()),
            status => Problem::Store(format!("the office answered {status}")),
        }
    }
}

/// An answer with all of its body.
async fn whole(response: Response) -> Result<Asked, Problem> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| Problem::Store(format!("the API's answer broke off: {error}")))?.to_bytes();
    let shown = [header::RETRY_AFTER, header::X_REQUEST_ID, header::RATE_LIMIT, header::RATE_LIMIT_POLICY];
    let own = |name: &str| name.starts_with("laini-") || shown.contains(&name);
    let headers = parts.headers.iter().filter(|(name, _)| own(name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").to_owned()));
    Ok(Asked { status: parts.status, headers: headers.collect(), body })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    error_code: String,
    error_message: String,
}

/// Where a product is asked as published.
pub(crate) fn published_path(product: Product) -> &'static str {
    match product {
        Product::Imsi => IMSI_PATH,
        Product::Swap => SWAP_PATH,
        Product::Age => AGE_PATH,
    }
}

/// Both answers about one number: the published one, and the one that cannot be misread.
pub(crate) struct Both {
    pub(crate) number: String,
    pub(crate) published: Asked,
    pub(crate) clear: Asked,
}

/// JSON with a line for each field, in the order in which they stand; `None` = it is no JSON.
fn in_lines(json: &[u8]) -> Option<String> {
    let (mut from, mut lines) = (Deserializer::from_slice(json), Vec::new());
    serde_transcode::transcode(&mut from, &mut Serializer::pretty(&mut lines)).ok()?;
    from.end().ok()?;
    String::from_utf8(lines).ok()
}

impl Portal {
    /// The app of this id, if it works.
    pub(crate) async fn app(self: &Arc<Self>, visit: &Arc<Visit>, id: AppId) -> Result<App, Problem> {
        self.work(visit, move |work, _| {
            let found = work.book()?.apps.into_iter().find(|app| app.id == id && app.status == AppStatus::Active);
            found.ok_or(Problem::NotFound("app"))
        })
        .await
    }

    /// Asks the API in the name of an app, as the app itself would.
    pub(crate) async fn ask(&self, visit: &Visit, app: &App, path: &str, body: &Value) -> Result<Asked, Problem> {
        self.ask_as(visit, app, (Method::POST, path), Some(body)).await
    }

    /// The same, by any method.
    pub(crate) async fn ask_as(
        &self,
        visit: &Visit,
        app: &App,
        (method, path): (Method, &str),
        body: Option<&Value>,
    ) -> Result<Asked, Problem> {
        let token = Inside::token(&self.office, app, visit.context.at);
        self.send(visit, (method, path), token.reveal(), body).await
    }

    /// Asks the office's API in the name of whoever signed in: for what is done there beside a piece of work.
    pub(crate) async fn ask_office(
        &self,
        visit: &Visit,
        (method, path): (Method, &str),
        body: Option<&Value>,
    ) -> Result<Asked, Problem> {
        let session = visit.session.as_ref().map(|session| session.as_str()).unwrap_or_default();
        let asked = self.send(visit, (method, path), session, body).await?;
        if asked.status.is_success() { Ok(asked) } else { Err(asked.problem()) }
    }

    /// The same, for an answer of this form.
    pub(crate) async fn ask_office_for<T: DeserializeOwned>(
        &self,
        visit: &Visit,
        on: (Method, &str),
        body: Option<&Value>,
    ) -> Result<T, Problem> {
        let asked = self.ask_office(visit, on, body).await?;
        serde_json::from_slice(&asked.body).map_err(|error| Problem::Store(format!("the office's answer: {error}")))
    }

    /// Asks the office's API for a file that is made while it is taken.
    pub(crate) async fn stream_from_office(&self, visit: &Visit, path: &str, body: &Value) -> Result<Body, Problem> {
        let session = visit.session.as_ref().map(|session| session.as_str()).unwrap_or_default();
        let response = self.response(visit, (Method::POST, path), session, Some(body)).await?;
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        Err(whole(response).await?.problem())
    }

    async fn send(
        &self,
        visit: &Visit,
        (method, path): (Method, &str),
        token: &str,
        body: Option<&Value>,
    ) -> Result<Asked, Problem> {
        whole(self.response(visit, (method, path), token, body).await?).await
    }

    async fn response(
        &self,
        visit: &Visit,
        (method, path): (Method, &str),
        token: &str,
        body: Option<&Value>,
    ) -> Result<Response, Problem> {
        let request = Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {token}"));
        let (request, bytes) = match body {
            Some(body) => (request.header(CONTENT_TYPE, "application/json"), Bytes::from(body.to_string())),
            None => (request, Bytes::new()),
        };
        let request = request.body(bytes).map_err(|error| Problem::Store(error.to_string()))?;
        Ok(self.inside.ask(&visit.context, request).await)
    }

    /// Asks about one number in both ways.
    pub(crate) async fn ask_both(&self, visit: &Visit, app: &App, number: &str) -> Result<Both, Problem> {
        let published = self.ask(visit, app, IMSI_PATH, &json!({"customerNumber": number})).await?;
        let clear = self.ask(visit, app, CHECKS_PATH, &json!({"number": number})).await?;
        Ok(Both { number: number.to_owned(), published, clear })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_keeps_the_headers_that_people_are_shown() {
        let response = Response::builder()
            .header("Laini-Environment", "sandbox")
            .header("RateLimit-Policy", "\"imsi\";q=10;w=1")
            .header("RateLimit", "\"imsi\";r=9;t=1")
            .header("Set-Cookie", "a=b");
        let asked = futures_executor::block_on(whole(response.body(Body::empty()).unwrap())).unwrap();
        let names: Vec<&str> = asked.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["laini-environment", "ratelimit-policy", "ratelimit"]);
    }

    #[test]
    fn fields_stand_as_they_came() {
        let body = r#"{"z":"a \"quoted\" {text}, with: marks","a":[1,2],"e":{},"f":[],"n":{"y":null,"b":true}}"#;
        let pretty = in_lines(body.as_bytes()).unwrap();
        let lines: Vec<&str> = pretty.lines().map(str::trim).collect();
        assert_eq!(lines[1], r#""z": "a \"quoted\" {text}, with: marks","#);
        let expected = [
            "\"a\": [",
            "1,",
            "2",
            "],",
            "\"e\": {},",
            "\"f\": [],",
            "\"n\": {",
            "\"y\": null,",
            "\"b\": true",
            "}",
            "}",
        ];
        assert_eq!(lines[2..], expected);
        // Only blanks were added.
        let (one, other): (Value, Value) =
            (serde_json::from_str(body).unwrap(), serde_json::from_str(&pretty).unwrap());
        assert_eq!(one, other);
        assert_eq!((in_lines(b"{} {}"), in_lines(b"a page")), (None, None));
    }
}
