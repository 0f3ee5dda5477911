//! `chat_message`, field by field.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::Fields;
use super::{ChatMessage, MAX_ASSUMPTION_TEXT, MAX_ASSUMPTIONS, Request, unreachable_fault};
use crate::id::{BusinessValue, Category, Complexity, MessageId, SessionId, UserId};
use crate::protocol::MAX_SAFE_INTEGER;
use crate::protocol::fault::Fault;

type Object = Map<String, Value>;

pub(super) fn read(payload: &Object, user: &UserId, mut f: Fields) -> Result<Request, Fault> {
    let id = message_id(payload, &mut f);
    let content = content(payload, &mut f);
    let metadata = metadata(payload, &mut f);
    owner_and_time(payload, user, &mut f);
    let (parent_session_id, assumptions) = context(payload, &mut f);
    f.finish("chat_message")?;
    let (Some(example_message_id), Some(metadata)) = (id, metadata) else {
        return Err(unreachable_fault());
    };
    Ok(Request::Chat(Box::new(ChatMessage {
        content,
        example_message_id,
        title: metadata.title,
        category: metadata.category,
        complexity: metadata.complexity,
        business_value: metadata.business_value,
        estimated_time: metadata.estimated_time,
        parent_session_id,
        assumptions,
    })))
}

fn message_id(payload: &Object, f: &mut Fields) -> Option<MessageId> {
    let Some(Value::String(text)) = payload.get("example_message_id") else {
        f.absent_or_wrong(
            payload.get("example_message_id"),
            "example_message_id",
            "text",
        );
        return None;
    };
    // Not trimmed: an id is compared byte for byte.
    match MessageId::parse(text) {
        Ok(id) => {
            f.example_message_id = Some(text.clone());
            Some(id)
        }
        Err(rule) => {
            f.wrong(
                "example_message_id",
                &format!("must be {rule}"),
                "use another id",
            );
            None
        }
    }
}

pub(super) fn content(payload: &Object, f: &mut Fields) -> String {
    let Some(Value::String(text)) = payload.get("content") else {
        f.absent_or_wrong(
            payload.get("content"),
            "content",
            "text of 10 to 2000 characters",
        );
        return String::new();
    };
    let text = text.trim();
    let count = text.chars().count();
    if !(10..=2000).contains(&count) {
        let fix = if count < 10 {
            "say a little more"
        } else {
            "shorten it"
        };
        let rule = format!("must have 10 to 2000 characters after trimming; it has {count}");
        f.wrong("content", &rule, fix);
    }
    text.to_owned()
}

struct Metadata {
    title: String,
    category: Category,
    complexity: Complexity,
    business_value: BusinessValue,
    estimated_time: String,
}

fn metadata(payload: &Object, f: &mut Fields) -> Option<Metadata> {
    let empty = Map::new();
    let metadata = match payload.get("example_message_metadata") {
        Some(Value::Object(metadata)) => metadata,
        other => {
            f.absent_or_wrong(other, "example_message_metadata", "an object");
            &empty
        }
    };
    f.prefix = "example_message_metadata.";
    let title = f.text(metadata, "title", 1..=200).map(str::to_owned);
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
    let aliased =
        metadata.contains_key("estimated_time") && !metadata.contains_key("estimatedTime");
    let time_name = if aliased {
        "estimated_time"
    } else {
        "estimatedTime"
    };
    let estimated_time = f.text(metadata, time_name, 1..=40).map(str::to_owned);
    if metadata
        .get("agent_preferences")
        .is_some_and(|p| !p.is_object())
    {
        f.wrong(
            "agent_preferences",
            "must be an object",
            "leave it out or send {}",
        );
    }
    f.prefix = "";
    Some(Metadata {
        title: title?,
        category: category?,
        complexity: complexity?,
        business_value: business_value?,
        estimated_time: estimated_time?,
    })
}

fn owner_and_time(payload: &Object, user: &UserId, f: &mut Fields) {
    match payload.get("user_id") {
        Some(Value::String(id)) if id == user.as_str() => {}
        Some(Value::String(_)) => {
            f.wrong(
                "user_id",
                "must be the connection's own",
                "send the id this socket was opened for",
            );
        }
        other => f.absent_or_wrong(other, "user_id", "the connection's user id"),
    }
    let in_range = |n: f64| (0.0..=MAX_SAFE_INTEGER as f64).contains(&n);
    match payload.get("timestamp") {
        Some(Value::Number(n)) if n.as_f64().is_some_and(in_range) => {}
        Some(Value::Number(_)) => {
            f.wrong(
                "timestamp",
                "must be milliseconds since 1970, not negative",
                "send Date.now()",
            );
        }
        other => f.absent_or_wrong(other, "timestamp", "milliseconds since 1970 as a number"),
    }
}

fn context(payload: &Object, f: &mut Fields) -> (Option<SessionId>, BTreeMap<String, Value>) {
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
    let assumptions = match context.get("assumptions") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(Value::Object(map)) => assumptions(map, f),
        Some(_) => {
            f.wrong(
                "assumptions",
                "must be an object of name: value",
                "send {\"name\": value}",
            );
            BTreeMap::new()
        }
    };
    f.prefix = "";
    (parent, assumptions)
}

pub(super) fn assumptions(map: &Object, f: &mut Fields) -> BTreeMap<String, Value> {
    if map.len() > MAX_ASSUMPTIONS {
        let rule = format!(
            "may hold at most {MAX_ASSUMPTIONS} values; it holds {}",
            map.len()
        );
        f.wrong("assumptions", &rule, "send the edited ones only");
        return BTreeMap::new();
    }
    let short = |text: &str| text.chars().count() <= MAX_ASSUMPTION_TEXT;
    let plain = |value: &Value| match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::String(text) => short(text),
        _ => false,
    };
    for (name, _) in map
        .iter()
        .filter(|(name, value)| !short(name) || !plain(value))
    {
        let shown: String = name.chars().take(40).collect();
        let rule = format!(
            "must be a number, true, false or a text of at most {MAX_ASSUMPTION_TEXT} characters"
        );
        f.wrong(&format!("assumptions.{shown}"), &rule, "send a plain value");
    }
    map.iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
