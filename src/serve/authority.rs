//! The local authority: where no certificate is configured, the first start
//! makes one of its own, and a server certificate that it signs. Who trusts the
//! authority once trusts every later certificate of this appliance.
//!
//! Everything lies in `tls/` of the data directory, mode 0600. The authority
//! stays for ten years; the server certificate is renewed when it nears its end
//! or lacks a name. Whoever takes the data directory's lock calls this: two
//! processes at once would make two authorities.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use sysinfo::{Networks, System};
use time::OffsetDateTime;

use super::certificate::Facts;
use super::keyfile;
use super::tls::{TlsError, certificates, key_pair};
use crate::clock::Wall;
use crate::config::Host;

const DAY: Duration = Duration::from_secs(86_400);
/// How long the authority is good.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3650);
/// How long a server certificate is good: browsers refuse more than 398 days.
const SERVER_LIFE: Duration = DAY.saturating_mul(397);
/// With less left than this, a certificate is renewed.
const RENEWED_BEFORE: Duration = DAY.saturating_mul(30);
/// Certificates begin a little earlier, for clients whose clock is slow.
const SLOW_CLOCK: Duration = Duration::from_secs(3600);
/// The most interface addresses in a certificate.
const ADDRESSES_MAX: usize = 64;

/// The files of the authority and what was done to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The authority's certificate, which clients are to trust.
    pub authority: PathBuf,
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
    /// Whether the authority is new: clients must trust it (again).
    pub new_authority: bool,
    /// Why the server certificate was made now; nothing where it was still good.
    pub renewed: Option<&'static str>,
    /// The time by which it was judged: never before the authority began.
    pub now: Wall,
}

/// The names of this machine: `localhost`, the host name and its `.local` form, loopback,
/// the addresses of its interfaces; and `public` on top.
pub fn names(public: &[Host]) -> Vec<Host> {
    let host = host_name();
    let fixed = [
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    let dotless = (!host.contains('.') && host != "localhost").then(|| format!("{host}.local"));
    let networks = Networks::new_with_refreshed_list();
    let addresses = networks.values().flat_map(|data| data.ip_networks());
    let mut addresses: Vec<IpAddr> = addresses.map(|network| network.addr).collect();
    addresses.retain(|ip| match ip {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_unspecified(),
        // A link-local address means nothing without its zone, which no certificate can carry.
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    });
    addresses.sort();
    addresses.truncate(ADDRESSES_MAX);
    let texts = fixed.into_iter().chain([host]).chain(dotless);
    let texts = texts.chain(addresses.iter().map(IpAddr::to_string));
    let mut names: Vec<Host> = texts.filter_map(|text| Host::parse(&text)).collect();
    names.extend_from_slice(public);
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.as_str().to_owned()));
    names
}

/// What this machine calls itself.
pub fn host_name() -> String {
    System::host_name().map_or_else(|| "localhost".to_owned(), |name| name.to_ascii_lowercase())
}

/// Makes or renews what is missing or stale in `folder`, for `names`, on the machine `host`.
///
/// # Errors
/// A key that others can read, a damaged file (never replaced silently: clients trust it), a
/// folder that cannot be written.
pub fn ensure(folder: &Path, host: &str, names: &[Host], now: Wall) -> Result<Issued, TlsError> {
    keyfile::make_folder(folder)?;
    let authority = folder.join("authority.pem");
    let old = if authority.exists() {
        Some(authority_of(&authority)?)
    } else {
        None
    };
    // A clock that stands before the authority began is behind, not the authority wrong: making
    // another would take away what every device trusts.
    let began = old.as_ref().map_or(now, |(_, facts)| facts.not_before);
    let now = now.max(began);
    let (anchor, new_authority) = match old {
        Some((anchor, facts)) if facts.good_for(now, RENEWED_BEFORE) => (anchor, false),
        _ => (make_authority(folder, host, now)?, true),
    };
    let mut issued = Issued {
        certificate: folder.join("server.pem"),
        key: folder.join("server.key"),
        renewed: None,
        now,
        authority,
        new_authority,
    };
    issued.renewed = stale(&issued, &anchor, names, now)?;
    if issued.renewed.is_some() {
        make_server(folder, &issued, &anchor, names, now)?;
    }
    Ok(issued)
}

fn authority_of(path: &Path) -> Result<(CertificateDer<'static>, Facts), TlsError> {
    let anchor = certificates(path)?.swap_remove(0);
    let facts = Facts::of(&anchor).ok_or_else(|| TlsError::NotACertificate(path.to_owned()))?;
    Ok((anchor, facts))
}

/// Key first, then certificate: after a crash between the two there is no certificate, and the
/// next start makes both.
fn make_authority(
    folder: &Path,
    host: &str,
    now: Wall,
) -> Result<CertificateDer<'static>, TlsError> {
    let key = KeyPair::generate().map_err(TlsError::issue)?;
    let mut params = CertificateParams::default();
    // A common name has at most 64 characters (X.520), and this one begins with 23.
    let host: String = host.chars().take(41).collect();
    params.distinguished_name = named(&format!("emflow local authority {host}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    (params.not_before, params.not_after) = span(now, now.plus(AUTHORITY_LIFE));
    let certificate = params.self_signed(&key).map_err(TlsError::issue)?;
    keyfile::write(
        &folder.join("authority.key"),
        key.serialize_pem().as_bytes(),
    )?;
    keyfile::write(&folder.join("authority.pem"), certificate.pem().as_bytes())?;
    Ok(certificate.der().clone())
}

fn make_server(
    folder: &Path,
    issued: &Issued,
    anchor: &CertificateDer<'static>,
    names: &[Host],
    now: Wall,
) -> Result<(), TlsError> {
    let path = folder.join("authority.key");
    let pem = String::from_utf8(keyfile::read_private(&path)?).ok();
    let authority_key = pem.and_then(|pem| KeyPair::from_pem(&pem).ok());
    let authority_key = authority_key.ok_or_else(|| TlsError::NotAKey(path.clone()))?;
    let facts = Facts::of(anchor);
    let facts = facts.ok_or_else(|| TlsError::NotACertificate(issued.authority.clone()))?;

    // The issuer's name must be the authority's to the letter; the machine may be called
    // differently by now.
    let mut authority = CertificateParams::default();
    authority.distinguished_name = named(&facts.common_name.unwrap_or_default());
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate().map_err(TlsError::issue)?;
    let texts: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
    let mut params = CertificateParams::new(texts).map_err(TlsError::issue)?;
    params.distinguished_name = named("emflow");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = span(now, now.plus(SERVER_LIFE).min(facts.not_after));
    let certificate = params.signed_by(&key, &issuer).map_err(TlsError::issue)?;
    if !signed_by(anchor, certificate.der(), now) {
        return Err(TlsError::KeyMismatch {
            certificate: issued.authority.clone(),
            key: path,
        });
    }
    keyfile::write(&issued.key, key.serialize_pem().as_bytes())?;
    keyfile::write(&issued.certificate, certificate.pem().as_bytes())
}

/// Why the server certificate must be made anew. A pair that does not match is what a crash
/// between its two files leaves, and is made anew too.
fn stale(
    issued: &Issued,
    anchor: &CertificateDer<'static>,
    names: &[Host],
    now: Wall,
) -> Result<Option<&'static str>, TlsError> {
    if !issued.certificate.exists() || !issued.key.exists() {
        return Ok(Some("there was none"));
    }
    let pair = match key_pair(&issued.certificate, &issued.key) {
        Ok(pair) => pair,
        Err(TlsError::KeyMismatch { .. }) => return Ok(Some("the key was another's")),
        Err(other) => return Err(other),
    };
    let leaf = &pair.cert[0];
    let lacks = |name: &Host| {
        let parsed = ParsedCertificate::try_from(leaf).ok();
        let name = ServerName::try_from(name.as_str()).ok();
        // A host name that TLS cannot carry is not a reason to renew for ever.
        let checked = parsed
            .zip(name)
            .map(|(leaf, name)| verify_server_name(&leaf, &name));
        matches!(checked, Some(Err(_)))
    };
    let long_enough = Facts::of(leaf).is_some_and(|facts| facts.good_for(now, RENEWED_BEFORE));
    Ok(if !long_enough {
        Some("it was near its end, or not good yet")
    } else if !signed_by(anchor, leaf, now) {
        Some("another authority signed it")
    } else if names.iter().any(lacks) {
        Some("a name or an address was missing")
    } else {
        None
    })
}

fn signed_by(anchor: &CertificateDer<'_>, leaf: &CertificateDer<'_>, now: Wall) -> bool {
    let mut roots = RootCertStore::empty();
    let known = roots.add(anchor.clone().into_owned()).is_ok();
    let at = UnixTime::since_unix_epoch(Duration::from_millis(now.0));
    let provider = default_provider();
    let algorithms = provider.signature_verification_algorithms.all;
    let verified = ParsedCertificate::try_from(leaf).and_then(|leaf| {
        verify_server_cert_signed_by_trust_anchor(&leaf, &roots, &[], at, algorithms)
    });
    known && verified.is_ok()
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

/// From a little before `now` until `end`.
fn span(now: Wall, end: Wall) -> (OffsetDateTime, OffsetDateTime) {
    let at = |wall: Wall| {
        OffsetDateTime::from_unix_timestamp((wall.0 / 1000) as i64)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    let start = Wall(now.0.saturating_sub(SLOW_CLOCK.as_millis() as u64));
    (at(start), at(end))
}
