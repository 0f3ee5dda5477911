use std::net::TcpListener;

use super::*;
use crate::config::{Config, Overrides};
use crate::serve::tls::{Origin, Reloadable};

/// The lines for a configuration with these values, on a day after the built-in prices.
fn lines(values: &[(&'static str, &str)]) -> Vec<Line> {
    let mut flags = Overrides::default();
    for (path, value) in values {
        flags.set("--test", path, *value);
    }
    let loaded = Config::load(&flags, [], None).unwrap();
    checks::all(&loaded, crate::clock::wall())
}

fn line<'a>(lines: &'a [Line], part: &str) -> &'a Line {
    lines.iter().find(|line| line.part == part).unwrap()
}

fn free_port() -> String {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().to_string()
}

#[test]
fn a_red_line_names_what_mends_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let free = free_port();
    std::fs::write(dir.path().join("file"), "").unwrap();
    std::fs::write(dir.path().join("models.toml"), "nonsense").unwrap();
    let check = |values: &[(&'static str, &str)], part: &str, found: &str, mend: &str| {
        let mut all = vec![("server.listen", free.as_str()), ("server.data_dir", "")];
        let data = path("data");
        all[1].1 = &data;
        all.extend_from_slice(values);
        let lines = lines(&all);
        let line = line(&lines, part);
        assert_eq!(line.state, State::Red, "{line:?}");
        assert!(line.found.contains(found), "{line:?}");
        assert!(line.mend.as_ref().unwrap().contains(mend), "{line:?}");
    };
    check(
        &[("server.listen", &taken)],
        "port",
        "taken by another program",
        "emflow --listen 127.0.0.1:",
    );
    check(
        &[("server.listen", "192.0.2.1:8443")],
        "port",
        "cannot be listened on",
        "emflow --listen 0.0.0.0:8443",
    );
    check(
        &[("server.data_dir", &path("file/data"))],
        "store",
        "",
        "sudo",
    );
    check(
        &[("store.min_free", "1TiB")],
        "disk",
        "new work is refused",
        "free some",
    );
    check(
        &[("agents.catalog", &path("models.toml"))],
        "catalog",
        "models.toml",
        "emflow check-config",
    );
    check(
        &[
            ("tls.certificate", &path("none.pem")),
            ("tls.key", &path("none.key")),
        ],
        "certificate",
        "none.pem cannot be read",
        "ls -l",
    );
}

#[test]
fn a_clock_behind_what_lies_on_the_disk_is_red() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("watermark"), "").unwrap();
    let mut flags = Overrides::default();
    flags.set(
        "--test",
        "server.data_dir",
        dir.path().display().to_string(),
    );
    flags.set("--test", "server.listen", free_port());
    let loaded = Config::load(&flags, [], None).unwrap();
    let now = crate::clock::wall();
    let at = |now| checks::all(&loaded, now);
    assert_eq!(line(&at(now), "clock").state, State::Green);
    let hour_ago = Wall(now.0 - 3_600_000);
    let found = line(&at(hour_ago), "clock").clone();
    assert_eq!(found.state, State::Red);
    assert!(found.mend.unwrap().contains("timedatectl"));
    assert_eq!(line(&at(Wall(0)), "clock").state, State::Red);
}

#[test]
fn a_fresh_machine_is_ready_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data").display().to_string();
    let lines = lines(&[("server.data_dir", &data), ("server.listen", &free_port())]);
    let red: Vec<&Line> = lines.iter().filter(|l| l.state == State::Red).collect();
    assert!(red.is_empty(), "{red:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    // Whatever is not green says what to do, in one line.
    for line in lines.iter().filter(|l| l.state != State::Green) {
        let mend = line.mend.as_ref().unwrap();
        assert!(!mend.is_empty() && !mend.contains('\n'), "{line:?}");
    }
}

#[test]
fn our_own_certificate_is_told_with_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.data_dir = dir.path().to_owned();
    Reloadable::open(&Origin::of(&config), &[], crate::clock::wall()).unwrap();
    let data = dir.path().display().to_string();
    let lines = lines(&[("server.data_dir", &data), ("server.listen", &free_port())]);
    let found = line(&lines, "certificate");
    assert_eq!(found.state, State::Note);
    assert!(found.found.contains("renewed by itself"), "{found:?}");
    assert_eq!(found.mend.as_deref(), Some("emflow trust"));
}

#[test]
fn a_store_at_rest_is_read_and_damage_is_named() {
    use crate::store::tests::house::{options, reopen};
    let dir = tempfile::tempdir().unwrap();
    drop(reopen(&options(dir.path())).unwrap());
    drop(reopen(&options(dir.path())).unwrap());
    let data = dir.path().display().to_string();
    let found = || loop {
        let values = [
            ("server.data_dir", data.as_str()),
            ("server.listen", &free_port()),
            ("store.segment_size", "512KiB"),
        ];
        let found = line(&lines(&values), "store").clone();
        // The committer of the test's own opening lets go a moment later.
        if !found.found.contains("in use") {
            break found;
        }
    };
    assert_eq!(found().state, State::Green, "{:?}", found());
    std::fs::write(dir.path().join("watermark"), "not a watermark").unwrap();
    let broken = found();
    assert_eq!(broken.state, State::Red, "{broken:?}");
    assert!(broken.mend.unwrap().contains("emflow store check"));
}
