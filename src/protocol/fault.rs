//! Why a client's frame is refused: the control `error` frame in typed form.

use serde::Serialize;

/// The stable word of a control `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// Not JSON, too deep, a repeated key.
    BadJson,
    /// A binary frame.
    BinaryFrame,
    /// No such type.
    UnknownType,
    /// One or more fields are missing or wrong; all are listed.
    InvalidFields,
    /// An acknowledgement above the highest sequence ever sent.
    AckOutOfRange,
    /// The same `example_message_id` came before with another content.
    Conflict,
    /// No such session of this visitor.
    NotFound,
    /// The session has ended already.
    AlreadyEnded,
    /// Too many messages of this visitor.
    RateLimited,
    /// This visitor has too much pending.
    BacklogFull,
    /// The server is full.
    Overloaded,
    /// The server drains.
    Draining,
    /// A failure on our side.
    Internal,
}

impl FaultCode {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        use FaultCode::*;
        match self {
            BadJson => "bad_json",
            BinaryFrame => "binary_frame",
            UnknownType => "unknown_type",
            InvalidFields => "invalid_fields",
            AckOutOfRange => "ack_out_of_range",
            Conflict => "conflict",
            NotFound => "not_found",
            AlreadyEnded => "already_ended",
            RateLimited => "rate_limited",
            BacklogFull => "backlog_full",
            Overloaded => "overloaded",
            Draining => "draining",
            Internal => "internal",
        }
    }

    /// True where the same frame may succeed later.
    pub fn temporary(self) -> bool {
        use FaultCode::*;
        matches!(
            self,
            RateLimited | BacklogFull | Overloaded | Draining | Internal
        )
    }

    /// True where the frame itself was wrong: these count towards the tenth that closes.
    pub fn counts(self) -> bool {
        use FaultCode::*;
        matches!(
            self,
            BadJson | BinaryFrame | UnknownType | InvalidFields | AckOutOfRange
        )
    }
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldFault {
    /// Its path in the payload, for example `example_message_metadata.category`.
    pub field: String,
    /// The rule and what was found instead.
    pub rule: String,
    /// What to do.
    pub fix: String,
}

/// A refused frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which.
    pub code: FaultCode,
    /// A sentence.
    pub message: String,
    /// Every wrong field.
    pub fields: Vec<FieldFault>,
    /// The message it belongs to, where it could be read.
    pub example_message_id: Option<String>,
    /// When coming back helps, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl Fault {
    /// A fault without fields.
    pub fn new(code: FaultCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            fields: Vec::new(),
            example_message_id: None,
            retry_after_ms: None,
        }
    }

    /// The same, for a message.
    pub fn about(mut self, example_message_id: &str) -> Self {
        self.example_message_id = Some(example_message_id.to_owned());
        self
    }

    /// The same, with a time to come back after.
    pub fn retry_after_ms(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }
}
