//! Certificates made for a test, as files.

use std::path::PathBuf;
use std::sync::Arc;

use laini_server::http::{Tls, TlsFiles};
use laini_server::{Environments, Listener};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::world::LOOPBACK;

pub(crate) const NAME: &str = "laini.test";

/// An authority, and the server's files under it.
pub(crate) struct Pki {
    dir: TempDir,
    authority: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

/// A certificate with its key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Identity {
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.certificate).into()
    }
}

impl Pki {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("root.pem"), root.pem()).unwrap();
        let pki = Self { dir, root: root.der().clone(), authority: Issuer::new(params, key) };
        pki.renew();
        pki
    }

    pub(crate) fn issue(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        Identity { certificate: certificate.der().clone(), key }
    }

    /// Puts a new certificate of the server's in place of the old one.
    pub(crate) fn renew(&self) -> CertificateDer<'static> {
        let server = self.issue(NAME);
        let pem = rcgen_pem(&server.certificate);
        std::fs::write(self.path("key.pem"), server.key.serialize_pem()).unwrap();
        std::fs::write(self.path("certificate.pem"), pem).unwrap();
        server.certificate
    }

    /// The server's private key.
    pub(crate) fn key_text(&self) -> String {
        std::fs::read_to_string(self.path("key.pem")).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.path("certificate.pem"),
            key: self.path("key.pem"),
            client_ca: None,
            client_certificate_required: false,
        }
    }

    /// A listener that asks clients for certificates, and turns away who has none where `required`.
    pub(crate) fn mutual(&self, required: bool) -> Listener {
        let client_ca = Some(self.path("root.pem"));
        listener(TlsFiles { client_ca, client_certificate_required: required, ..self.files() })
    }

    pub(crate) fn listener(&self) -> Listener {
        listener(self.files())
    }

    /// What a client of this authority's speaks, with a certificate of its own or without.
    pub(crate) fn client(
        &self,
        identity: Option<&Identity>,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
                builder.with_client_auth_cert(vec![own.certificate.clone()], key).unwrap()
            }
        };
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsConnector::from(Arc::new(config))
    }
}

fn listener(files: TlsFiles) -> Listener {
    let tls = Some(Arc::new(Tls::load(files).unwrap()));
    Listener { address: LOOPBACK, environments: Environments::Both, tls }
}

fn rcgen_pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// Connects and shakes hands.
pub(crate) async fn connect(
    connector: &TlsConnector,
    address: std::net::SocketAddr,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    connector.connect(ServerName::try_from(NAME).unwrap(), stream).await
}
