use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use laini_core::billing::CheckIds;
use laini_core::store::{AccountsError, LedgerError};
use tokio::net::TcpListener;

use crate::gateway::Gateway;
use crate::http::{AccountsPicture, Front, listen};
use crate::observe::{Exporter, Gauged, Metrics};
use crate::{Deps, Limits, LiveSettings};

/// A server that listens and is ready to run.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    front: Arc<Front>,
    exporting: Option<(TcpListener, Arc<Front>)>,
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
        let (listener, address) = listen_on(address).await?;
        let limits = settings.current().limits.clone();
        let (store, keys) = (Arc::clone(&deps.accounts), Arc::clone(&deps.keys));
        let accounts = Arc::new(AccountsPicture::load(store, keys, limits.accounts_age_ms_max).await?);
        let ids = Arc::new(CheckIds::after(deps.ledger.newest().await?));
        let (clock, entropy, metrics) = (Arc::clone(&deps.clock), Arc::clone(&deps.entropy), deps.metrics.clone());
        let gateway = Arc::new(Gateway::new(deps, Arc::clone(&accounts), Arc::clone(&settings)));
        let front = Arc::new(Front::new(gateway.routes(), ids, clock, entropy, settings, metrics));
        Ok(Self { listener, address, front, exporting: None, accounts, limits })
    }

    /// Listens on `address` for whoever collects `metrics` as well; returns where.
    pub async fn expose(
        &mut self,
        address: SocketAddr,
        metrics: Arc<Metrics>,
        gauged: Gauged,
    ) -> Result<SocketAddr, BindError> {
        let (listener, address) = listen_on(address).await?;
        let routes = Exporter::routes(metrics, gauged, Arc::clone(&self.accounts));
        self.exporting = Some((listener, Arc::new(self.front.beside(routes))));
        Ok(address)
    }

    /// The address that clients connect to.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` resolves; then stops accepting, finishes what it accepted within
    /// [`Limits::drain_timeout_ms`], and returns. Metrics can be collected to the very end.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let exporting = async {
            if let Some((listener, front)) = self.exporting {
                listen(listener, front, &self.limits, pending()).await;
            }
            pending::<()>().await;
        };
        tokio::select! {
            () = listen(self.listener, self.front, &self.limits, shutdown) => {}
            () = exporting => {}
            () = self.accounts.keep_fresh() => {}
        }
    }
}

async fn listen_on(address: SocketAddr) -> Result<(TcpListener, SocketAddr), BindError> {
    let failed = |source| BindError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
