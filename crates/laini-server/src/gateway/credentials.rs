use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use laini_core::access::{ConsumerSecret, TOKEN_LIFETIME, Token, TokenClaims};
use laini_core::partner::{AppStatus, AppView, SecretUse};
use laini_core::store::{AccountsError, AuditEntry};
use tokio::time::timeout_at;

use super::Gateway;
use crate::http::{BasicCredentials, Context};

/// Why credentials get no token.
#[derive(Clone, Copy)]
pub(super) enum NoToken {
    /// They are missing, wrong, revoked, or of an environment that is not answered here.
    Refused,
    /// Too many requests, or too many wrong ones.
    Throttled { retry_after_s: u64 },
    /// The accounts cannot be reached.
    Unavailable,
}

impl Gateway {
    /// Takes one token request of the caller's address out of its allowance.
    pub(super) fn take_token_request(&self, context: &Context) -> Result<(), NoToken> {
        self.token_requests.take(context.peer).map_err(throttled)
    }

    /// The app whose credentials these are. Failures are counted per address and key, so that nobody
    /// who knows a key can lock its owner out.
    pub(super) fn authenticate(&self, context: &Context, given: &BasicCredentials) -> Result<Arc<AppView>, NoToken> {
        let pair = (context.peer, self.key_hasher.hash_one(&given.key));
        self.token_failures.check(&pair).map_err(throttled)?;
        // Hashed whether or not the key exists, so that both take the same time.
        let presented = ConsumerSecret::presented(&given.secret).hash();
        let app = self.accounts.current().by_consumer_key(&given.key).map(Arc::clone);
        let found = app.and_then(|view| {
            let secret = view.app.secrets.iter().find(|secret| secret.hash == presented)?.number;
            let may = view.app.status != AppStatus::Revoked && context.environments.include(view.app.environment);
            may.then_some((view, secret))
        });
        let Some((app, secret)) = found else {
            self.token_failures.spend(pair);
            return Err(NoToken::Refused);
        };
        self.secret_uses.note(SecretUse { app: app.app.id, secret, at: context.at });
        Ok(app)
    }

    /// A new token for `view`. Under the `single_token` profile it revokes the earlier ones.
    pub(super) async fn mint_token(&self, context: &Context, view: &AppView) -> Result<Token, NoToken> {
        let app = &view.app;
        let epoch = if app.profile.single_token {
            self.begin_token_epoch(context, view).await.map_err(|error| {
                tracing::error!(%error, "a token epoch could not be begun");
                NoToken::Unavailable
            })?
        } else {
            app.token_epoch
        };
        self.tokens_given.note(app.id, epoch, context.at);
        Ok(self.tokens.sign(&TokenClaims {
            app: app.id,
            environment: app.environment,
            epoch,
            expires: context.at + TOKEN_LIFETIME,
            nonce: self.entropy.next_u64(),
        }))
    }

    async fn begin_token_epoch(&self, context: &Context, view: &AppView) -> Result<u32, AccountsError> {
        let audit = AuditEntry {
            at: context.at,
            actor: format!("app {}", view.app.id),
            action: "app.next_token_epoch".to_owned(),
            target: view.app.id.to_string(),
            reason: "single_token profile".to_owned(),
            partner: Some(view.app.partner),
        };
        let begin = async {
            let epoch = self.accounts.store().next_token_epoch(view.app.id, audit).await?;
            // At once on this node, so that the earlier token is refused from here on.
            self.accounts.refresh().await?;
            Ok(epoch)
        };
        let too_slow = |_| AccountsError::Engine("no answer in time".to_owned());
        timeout_at(context.deadline, begin).await.map_err(too_slow).flatten()
    }
}

fn throttled(wait: Duration) -> NoToken {
    NoToken::Throttled { retry_after_s: wait.as_secs() + 1 }
}

/// Tokens are for the one who asked, not for caches.
pub(super) fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
