use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

/// What TLS to the back end needs, in PEM.
#[derive(Default)]
pub struct TlsFiles {
    /// Authorities that are trusted besides the system's.
    pub authorities: Option<Vec<u8>>,
    /// laini's own certificate (with its chain) and key, where the back end asks for one.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate in the file.
    #[error("the file of {0} holds no certificate in PEM")]
    NoCertificate(&'static str),
    /// No key in the file.
    #[error("the file of the client's key holds no private key in PEM")]
    NoKey,
    /// Nobody is trusted.
    #[error("no authority is trusted: the system has none, and no file names one")]
    NoAuthority,
    /// Certificate and key do not fit.
    #[error("TLS: {0}")]
    Refused(#[from] rustls::Error),
}

impl TlsFiles {
    /// For a back end that is reached without TLS: trusts nobody.
    pub(crate) fn unused() -> Result<ClientConfig, TlsError> {
        Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
    }

    /// The client's side of TLS, 1.2 and 1.3.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, TlsError> {
        let mut roots = RootCertStore::empty();
        let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(pem) = &self.authorities {
            for certificate in certificates(pem, "the authorities")? {
                roots.add(certificate)?;
            }
        }
        if roots.is_empty() {
            return Err(TlsError::NoAuthority);
        }
        let builder = builder()?.with_root_certificates(roots);
        Ok(match &self.client {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey)?;
                builder.with_client_auth_cert(certificates(chain, "the client's certificate")?, key)?
            }
        })
    }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?)
}

fn certificates(pem: &[u8], whose: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or(TlsError::NoCertificate(whose))
}
