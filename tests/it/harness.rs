//! A server process in a directory of its own, and visitors.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use emflow::cli::client::{Connection, Server as Address};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take before a test gives up: generous, because speed is not what is tested.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_emflow");

/// A running server. Killed when dropped.
pub(crate) struct Server {
    pub(crate) dir: PathBuf,
    pub(crate) url: String,
    pub(crate) output: String,
    env: Vec<(String, String)>,
    child: Child,
    _temporary: Option<TempDir>,
}

/// The command with a clean environment and limits that tests do not run into.
pub(crate) fn command(dir: &Path, env: &[(String, String)]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("EMFLOW_LIMITS__ATTEMPTS_PER_MINUTE", "100000");
    command.env("EMFLOW_LIMITS__MESSAGES_PER_MINUTE", "100000");
    command.env("EMFLOW_LIMITS__CONNECTIONS_PER_ADDRESS", "2000");
    command
        .env("EMFLOW_AGENTS__PACE", "0s")
        .env("EMFLOW_STORE__BALLAST", "1MiB");
    command.envs(env.iter().map(|(k, v)| (k, v)));
    command
}

impl Server {
    /// Starts in a new directory.
    pub(crate) fn start(env: &[(&str, &str)]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut server = Self::start_in(temporary.path(), env);
        server._temporary = Some(temporary);
        server
    }

    /// Starts in a given directory.
    pub(crate) fn start_in(dir: &Path, env: &[(&str, &str)]) -> Self {
        let env: Vec<(String, String)> = env
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let (child, url, output) = spawn(dir, &env, "127.0.0.1:0");
        Self::running(dir, env, child, url, output)
    }

    /// Starts in a given directory, or says with which code it ended.
    pub(crate) fn try_start_in(dir: &Path, env: &[(&str, &str)]) -> Result<Self, Option<i32>> {
        let env: Vec<(String, String)> = env
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        match try_spawn(dir, &env, "127.0.0.1:0") {
            (child, Some(url), output) => Ok(Self::running(dir, env, child, url, output)),
            (mut child, None, _) => Err(child.wait().unwrap().code()),
        }
    }

    /// Starts in a given directory with so many descriptors and no more.
    pub(crate) fn start_with_descriptors(dir: &Path, most: u32) -> Self {
        let plain = command(dir, &[]);
        let mut limited = Command::new("prlimit");
        limited.arg(format!("--nofile={most}:{most}")).arg(BINARY);
        limited.current_dir(dir).env_clear();
        limited.envs(
            plain
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        );
        let (child, url, output) = spawned(dir, limited, "127.0.0.1:0");
        Self::running(dir, Vec::new(), child, url.expect("it starts"), output)
    }

    fn running(
        dir: &Path,
        env: Vec<(String, String)>,
        child: Child,
        url: String,
        output: String,
    ) -> Self {
        Self {
            dir: dir.to_owned(),
            url,
            output,
            env,
            child,
            _temporary: None,
        }
    }

    /// Starts `serve --supervised` in a new directory, on a port that is free now.
    pub(crate) fn start_supervised(env: &[(&str, &str)]) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = free.local_addr().unwrap().to_string();
        drop(free);
        let temporary = tempfile::tempdir().unwrap();
        let env: Vec<(String, String)> = env
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let mut supervised = command(temporary.path(), &env);
        supervised.arg("--supervised");
        let (child, url, output) = spawned(temporary.path(), supervised, &listen);
        let url = url.expect("it starts");
        let mut server = Self::running(temporary.path(), env, child, url, output);
        server._temporary = Some(temporary);
        server
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.dir.join("emflow-data/tls/authority.pem")
    }

    /// `kill -9`, and start again on the same port and directory.
    pub(crate) fn crash_and_restart(&mut self) {
        self.crash();
        self.restart();
    }

    /// `kill -9`.
    pub(crate) fn crash(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts what has ended again on the same port and directory.
    pub(crate) fn restart(&mut self) {
        let port = self
            .url
            .rsplit(':')
            .next()
            .unwrap()
            .trim_end_matches('/')
            .to_owned();
        let (child, url, output) = spawn(&self.dir, &self.env, &format!("127.0.0.1:{port}"));
        (self.child, self.url, self.output) = (child, url, output);
    }

    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill")
            .args([format!("-{name}"), self.pid().to_string()])
            .status()
            .unwrap();
        assert!(done.success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the server does not end");
            std::thread::yield_now();
        }
    }

    pub(crate) fn address(&self) -> Address {
        Address::new(&self.url, Some(&self.authority())).unwrap()
    }

    pub(crate) async fn visit(&self) -> Visitor {
        Visitor::new(self.address().visit().await.unwrap()).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(dir: &Path, env: &[(String, String)], listen: &str) -> (Child, String, String) {
    let (child, url, output) = try_spawn(dir, env, listen);
    let log = || std::fs::read_to_string(dir.join("server.log")).unwrap_or_default();
    let url = url.unwrap_or_else(|| panic!("the server did not start:\n{output}{}", log()));
    (child, url, output)
}

fn try_spawn(
    dir: &Path,
    env: &[(String, String)],
    listen: &str,
) -> (Child, Option<String>, String) {
    spawned(dir, command(dir, env), listen)
}

/// Runs it until it has said everything of its welcome, or has ended.
fn spawned(dir: &Path, mut command: Command, listen: &str) -> (Child, Option<String>, String) {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(dir.join("server.log"))
        .unwrap();
    let mut child = command
        .args(["--no-open", "--listen", listen])
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut output = String::new();
    let mut url = None;
    // The last line of the welcome; what comes before the end of the output says why there is none.
    while let Some(Ok(line)) = lines.next() {
        if let Some(address) = line.trim().strip_prefix("demo") {
            url = Some(address.trim().trim_end_matches('/').to_owned());
        }
        output += &(line + "\n");
        if output.contains("Stop with Ctrl-C") {
            break;
        }
    }
    (child, url, output)
}

/// A visitor that applies each sequence once, in order, and keeps every frame it saw.
pub(crate) struct Visitor {
    pub(crate) connection: Connection,
    pub(crate) hello: Value,
    /// Every sequenced frame as text, by sequence; a repetition must be byte-equal.
    pub(crate) seen: std::collections::BTreeMap<u64, String>,
    pub(crate) repeated: u64,
}

impl Visitor {
    pub(crate) async fn new(mut connection: Connection) -> Self {
        let hello: Value = serde_json::from_str(&receive(&mut connection).await.unwrap()).unwrap();
        assert_eq!(hello["type"], "connection_established");
        Self {
            connection,
            hello: hello["payload"].clone(),
            seen: Default::default(),
            repeated: 0,
        }
    }

    /// The same visitor on a new socket.
    pub(crate) async fn reconnect(&mut self, server: &Server, query: &str) {
        let (user, token) = (
            self.connection.user_id.clone(),
            self.connection.token.clone(),
        );
        let connection = server.address().connect(user, token, query).await.unwrap();
        let fresh = Visitor::new(connection).await;
        (self.connection, self.hello) = (fresh.connection, fresh.hello);
    }

    /// The next frame; sequenced ones are checked and kept.
    pub(crate) async fn next(&mut self) -> Result<Value, String> {
        let text = receive(&mut self.connection).await?;
        let frame: Value = serde_json::from_str(&text).unwrap();
        if let Some(sequence) = frame["sequence"].as_u64() {
            match self.seen.insert(sequence, text.clone()) {
                Some(before) => {
                    assert_eq!(before, text, "a repetition differs");
                    self.repeated += 1;
                }
                None => assert!(
                    sequence == 1 || self.seen.contains_key(&(sequence - 1)),
                    "a gap before {sequence}"
                ),
            }
        }
        Ok(frame)
    }

    pub(crate) async fn until(&mut self, wanted: &str) -> Value {
        loop {
            let frame = self
                .next()
                .await
                .unwrap_or_else(|e| panic!("waiting for {wanted}: {e}"));
            if frame["type"] == wanted {
                return frame;
            }
        }
    }

    /// The next frame that has a number.
    pub(crate) async fn until_sequenced(&mut self) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|e| panic!("waiting: {e}"));
            if frame["sequence"].is_u64() {
                return frame;
            }
        }
    }

    /// The close code and reason, whatever comes before.
    pub(crate) async fn until_closed(&mut self) -> String {
        loop {
            if let Err(closed) = self.next().await {
                return closed;
            }
        }
    }

    pub(crate) async fn send(&mut self, kind: &str, payload: Value) {
        self.connection
            .send(&json!({"type": kind, "payload": payload}))
            .await
            .unwrap();
    }

    pub(crate) fn chat(&self, id: &str, content: &str) -> Value {
        json!({
            "content": content, "example_message_id": id,
            "example_message_metadata": {"title": "t", "category": "cost-optimization", "complexity": "basic",
                "businessValue": "conversion", "estimatedTime": "5 s"},
            "user_id": self.connection.user_id, "timestamp": 1_760_000_000_000u64,
        })
    }

    /// Sends a message and gives its session.
    pub(crate) async fn ask(&mut self, id: &str) -> String {
        let chat = self.chat(id, QUESTION);
        self.send("chat_message", chat).await;
        self.until("message_accepted").await["payload"]["session_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Acknowledges everything seen, if anything was.
    pub(crate) async fn ack_all(&mut self) {
        if let Some(last) = self.seen.keys().last().copied() {
            self.send("ack", json!({"sequence": last})).await;
        }
    }
}

pub(crate) const QUESTION: &str = "We run 1M requests a month on gpt-4o with 1000 input tokens and 200 output tokens each. Cut our cost.";

async fn receive(connection: &mut Connection) -> Result<String, String> {
    tokio::time::timeout(PATIENCE, connection.next())
        .await
        .unwrap_or_else(|_| panic!("nothing came for {PATIENCE:?}"))
}

/// Runs an async test body.
pub(crate) fn run(body: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(body);
}

/// Says loudly that a suite cannot run here; in CI that is a failure.
pub(crate) fn skip(suite: &str, why: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "{suite} cannot run, and in CI it must: {why}"
    );
    // Straight to the descriptor: the test runner would swallow a print of a passing test.
    let _ = writeln!(std::io::stderr(), "\n*** SKIPPED {suite}: {why} ***\n");
}
