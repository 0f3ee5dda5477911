//! What a client says: text of a frame → typed request, all faults at once.

mod chat;
mod draft;
mod fields;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::MAX_SAFE_INTEGER;
use super::fault::{Fault, FaultCode};
use crate::id::{BusinessValue, Category, Complexity, MessageId, SessionId, UserId};
pub use draft::{Draft, parse_draft};
use fields::Fields;

/// A well-formed client frame.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// An example message to answer.
    Chat(Box<ChatMessage>),
    /// Everything up to `sequence` was applied.
    Ack {
        /// Cumulative.
        sequence: u64,
        /// The epoch the client means; none means the current one. Any text that is not the
        /// current epoch is stale.
        epoch: Option<String>,
    },
    /// End a session.
    Cancel {
        /// Which.
        session_id: SessionId,
    },
    /// Answer with the same nonce.
    Ping {
        /// Any JSON value up to 256 bytes of text.
        nonce: Option<Value>,
    },
    /// A business event.
    Track(Track),
}

/// What a visitor did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// Which.
    pub event: TrackEvent,
    /// The session it belongs to.
    pub session_id: Option<SessionId>,
    /// Where it belongs to none: what the example is about and worth (`properties.category` and
    /// `properties.business_value`), where both are given and known.
    pub topic: Option<(Category, BusinessValue)>,
}

/// A validated `chat_message`.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatMessage {
    /// Trimmed, 10 to 2000 Unicode scalar values.
    pub content: String,
    /// The client's id for it; the same again starts nothing.
    pub example_message_id: MessageId,
    /// 1 to 200 characters.
    pub title: String,
    /// Which agent.
    pub category: Category,
    /// How deep.
    pub complexity: Complexity,
    /// What it is worth to the business.
    pub business_value: BusinessValue,
    /// Free text, 1 to 40 characters.
    pub estimated_time: String,
    /// The session this one varies.
    pub parent_session_id: Option<SessionId>,
    /// Values the visitor edited.
    pub assumptions: BTreeMap<String, Value>,
}

/// The business events of `track`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrackEvent {
    /// An example was opened.
    ExampleOpened,
    /// A result was looked at.
    ResultViewed,
    /// A report was exported.
    ReportExported,
    /// The call to action was followed.
    CallToAction,
    /// The upgrade was clicked.
    UpgradeClicked,
}

impl TrackEvent {
    /// Every event with its word.
    pub const ALL: [(&'static str, TrackEvent); 5] = [
        ("example_opened", TrackEvent::ExampleOpened),
        ("result_viewed", TrackEvent::ResultViewed),
        ("report_exported", TrackEvent::ReportExported),
        ("call_to_action", TrackEvent::CallToAction),
        ("upgrade_clicked", TrackEvent::UpgradeClicked),
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, e)| *e == self)
            .map_or("", |(word, _)| word)
    }
}

/// The most edited assumptions of one message.
pub const MAX_ASSUMPTIONS: usize = 64;
/// The longest name or text of an edited assumption, in characters.
pub const MAX_ASSUMPTION_TEXT: usize = 200;
const MAX_NONCE: usize = 256;

/// Reads a frame of the visitor `user`.
///
/// # Errors
/// A [`Fault`] that lists every wrong field.
pub fn parse(text: &str, user: &UserId) -> Result<Request, Fault> {
    let value = super::json::parse(text).map_err(|e| {
        Fault::new(
            FaultCode::BadJson,
            format!("the frame is not valid JSON: {e}"),
        )
    })?;
    let Value::Object(frame) = value else {
        return Err(Fault::new(
            FaultCode::BadJson,
            "a frame is one JSON object with `type` and `payload`",
        ));
    };
    let mut fields = Fields::default();
    let kind = fields.text(&frame, "type", 1..=64).unwrap_or_default();
    let empty = Map::new();
    let payload = match frame.get("payload") {
        Some(Value::Object(payload)) => payload,
        None if kind == "ping" => &empty,
        Some(_) | None => {
            fields.wrong(
                "payload",
                "must be a JSON object",
                "put the fields of this type into it",
            );
            &empty
        }
    };
    match kind {
        "" => Err(fields.fault("the frame has no usable `type`")),
        "chat_message" => chat::read(payload, user, fields),
        "ack" => ack(payload, fields),
        "cancel" => {
            let session_id = fields.session(payload, "session_id", true);
            fields.finish("cancel")?;
            session_id
                .map(|session_id| Request::Cancel { session_id })
                .ok_or_else(unreachable_fault)
        }
        "ping" => ping(payload, fields),
        "track" => track(payload, fields),
        other => {
            let shown: String = other.chars().take(40).collect();
            Err(Fault::new(
                FaultCode::UnknownType,
                format!(
                    "`type` is `{shown}`; it must be one of chat_message, ack, cancel, ping, track"
                ),
            ))
        }
    }
}

// A value that is absent always left a field fault behind, so `finish` has returned before.
fn unreachable_fault() -> Fault {
    Fault::new(FaultCode::InvalidFields, "a required field is missing")
}

fn ack(payload: &Map<String, Value>, mut f: Fields) -> Result<Request, Fault> {
    let sequence = match payload.get("sequence") {
        Some(Value::Number(n)) => match n.as_u64() {
            Some(n) if n <= MAX_SAFE_INTEGER => n,
            _ => {
                f.wrong(
                    "sequence",
                    &format!("must be a whole number from 0 to {MAX_SAFE_INTEGER}"),
                    "send the highest sequence you have applied",
                );
                0
            }
        },
        other => {
            f.absent_or_wrong(other, "sequence", "a whole number");
            0
        }
    };
    let epoch = match payload.get("epoch") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(n)) => Some(n.to_string()),
        Some(_) => {
            f.wrong(
                "epoch",
                "must be the epoch of a frame",
                "leave it out or copy it from a frame",
            );
            None
        }
    };
    f.finish("ack")?;
    Ok(Request::Ack { sequence, epoch })
}

fn ping(payload: &Map<String, Value>, mut f: Fields) -> Result<Request, Fault> {
    let nonce = payload.get("nonce").cloned();
    if nonce
        .as_ref()
        .is_some_and(|n| n.to_string().len() > MAX_NONCE)
    {
        f.wrong(
            "nonce",
            &format!("may have at most {MAX_NONCE} bytes"),
            "use a shorter one",
        );
    }
    f.finish("ping")?;
    Ok(Request::Ping { nonce })
}

fn track(payload: &Map<String, Value>, mut f: Fields) -> Result<Request, Fault> {
    let words = TrackEvent::ALL.map(|(_, event)| event);
    let event = f.word(payload, &["event"], &words, TrackEvent::as_str);
    let session_id = f.session(payload, "session_id", false);
    let properties = payload.get("properties");
    if properties.is_some_and(|p| !p.is_object() && !p.is_null()) {
        f.wrong("properties", "must be an object", "leave it out or send {}");
    }
    f.finish("track")?;
    let property = |names: [&str; 2]| {
        let named = |name: &&str| properties?.get(name)?.as_str();
        names.iter().find_map(named)
    };
    let category = property(["category", "category"]).and_then(Category::parse);
    let value = property(["business_value", "businessValue"]).and_then(BusinessValue::parse);
    let track = |event| {
        Request::Track(Track {
            event,
            session_id,
            topic: category.zip(value),
        })
    };
    event.map(track).ok_or_else(unreachable_fault)
}
