//! Certificates as a client sees them: real handshakes, in memory.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use rustls::client::Resumption;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, ProtocolVersion, RootCertStore,
    ServerConnection, SupportedProtocolVersion,
};

use super::*;

const NOW: Wall = Wall(1_790_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

#[derive(Debug)]
struct At(Wall);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0.0)))
    }
}

/// A client that trusts the certificate in `root` and nothing else.
fn client(root: &Path, now: Wall, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots
        .add(certificates(root).unwrap().swap_remove(0))
        .unwrap();
    let provider = Arc::new(default_provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(At(now)))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(8);
    config
}

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// The client's side after a whole handshake, tickets received.
fn shake(
    server: &Reloadable,
    client: &Arc<ClientConfig>,
    name: &str,
) -> Result<ClientConnection, rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name)?;
    let mut server = ServerConnection::new(server.current().unwrap())?;
    while client.wants_write() || server.wants_write() {
        let (mut there, mut back) = (Vec::new(), Vec::new());
        while client.wants_write() {
            client.write_tls(&mut there).unwrap();
        }
        let mut there = there.as_slice();
        while !there.is_empty() {
            server.read_tls(&mut there).unwrap();
            server.process_new_packets()?;
        }
        while server.wants_write() {
            server.write_tls(&mut back).unwrap();
        }
        let mut back = back.as_slice();
        while !back.is_empty() {
            client.read_tls(&mut back).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(client)
}

fn hosts(names: &[&str]) -> Vec<Host> {
    names
        .iter()
        .map(|name| Host::parse(name).unwrap())
        .collect()
}

const NAMES: &[&str] = &[
    "localhost",
    "laptop",
    "laptop.local",
    "127.0.0.1",
    "::1",
    "192.0.2.7",
];

fn generated(folder: &Path, names: &[&str]) -> Origin {
    Origin::Generated {
        folder: folder.into(),
        host: "laptop".into(),
        names: hosts(names),
    }
}

fn open(origin: &Origin) -> Result<Reloadable, TlsError> {
    Reloadable::open(origin, &["h2", "http/1.1"], NOW)
}

#[test]
fn who_trusts_the_authority_reaches_every_name_and_no_other() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("data/tls");
    let server = open(&generated(&folder, NAMES)).unwrap();
    for versions in [&BOTH[..1], &BOTH[1..]] {
        let trusting = Arc::new(client(&folder.join("authority.pem"), NOW, versions));
        for name in NAMES {
            let connection = shake(&server, &trusting, name).expect(name);
            let version = connection.protocol_version().unwrap();
            assert_eq!(version, versions[0].version);
            assert!([ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3].contains(&version));
        }
        for name in ["elsewhere", "192.0.2.8", "laptop.example"] {
            let refused = shake(&server, &trusting, name).unwrap_err();
            assert!(
                matches!(refused, rustls::Error::InvalidCertificate(_)),
                "{refused}"
            );
        }
    }
    let other = scratch.path().join("other");
    open(&generated(&other, NAMES)).unwrap();
    let distrusting = Arc::new(client(&other.join("authority.pem"), NOW, BOTH));
    shake(&server, &distrusting, "localhost").expect_err("signed by another authority");
}

#[test]
fn protocols_are_offered_in_our_order() {
    let scratch = tempfile::tempdir().unwrap();
    let origin = generated(scratch.path(), NAMES);
    let both = open(&origin).unwrap();
    let one = Reloadable::open(&origin, &["http/1.1"], NOW).unwrap();
    let mut wanting = client(&scratch.path().join("authority.pem"), NOW, BOTH);
    wanting.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    let wanting = Arc::new(wanting);
    let chosen = |server: &Reloadable| {
        let connection = shake(server, &wanting, "localhost").unwrap();
        String::from_utf8(connection.alpn_protocol().unwrap().to_vec()).unwrap()
    };
    assert_eq!(chosen(&both), "h2");
    assert_eq!(chosen(&one), "http/1.1");
}

#[test]
fn files_are_private() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("data/tls");
    open(&generated(&folder, NAMES)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(folder.parent().unwrap()), 0o700);
    let mut seen: Vec<String> = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    seen.sort();
    assert_eq!(
        seen,
        ["authority.key", "authority.pem", "server.key", "server.pem"]
    );
}

#[test]
fn a_certificate_is_renewed_when_it_must_and_the_authority_stays() {
    let scratch = tempfile::tempdir().unwrap();
    let (folder, pem) = (scratch.path(), scratch.path().join("authority.pem"));
    let ensure = |names: &[&str], now| authority::ensure(folder, "laptop", &hosts(names), now);
    let renewed = |names: &[&str], now: Wall| {
        let issued = ensure(names, now).unwrap();
        (issued.new_authority, issued.renewed)
    };
    assert_eq!(renewed(NAMES, NOW), (true, Some("there was none")));
    let root = fs::read(&pem).unwrap();
    assert_eq!(renewed(NAMES, NOW), (false, None));
    assert_eq!(
        renewed(&NAMES[..3], NOW),
        (false, None),
        "fewer names are no reason"
    );
    let more = [NAMES, &["demo.example"]].concat();
    assert_eq!(
        renewed(&more, NOW),
        (false, Some("a name or an address was missing"))
    );
    assert_eq!(
        renewed(&more, NOW.plus(DAY * 366)),
        (false, None),
        "31 days left"
    );
    let late = NOW.plus(DAY * 368);
    let near = Some("it was near its end, or not good yet");
    assert_eq!(renewed(&more, late), (false, near), "29 days left");
    assert_eq!(renewed(&more, late), (false, None));
    assert_eq!(renewed(&more, NOW), (false, near), "the clock went back");
    let behind = Wall(NOW.0 - DAY.as_millis() as u64 * 20);
    assert_eq!(
        renewed(&more, behind).0,
        false,
        "a clock before the authority"
    );
    fs::copy(folder.join("authority.key"), folder.join("server.key")).unwrap();
    assert_eq!(renewed(&more, NOW), (false, Some("the key was another's")));

    assert_eq!(
        fs::read(&pem).unwrap(),
        root,
        "the authority is the first one"
    );
    let origin = Origin::Generated {
        folder: folder.into(),
        host: "renamed".into(),
        names: hosts(&[&more[..], &["renamed"]].concat()),
    };
    let server = open(&origin).unwrap();
    let trusting = Arc::new(client(&pem, NOW, BOTH));
    shake(&server, &trusting, "renamed").expect("a renamed machine keeps its authority");

    let decade = NOW.plus(DAY * 3625);
    let (new_authority, reason) = renewed(&more, decade);
    assert!(
        new_authority && reason.is_some(),
        "29 days before the authority's end"
    );
    assert_ne!(fs::read(&pem).unwrap(), root);
}

#[test]
fn what_a_crash_or_an_operator_leaves_is_mended_or_named() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let at = |name: &str| folder.join(name);
    let ensure = || authority::ensure(folder, "laptop", &hosts(NAMES), NOW);
    ensure().unwrap();

    // Between the two files of a pair: the certificate is missing.
    fs::remove_file(at("server.pem")).unwrap();
    assert_eq!(ensure().unwrap().renewed, Some("there was none"));
    fs::remove_file(at("authority.pem")).unwrap();
    let issued = ensure().unwrap();
    assert!(issued.new_authority && issued.renewed == Some("another authority signed it"));

    // The authority's key may be kept elsewhere, as long as nothing must be signed.
    let key = fs::read(at("authority.key")).unwrap();
    fs::remove_file(at("authority.key")).unwrap();
    assert_eq!(ensure().unwrap().renewed, None);
    fs::remove_file(at("server.pem")).unwrap();
    let error = ensure().unwrap_err().to_string();
    assert!(error.contains("authority.key cannot be read"), "{error}");
    keyfile::write(&at("authority.key"), rcgen_key().as_bytes()).unwrap();
    let error = ensure().unwrap_err().to_string();
    assert!(error.contains("authority.key is not the key of"), "{error}");
    keyfile::write(&at("authority.key"), &key).unwrap();
    ensure().unwrap();

    // Never replaced silently.
    for name in ["authority.pem", "server.pem", "server.key"] {
        let good = fs::read(at(name)).unwrap();
        fs::write(at(name), "rubbish").unwrap();
        let error = ensure().unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("PEM"), "{error}");
        assert_eq!(fs::read(at(name)).unwrap(), b"rubbish");
        fs::write(at(name), good).unwrap();
    }
    fs::set_permissions(at("server.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let error = ensure().unwrap_err().to_string();
    assert!(
        error.contains("server.key is not private: it has mode 0644"),
        "{error}"
    );
}

fn rcgen_key() -> String {
    rcgen::KeyPair::generate().unwrap().serialize_pem()
}

/// Writes a self-signed pair, good from `from` to `to` days from now; returns its two files.
fn pair(folder: &Path, name: &str, from: i64, to: i64) -> (PathBuf, PathBuf) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["shop.example".to_owned()]).unwrap();
    let day = |n: i64| {
        time::OffsetDateTime::from_unix_timestamp(NOW.0 as i64 / 1000 + n * 86_400).unwrap()
    };
    (params.not_before, params.not_after) = (day(from), day(to));
    let certificate = params.self_signed(&key).unwrap();
    let files = (
        folder.join(format!("{name}.pem")),
        folder.join(format!("{name}.key")),
    );
    keyfile::write(&files.0, certificate.pem().as_bytes()).unwrap();
    keyfile::write(&files.1, key.serialize_pem().as_bytes()).unwrap();
    files
}

#[test]
fn a_configured_certificate_is_used_or_what_is_wrong_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let good = pair(folder, "good", -1, 1);
    let other = pair(folder, "other", -1, 1);
    let old = pair(folder, "old", -9, -1);
    let future = pair(folder, "future", 1, 9);
    let nothing = folder.join("nothing");
    let text = folder.join("text");
    keyfile::write(&text, b"just words\n").unwrap();
    let cut = folder.join("cut.pem");
    let begin = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    keyfile::write(&cut, begin.as_bytes()).unwrap();
    let open_key = folder.join("open.key");
    fs::copy(&good.1, &open_key).unwrap();
    fs::set_permissions(&open_key, fs::Permissions::from_mode(0o644)).unwrap();
    let secret = fs::read_to_string(&good.1).unwrap();
    let secret = secret.lines().nth(1).unwrap();

    let configured = |certificate: &Path, key: &Path| Origin::Configured {
        certificate: certificate.into(),
        key: key.into(),
    };
    let check = |certificate: &Path, key: &Path, part: &str| {
        let error = open(&configured(certificate, key)).unwrap_err().to_string();
        assert!(error.contains(part), "{part:?} is not in: {error}");
        assert!(!error.contains(secret));
    };
    check(&nothing, &good.1, "nothing cannot be read: No such file");
    check(&good.0, &nothing, "nothing cannot be read: No such file");
    check(folder, &good.1, "cannot be read: Is a directory");
    check(&text, &good.1, "text holds no certificate in PEM");
    check(&cut, &good.1, "cut.pem holds no certificate in PEM");
    check(&good.1, &good.1, "good.key holds no certificate in PEM");
    check(&good.0, &text, "text holds no private key in PEM");
    check(&good.0, &good.0, "good.pem holds no private key in PEM");
    check(&good.0, &other.1, "other.key is not the key of");
    check(
        &good.0,
        &open_key,
        "open.key is not private: it has mode 0644",
    );
    check(&old.0, &old.1, "old.pem expired at 2026-09-");
    check(
        &future.0,
        &future.1,
        "future.pem is not good before 2026-09-",
    );

    let server = open(&configured(&good.0, &good.1)).unwrap();
    let trusting = Arc::new(client(&good.0, NOW, BOTH));
    shake(&server, &trusting, "shop.example").unwrap();
    let presented = server.presented().unwrap();
    assert_eq!(presented.not_after, NOW.plus(DAY));
    assert_eq!(presented.issued, None);
    assert_eq!(presented.fingerprint.len(), 32 * 3 - 1);
}

#[test]
fn a_reload_takes_the_new_certificate_or_keeps_the_old_and_sessions_resume() {
    let scratch = tempfile::tempdir().unwrap();
    let origin = generated(scratch.path(), NAMES);
    let server = open(&origin).unwrap();
    let first = server.presented().unwrap();
    assert!(
        first
            .issued
            .as_ref()
            .is_some_and(|issued| issued.new_authority)
    );
    let held = server.current().unwrap();
    let trusting = Arc::new(client(&scratch.path().join("authority.pem"), NOW, BOTH));
    let kind = || {
        shake(&server, &trusting, "localhost")
            .unwrap()
            .handshake_kind()
    };
    assert_eq!(kind(), Some(HandshakeKind::Full));
    assert_eq!(kind(), Some(HandshakeKind::Resumed));

    let bad = Origin::Configured {
        certificate: "/none.pem".into(),
        key: "/none.key".into(),
    };
    server.reload(&bad, NOW).expect_err("there is no such file");
    assert_eq!(server.presented().as_ref(), Some(&first));
    assert!(Arc::ptr_eq(&held, &server.current().unwrap()));

    let more = generated(scratch.path(), &[NAMES, &["demo.example"]].concat());
    let second = server.reload(&more, NOW).unwrap().unwrap();
    assert_ne!(second.fingerprint, first.fingerprint);
    assert_eq!(server.presented().as_ref(), Some(&second));
    assert!(!Arc::ptr_eq(&held, &server.current().unwrap()));
    assert_eq!(
        kind(),
        Some(HandshakeKind::Resumed),
        "the ticket key is kept"
    );
    shake(&server, &trusting, "demo.example").expect("the new name");
}

#[test]
fn this_machine_has_names_and_all_of_them_fit_a_certificate() {
    let public = hosts(&["demo.example", "localhost"]);
    let names = authority::names(&public);
    for wanted in ["localhost", "127.0.0.1", "::1", "demo.example"] {
        let found = names.iter().filter(|name| name.as_str() == wanted).count();
        assert_eq!(found, 1, "{wanted} in {names:?}");
    }
    let mut config = Config::default();
    let scratch = tempfile::tempdir().unwrap();
    config.server.data_dir = scratch.path().into();
    config.server.public_names = public;
    let server = open(&Origin::of(&config)).unwrap();
    let trusting = Arc::new(client(&scratch.path().join("tls/authority.pem"), NOW, BOTH));
    for name in &names {
        shake(&server, &trusting, name.as_str()).expect(name.as_str());
    }
}
