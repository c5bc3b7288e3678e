//! TLS from certificate files. They are read again when they change, so that renewing a certificate needs no restart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig, version};
use tokio_rustls::TlsAcceptor;

/// A certificate with its key, as the files have it. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Tls {
    certificate_file: PathBuf,
    key_file: PathBuf,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

/// What is presented to whoever connects now.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

impl Current {
    fn get(&self) -> Arc<CertifiedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Tls {
    /// Reads a certificate with what it was signed by, and its key, both PEM. Fails with a sentence.
    pub fn load(certificate_file: &Path, key_file: &Path) -> Result<Tls, String> {
        let current = Arc::new(Current(RwLock::new(read(certificate_file, key_file)?)));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|it| format!("TLS cannot be set up: {it}"))?;
        let mut config = config.with_no_client_auth().with_cert_resolver(current.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let (certificate_file, key_file) = (certificate_file.to_owned(), key_file.to_owned());
        Ok(Tls { certificate_file, key_file, current, config: Arc::new(config) })
    }

    /// Reads the files again, and gives whether they hold another certificate. Where they cannot be used the old one stays.
    pub fn reload(&self) -> Result<bool, String> {
        let new = read(&self.certificate_file, &self.key_file)?;
        let changed = new.cert != self.current.get().cert;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(changed)
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("certificate_file", &self.certificate_file).finish_non_exhaustive()
    }
}

fn read(certificate_file: &Path, key_file: &Path) -> Result<Arc<CertifiedKey>, String> {
    let bad = |path: &Path, why: String| format!("{}: {why}", path.display());
    let chain = CertificateDer::pem_file_iter(certificate_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|it| bad(certificate_file, explained(&it)))?;
    if chain.is_empty() {
        return Err(bad(certificate_file, "there is no certificate in it; give a PEM file".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|it| bad(key_file, explained(&it)))?;
    let certified = CertifiedKey::from_der(chain, key, &default_provider()).map_err(|it| match it {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            bad(key_file, format!("it is not the key of the certificate in {}", certificate_file.display()))
        }
        other => bad(certificate_file, format!("it cannot be used with its key: {other}")),
    })?;
    Ok(Arc::new(certified))
}

fn explained(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error;
    match error {
        Error::Io(error) => error.to_string(),
        Error::NoItemsFound => "there is no key in it; give a PEM file".to_owned(),
        other => format!("it is no PEM file: {other}"),
    }
}
