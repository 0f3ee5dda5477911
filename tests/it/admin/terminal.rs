//! What a person at a terminal sees: `script` (of util-linux) plays the terminal.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::{PASSWORD, house, login};
use crate::harness::{BINARY, Server, run, skip};

/// A call at a terminal of its own.
struct Terminal {
    child: Child,
    shown: String,
}

impl Terminal {
    /// None where there is no `script`; said loudly then.
    fn run(dir: &Path, call: &str) -> Option<Self> {
        let child = Command::new("script")
            .args(["-qefc", &format!("exec {BINARY} {call}"), "/dev/null"])
            .current_dir(dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("EMFLOW_STORE__BALLAST", "1MiB")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(child) = child else {
            skip("terminal", "there is no `script`; it comes with util-linux");
            return None;
        };
        Some(Self {
            child,
            shown: String::new(),
        })
    }

    /// Reads until this is shown.
    fn until(&mut self, text: &str) {
        let out = self.child.stdout.as_mut().unwrap();
        let mut piece = [0; 4096];
        while !self.shown.contains(text) {
            let length = out.read(&mut piece).unwrap();
            assert!(length > 0, "it ended before `{text}`:\n{}", self.shown);
            self.shown += &String::from_utf8_lossy(&piece[..length]);
        }
    }

    fn types(&mut self, text: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
    }

    fn ended(mut self) -> (ExitStatus, String) {
        let mut rest = Vec::new();
        let out = self.child.stdout.as_mut().unwrap();
        out.read_to_end(&mut rest).unwrap();
        self.shown += &String::from_utf8_lossy(&rest);
        (self.child.wait().unwrap(), self.shown.clone())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_start_at_a_terminal_shows_a_password_once_and_logs_it_never() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let call = "--no-open --listen 127.0.0.1:0 2>server.log";
        let start = || {
            let mut terminal = Terminal::run(dir, call)?;
            terminal.until("Stop with Ctrl-C");
            terminal.types("\u{3}");
            let (status, shown) = terminal.ended();
            assert_eq!(status.code(), Some(0), "{shown}");
            Some(shown)
        };
        let Some(first) = start() else { return };
        as_the_readme_shows(&first);
        let said = first.split_once("shown this once: ").unwrap().1;
        let password = said.split_whitespace().next().unwrap().to_owned();
        assert_eq!(password.len(), 29, "{password}");
        let second = start().unwrap();
        assert!(!second.contains("shown this once"), "{second}");
        assert!(!second.contains("set-password"), "{second}");
        assert!(second.contains("/admin#link="), "{second}");

        let server = Server::start_in(dir, &[]);
        assert!(login(&server, &password).await.is_ok());
        let log = std::fs::read_to_string(dir.join("server.log")).unwrap();
        assert!(!log.is_empty() && !log.contains(&password), "{log}");
    });
}

/// Line by line what the README says that a terminal says, but for figures and for words that it
/// cuts short with an ellipsis.
fn as_the_readme_shows(shown: &str) {
    let readme = include_str!("../../../README.md");
    let sample = readme.split("\n```text\n").nth(1).unwrap();
    let sample = sample.split("\n```").next().unwrap();
    let figures = |word: &str| -> String {
        let mut plain = word.replace(|c: char| c.is_ascii_digit(), "#");
        while plain.contains("##") {
            plain = plain.replace("##", "#");
        }
        plain
    };
    let same = |(one, other): (&str, &str)| one.ends_with('…') || figures(one) == figures(other);
    let mut lines = shown.lines();
    for wanted in sample.lines() {
        let found = lines.next().unwrap_or_default().trim_end();
        let words = (wanted.split_whitespace(), found.split_whitespace());
        let alike =
            words.0.clone().zip(words.1.clone()).all(same) && words.0.count() == words.1.count();
        assert!(alike, "README.md: `{wanted}`\nthe terminal: `{found}`");
    }
}

#[test]
fn a_password_is_typed_twice() {
    run(async {
        let server = house();
        let type_in = |one: &str, two: &str| {
            let mut terminal = Terminal::run(&server.dir, "admin set-password")?;
            terminal.until("12 characters or more: ");
            terminal.types(&format!("{one}\n"));
            terminal.until("Again: ");
            terminal.types(&format!("{two}\n"));
            let (status, shown) = terminal.ended();
            Some((status.code(), shown))
        };
        let Some((code, shown)) = type_in("another password", "another passwort") else {
            return;
        };
        assert_eq!(code, Some(2), "{shown}");
        assert!(shown.contains("nothing was changed"), "{shown}");
        assert!(login(&server, PASSWORD).await.is_ok());
        let (code, shown) = type_in("another password", "another password").unwrap();
        assert_eq!(code, Some(0), "{shown}");
        assert!(login(&server, "another password").await.is_ok());
    });
}
