//! The TLS configuration that each accepted socket is given, and its reload.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::authority::{self, Issued};
use super::certificate::{Facts, fingerprint, names};
use super::keyfile;
use crate::clock::Wall;
use crate::config::{Config, Host};

/// Why there is no TLS. Each names its file; none holds a byte of a key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that is missing or not readable.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A file or folder that cannot be written.
    #[error("{path} cannot be written: {reason}")]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A private key that others can read or change.
    #[error("the private key {path} is not private: it {fault}")]
    Exposed {
        /// The key.
        path: PathBuf,
        /// What is wrong with its mode or owner, and the remedy.
        fault: String,
    },
    /// No certificate in PEM.
    #[error("{0} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")]
    NotACertificate(PathBuf),
    /// No usable private key in PEM.
    #[error(
        "{0} holds no private key in PEM that can be used (EC P-256 or P-384, Ed25519, RSA of 2048 bits or more; not encrypted)"
    )]
    NotAKey(PathBuf),
    /// A key that does not belong to its certificate.
    #[error("{key} is not the key of {certificate}")]
    KeyMismatch {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// A certificate whose time is over.
    #[error("the certificate {path} expired at {at}")]
    Expired {
        /// The certificate.
        path: PathBuf,
        /// Its end, RFC 3339.
        at: String,
    },
    /// A certificate whose time has not begun, or a wrong clock.
    #[error("the certificate {path} is not good before {at}; is the clock right?")]
    NotYetValid {
        /// The certificate.
        path: PathBuf,
        /// Its begin, RFC 3339.
        at: String,
    },
    /// A certificate could not be made, or TLS not be set up.
    #[error("TLS: {0}")]
    Setup(String),
}

impl TlsError {
    pub(super) fn unreadable(path: &Path, reason: &io::Error) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
    pub(super) fn unwritable(path: &Path, reason: &io::Error) -> Self {
        Self::Unwritable {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
    pub(super) fn issue(error: rcgen::Error) -> Self {
        Self::Setup(error.to_string())
    }
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// From the proxy in front of us, which ends TLS; we have none and speak plain HTTP.
    Proxy,
    /// The operator's own.
    Configured {
        /// PEM file of the chain.
        certificate: PathBuf,
        /// PEM file of the key.
        key: PathBuf,
    },
    /// The local authority's.
    Generated {
        /// Its folder.
        folder: PathBuf,
        /// The machine's name, for the authority's.
        host: String,
        /// The names and addresses the certificate must have.
        names: Vec<Host>,
    },
}

impl Origin {
    /// As configured; asks the system for its names and addresses where they are needed.
    pub fn of(config: &Config) -> Self {
        if config.tls.plain_behind_proxy {
            return Self::Proxy;
        }
        match (&config.tls.certificate, &config.tls.key) {
            (Some(certificate), Some(key)) => Self::Configured {
                certificate: certificate.clone(),
                key: key.clone(),
            },
            _ => Self::Generated {
                folder: config.server.data_dir.join("tls"),
                host: authority::host_name(),
                names: authority::names(&config.server.public_names),
            },
        }
    }
}

/// The certificate in use, for the terminal and the admin page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// Its file.
    pub certificate: PathBuf,
    /// SHA-256, as browsers show it: `AB:CD:…`.
    pub fingerprint: String,
    /// Its end.
    pub not_after: Wall,
    /// The local authority's files and what was done to them; nothing for a configured certificate.
    pub issued: Option<Issued>,
}

/// A certificate file as a person can compare it with what a browser shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// SHA-256: `AB:CD:…`.
    pub fingerprint: String,
    /// The common name of its subject.
    pub name: String,
    /// Its begin.
    pub not_before: Wall,
    /// Its end.
    pub not_after: Wall,
    /// The host names and addresses that it is for.
    pub names: Vec<String>,
    /// As it stands in the file.
    pub pem: Vec<u8>,
}

/// Reads the first certificate of a PEM file.
///
/// # Errors
/// [`TlsError::Unreadable`] or [`TlsError::NotACertificate`].
pub fn shown(path: &Path) -> Result<Shown, TlsError> {
    let pem = keyfile::read(path)?;
    let leaf = certificates(path)?.swap_remove(0);
    let facts = Facts::of(&leaf).ok_or_else(|| TlsError::NotACertificate(path.to_owned()))?;
    Ok(Shown {
        fingerprint: fingerprint(&leaf),
        names: names(&leaf),
        name: facts.common_name.unwrap_or_default(),
        not_before: facts.not_before,
        not_after: facts.not_after,
        pem,
    })
}

/// A configuration, and what it presents.
type InUse = (Arc<ServerConfig>, Presented);

/// The current TLS configuration. A socket keeps the one it was accepted with.
pub struct Reloadable {
    /// None where a proxy ends TLS.
    current: RwLock<Option<InUse>>,
    /// Kept across reloads, so that clients resume their sessions.
    ticketer: Arc<dyn ProducesTickets>,
    protocols: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Reloadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reloadable")
            .field(&self.presented())
            .finish()
    }
}

impl Reloadable {
    /// Sets TLS up. `protocols` are offered by ALPN, the preferred one first (`h2`, `http/1.1`).
    ///
    /// # Errors
    /// What is wrong with the certificate or its key.
    pub fn open(origin: &Origin, protocols: &[&str], now: Wall) -> Result<Self, TlsError> {
        let protocols: Vec<Vec<u8>> = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        let ticketer = Ticketer::new().map_err(|e| TlsError::Setup(e.to_string()))?;
        let current = RwLock::new(build(origin, &protocols, &ticketer, now)?);
        Ok(Self {
            current,
            ticketer,
            protocols,
        })
    }

    /// The configuration for the next socket; none where a proxy ends TLS.
    pub fn current(&self) -> Option<Arc<ServerConfig>> {
        // The lock guards a value that is replaced whole: a panic elsewhere cannot have broken it.
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|in_use| Arc::clone(&in_use.0))
    }

    /// The certificate in use; none where a proxy ends TLS.
    pub fn presented(&self) -> Option<Presented> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|in_use| in_use.1.clone())
    }

    /// Reads or renews the certificate; sockets that live keep theirs. To be called on SIGHUP, and
    /// once a day for the renewal.
    ///
    /// # Errors
    /// What is wrong with the new one; the old one stays in use.
    pub fn reload(&self, origin: &Origin, now: Wall) -> Result<Option<Presented>, TlsError> {
        let next = build(origin, &self.protocols, &self.ticketer, now)?;
        let presented = next.as_ref().map(|in_use| in_use.1.clone());
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(presented)
    }
}

fn build(
    origin: &Origin,
    protocols: &[Vec<u8>],
    ticketer: &Arc<dyn ProducesTickets>,
    now: Wall,
) -> Result<Option<InUse>, TlsError> {
    let (certificate, key, issued) = match origin {
        Origin::Proxy => return Ok(None),
        Origin::Configured { certificate, key } => (certificate.clone(), key.clone(), None),
        Origin::Generated {
            folder,
            host,
            names,
        } => {
            let issued = authority::ensure(folder, host, names, now)?;
            (issued.certificate.clone(), issued.key.clone(), Some(issued))
        }
    };
    let pair = key_pair(&certificate, &key)?;
    let now = issued.as_ref().map_or(now, |issued| issued.now);
    let not_after = in_time(&certificate, &pair, now)?;
    let fingerprint = fingerprint(&pair.cert[0]);
    let config = server_config(pair, protocols, ticketer)?;
    Ok(Some((
        Arc::new(config),
        Presented {
            certificate,
            fingerprint,
            not_after,
            issued,
        },
    )))
}

/// TLS 1.2 and 1.3 with the ciphers of the provider, all of them AEAD with forward secrecy.
fn server_config(
    pair: CertifiedKey,
    protocols: &[Vec<u8>],
    ticketer: &Arc<dyn ProducesTickets>,
) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| TlsError::Setup(e.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
    config.alpn_protocols = protocols.to_vec();
    config.ticketer = Arc::clone(ticketer);
    // Tickets carry the state; a cache beside them would be memory a client decides about.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

/// The end of the leaf, if `now` is within its time.
pub(super) fn in_time(path: &Path, pair: &CertifiedKey, now: Wall) -> Result<Wall, TlsError> {
    let facts = Facts::of(&pair.cert[0]);
    let facts = facts.ok_or_else(|| TlsError::NotACertificate(path.to_owned()))?;
    let path = path.to_owned();
    if !facts.good_for(now, Duration::ZERO) {
        return Err(if now < facts.not_before {
            TlsError::NotYetValid {
                path,
                at: facts.not_before.rfc3339(),
            }
        } else {
            TlsError::Expired {
                path,
                at: facts.not_after.rfc3339(),
            }
        });
    }
    Ok(facts.not_after)
}

/// The certificates of a PEM file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = keyfile::read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match chain {
        Ok(chain) if chain.first().is_some_and(|leaf| Facts::of(leaf).is_some()) => Ok(chain),
        _ => Err(TlsError::NotACertificate(path.to_owned())),
    }
}

/// A chain and the key of its first certificate, which is not empty.
pub(super) fn key_pair(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(certificate)?;
    let pem = keyfile::read_private(key)?;
    let private = PrivateKeyDer::from_pem_slice(&pem).ok();
    let signer = private.and_then(|der| default_provider().key_provider.load_private_key(der).ok());
    let signer = signer.ok_or_else(|| TlsError::NotAKey(key.to_owned()))?;
    let pair = CertifiedKey::new(chain, signer);
    match pair.keys_match() {
        Ok(()) => Ok(pair),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::KeyMismatch {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        }),
        // The leaf is no X.509 v3 certificate for a server.
        Err(_) => Err(TlsError::NotACertificate(certificate.to_owned())),
    }
}

#[cfg(test)]
mod tests;
