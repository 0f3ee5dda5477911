//! The first minute of somebody who runs the file: a port that is free, a browser that opens.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::{BINARY, PATIENCE, command, skip};

/// The port of the default configuration.
const PORT: u16 = 8443;

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What it says up to the last line of its welcome.
fn welcome(mut command: Command) -> (Running, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(Ok(line)) = lines.next() {
        said += &(line + "\n");
        if said.contains("Stop with Ctrl-C") {
            break;
        }
    }
    (Running(child), said)
}

#[test]
fn a_port_that_is_taken_is_replaced_unless_it_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    // Where this fails somebody else holds it, which is as good.
    let _held = TcpListener::bind(("127.0.0.1", PORT));
    let mut first = command(dir.path(), &[]);
    first.arg("--no-open");
    let (_running, said) = welcome(first);
    assert!(
        said.contains("port 8443 is taken by another program, so this is the next free one"),
        "{said}"
    );
    let demo = said.split_once("https://localhost:").unwrap().1;
    let port: u16 = demo.split('/').next().unwrap().parse().unwrap();
    assert!((PORT + 1..=PORT + 20).contains(&port), "{said}");
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());

    let other = tempfile::tempdir().unwrap();
    let refused = command(other.path(), &[])
        .args(["--no-open", "--listen", &format!("127.0.0.1:{PORT}")])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("--listen ADDR:PORT"), "{told}");
}

/// At a terminal of its own on a desktop whose browser writes down what it is asked to open.
fn at_a_desktop(dir: &Path, arguments: &str) -> Option<(Running, String)> {
    let browser = dir.join("xdg-open");
    std::fs::write(
        &browser,
        "#!/bin/sh\necho \"$1\" > \"$OPENED.part\"\nmv \"$OPENED.part\" \"$OPENED\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&browser, PermissionsExt::from_mode(0o755)).unwrap();
    if Command::new("script").arg("--version").output().is_err() {
        skip(
            "first minute",
            "there is no `script`; it comes with util-linux",
        );
        return None;
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let mut terminal = Command::new("script");
    terminal
        .args([
            "-qefc",
            &format!("exec {BINARY} --listen 127.0.0.1:0 {arguments}"),
            "/dev/null",
        ])
        .current_dir(dir)
        .env_clear()
        .env("PATH", format!("{}:{path}", dir.display()))
        .env("DISPLAY", ":0")
        .env("OPENED", dir.join("opened"))
        .env("EMFLOW_STORE__BALLAST", "1MiB")
        .stdin(Stdio::piped());
    Some(welcome(terminal))
}

/// Closes the terminal's window; the server must not go on where nobody could stop it.
fn closed(running: Running, said: &str) {
    let demo = said.split_once("https://localhost:").unwrap().1;
    let port: u16 = demo.split('/').next().unwrap().parse().unwrap();
    drop(running);
    let began = std::time::Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(
            began.elapsed() < PATIENCE,
            "it goes on without its terminal"
        );
        std::thread::yield_now();
    }
}

#[test]
fn the_browser_opens_by_itself_and_only_if_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let Some((running, said)) = at_a_desktop(dir.path(), "") else {
        return;
    };
    let began = std::time::Instant::now();
    let opened = loop {
        if let Ok(opened) = std::fs::read_to_string(dir.path().join("opened")) {
            break opened;
        }
        assert!(began.elapsed() < PATIENCE, "no browser was opened: {said}");
        std::thread::yield_now();
    };
    assert!(
        said.contains(&format!("demo        {}", opened.trim())),
        "{opened}{said}"
    );
    closed(running, &said);

    let dir = tempfile::tempdir().unwrap();
    let (running, said) = at_a_desktop(dir.path(), "--no-open").unwrap();
    assert!(said.contains("/admin#link="), "{said}");
    // It would have been opened right after the welcome.
    closed(running, &said);
    assert!(!dir.path().join("opened").exists(), "{said}");
}
