//! A store as a released version left it, after `kill -9`: today's binary opens it and serves its
//! frames as they were. `BLESS_STORE=1` makes the store of the present version, once, before its
//! release; a released one is never made again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::harness::{Server, Visitor, command, run};

/// Every version whose stores are to be read.
const RELEASED: [&str; 1] = ["0.1.0"];
/// Visitors bring tokens of their own, because those of the appliance would expire.
const SECRET: &str = "not a secret: the key of the golden stores";
const DONE: &str = "golden-done";
const PENDING: &str = "golden-pending";
const UNFINISHED: &str = "golden-unfinished";

/// What a visitor had seen.
#[derive(Serialize, Deserialize)]
pub(crate) struct Seen {
    epoch: u64,
    acknowledged: u64,
    frames: Vec<String>,
}

pub(crate) type Expected = BTreeMap<String, Seen>;

fn fixture(version: &str, ending: &str) -> PathBuf {
    let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stores");
    stores.join(format!("{version}{ending}"))
}

/// Nothing here expires while the test looks.
pub(crate) fn environment(pace: &str) -> [(&str, &str); 6] {
    [
        ("EMFLOW_AUTH__VISITORS", "jwt"),
        ("EMFLOW_AUTH__JWT_KEY", SECRET),
        ("EMFLOW_AGENTS__PACE", pace),
        ("EMFLOW_SESSIONS__CLEANUP_INTERVAL", "1h"),
        ("EMFLOW_DELIVERY__PENDING_TTL", "90d"),
        ("EMFLOW_AGENTS__AS_OF", "2026-08-20"),
    ]
}

fn token(user: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let head = encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = encode(&format!(r#"{{"sub":"{user}","exp":4102444800}}"#));
    let message = format!("{head}.{claims}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

async fn visit(server: &Server, user: &str, query: &str) -> Visitor {
    let address = server.address();
    let connection = address.connect(user.to_owned(), token(user), query).await;
    Visitor::new(connection.unwrap()).await
}

fn seen(visitor: &Visitor, acknowledged: u64) -> Seen {
    Seen {
        epoch: visitor.hello["epoch"].as_u64().unwrap(),
        acknowledged,
        frames: visitor.seen.values().cloned().collect(),
    }
}

fn tar(arguments: &[&str], file: &Path, dir: &Path, parts: &[&str]) {
    let mut tar = Command::new("tar");
    tar.args(arguments).arg(file).arg("-C").arg(dir).args(parts);
    assert!(tar.status().unwrap().success(), "{tar:?}");
}

fn expected(version: &str) -> Expected {
    let json = std::fs::read(fixture(version, ".json")).unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// Puts the store of a version into `dir`; what its visitors had seen.
pub(crate) fn unpack(version: &str, dir: &Path) -> Expected {
    let data = dir.join("emflow-data");
    std::fs::create_dir(&data).unwrap();
    tar(&["-xzf"], &fixture(version, ".tar.gz"), &data, &[]);
    expected(version)
}

/// Makes the golden store of this version.
async fn make(version: &str) {
    assert!(
        !fixture(version, ".json").exists(),
        "the store of {version} is there; what was released is not made again"
    );
    let mut expected = Expected::new();
    let server = Server::start(&environment("0s"));
    let dir = server.dir.clone();
    let mut done = visit(&server, DONE, "").await;
    done.ask("m1").await;
    done.until("agent_completed").await;
    done.ack_all().await;
    let last = *done.seen.keys().last().unwrap();
    // Until the acknowledgement is durable.
    while visit(&server, DONE, "").await.hello["acknowledged_sequence"] != last {}
    expected.insert(DONE.into(), seen(&done, last));
    let mut pending = visit(&server, PENDING, "").await;
    pending.ask("m1").await;
    pending.until("agent_completed").await;
    expected.insert(PENDING.into(), seen(&pending, 0));
    // As it lies there while nothing is written, and then killed in the middle of an answer.
    let kept = tempfile::tempdir().unwrap();
    let copy = Command::new("cp")
        .arg("-r")
        .arg(dir.join("emflow-data"))
        .arg(kept.path())
        .status();
    assert!(copy.unwrap().success());
    drop(server);
    let server = Server::start_in(kept.path(), &environment("10s"));
    let mut unfinished = visit(&server, UNFINISHED, "").await;
    unfinished.ask("m1").await;
    unfinished.until("agent_started").await;
    expected.insert(UNFINISHED.into(), seen(&unfinished, 0));
    drop(server);
    let data = kept.path().join("emflow-data");
    let archive = fixture(version, ".tar.gz");
    tar(
        &["--sparse", "-czf"],
        &archive,
        &data,
        &["sled", "watermark"],
    );
    let backup = fixture(version, ".emflow-backup");
    let made = command(kept.path(), &[]).arg("backup").arg(backup).status();
    assert!(made.unwrap().success());
    let json = serde_json::to_string_pretty(&expected).unwrap();
    std::fs::write(fixture(version, ".json"), json + "\n").unwrap();
}

/// Everything that was seen is there as it was.
pub(crate) async fn check(server: &Server, expected: &Expected, recovered: bool) {
    for (user, before) in expected {
        let mut visitor = visit(server, user, "?last_sequence=0").await;
        assert_eq!(
            visitor.hello["epoch"] == before.epoch,
            recovered,
            "{user}: {}",
            visitor.hello
        );
        if recovered {
            assert_eq!(
                visitor.hello["acknowledged_sequence"], before.acknowledged,
                "{user}"
            );
        }
        while visitor.seen.len() < before.frames.len() {
            visitor.next().await.unwrap();
        }
        for (now, then) in visitor.seen.values().zip(&before.frames) {
            if recovered {
                assert_eq!(now, then, "{user}");
                continue;
            }
            // The epoch stands in each frame; what they say is the same.
            let [now, then]: [Value; 2] =
                [now, then].map(|text| serde_json::from_str(text).unwrap());
            assert_eq!(now["payload"], then["payload"], "{user}");
        }
    }
}

/// The session that had not ended ends now: by its answer, or because it is older than any may be.
async fn ends(dir: &Path) {
    let mut settings = environment("0s").to_vec();
    settings.retain(|(name, _)| *name != "EMFLOW_SESSIONS__CLEANUP_INTERVAL");
    settings.push(("EMFLOW_SESSIONS__CLEANUP_INTERVAL", "1s"));
    let server = Server::start_in(dir, &settings);
    let mut visitor = visit(&server, UNFINISHED, "").await;
    loop {
        let frame = visitor.next().await.unwrap();
        if ["agent_completed", "session_expired"].contains(&frame["type"].as_str().unwrap()) {
            break;
        }
    }
}

#[test]
fn stores_of_released_versions_are_opened_and_their_frames_served() {
    // req: D6
    // req: D7
    run(async {
        if std::env::var_os("BLESS_STORE").is_some() {
            make(env!("CARGO_PKG_VERSION")).await;
        }
        for version in RELEASED {
            let dir = tempfile::tempdir().unwrap();
            let expected = unpack(version, dir.path());
            assert_eq!(expected.len(), 3, "{version}");
            let sound = command(dir.path(), &[]).args(["store", "check"]).output();
            let sound = sound.unwrap();
            assert_eq!(sound.status.code(), Some(0), "{version}: {sound:?}");
            let server = Server::start_in(dir.path(), &environment("0s"));
            assert!(server.output.contains("go on: 1"), "{}", server.output);
            check(&server, &expected, true).await;
            drop(server);
            ends(dir.path()).await;
        }
    });
}

#[test]
fn backups_of_released_versions_are_restored() {
    run(async {
        for version in RELEASED {
            let expected = expected(version);
            let dir = tempfile::tempdir().unwrap();
            let restored = command(dir.path(), &[])
                .arg("restore")
                .arg(fixture(version, ".emflow-backup"))
                .output()
                .unwrap();
            assert_eq!(restored.status.code(), Some(0), "{version}: {restored:?}");
            let server = Server::start_in(dir.path(), &environment("0s"));
            check(&server, &expected, false).await;
        }
    });
}
