//! What the server says: typed frames → text.
//!
//! A sequenced frame is stored as its kind, session, time and payload; the text
//! is composed from them and is the same, byte for byte, each time it is sent.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::Fault;
use crate::id::{ConnectionId, MessageId, SessionId, UserId};

/// The types of sequenced frames, in the order of a normal session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The session began to be processed.
    ProcessingStarted,
    /// The agent was called.
    AgentStarted,
    /// A thought.
    AgentThinking,
    /// A calculator at work.
    ToolExecuting,
    /// A part that stands already.
    PartialResult,
    /// The result: an end.
    AgentCompleted,
    /// No result: an end.
    Error,
    /// Cancelled: an end.
    SessionCancelled,
    /// Expired: an end.
    SessionExpired,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 9] = [
        Kind::ProcessingStarted,
        Kind::AgentStarted,
        Kind::AgentThinking,
        Kind::ToolExecuting,
        Kind::PartialResult,
        Kind::AgentCompleted,
        Kind::Error,
        Kind::SessionCancelled,
        Kind::SessionExpired,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::ProcessingStarted => "processing_started",
            Kind::AgentStarted => "agent_started",
            Kind::AgentThinking => "agent_thinking",
            Kind::ToolExecuting => "tool_executing",
            Kind::PartialResult => "partial_result",
            Kind::AgentCompleted => "agent_completed",
            Kind::Error => "error",
            Kind::SessionCancelled => "session_cancelled",
            Kind::SessionExpired => "session_expired",
        }
    }

    /// True for the four that end a session.
    pub fn ends_session(self) -> bool {
        matches!(
            self,
            Kind::AgentCompleted | Kind::Error | Kind::SessionCancelled | Kind::SessionExpired
        )
    }
}

/// Composes a sequenced frame. `payload` is JSON text.
pub fn sequenced(
    kind: Kind,
    sequence: u64,
    epoch: u64,
    session: SessionId,
    timestamp: &str,
    payload: &str,
) -> String {
    format!(
        r#"{{"type":"{}","sequence":{sequence},"epoch":{epoch},"session_id":"{session}","timestamp":"{timestamp}","payload":{payload}}}"#,
        kind.as_str()
    )
}

/// The limits a client is told in `connection_established`.
#[derive(Debug, Clone, Serialize)]
pub struct Limits {
    /// Bytes.
    pub max_frame: usize,
    /// Characters.
    pub content_min: usize,
    /// Characters.
    pub content_max: usize,
    /// Unacknowledged frames on one socket.
    pub window: u64,
    /// A minute.
    pub messages_per_minute: u32,
    /// Frames pending a visitor.
    pub max_pending: u64,
    /// Sockets a visitor.
    pub connections_per_user: usize,
}

/// Control frames: not durable, no sequence.
#[derive(Debug, Clone)]
pub enum Control<'a> {
    /// Always the first frame.
    Established {
        /// This socket.
        connection_id: ConnectionId,
        /// Its visitor.
        user_id: &'a UserId,
        /// What the socket may: `visitor`, `control` or `read`.
        scope: &'static str,
        /// The visitor's epoch.
        epoch: u64,
        /// None where everything the client asked for can be sent; else why not.
        not_recovered: Option<&'static str>,
        /// The highest sequence given so far.
        last_sequence: u64,
        /// The acknowledged one.
        acknowledged_sequence: u64,
        /// The oldest that is still held; `last_sequence + 1` where nothing is.
        oldest_sequence: u64,
        /// How long acknowledged frames of a session are kept.
        retention_ms: u64,
        /// How often the server pings.
        heartbeat_interval_ms: u64,
        /// What the client may do.
        limits: &'a Limits,
    },
    /// The message is durable and will be answered.
    Accepted {
        /// The client's id.
        example_message_id: &'a MessageId,
        /// Ours.
        session_id: SessionId,
        /// True where it had been accepted before.
        duplicate: bool,
        /// Its place in the queue, 0 where it does not wait.
        queue_position: usize,
    },
    /// The answer to `ping`.
    Pong {
        /// The ping's.
        nonce: Option<&'a Value>,
    },
    /// The frame was refused.
    Error(&'a Fault),
    /// The server goes; come back after this.
    Draining {
        /// Spread over the clients.
        reconnect_after_ms: u64,
    },
}

impl Control<'_> {
    /// The text on the wire.
    pub fn encode(&self) -> String {
        self.value().to_string()
    }

    fn value(&self) -> Value {
        match self {
            Control::Established {
                connection_id,
                user_id,
                scope,
                epoch,
                not_recovered,
                last_sequence,
                acknowledged_sequence,
                oldest_sequence,
                retention_ms,
                heartbeat_interval_ms,
                limits,
            } => {
                let mut payload = json!({
                    "connection_id": connection_id, "user_id": user_id, "scope": scope, "epoch": epoch,
                    "recovered": not_recovered.is_none(), "last_sequence": last_sequence,
                    "acknowledged_sequence": acknowledged_sequence, "oldest_sequence": oldest_sequence,
                    "retention_ms": retention_ms, "heartbeat_interval_ms": heartbeat_interval_ms,
                    "server_version": env!("CARGO_PKG_VERSION"), "limits": limits,
                });
                if let Some(reason) = not_recovered {
                    payload["reason"] = json!(reason);
                }
                json!({"type": "connection_established", "payload": payload})
            }
            Control::Accepted {
                example_message_id,
                session_id,
                duplicate,
                queue_position,
            } => {
                json!({"type": "message_accepted", "payload": {
                    "example_message_id": example_message_id, "session_id": session_id,
                    "duplicate": duplicate, "queue_position": queue_position}})
            }
            Control::Pong { nonce: Some(nonce) } => {
                json!({"type": "pong", "payload": {"nonce": nonce}})
            }
            Control::Pong { nonce: None } => json!({"type": "pong", "payload": {}}),
            Control::Error(fault) => json!({"type": "error", "payload": error_payload(fault)}),
            Control::Draining { reconnect_after_ms } => {
                json!({"type": "server_draining", "payload": {"reconnect_after_ms": reconnect_after_ms}})
            }
        }
    }
}

fn error_payload(fault: &Fault) -> Value {
    let mut payload = json!({
        "code": fault.code, "message": fault.message, "temporary": fault.code.temporary(),
    });
    if !fault.fields.is_empty() {
        payload["fields"] = json!(fault.fields);
    }
    if let Some(id) = &fault.example_message_id {
        payload["example_message_id"] = json!(id);
    }
    if let Some(ms) = fault.retry_after_ms {
        payload["retry_after_ms"] = json!(ms);
    }
    payload
}
