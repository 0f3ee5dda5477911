//! One visitor of a run: asks, applies each frame once and in order, acknowledges, and checks in
//! the end that the server knows it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::tally::Tally;
use crate::cli::client::{ConnectError, Connection, Server};
use crate::clock;

/// Handshakes at the same time.
const DIALLING: usize = 64;
/// How long the answers to what was accepted are waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause after a refusal.
const PAUSE: Duration = Duration::from_millis(500);
const QUESTION: &str = "We run 1M requests a month on gpt-4o with 1000 input tokens and 200 output \
    tokens each. Cut our cost.";

/// Connects all of them.
///
/// # Errors
/// The first that cannot: a run with fewer visitors than asked for would measure something else.
pub(super) async fn all(server: &Server, count: u32) -> Result<Vec<Visitor>, ConnectError> {
    let dials = futures_util::stream::iter((0..count).map(|_| server.visit()));
    let mut dials = dials.buffer_unordered(DIALLING);
    let mut visitors = Vec::new();
    while let Some(connection) = dials.next().await {
        visitors.push(Visitor::new(connection?));
    }
    Ok(visitors)
}

/// What a visitor does.
pub(super) struct Plan {
    /// All begin together.
    pub(super) start: Arc<Barrier>,
    /// How long messages are sent.
    pub(super) time: Duration,
    /// Messages at the same time.
    pub(super) in_flight: usize,
    pub(super) server: Server,
}

pub(super) struct Visitor {
    connection: Connection,
    tally: Tally,
    applied: u64,
    epoch: Value,
    /// When each message that has not ended was sent, by its id; how many were ever sent.
    asked: HashMap<String, Instant>,
    sent: u64,
    /// The message of each session.
    sessions: HashMap<String, String>,
    /// Sessions of which a frame was seen.
    begun: HashSet<String>,
}

/// What is needed of a sequenced frame; its payload is skipped.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    sequence: Option<u64>,
    #[serde(borrow)]
    session_id: Option<Cow<'a, str>>,
    #[expect(dead_code, reason = "skipped without building it")]
    payload: IgnoredAny,
}

impl Visitor {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            tally: Tally::default(),
            applied: 0,
            epoch: Value::Null,
            asked: HashMap::new(),
            sent: 0,
            sessions: HashMap::new(),
            begun: HashSet::new(),
        }
    }

    pub(super) async fn run(mut self, plan: Plan) -> Tally {
        plan.start.wait().await;
        let end = clock::now() + plan.time;
        if let Err(why) = self.work(&plan, end).await {
            self.tally.say(why);
        }
        self.tally.unanswered = self.tally.accepted - self.tally.results - self.tally.other_ends;
        if let Err(why) = self.settle(&plan.server).await {
            self.tally.say(why);
            self.tally.pending += self.applied - self.tally.acknowledged.min(self.applied);
        }
        self.tally
    }

    async fn work(&mut self, plan: &Plan, end: Instant) -> Result<(), String> {
        loop {
            let now = clock::now();
            while now < end && self.asked.len() < plan.in_flight {
                self.ask().await?;
            }
            if now >= end && self.asked.is_empty() {
                return Ok(());
            }
            let next = tokio::time::timeout_at((end + PATIENCE).into(), self.connection.next());
            let first = next
                .await
                .map_err(|_| format!("no end within {} s", PATIENCE.as_secs()))??;
            let before = self.applied;
            self.take(&first, end).await?;
            // What has arrived meanwhile shares one acknowledgement.
            while let Some(more) = self.connection.ready() {
                self.take(&more?, end).await?;
            }
            if self.applied > before {
                self.acknowledge().await?;
            }
        }
    }

    async fn ask(&mut self) -> Result<(), String> {
        self.sent += 1;
        self.tally.sent += 1;
        let id = format!("bench-{}", self.sent);
        self.asked.insert(id.clone(), clock::now());
        let message = json!({"type": "chat_message", "payload": {
            "content": QUESTION, "example_message_id": id,
            "example_message_metadata": {
                "title": "bench", "category": "cost-optimization", "complexity": "basic",
                "businessValue": "conversion", "estimatedTime": "none",
            },
            "user_id": self.connection.user_id, "timestamp": clock::wall().0,
        }});
        self.connection.send(&message).await
    }

    async fn acknowledge(&mut self) -> Result<(), String> {
        let ack = json!({"sequence": self.applied, "epoch": self.epoch});
        self.connection
            .send(&json!({"type": "ack", "payload": ack}))
            .await
    }

    async fn take(&mut self, text: &str, end: Instant) -> Result<(), String> {
        let head: Head<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let Some(sequence) = head.sequence else {
            return self.control(text).await;
        };
        if !self.tally.arrived(sequence, self.applied) {
            return Ok(());
        }
        self.applied = sequence;
        let now = clock::now();
        if now < end {
            self.tally.in_time += 1;
        }
        let session = head.session_id.unwrap_or_default();
        let since = self
            .sessions
            .get(&*session)
            .and_then(|id| self.asked.get(id));
        if self.begun.insert(session.clone().into_owned())
            && let Some(since) = since
        {
            self.tally.first.record(now.duration_since(*since));
        }
        match &*head.kind {
            "agent_completed" => {
                if let Some(since) = since {
                    self.tally.result.record(now.duration_since(*since));
                }
                self.tally.results += 1;
                self.ended(&session);
            }
            "error" | "session_cancelled" | "session_expired" => {
                self.tally.other_ends += 1;
                self.tally
                    .say(format!("a session ended with {}", head.kind));
                self.ended(&session);
            }
            _ => {}
        }
        Ok(())
    }

    fn ended(&mut self, session: &str) {
        self.begun.remove(session);
        if let Some(id) = self.sessions.remove(session) {
            self.asked.remove(&id);
        }
    }

    async fn control(&mut self, text: &str) -> Result<(), String> {
        let frame: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let payload = &frame["payload"];
        let word = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str().unwrap_or_default() {
            "connection_established" => self.epoch = payload["epoch"].clone(),
            "message_accepted" => {
                self.tally.accepted += 1;
                let id = word("example_message_id");
                if let Some(since) = self.asked.get(&id) {
                    let took = clock::now().duration_since(*since);
                    self.tally.accept.record(took);
                }
                self.sessions.insert(word("session_id"), id);
            }
            "error" => {
                self.tally.refused += 1;
                self.tally.say(format!("refused: {}", word("code")));
                self.asked.remove(&word("example_message_id"));
                tokio::time::sleep(PAUSE).await;
            }
            "server_draining" => return Err("the server is going away".into()),
            _ => {}
        }
        Ok(())
    }

    /// Comes back on a new socket: what the server calls acknowledged is what was acknowledged.
    async fn settle(&mut self, server: &Server) -> Result<(), String> {
        let (user, token) = (
            self.connection.user_id.clone(),
            self.connection.token.clone(),
        );
        let deadline = clock::now() + PATIENCE;
        loop {
            let mut fresh = server
                .connect(user.clone(), token.clone(), "")
                .await
                .map_err(|e| e.to_string())?;
            let hello: Value =
                serde_json::from_str(&fresh.next().await?).map_err(|e| e.to_string())?;
            self.tally.acknowledged = hello["payload"]["acknowledged_sequence"]
                .as_u64()
                .unwrap_or_default();
            fresh.close().await;
            if self.tally.acknowledged == self.applied {
                return Ok(());
            }
            // The last acknowledgement may still be on its way; 100 tries would fill the minute.
            if clock::now() >= deadline {
                let (known, applied) = (self.tally.acknowledged, self.applied);
                return Err(format!("{applied} acknowledged, the server knows {known}"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
