//! What a service manager sees: readiness, signs of life, reload, the end; and its socket.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};

use crate::harness::{BINARY, PATIENCE, Server, command, run};

/// The manager's end of `NOTIFY_SOCKET`.
struct Manager {
    socket: UnixDatagram,
    path: String,
    dir: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify").display().to_string();
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, path, dir }
    }

    /// The next message that holds `part`, among as many as a slow machine may send before.
    fn until(&self, part: &str) -> String {
        let mut buffer = [0; 4096];
        for _ in 0..1000 {
            let n = self.socket.recv(&mut buffer);
            let n = n.unwrap_or_else(|e| panic!("waiting for {part}: {e}"));
            let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
            if text.contains(part) {
                return text;
            }
        }
        panic!("{part} was not among a thousand messages");
    }
}

#[test]
fn the_manager_is_told_from_the_start_to_the_end() {
    let manager = Manager::new();
    let mut server = Server::start(&[
        ("NOTIFY_SOCKET", &manager.path),
        ("WATCHDOG_USEC", "400000"),
    ]);
    manager.until("STATUS=opening the store");
    let ready = manager.until("READY=1");
    assert!(ready.contains("STATUS=serving 0 sockets, 0 sessions; built-in engine"));
    // Again and again: one sign of life would be a start and no heart.
    for _ in 0..3 {
        manager.until("WATCHDOG=1");
    }
    run(async {
        let _visitor = server.visit().await;
        let status = manager.until("STATUS=serving 1 sockets");
        assert!(status.contains("sessions"));
    });
    server.signal("HUP");
    let reloading = manager.until("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="));
    manager.until("READY=1");
    server.signal("TERM");
    let stopping = manager.until("STOPPING=1");
    assert!(stopping.contains("EXTEND_TIMEOUT_USEC=25000000"));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_start_that_fails_says_why_to_the_manager() {
    let manager = Manager::new();
    let env = [("NOTIFY_SOCKET".to_owned(), manager.path.clone())];
    std::fs::write(manager.dir.path().join("models.toml"), "nonsense").unwrap();
    let ended = command(manager.dir.path(), &env)
        .args(["--no-open", "--listen", "127.0.0.1:0"])
        .env("EMFLOW_AGENTS__CATALOG", "models.toml")
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    manager.until("STATUS=agents.catalog models.toml");
}

/// A server that is given `socket` as systemd gives one.
fn activated(dir: &std::path::Path, socket: &TcpListener, manager: &Manager) -> Child {
    let socket = OwnedFd::from(socket.try_clone().unwrap());
    let log = std::fs::File::create(dir.join("server.log")).unwrap();
    // The shell has the number of the process that it becomes.
    let script = format!("LISTEN_PID=$$ LISTEN_FDS=1 exec {BINARY} --no-open 3<&0 0</dev/null");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &script])
        .current_dir(dir)
        .env("NOTIFY_SOCKET", &manager.path)
        .env("EMFLOW_LIMITS__ATTEMPTS_PER_MINUTE", "100000")
        // Nothing may listen there: the socket that is handed over counts.
        .env("EMFLOW_SERVER__LISTEN", "192.0.2.1:1")
        .stdin(Stdio::from(socket))
        .stdout(Stdio::null())
        .stderr(log);
    shell.spawn().unwrap()
}

#[test]
fn a_restart_on_the_managers_socket_refuses_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let manager = Manager::new();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", socket.local_addr().unwrap().port());
    let authority = dir.path().join("emflow-data/tls/authority.pem");
    let mut server = activated(dir.path(), &socket, &manager);
    manager.until("READY=1");
    let address = emflow::cli::client::Server::new(&url, Some(&authority)).unwrap();
    run(async move {
        let call = || address.call(address.get("/healthz", None));
        assert_eq!(call().await.unwrap().0, 200);
        for _ in 0..2 {
            let ended = Command::new("kill").arg(server.id().to_string()).status();
            assert!(ended.unwrap().success());
            manager.until("STOPPING=1");
            // These come while nobody accepts; the system keeps them until somebody does.
            let waiting: Vec<_> = (0..20)
                .map(|_| {
                    let address = address.clone();
                    tokio::spawn(async move { address.call(address.get("/healthz", None)).await })
                })
                .collect();
            assert_eq!(server.wait().unwrap().code(), Some(0));
            server = activated(dir.path(), &socket, &manager);
            manager.until("READY=1");
            let mut refused = Vec::new();
            for call in waiting {
                match call.await.unwrap() {
                    Ok((200, _)) => {}
                    other => refused.push(format!("{:?}", other.map(|(status, _)| status))),
                }
            }
            assert!(refused.is_empty(), "{refused:?}");
        }
        server.kill().unwrap();
        server.wait().unwrap();
    });
}
