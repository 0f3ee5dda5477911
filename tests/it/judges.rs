//! Judges from outside the product: the independent client in Python, the page in a real browser.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::harness::{BINARY, Server, skip};

/// The judges load the machine, and some wait for an answer in time: on two cores they take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    // A judge that failed leaves nothing behind that the next one could trip over.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The interpreter that has the observer's package, if any: the project's own, or the system's.
fn python() -> Option<PathBuf> {
    let own = root().join("target/venv/bin/python");
    let candidates = [own, PathBuf::from("python3")];
    candidates.into_iter().find(|python| {
        let found = Command::new(python)
            .args(["-c", "import websockets"])
            .output();
        found.is_ok_and(|output| output.status.success())
    })
}

/// Runs a script of the observer; its exit code says passed (0), failed (1) or cannot run (2).
/// None where it cannot run: said loudly then.
fn observe(suite: &str, script: &str, arguments: &[&str]) -> Option<(bool, String)> {
    observe_with(suite, script, arguments, &[])
}

fn observe_with(
    suite: &str,
    script: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Option<(bool, String)> {
    let Some(python) = python() else {
        let why = "no Python with the package `websockets`; see tests/observer/README.md";
        skip(suite, why);
        return None;
    };
    let script = root().join("tests").join(script);
    let _turn = turn();
    // A judge that hangs is a failure too, and says so before the whole run is stopped.
    let output = Command::new("timeout")
        .args(["--kill-after=10", "900"])
        .arg(python)
        .arg(script)
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = text_of(&output);
    if output.status.code() == Some(2) {
        skip(suite, &text);
        return None;
    }
    Some((output.status.success(), text))
}

fn must_pass(suite: &str, script: &str, arguments: &[&str]) {
    if let Some((passed, text)) = observe(suite, script, arguments) {
        assert!(passed, "{suite}:\n{text}");
    }
}

fn text_of(output: &std::process::Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[test]
fn the_checker_catches_planted_bugs() {
    must_pass("checker qualification", "observer/qualify.py", &[]);
}

#[test]
fn an_independent_client_finds_no_deviation() {
    // req: C1, C3, S2, V1, V2, V3, V4, D3
    let roomy = [
        ("EMFLOW_AGENTS__PACE", "20ms"),
        ("EMFLOW_LIMITS__BYTES_PER_MINUTE", "1GiB"),
    ];
    let server = Server::start(&roomy);
    let ca = server.authority();
    let pid = server.pid().to_string();
    let url = server.url.replace("localhost", "127.0.0.1");
    let arguments = [
        "--url",
        &url,
        "--ca",
        ca.to_str().unwrap(),
        "--server-pid",
        &pid,
    ];
    let Some((_, text)) = observe("conformance", "observer/conformance.py", &arguments) else {
        return;
    };
    let deviations: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("FAIL "))
        .collect();
    assert!(
        text.contains(" passed, "),
        "the judge did not finish:
{text}"
    );
    assert!(deviations.is_empty(), "deviations: {deviations:#?}");
}

#[test]
fn every_answer_is_as_its_document_says() {
    let (name, password) = ("EMFLOW_ADMIN__PASSWORD", "a password for tests alone");
    let server = Server::start(&[(name, password)]);
    let ca = server.authority();
    let url = server.url.replace("localhost", "127.0.0.1");
    let ca = ca.to_str().unwrap();
    must_pass(
        "contract",
        "observer/contract.py",
        &["--url", &url, "--ca", ca, "--password", password],
    );
}

#[test]
fn the_fault_programme_holds() {
    // req: D1, D3, D6, D7, D8, C2, C4, B3
    // Those that are tests of this crate themselves run beside, once.
    let beside = [("EMFLOW_FAULTS_BESIDE_TESTS", "1")];
    let arguments = ["--binary", BINARY, "--column", "Q"];
    let judged = observe_with("fault programme", "faults/run.py", &arguments, &beside);
    let Some((passed, text)) = judged else {
        return;
    };
    for n in (1..=27).filter(|n| *n != 24) {
        let named = |line: &str| line.split_whitespace().nth(1) == Some(&format!("F{n}"));
        assert!(text.lines().any(named), "F{n} is not in the table:\n{text}");
    }
    println!("{text}");
    assert!(passed, "{text}");
    if let Some(which) = text.lines().find(|l| l.starts_with("*** SKIPPED")) {
        skip("a part of the fault programme", which);
    }
}

#[test]
fn a_hundred_torn_sockets_leave_no_ghost() {
    // req: C4
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    observe(
        "torn sockets",
        "observer/nemesis.py",
        &[
            "cut",
            "--binary",
            BINARY,
            "--data-dir",
            data.to_str().unwrap(),
            "--sockets",
            "100",
        ],
    );
}

/// Where the suites in a browser are, if they can run.
fn browser_suites() -> Option<PathBuf> {
    let tests = root().join("tests/browser");
    if tests.join("node_modules/playwright-core").exists() {
        return Some(tests);
    }
    let why = "run `npm ci` in tests/browser first (Node 20 or newer)";
    skip("browser", why);
    None
}

/// Runs one; its exit code says passed (0), failed (1) or cannot run (77).
fn in_browser(mut suite: Command) {
    let output = suite.output().unwrap();
    let text = text_of(&output);
    match output.status.code() {
        Some(0) => println!("{text}"),
        Some(77) => skip(
            "browser",
            text.lines().last().unwrap_or("it does not say why"),
        ),
        _ => panic!("{text}"),
    }
}

/// Runs one against a server that it may have killed and started again in the middle.
fn in_browser_with(server: &mut Server, mut suite: Command) {
    // The script orders by a connection, a line each, and each line is answered when it is done.
    let asked = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = asked.local_addr().unwrap();
    let port = address.port();
    let restart = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; echo restart >&3; head -1 <&3");
    suite
        .arg(&server.url)
        .env("EMFLOW_SMOKE_RESTART", format!("bash -c '{restart}'"))
        .env("EMFLOW_CONTROL", port.to_string());
    let running = std::thread::spawn(move || {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| in_browser(suite)));
        let mut end = TcpStream::connect(address).unwrap();
        end.write_all(b"end\n").unwrap();
        done
    });
    while let Ok((orders, _)) = asked.accept() {
        if obeyed(server, &orders) {
            break;
        }
    }
    if let Err(failed) = running.join().unwrap() {
        std::panic::resume_unwind(failed);
    }
}

/// Does what is ordered, until the connection ends; true where everything is over.
fn obeyed(server: &mut Server, mut orders: &TcpStream) -> bool {
    let lines = BufReader::new(orders.try_clone().unwrap()).lines();
    for order in lines.map_while(Result::ok) {
        match order.as_str() {
            "end" => return true,
            "restart" => server.crash_and_restart(),
            "down" => server.crash(),
            "up" => server.restart(),
            other => panic!("the script orders {other:?}"),
        }
        orders.write_all(b"done\n").unwrap();
    }
    false
}

fn node(tests: &Path, script: &str) -> Command {
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after=10", "900", "node", script])
        .current_dir(tests);
    command
}

#[test]
fn the_page_works_in_a_real_browser() {
    let Some(tests) = browser_suites() else {
        return;
    };
    let _turn = turn();
    in_browser(node(&tests, "--test"));
    const PASSWORD: &str = "a password for the smoke test";
    let mut server = Server::start(&[
        ("EMFLOW_AGENTS__PACE", "400ms"),
        ("EMFLOW_ADMIN__PASSWORD", PASSWORD),
        ("EMFLOW_PRESENTER__ALLOW_FAULTS", "true"),
    ]);
    let mut smoke = node(&tests, "smoke.mjs");
    smoke.env("EMFLOW_SMOKE_PASSWORD", PASSWORD);
    in_browser_with(&mut server, smoke);
}

#[test]
fn lighthouse_has_nothing_to_mend_on_the_demo_page() {
    let Some(tests) = browser_suites() else {
        return;
    };
    let _turn = turn();
    let server = Server::start(&[]);
    let mut suite = node(&tests, "lighthouse.mjs");
    suite.arg(&server.url);
    in_browser(suite);
}

#[test]
fn the_administration_lets_in_who_may_in_a_real_browser() {
    let Some(tests) = browser_suites() else {
        return;
    };
    let _turn = turn();
    let password = "a configured password";
    let server = Server::start(&[("EMFLOW_ADMIN__PASSWORD", password)]);
    let link = crate::admin::done(&server.dir, &["link"], "");
    let mut suite = node(&tests, "admin.mjs");
    suite
        .arg(&server.url)
        .env("EMFLOW_ADMIN_PASSWORD", password)
        .env("EMFLOW_ADMIN_LINK", link.lines().next().unwrap());
    in_browser(suite);
}

#[test]
fn every_admin_page_is_true_under_load() {
    let Some(tests) = browser_suites() else {
        return;
    };
    let _turn = turn();
    const PASSWORD: &str = "a password for the administration";
    let mut server = Server::start(&[
        ("EMFLOW_AGENTS__PACE", "200ms"),
        ("EMFLOW_ADMIN__PASSWORD", PASSWORD),
        ("EMFLOW_PRESENTER__ALLOW_FAULTS", "true"),
        ("EMFLOW_ALERTS__PROCESSING_TIME", "100ms"),
        ("EMFLOW_DELIVERY__ACK_TIMEOUT", "5m"),
    ]);
    let mut suite = node(&tests, "admin-real.mjs");
    suite
        .env("EMFLOW_ADMIN_PASSWORD", PASSWORD)
        .env("EMFLOW_CA", server.authority())
        .env("EMFLOW_BINARY", BINARY);
    in_browser_with(&mut server, suite);
}

#[test]
fn every_admin_page_stands_in_every_state() {
    let Some(tests) = browser_suites() else {
        return;
    };
    let _turn = turn();
    in_browser(node(&tests, "admin-states.mjs"));
}
