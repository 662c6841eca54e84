use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};

/// A router that knows its routes, so that the OpenAPI document can be held against them.
pub(crate) struct Routes<S> {
    router: Router<S>,
    known: Vec<(Method, &'static str)>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No route.
    pub(crate) fn new() -> Self {
        Self { router: Router::new(), known: Vec::new() }
    }

    /// One more route; GET answers HEAD as well.
    pub(crate) fn on<H, T>(mut self, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        // Only methods that HTTP itself defines are given here.
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        self.router = self.router.route(path, on(filter, handler));
        self.known.push((method, path));
        self
    }

    /// A route that answers what no document describes: a refusal of its own.
    pub(crate) fn refuse<H, T>(mut self, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method).unwrap_or(MethodFilter::HEAD);
        self.router = self.router.route(path, on(filter, handler));
        self
    }

    /// The routes of both.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.known.extend(other.known);
        self
    }

    /// Every route: its method and its path.
    pub(crate) fn known(&self) -> &[(Method, &'static str)] {
        &self.known
    }

    /// The router itself.
    pub(crate) fn into_router(self) -> Router<S> {
        self.router
    }
}
