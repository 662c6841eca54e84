use std::net::SocketAddr;
use std::sync::Arc;

use laini_core::partner::Environment;

use crate::http::Tls;

/// Where the server listens, and whom it answers there.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The address; port 0 = any free port.
    pub address: SocketAddr,
    /// Whose credentials are answered.
    pub environments: Environments,
    /// Without it, plain HTTP is spoken.
    pub tls: Option<Arc<Tls>>,
}

impl Listener {
    /// Plain HTTP on `address`, for the credentials of both environments.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, environments: Environments::Both, tls: None }
    }
}

/// Which environments' credentials are answered in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environments {
    /// Only the sandbox; the registry may be empty.
    SandboxOnly,
    /// Only production.
    ProductionOnly,
    /// Both.
    Both,
    /// Neither: a host name of one environment, asked for on a listener of the other.
    Neither,
}

impl Environments {
    /// Of these, `environment` alone.
    #[must_use]
    pub fn only(self, environment: Environment) -> Self {
        match environment {
            _ if !self.include(environment) => Self::Neither,
            Environment::Sandbox => Self::SandboxOnly,
            Environment::Production => Self::ProductionOnly,
        }
    }

    /// Whether credentials of `environment` are answered.
    pub fn include(self, environment: Environment) -> bool {
        match self {
            Self::SandboxOnly => environment == Environment::Sandbox,
            Self::ProductionOnly => environment == Environment::Production,
            Self::Both => true,
            Self::Neither => false,
        }
    }
}
