use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::{ServerConfig, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, crypto::aws_lc_rs};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How often the files are looked at; a renewed certificate is served after that.
const WATCH_INTERVAL_MS: u64 = 2_000;

/// Where TLS finds what it needs, all PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate and those between it and its root.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// Who signs the certificates of clients; without it none is asked for.
    pub client_ca: Option<PathBuf>,
    /// Whether a client without a certificate is turned away.
    pub client_certificate_required: bool,
}

/// TLS of the listeners, with a certificate that can be renewed while they run.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
    /// As the files were when they were last read.
    seen: Mutex<Stamp>,
}

/// Why TLS cannot be set up with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds nothing that is looked for.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("certificate {} and key {}: {source}", certificate.display(), key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The authorities for clients cannot be used.
    #[error("client authorities: {0}")]
    ClientCa(#[from] VerifierBuilderError),
    /// The library's own defaults do not fit each other.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// Modification time and length of each file; `None` where it cannot be looked at.
type Stamp = Vec<Option<(SystemTime, u64)>>;

impl Tls {
    /// TLS with what the files hold now. Blocking.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let seen = Mutex::new(files.stamp());
        let current = ArcSwap::from_pointee(files.read()?);
        Ok(Self { files, current, seen })
    }

    /// Takes over what the files hold now: for connections from here on. On an error everything stays
    /// as it was. Blocking.
    pub fn reload(&self) -> Result<(), TlsError> {
        let stamp = self.files.stamp();
        let read = self.files.read();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = stamp;
        self.current.store(Arc::new(read?));
        Ok(())
    }

    /// Reloads whenever a file has changed, for ever.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(Duration::from_millis(WATCH_INTERVAL_MS));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let tls = Arc::clone(&self);
            // It ends early only where the process ends.
            let _ = tokio::task::spawn_blocking(move || tls.reload_if_changed()).await;
        }
    }

    fn reload_if_changed(&self) {
        if *self.seen.lock().unwrap_or_else(PoisonError::into_inner) == self.files.stamp() {
            return;
        }
        match self.reload() {
            Ok(()) => tracing::info!("a new TLS certificate is served from here on"),
            Err(error) => tracing::error!(%error, "the changed TLS files cannot be used; those in force stay"),
        }
    }

    /// Shakes hands on a connection.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.current.load_full()).accept(stream).await
    }
}

/// SHA-256 of the certificate that the client presented and the handshake verified.
pub(super) fn client_certificate(stream: &TlsStream<TcpStream>) -> Option<[u8; 32]> {
    let leaf = stream.get_ref().1.peer_certificates()?.first()?;
    Some(Sha256::digest(leaf).into())
}

impl TlsFiles {
    fn read(&self) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        // TLS 1.3 and 1.2; rustls knows no older ones.
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(path)? {
                    roots.add(authority).map_err(|error| file_error(path, error.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier =
                    if self.client_certificate_required { verifier } else { verifier.allow_unauthenticated() };
                builder.with_client_cert_verifier(verifier.build()?)
            }
        };
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| file_error(&self.key, pem_words(&error)))?;
        let mut config = builder.with_single_cert(certificates(&self.certificate)?, key).map_err(|source| {
            TlsError::Pair { certificate: self.certificate.clone(), key: self.key.clone(), source }
        })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Stateless resumption. Its keys are made with this configuration and go with it, so that no
        // client that an older one let in comes back without a new look at its certificate.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(config)
    }

    fn stamp(&self) -> Stamp {
        let stamp_of = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()]
            .into_iter()
            .flatten()
            .map(stamp_of)
            .collect()
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| file_error(path, pem_words(&error)))?;
    if certificates.is_empty() {
        return Err(file_error(path, "holds no certificate in PEM".to_owned()));
    }
    Ok(certificates)
}

/// Never what the file holds: it may be a key.
fn pem_words(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "holds nothing of the kind that is looked for, in PEM".to_owned(),
        _ => "is no PEM".to_owned(),
    }
}

fn file_error(path: &Path, reason: String) -> TlsError {
    TlsError::File { path: path.to_owned(), reason }
}
