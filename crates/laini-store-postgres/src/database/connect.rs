//! One connection: to the server that takes writes, watched for the one warning that changes what a
//! reply means.

use std::future::poll_fn;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::{JoinHandle, JoinSet, spawn_local};
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::DatabaseSettings;
use crate::error::{DbError, StoreError, described};

/// Where PostgreSQL says that a commit was not waited for, whatever language its messages are in.
const WAIT_GIVEN_UP: &str = "SyncRepWaitForLSN";

/// A statement gives up on a lock after so long, also where its client is gone: backends that wait for ever
/// would pile up until the server lets nobody in.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes connections to the server that takes writes.
#[derive(Clone)]
pub(crate) struct Connector {
    /// One for each host.
    hosts: Vec<Config>,
    tls: Option<MakeRustlsConnect>,
    /// A pooler lets no options of ours in: what it sets itself holds.
    refuses_options: Arc<AtomicBool>,
    /// A host that has not let us in for so long is given up: a frozen one accepts and then says nothing.
    timeout: Duration,
}

/// An open connection. Dropped, it is closed at once, whatever is under way on it.
pub(crate) struct Opened {
    client: Client,
    gave_up_waiting: Arc<AtomicBool>,
    driver: JoinHandle<()>,
}

impl Connector {
    pub(crate) fn new(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let config: Config =
            settings.url.parse().map_err(|error: tokio_postgres::Error| StoreError::Url(described(&error)))?;
        let hosts: Vec<Config> =
            (0..config.get_hosts().len()).map(|number| one_host(&config, number, settings)).collect();
        if hosts.is_empty() {
            return Err(StoreError::Url("it names no host".to_owned()));
        }
        let tls = if config.get_ssl_mode() == SslMode::Disable { None } else { Some(tls(settings)?) };
        Ok(Self { hosts, tls, refuses_options: Arc::default(), timeout: settings.connect_timeout })
    }

    /// Connects to the first host that takes writes. All are asked at once, so that a frozen one costs no time.
    pub(crate) async fn connect(&self) -> Result<Opened, DbError> {
        let mut asking = JoinSet::new();
        for host in &self.hosts {
            let (connector, host) = (self.clone(), host.clone());
            asking.spawn_local(async move {
                let late = |_| DbError::Unavailable("it lets nobody in".to_owned());
                tokio::time::timeout(connector.timeout, connector.connect_to(host)).await.map_err(late).flatten()
            });
        }
        let mut reasons = Vec::new();
        while let Some(asked) = asking.join_next().await {
            match asked {
                Ok(Ok(opened)) => return Ok(opened),
                Ok(Err(error)) => reasons.push(error.to_string()),
                Err(error) => reasons.push(error.to_string()),
            }
        }
        reasons.sort();
        reasons.dedup();
        Err(DbError::Unavailable(reasons.join("; ")))
    }

    async fn connect_to(&self, host: Config) -> Result<Opened, DbError> {
        if !self.refuses_options.load(Ordering::Relaxed) {
            match connect(&with_lock_timeout(&host), self.tls.clone()).await {
                Err(error) if error.code() == Some(&SqlState::PROTOCOL_VIOLATION) => {
                    self.refuses_options.store(true, Ordering::Relaxed);
                    tracing::info!("the pooler before the database has to set lock_timeout itself");
                }
                connected => return connected.map_err(|error| failed(&error)),
            }
        }
        connect(&host, self.tls.clone()).await.map_err(|error| failed(&error))
    }
}

/// What the address asks for comes last and holds.
fn with_lock_timeout(host: &Config) -> Config {
    let mut host = host.clone();
    let options = host.get_options().unwrap_or_default();
    let options = format!("-c lock_timeout={} {options}", LOCK_TIMEOUT.as_millis());
    host.options(options.trim_end());
    host
}

fn failed(error: &tokio_postgres::Error) -> DbError {
    match DbError::of(error) {
        DbError::Refused { message, .. } => DbError::Unavailable(message),
        other => other,
    }
}

/// The settings of one of several hosts.
fn one_host(all: &Config, number: usize, settings: &DatabaseSettings) -> Config {
    let mut one = Config::new();
    match all.get_hosts().get(number) {
        Some(Host::Tcp(name)) => one.host(name),
        Some(Host::Unix(path)) => one.host_path(path),
        None => &mut one,
    };
    let ports = all.get_ports();
    if let Some(port) = ports.get(number).or(ports.first()) {
        one.port(*port);
    }
    if let Some(address) = all.get_hostaddrs().get(number) {
        one.hostaddr(*address);
    }
    if let Some(user) = all.get_user() {
        one.user(user);
    }
    if let Some(name) = all.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = all.get_options() {
        one.options(options);
    }
    if let Some(password) = settings.password.as_deref().map(str::as_bytes).or(all.get_password()) {
        one.password(password);
    }
    one.application_name(all.get_application_name().unwrap_or("laini"));
    one.ssl_mode(all.get_ssl_mode()).channel_binding(all.get_channel_binding());
    one.connect_timeout(settings.connect_timeout).target_session_attrs(TargetSessionAttrs::ReadWrite);
    one
}

async fn connect(config: &Config, tls: Option<MakeRustlsConnect>) -> Result<Opened, tokio_postgres::Error> {
    match tls {
        Some(tls) => config.connect(tls).await.map(Opened::new),
        None => config.connect(NoTls).await.map(Opened::new),
    }
}

fn tls(settings: &DatabaseSettings) -> Result<MakeRustlsConnect, StoreError> {
    let mut roots = RootCertStore::empty();
    match &settings.authorities {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let added = certificate
                    .map_err(|error| error.to_string())
                    .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
                added.map_err(StoreError::Authorities)?;
            }
            if roots.is_empty() {
                return Err(StoreError::Authorities("no certificate in it".to_owned()));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Authorities(error.to_string()))?;
    Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
}

impl Opened {
    fn new<S, T>((client, connection): (Client, Connection<S, T>)) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
        T: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let gave_up_waiting = Arc::new(AtomicBool::new(false));
        let driver = spawn_local(drive(connection, Arc::clone(&gave_up_waiting)));
        Self { client, gave_up_waiting, driver }
    }

    /// What a successful reply to a commit is worth: a server that stopped waiting for its standby says
    /// so by a warning and then reports success, for a row that a failover may take away.
    pub(crate) fn confirmed(&self) -> Result<(), DbError> {
        if self.gave_up_waiting.load(Ordering::Relaxed) {
            return Err(DbError::Unknown("the database did not wait for its standby".to_owned()));
        }
        Ok(())
    }

    /// For what needs the connection exclusively.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}

impl Deref for Opened {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Moves bytes until the connection ends. Warnings come before the reply that they belong to.
async fn drive<S, T>(mut connection: Connection<S, T>, gave_up_waiting: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let run = |context: &mut Context<'_>| {
        loop {
            match ready!(connection.poll_message(context)) {
                Some(Ok(AsyncMessage::Notice(notice))) if notice.routine() == Some(WAIT_GIVEN_UP) => {
                    gave_up_waiting.store(true, Ordering::Relaxed);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(()),
            }
        }
    };
    poll_fn(run).await;
}
