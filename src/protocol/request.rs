//! What a client says: text of a frame → typed request, all faults at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::MAX_SAFE_INTEGER;
use super::fault::{Fault, FaultCode, FieldFault};
use crate::id::{BusinessValue, Category, Complexity, MessageId, SessionId, UserId};

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
    Track {
        /// Which.
        event: TrackEvent,
        /// The session it belongs to.
        session_id: Option<SessionId>,
    },
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
        "chat_message" => chat(payload, user, fields),
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

fn chat(payload: &Map<String, Value>, user: &UserId, mut f: Fields) -> Result<Request, Fault> {
    let id_text = f
        .text(payload, "example_message_id", 1..=128)
        .map(str::to_owned);
    let id = id_text
        .as_deref()
        .and_then(|text| match MessageId::parse(text) {
            Ok(id) => Some(id),
            Err(rule) => {
                f.wrong(
                    "example_message_id",
                    &format!("must be {rule}"),
                    "use another id",
                );
                None
            }
        });
    f.example_message_id = id.as_ref().map(|id| id.as_str().to_owned());

    let content = match payload.get("content") {
        Some(Value::String(text)) => {
            let text = text.trim();
            let count = text.chars().count();
            if !(10..=2000).contains(&count) {
                let fix = if count < 10 {
                    "say a little more"
                } else {
                    "shorten it"
                };
                f.wrong(
                    "content",
                    &format!("must have 10 to 2000 characters after trimming; it has {count}"),
                    fix,
                );
            }
            text.to_owned()
        }
        other => {
            f.absent_or_wrong(other, "content", "text of 10 to 2000 characters");
            String::new()
        }
    };

    let empty = Map::new();
    let metadata = match payload.get("example_message_metadata") {
        Some(Value::Object(metadata)) => metadata,
        other => {
            f.absent_or_wrong(other, "example_message_metadata", "an object");
            &empty
        }
    };
    f.prefix = "example_message_metadata.";
    let title = f
        .text(metadata, "title", 1..=200)
        .unwrap_or_default()
        .to_owned();
    let category = f.word(metadata, &["category"], Category::ALL, Category::as_str);
    let complexity = f.word(
        metadata,
        &["complexity"],
        Complexity::ALL,
        Complexity::as_str,
    );
    let value_names = ["businessValue", "business_value"];
    let business_value = f.word(
        metadata,
        &value_names,
        BusinessValue::ALL,
        BusinessValue::as_str,
    );
    let time_name =
        if metadata.contains_key("estimatedTime") || !metadata.contains_key("estimated_time") {
            "estimatedTime"
        } else {
            "estimated_time"
        };
    let estimated_time = f
        .text(metadata, time_name, 1..=40)
        .unwrap_or_default()
        .to_owned();
    if let Some(preferences) = metadata.get("agent_preferences")
        && !preferences.is_object()
    {
        f.wrong(
            "agent_preferences",
            "must be an object",
            "leave it out or send {}",
        );
    }
    f.prefix = "";

    match payload.get("user_id") {
        Some(Value::String(id)) if id == user.as_str() => {}
        Some(Value::String(_)) => f.wrong(
            "user_id",
            "must be the connection's own",
            "send the id this socket was opened for",
        ),
        other => f.absent_or_wrong(other, "user_id", "the connection's user id"),
    }
    match payload.get("timestamp") {
        Some(Value::Number(n))
            if n.as_f64()
                .is_some_and(|n| n >= 0.0 && n <= MAX_SAFE_INTEGER as f64) => {}
        Some(Value::Number(_)) => f.wrong(
            "timestamp",
            "must be milliseconds since 1970, not negative",
            "send Date.now()",
        ),
        other => f.absent_or_wrong(other, "timestamp", "milliseconds since 1970 as a number"),
    }
    let (parent_session_id, assumptions) = context(payload, &mut f);
    f.finish("chat_message")?;
    let (Some(example_message_id), Some(category), Some(complexity), Some(business_value)) =
        (id, category, complexity, business_value)
    else {
        return Err(unreachable_fault());
    };
    Ok(Request::Chat(Box::new(ChatMessage {
        content,
        example_message_id,
        title,
        category,
        complexity,
        business_value,
        estimated_time,
        parent_session_id,
        assumptions,
    })))
}

fn context(
    payload: &Map<String, Value>,
    f: &mut Fields,
) -> (Option<SessionId>, BTreeMap<String, Value>) {
    let context = match payload.get("session_context") {
        None | Some(Value::Null) => return (None, BTreeMap::new()),
        Some(Value::Object(context)) => context,
        Some(_) => {
            f.wrong(
                "session_context",
                "must be an object",
                "leave it out or send {}",
            );
            return (None, BTreeMap::new());
        }
    };
    f.prefix = "session_context.";
    let parent = f.session(context, "parent_session_id", false);
    let mut assumptions = BTreeMap::new();
    match context.get("assumptions") {
        None | Some(Value::Null) => {}
        Some(Value::Object(map)) if map.len() > MAX_ASSUMPTIONS => {
            f.wrong(
                "assumptions",
                &format!(
                    "may hold at most {MAX_ASSUMPTIONS} values; it holds {}",
                    map.len()
                ),
                "send the edited ones only",
            );
        }
        Some(Value::Object(map)) => {
            for (name, value) in map {
                let short = |text: &str| text.chars().count() <= MAX_ASSUMPTION_TEXT;
                let plain = match value {
                    Value::Number(_) | Value::Bool(_) => true,
                    Value::String(text) => short(text),
                    _ => false,
                };
                if plain && short(name) {
                    assumptions.insert(name.clone(), value.clone());
                } else {
                    let shown: String = name.chars().take(40).collect();
                    f.wrong(
                        &format!("assumptions.{shown}"),
                        "must be a number, true, false or a text of at most 200 characters",
                        "send a plain value",
                    );
                }
            }
        }
        Some(_) => f.wrong(
            "assumptions",
            "must be an object of name: value",
            "send {\"name\": value}",
        ),
    }
    f.prefix = "";
    (parent, assumptions)
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
    if payload
        .get("properties")
        .is_some_and(|p| !p.is_object() && !p.is_null())
    {
        f.wrong("properties", "must be an object", "leave it out or send {}");
    }
    f.finish("track")?;
    event
        .map(|event| Request::Track { event, session_id })
        .ok_or_else(unreachable_fault)
}

/// Collects the faults of a frame's fields.
#[derive(Default)]
struct Fields {
    faults: Vec<FieldFault>,
    prefix: &'static str,
    example_message_id: Option<String>,
}

impl Fields {
    fn wrong(&mut self, field: &str, rule: &str, fix: &str) {
        let field = format!("{}{field}", self.prefix);
        self.faults.push(FieldFault {
            field,
            rule: rule.to_owned(),
            fix: fix.to_owned(),
        });
    }

    fn absent_or_wrong(&mut self, found: Option<&Value>, field: &str, what: &str) {
        match found {
            None | Some(Value::Null) => {
                self.wrong(field, &format!("is required: {what}"), "add it")
            }
            Some(_) => self.wrong(field, &format!("must be {what}"), "change its type"),
        }
    }

    fn text<'a>(
        &mut self,
        map: &'a Map<String, Value>,
        field: &str,
        length: std::ops::RangeInclusive<usize>,
    ) -> Option<&'a str> {
        let rule = format!("text of {} to {} characters", length.start(), length.end());
        match map.get(field) {
            Some(Value::String(text)) => {
                let count = text.trim().chars().count();
                if length.contains(&count) {
                    return Some(text.trim());
                }
                self.wrong(
                    field,
                    &format!("must be {rule}; it has {count}"),
                    "change its length",
                );
            }
            other => self.absent_or_wrong(other, field, &rule),
        }
        None
    }

    fn word<T: Copy>(
        &mut self,
        map: &Map<String, Value>,
        names: &[&str],
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Option<T> {
        let found = names.iter().find_map(|name| map.get(*name));
        let one_of = || all.iter().map(|v| word(*v)).collect::<Vec<_>>().join(", ");
        match found {
            Some(Value::String(text)) => {
                let hit = all.iter().copied().find(|v| word(*v) == text);
                if hit.is_none() {
                    let shown: String = text.chars().take(40).collect();
                    self.wrong(
                        names[0],
                        &format!("must be one of {}; it is `{shown}`", one_of()),
                        "use one of these words",
                    );
                }
                hit
            }
            other => {
                self.absent_or_wrong(other, names[0], &format!("one of {}", one_of()));
                None
            }
        }
    }

    fn session(
        &mut self,
        map: &Map<String, Value>,
        field: &str,
        required: bool,
    ) -> Option<SessionId> {
        match map.get(field) {
            None | Some(Value::Null) if !required => None,
            Some(Value::String(text)) => match SessionId::parse(text) {
                Ok(id) => Some(id),
                Err(rule) => {
                    self.wrong(field, &format!("must be {rule}"), "copy it from a frame");
                    None
                }
            },
            other => {
                self.absent_or_wrong(other, field, "a session id");
                None
            }
        }
    }

    fn fault(self, message: &str) -> Fault {
        Fault {
            code: FaultCode::InvalidFields,
            message: message.to_owned(),
            fields: self.faults,
            example_message_id: self.example_message_id,
            retry_after_ms: None,
        }
    }

    fn finish(&mut self, kind: &str) -> Result<(), Fault> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let list = self
            .faults
            .iter()
            .map(|f| format!("{} {}", f.field, f.rule))
            .collect::<Vec<_>>()
            .join("; ");
        let message = format!("{kind} is refused, nothing of it was kept: {list}");
        Err(std::mem::take(self).fault(&message))
    }
}
