//! A disk that is full: new work is refused, the server starts on it, and goes on when there is room.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::json;

use super::{ask_until_it_stops, nothing_is_lost};
use crate::harness::{PATIENCE, QUESTION, Server, Visitor, run, skip};
use crate::observe::alerts::receive;
use crate::observe::clearing::posting;

/// A small file system of its own; unmounted when dropped.
struct Disk {
    mount: PathBuf,
    _room: tempfile::TempDir,
}

const SIZE: &str = "24M";

impl Disk {
    fn new(kind: &str) -> Result<Self, String> {
        let room = tempfile::tempdir().unwrap();
        let mount = room.path().join("mount");
        std::fs::create_dir(&mount).unwrap();
        let image = room.path().join("image");
        let mut commands: Vec<Vec<&str>> = Vec::new();
        let (image, target) = (image.to_str().unwrap(), mount.to_str().unwrap());
        let size = format!("size={SIZE}");
        if kind == "tmpfs" {
            commands.push(vec![
                "mount",
                "-t",
                "tmpfs",
                "-o",
                &size,
                "emflow-test",
                target,
            ]);
        } else {
            commands.push(vec!["truncate", "-s", SIZE, image]);
            commands.push(vec!["mkfs.ext4", "-q", "-F", "-m", "0", image]);
            commands.push(vec!["mount", "-o", "loop", image, target]);
        }
        for command in &commands {
            let done = Command::new(command[0]).args(&command[1..]).output();
            let done = done.map_err(|e| format!("{}: {e}", command[0]))?;
            if !done.status.success() {
                let why = String::from_utf8_lossy(&done.stderr).into_owned();
                return Err(format!("{command:?}: {why}"));
            }
        }
        Ok(Self { mount, _room: room })
    }

    /// Until not a byte is left.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.filler()).unwrap();
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
        let _ = file.sync_all();
    }

    fn filler(&self) -> PathBuf {
        self.mount.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mount).status();
    }
}

async fn refused(visitor: &mut Visitor, id: &str) -> String {
    let chat = visitor.chat(id, QUESTION);
    visitor.send("chat_message", chat).await;
    // Not `error` of a session: the refusal names the message.
    let error = loop {
        let error = visitor.until("error").await;
        if error["payload"]["example_message_id"] == id {
            break error;
        }
    };
    assert_eq!(error["payload"]["code"], "overloaded", "{error}");
    error["payload"]["message"].as_str().unwrap().to_owned()
}

async fn on_a_full_disk(disk: &Disk, dir: &Path) {
    let small = [("EMFLOW_STORE__SEGMENT_SIZE", "512KiB")];
    let mut server = Server::start_in(dir, &small);
    let mut visitor = server.visit().await;
    let mut accepted = vec![visitor.ask("first").await];
    visitor.until("agent_completed").await;
    disk.fill();
    // It refuses, or where it notices too late it stops; it accepts nothing that it cannot keep.
    let (more, refusal) = ask_until_it_stops(&mut visitor, 2000, || "the disk".into()).await;
    accepted.extend(more);
    match refusal {
        Some(error) if error["payload"]["code"] == "overloaded" => drop(server),
        Some(error) => {
            assert_eq!(error["payload"]["code"], "internal", "{error}");
            assert_eq!(server.wait().code(), Some(74));
        }
        None => assert_eq!(server.wait().code(), Some(74)),
    }
    let mut server = Server::start_in(dir, &small);
    nothing_is_lost(&server, &visitor, &accepted, "on the full disk").await;
    visitor.reconnect(&server, "?last_sequence=0").await;
    let why = refused(&mut visitor, "on-full").await;
    assert!(why.contains("disk"), "{why}");

    std::fs::remove_file(disk.filler()).unwrap();
    let (start, mut n) = (Instant::now(), 0);
    loop {
        // As whoever watches it would.
        let address = server.address();
        let path = "/api/v1/example-messages/health";
        let _ = address.call(address.get(path, None)).await;
        let payload = visitor.chat(&format!("after-{n}"), QUESTION);
        visitor.send("chat_message", payload).await;
        n += 1;
        let frame = loop {
            let frame = visitor.next().await.unwrap();
            if ["message_accepted", "error"].contains(&frame["type"].as_str().unwrap()) {
                break frame;
            }
        };
        if frame["type"] == "message_accepted" {
            let session = frame["payload"]["session_id"].clone();
            while visitor.until("agent_completed").await["session_id"] != session {}
            accepted.push(session.as_str().unwrap().to_owned());
            break;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "there is room, and it refuses: {frame}"
        );
    }
    server.crash_and_restart();
    nothing_is_lost(&server, &visitor, &accepted, "with room again").await;
    let (alive, _) = server
        .address()
        .call(server.address().post("/api/v1/visitors", &json!({}), None))
        .await
        .unwrap();
    assert_eq!(alive, 201);
}

#[test]
fn a_disk_that_fills_fires_its_alert_and_room_clears_it() {
    // req: M4
    let disk = match Disk::new("tmpfs") {
        Ok(disk) => disk,
        Err(why) => return skip("the alert of a full disk", &format!("needs root: {why}")),
    };
    run(async {
        let more = [
            ("EMFLOW_STORE__SEGMENT_SIZE", "512KiB"),
            ("EMFLOW_ALERTS__DISK_FREE", "8MiB"),
        ];
        let (receiver, _server) = posting(&disk.mount, &more).await;
        // Not to its end: the store goes on writing.
        std::fs::write(disk.filler(), vec![7; 15 << 20]).unwrap();
        let raised = ("alert.raised", Some("disk_free"));
        let (_, told) = receive(&receiver, raised, "204 Taken").await;
        assert!(
            told["alert"]["value"].as_f64().unwrap() < 8e6 * 1.1,
            "{told}"
        );
        std::fs::remove_file(disk.filler()).unwrap();
        let resolved = ("alert.resolved", Some("disk_free"));
        receive(&receiver, resolved, "204 Taken").await;
    });
}

#[test]
fn a_full_disk_refuses_starts_and_goes_on() {
    // req: D8
    for kind in ["ext4", "tmpfs"] {
        let disk = match Disk::new(kind) {
            Ok(disk) => disk,
            Err(why) => return skip("the full disk", &format!("needs root: {why}")),
        };
        let dir = disk.mount.clone();
        run(async { on_a_full_disk(&disk, &dir).await });
    }
}
