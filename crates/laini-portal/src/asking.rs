use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use jiff::SignedDuration;
use laini_core::access::TokenClaims;
use laini_core::partner::{App, AppId, AppStatus};
use laini_office::Problem;
use laini_wire::check::IMSI_PATH;
use laini_wire::checks::{CHECKS_PATH, CheckItem, ChecksAnswer};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::portal::Portal;
use crate::visit::Visit;

/// A token that a page mints for one question is good for so long.
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What the API answered.
pub(crate) struct Asked {
    pub(crate) status: StatusCode,
    /// The headers that are laini's own, or say when to ask again.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Asked {
    /// The body, with a line for each field where it is JSON.
    pub(crate) fn pretty(&self) -> String {
        let pretty = serde_json::from_slice::<Value>(&self.body).and_then(|value| serde_json::to_string_pretty(&value));
        pretty.unwrap_or_else(|_| String::from_utf8_lossy(&self.body).into_owned())
    }

    /// The one item of an answer to one number.
    pub(crate) fn item(&self) -> Option<CheckItem> {
        serde_json::from_slice::<ChecksAnswer>(&self.body).ok()?.checks.into_iter().next()
    }

    /// What an answer that is none says, in the API's own words.
    pub(crate) fn error_message(&self) -> String {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Refusal {
            error_code: String,
            error_message: String,
        }
        let refusal = serde_json::from_slice::<Refusal>(&self.body);
        refusal.map_or_else(|_| self.status.to_string(), |told| format!("{} ({})", told.error_message, told.error_code))
    }
}

/// Both answers about one number: the published one, and the one that cannot be misread.
pub(crate) struct Both {
    pub(crate) number: String,
    pub(crate) published: Asked,
    pub(crate) clear: Asked,
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
        let token = self.office.keys.token().sign(&TokenClaims {
            app: app.id,
            environment: app.environment,
            epoch: app.token_epoch,
            expires: visit.context.at + TOKEN_LIFETIME,
            nonce: self.office.entropy.next_u64(),
        });
        let request = Request::post(path)
            .header(AUTHORIZATION, format!("Bearer {}", token.reveal()))
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from(body.to_string()))
            .map_err(|error| Problem::Store(error.to_string()))?;
        let (parts, body) = self.inside.ask(&visit.context, request).await.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| Problem::Store(format!("the API's answer broke off: {error}")))?.to_bytes();
        let own = |name: &str| name.starts_with("laini-") || ["retry-after", "x-request-id"].contains(&name);
        let headers = parts.headers.iter().filter(|(name, _)| own(name.as_str()));
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").to_owned()));
        Ok(Asked { status: parts.status, headers: headers.collect(), body })
    }

    /// Asks about one number in both ways.
    pub(crate) async fn ask_both(&self, visit: &Visit, app: &App, number: &str) -> Result<Both, Problem> {
        let published = self.ask(visit, app, IMSI_PATH, &json!({"customerNumber": number})).await?;
        let clear = self.ask(visit, app, CHECKS_PATH, &json!({"number": number})).await?;
        Ok(Both { number: number.to_owned(), published, clear })
    }
}
