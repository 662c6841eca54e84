use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use laini_core::billing::CheckIds;
use laini_core::store::{AccountsError, LedgerError};
use tokio::net::TcpListener;

use crate::gateway::Gateway;
use crate::http::{AccountsPicture, Front, listen};
use crate::{Deps, Limits, LiveSettings};

/// A server that listens and is ready to run.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    front: Arc<Front>,
    accounts: Arc<AccountsPicture>,
    limits: Limits,
}

/// Why a server could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The accounts cannot be read.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Server {
    /// Listens on `address` (port 0 = any free port) and loads what checks are decided on. From here
    /// on clients can connect; they are answered once [`Server::run`] runs.
    pub async fn bind(address: SocketAddr, deps: Deps, settings: Arc<LiveSettings>) -> Result<Self, BindError> {
        let listen_error = |source| BindError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let bound = listener.local_addr().map_err(listen_error)?;
        let accounts = Arc::new(AccountsPicture::load(Arc::clone(&deps.accounts), Arc::clone(&deps.keys)).await?);
        let ids = CheckIds::after(deps.ledger.newest().await?);
        let limits = settings.current().limits.clone();
        let (clock, entropy) = (Arc::clone(&deps.clock), Arc::clone(&deps.entropy));
        let gateway = Arc::new(Gateway::new(deps, Arc::clone(&accounts), Arc::clone(&settings)));
        let front = Arc::new(Front::new(gateway.routes(), ids, clock, entropy, settings));
        Ok(Self { listener, address: bound, front, accounts, limits })
    }

    /// The address that clients connect to.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` resolves; then stops accepting, finishes what it accepted within
    /// [`Limits::drain_timeout_ms`], and returns.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let serving = listen(self.listener, self.front, &self.limits, shutdown);
        tokio::select! {
            () = serving => {}
            () = self.accounts.keep_fresh() => {}
        }
    }
}
