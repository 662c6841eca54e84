use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use bytes::Bytes;

use super::origin::Origin;
use super::{Context, Front};
use crate::Environments;

/// The API of this server, asked from inside: by pages, for whoever looks at them. What is asked takes the way that
/// it takes from outside, with a token of its own; only the connection is missing.
#[derive(Clone)]
pub struct Inside(Arc<Front>);

impl Inside {
    pub(crate) fn new(front: Front) -> Self {
        Self(Arc::new(front))
    }

    /// Asks for somebody whose request is `asking`: it counts as theirs, from their address.
    pub async fn ask(&self, asking: &Context, request: Request<Bytes>) -> Response {
        let (address, environments) = (asking.address, asking.environments);
        let origin = Origin { address, environments, certificate: asking.certificate, is_tls: false };
        self.0.answer(request.map(Body::from), origin).await
    }

    /// Asks as a client of this machine does, for nobody: what the server's own probes come by.
    pub(crate) async fn probe(&self, request: Request<Body>) -> Response {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let origin = Origin { address, environments: Environments::Both, certificate: None, is_tls: false };
        self.0.answer(request, origin).await
    }
}
