//! Reading the fields of a payload, collecting every fault on the way.

use serde_json::{Map, Value};

use super::super::fault::{Fault, FaultCode, FieldFault};
use crate::id::SessionId;

/// Collects the faults of a frame's fields.
#[derive(Default)]
pub(super) struct Fields {
    faults: Vec<FieldFault>,
    /// Stands before the names of fields, for example `session_context.`.
    pub(super) prefix: &'static str,
    /// The message the faults belong to, once it is known.
    pub(super) example_message_id: Option<String>,
}

impl Fields {
    pub(super) fn wrong(&mut self, field: &str, rule: &str, fix: &str) {
        let field = format!("{}{field}", self.prefix);
        self.faults.push(FieldFault {
            field,
            rule: rule.to_owned(),
            fix: fix.to_owned(),
        });
    }

    pub(super) fn absent_or_wrong(&mut self, found: Option<&Value>, field: &str, what: &str) {
        match found {
            None | Some(Value::Null) => {
                self.wrong(field, &format!("is required: {what}"), "add it")
            }
            Some(_) => self.wrong(field, &format!("must be {what}"), "change its type"),
        }
    }

    pub(super) fn text<'a>(
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

    pub(super) fn word<T: Copy>(
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

    pub(super) fn session(
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

    pub(super) fn fault(self, message: &str) -> Fault {
        Fault {
            code: FaultCode::InvalidFields,
            message: message.to_owned(),
            fields: self.faults,
            example_message_id: self.example_message_id,
            retry_after_ms: None,
        }
    }

    pub(super) fn finish(&mut self, kind: &str) -> Result<(), Fault> {
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
