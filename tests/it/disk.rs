//! Disks that fail, fill, stall or lie: the store stops rather than promise what it does not know,
//! and what was promised is there afterwards. `TRIALS=400` makes each seeded test as long as that.

mod damage;
mod full;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Server, Visitor, run};
use crate::observe::admin::{Admin, PASSWORD};
use crate::observe::alerts::receive;
use crate::observe::clearing::posting;

/// How many trials a seeded test makes where nobody says.
fn trials(usual: u64) -> u64 {
    let asked = std::env::var("TRIALS").ok();
    asked.map_or(usual, |n| n.parse().expect("TRIALS is a number"))
}

/// SplitMix64: the numbers of a trial, from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

/// A disk that fails on demand: `disk/faulty.c` before the C library.
struct Faulty {
    library: PathBuf,
    room: tempfile::TempDir,
}

impl Faulty {
    fn new() -> Self {
        let room = tempfile::tempdir().unwrap();
        let library = room.path().join("faulty.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/disk/faulty.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .status()
            .expect("a C compiler: the build needs one too");
        assert!(built.success());
        Self { library, room }
    }

    fn file(&self, name: &str) -> String {
        self.room.path().join(name).display().to_string()
    }

    /// The environment of a server whose disk has this fault.
    fn environment(&self, fault: &str, nth: u64, sticky: bool) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAULT", fault.to_owned()),
            ("FAULT_NTH", nth.to_string()),
            ("FAULT_STICKY", if sticky { "1" } else { "" }.to_owned()),
            ("FAULT_PATH", "emflow-data/".to_owned()),
            ("FAULT_WHILE", self.file("while")),
            ("FAULT_TOLD", self.file("told")),
        ]
    }

    fn start(&self, dir: &Path, fault: &str, nth: u64, sticky: bool) -> Server {
        let environment = self.environment(fault, nth, sticky);
        Server::start_in(dir, &borrowed(&environment))
    }

    fn begin(&self) {
        let _ = std::fs::remove_file(self.file("told"));
        std::fs::write(self.file("while"), "").unwrap();
    }

    fn end(&self) {
        std::fs::remove_file(self.file("while")).unwrap();
    }

    /// Which fault struck which file; empty while none did.
    fn struck(&self) -> String {
        std::fs::read_to_string(self.file("told")).unwrap_or_default()
    }
}

fn borrowed<'a>(environment: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    let pairs = environment.iter();
    pairs.map(|(key, value)| (*key, value.as_str())).collect()
}

/// Asks one message after the other until the server is gone or refuses; the sessions it accepted
/// and what it refused with.
async fn ask_until_it_stops(
    visitor: &mut Visitor,
    most: usize,
    struck: impl Fn() -> String,
) -> (Vec<String>, Option<Value>) {
    let mut accepted = Vec::new();
    for n in 0..most {
        let payload = visitor.chat(&format!("more-{n}"), crate::harness::QUESTION);
        let chat = json!({"type": "chat_message", "payload": payload});
        if visitor.connection.send(&chat).await.is_err() {
            return (accepted, None);
        }
        loop {
            let Ok(frame) = visitor.next().await else {
                return (accepted, None);
            };
            match frame["type"].as_str().unwrap() {
                "message_accepted" => {
                    let session = frame["payload"]["session_id"].as_str().unwrap();
                    accepted.push(session.to_owned());
                }
                "agent_completed" => {
                    // Where it cannot be sent the next message cannot either.
                    let ack = json!({"type": "ack", "payload": {"sequence": frame["sequence"]}});
                    let _ = visitor.connection.send(&ack).await;
                    break;
                }
                "error" => return (accepted, Some(frame)),
                _ => {}
            }
        }
    }
    panic!(
        "after {most} messages it still answers; what failed meanwhile: {}",
        struck()
    );
}

/// A new page of the same visitor: everything that was seen comes again as it was, and each
/// accepted session has its one end.
async fn nothing_is_lost(server: &Server, before: &Visitor, accepted: &[String], what: &str) {
    let (user, token) = (
        before.connection.user_id.clone(),
        before.connection.token.clone(),
    );
    let epoch = before.hello["epoch"].to_string();
    let query = format!("?last_sequence=0&epoch={}", epoch.trim_matches('"'));
    let connection = server.address().connect(user, token, &query).await;
    let mut again = Visitor::new(connection.unwrap()).await;
    assert_eq!(again.hello["recovered"], true, "{what}");
    let mut ended: BTreeSet<String> = BTreeSet::new();
    let mut wanted: BTreeSet<String> = accepted.iter().cloned().collect();
    let last = before.seen.keys().last().copied().unwrap_or(0);
    while !wanted.is_empty() || again.seen.keys().last().copied().unwrap_or(0) < last {
        let frame = again
            .next()
            .await
            .unwrap_or_else(|e| panic!("{what}: {wanted:?} never end: {e}"));
        if frame["type"] == "agent_completed" {
            let session = frame["session_id"].as_str().unwrap().to_owned();
            wanted.remove(&session);
            assert!(ended.insert(session), "{what}: a session ended twice");
        }
        again.ack_all().await;
    }
    for (sequence, text) in &before.seen {
        assert_eq!(again.seen.get(sequence), Some(text), "{what}: {sequence}");
    }
}

fn log(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("server.log")).unwrap()
}

#[test]
fn a_failed_write_or_sync_stops_the_server_and_loses_nothing() {
    // req: D6
    // req: D7
    let faulty = Faulty::new();
    let mut struck = 0;
    for seed in 0..trials(20) {
        let mut dice = Dice(seed);
        let fault = ["write-eio", "sync-eio", "write-full"][dice.below(3) as usize];
        let (nth, sticky) = (1 + dice.below(30), dice.below(2) == 0);
        let what = format!("seed {seed}: {fault} at call {nth}, sticky {sticky}");
        let dir = tempfile::tempdir().unwrap();
        run(async {
            let mut server = faulty.start(dir.path(), fault, nth, sticky);
            let mut visitor = server.visit().await;
            let mut accepted = vec![visitor.ask("first").await];
            visitor.until("agent_completed").await;
            faulty.begin();
            let (more, refused) =
                ask_until_it_stops(&mut visitor, 200, || format!("{what}: {}", faulty.struck()))
                    .await;
            // Told where there was time for it; accepted it was not.
            if let Some(error) = refused {
                assert_eq!(error["payload"]["code"], "internal", "{what}: {error}");
            }
            accepted.extend(more);
            assert!(
                !faulty.struck().is_empty(),
                "{what}: it stopped for another reason"
            );
            assert_eq!(server.wait().code(), Some(74), "{what}");
            faulty.end();
            let log = log(dir.path());
            assert!(log.contains("the store has stopped"), "{what}: {log}");
            assert!(!log.contains("panicked at"), "{what}: {log}");
            let server = Server::start_in(dir.path(), &[]);
            nothing_is_lost(&server, &visitor, &accepted, &what).await;
        });
        struck += 1;
    }
    assert!(struck > 0);
}

#[test]
fn that_the_store_has_failed_is_posted_before_the_process_ends() {
    // req: M4
    let faulty = Faulty::new();
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let environment = faulty.environment("sync-eio", 1, true);
        let (receiver, mut server) = posting(dir.path(), &borrowed(&environment)).await;
        let mut visitor = server.visit().await;
        faulty.begin();
        let asked = ask_until_it_stops(&mut visitor, 200, || faulty.struck());
        let raised = ("alert.raised", Some("store_failed"));
        let (_, (_, told)) = tokio::join!(asked, receive(&receiver, raised, "204 Taken"));
        assert_eq!(told["alert"]["severity"], "critical", "{told}");
        assert_eq!(server.wait().code(), Some(74));
        faulty.end();
        // The next process works, and says so.
        let server = Server::start_in(dir.path(), &[("EMFLOW_ADMIN__PASSWORD", PASSWORD)]);
        let alerts = Admin::login(&server)
            .await
            .get("/api/v1/admin/alerts")
            .await;
        let mut items = alerts["items"].as_array().unwrap().iter();
        let alert = items.find(|alert| alert["id"] == "store_failed").unwrap();
        assert_eq!(alert["state"], "ok", "{alert}");
    });
}

#[test]
fn a_disk_that_stalls_stops_nothing_but_what_needs_it() {
    // req: C2
    let faulty = Faulty::new();
    let dir = tempfile::tempdir().unwrap();
    run(async {
        let server = faulty.start(dir.path(), "sync-stall", 0, false);
        let address = server.address();
        let mut visitor = server.visit().await;
        faulty.begin();
        let chat = visitor.chat("m1", crate::harness::QUESTION);
        visitor.send("chat_message", chat).await;
        let start = Instant::now();
        while faulty.struck().is_empty() {
            assert!(start.elapsed() < PATIENCE, "nothing was synced");
            tokio::task::yield_now().await;
        }
        // All of this is answered while no sync returns.
        visitor.send("ping", json!({"nonce": "n"})).await;
        let first = visitor.next().await.unwrap();
        assert_eq!(first["type"], "pong", "before it was durable: {first}");
        let alive = address.call(address.get("/healthz", None)).await;
        assert_eq!(alive.unwrap().0, 200);
        let path = "/api/v1/example-messages/health";
        let (status, health) = address.call(address.get(path, None)).await.unwrap();
        assert_eq!((status, &health["status"]), (503, &json!("unhealthy")));
        assert!(
            visitor.connection.ready().is_none(),
            "more than it may know"
        );
        faulty.end();
        visitor.until("message_accepted").await;
        visitor.until("agent_completed").await;
        let later = Instant::now();
        loop {
            let (status, _) = address.call(address.get(path, None)).await.unwrap();
            if status == 200 {
                break;
            }
            assert!(later.elapsed() < PATIENCE, "it stays unhealthy");
            tokio::task::yield_now().await;
        }
    });
}

/// Processor time of a process, in hundredths of a second.
fn processor(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11..13]
        .iter()
        .map(|n| n.parse::<u64>().unwrap())
        .sum()
}

#[test]
fn without_descriptors_the_store_works_and_the_door_waits() {
    // req: C4
    // req: D8
    const MOST: usize = 128;
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start_with_descriptors(dir.path(), MOST as u32);
        let mut visitor = server.visit().await;
        let pid = server.pid();
        let open = || {
            std::fs::read_dir(format!("/proc/{pid}/fd"))
                .unwrap()
                .count()
        };
        let address = server.url.trim_start_matches("https://").to_owned();
        let address = address.replace("localhost", "127.0.0.1");
        let before = open();
        let connect = |_| std::net::TcpStream::connect(&address).unwrap();
        let crowd: Vec<std::net::TcpStream> = (0..400).map(connect).collect();
        let start = Instant::now();
        while open() < before + 40 {
            assert!(start.elapsed() < PATIENCE, "{} are open", open());
            tokio::task::yield_now().await;
        }
        // Who is in is served, with as many commits as ever.
        for n in 0..10 {
            visitor.ask(&format!("m{n}")).await;
            visitor.until("agent_completed").await;
            visitor.ack_all().await;
            assert!(open() < MOST, "nothing is left for the store");
        }
        // The silent crowd is sent away after the handshake's time; until then, no busy loop.
        let before = processor(pid);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let spent = processor(pid) - before;
        assert!(spent < 40, "{spent} hundredths of a second in two seconds");
        drop(crowd);
        let start = Instant::now();
        while server.address().visit().await.is_err() {
            assert!(start.elapsed() < PATIENCE, "nobody comes in any more");
        }
    });
}
