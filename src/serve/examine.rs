//! What is unwise about a configured certificate: the server starts with it, but browsers will
//! complain today or soon. What makes a start impossible is a [`TlsError`].

use std::path::Path;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;

use super::certificate::Facts;
use super::tls::{TlsError, in_time, key_pair};
use crate::clock::Wall;
use crate::config::{Config, Host};

/// With less left than this, the operator is reminded.
const REMINDED_BEFORE: Duration = Duration::from_secs(21 * 86_400);

/// Something to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub mend: String,
}

/// Judges the configured certificate; nothing is said of a generated one, which the appliance
/// looks after itself.
///
/// # Errors
/// What makes it unusable: unreadable, the key of another, expired.
pub fn examine(config: &Config, now: Wall) -> Result<Vec<Finding>, TlsError> {
    let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) else {
        return Ok(Vec::new());
    };
    judge(
        certificate,
        key,
        &config.server.public_names,
        &system_roots(),
        now,
    )
}

/// The authorities that this system trusts; browsers trust about the same.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // A bundle may hold some that rustls does not take, or none at all: then every chain is told
    // not to reach one, which is true of this system.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

pub(super) fn judge(
    certificate: &Path,
    key: &Path,
    names: &[Host],
    roots: &RootCertStore,
    now: Wall,
) -> Result<Vec<Finding>, TlsError> {
    let pair = key_pair(certificate, key)?;
    let not_after = in_time(certificate, &pair, now)?;
    let shown = certificate.display();
    let chain: Vec<Facts> = pair.cert.iter().filter_map(|der| Facts::of(der)).collect();
    let mut findings = Vec::new();
    if not_after <= now.plus(REMINDED_BEFORE) {
        findings.push(Finding {
            what: format!("{shown} expires at {}", not_after.rfc3339()),
            mend: "renew it, then `systemctl reload emflow` (or send SIGHUP)".to_owned(),
        });
    }
    findings.extend(broken_chain(certificate, &chain, now));
    if findings.is_empty() {
        findings.extend(beyond_reach(certificate, &pair.cert, &chain, roots, now));
    }
    let leaf = ParsedCertificate::try_from(&pair.cert[0]).ok();
    let covered = |name: &&Host| {
        let name = ServerName::try_from(name.as_str()).ok();
        let checked = leaf.as_ref().zip(name);
        checked.is_some_and(|(leaf, name)| verify_server_name(leaf, &name).is_ok())
    };
    let missing = names.iter().filter(|name| !covered(name));
    findings.extend(missing.map(|name| Finding {
        what: format!(
            "{shown} does not cover {}, under which visitors come (server.public_names)",
            name.as_str()
        ),
        mend: format!(
            "have it issued with the name {} as well, or take the name out",
            name.as_str()
        ),
    }));
    Ok(findings)
}

/// Certificates that do not stand one upon the other, or are over.
fn broken_chain(path: &Path, chain: &[Facts], now: Wall) -> Option<Finding> {
    let unlinked = chain
        .windows(2)
        .position(|pair| pair[0].issuer != pair[1].subject);
    if let Some(place) = unlinked {
        return Some(Finding {
            what: format!(
                "certificate {} in {} did not sign certificate {}",
                place + 2,
                path.display(),
                place + 1
            ),
            mend: "put the server's own certificate first, then each that signed the one before"
                .to_owned(),
        });
    }
    let over = chain
        .iter()
        .skip(1)
        .position(|facts| !facts.good_for(now, Duration::ZERO))?;
    Some(Finding {
        what: format!(
            "certificate {} in {} is good from {} to {} only",
            over + 2,
            path.display(),
            chain[over + 1].not_before.rfc3339(),
            chain[over + 1].not_after.rfc3339()
        ),
        mend: "fetch the current intermediate certificate from the issuer".to_owned(),
    })
}

/// A chain that does not lead to an authority of this system.
fn beyond_reach(
    path: &Path,
    chain: &[CertificateDer<'static>],
    facts: &[Facts],
    roots: &RootCertStore,
    now: Wall,
) -> Option<Finding> {
    let (leaf, rest) = chain.split_first()?;
    let at = UnixTime::since_unix_epoch(Duration::from_millis(now.0));
    let provider = default_provider();
    let algorithms = provider.signature_verification_algorithms.all;
    let reached = ParsedCertificate::try_from(leaf).and_then(|leaf| {
        verify_server_cert_signed_by_trust_anchor(&leaf, roots, rest, at, algorithms)
    });
    reached.err()?;
    let last = facts.last()?;
    let path = path.display();
    Some(if last.issuer == last.subject {
        Finding {
            what: format!("the chain in {path} ends at an authority that this system does not trust"),
            mend: "install that authority on the visitors' devices, or use a certificate of a public one".to_owned(),
        }
    } else {
        let issuer = last
            .issuer_name()
            .unwrap_or_else(|| "its issuer".to_owned());
        Finding {
            what: format!(
                "the chain in {path} is not complete: the certificate of \"{issuer}\" is missing, and \
                 this system does not know it"
            ),
            mend: format!(
                "append the certificate of \"{issuer}\" to {path} (the issuer's \"full chain\")"
            ),
        }
    })
}

#[cfg(test)]
mod tests;
