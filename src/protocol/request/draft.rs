//! A message that is still being written, as it is sent to be understood.

use std::collections::BTreeMap;

use serde_json::Value;

use super::chat::{assumptions, content};
use super::fields::Fields;
use crate::id::{Category, Complexity};
use crate::protocol::fault::{Fault, FaultCode};

/// A validated draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Trimmed, 10 to 2000 Unicode scalar values, as in a `chat_message`.
    pub content: String,
    /// The agent that the visitor picked; none leaves it to the words.
    pub category: Option<Category>,
    /// How deep; `intermediate` where it is not said.
    pub complexity: Complexity,
    /// Values the visitor edited already.
    pub assumptions: BTreeMap<String, Value>,
}

/// Reads the body `{content, category?, complexity?, assumptions?}`.
///
/// # Errors
/// A [`Fault`] that lists every wrong field.
pub fn parse_draft(body: &[u8]) -> Result<Draft, Fault> {
    let bad = |text: String| Fault::new(FaultCode::BadJson, text);
    let text = std::str::from_utf8(body).map_err(|e| bad(format!("the body is not UTF-8: {e}")))?;
    let value = crate::protocol::json::parse(text)
        .map_err(|e| bad(format!("the body is not valid JSON: {e}")))?;
    let Value::Object(body) = value else {
        return Err(bad("the body must be an object with content".into()));
    };
    let mut f = Fields::default();
    let content = content(&body, &mut f);
    let said = |name| body.get(name).is_some_and(|value| !value.is_null());
    let category =
        said("category").then(|| f.word(&body, &["category"], Category::ALL, Category::as_str));
    let complexity = said("complexity")
        .then(|| f.word(&body, &["complexity"], Complexity::ALL, Complexity::as_str));
    let assumptions = match body.get("assumptions") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(Value::Object(map)) => assumptions(map, &mut f),
        Some(_) => {
            let rule = "must be an object of name: value";
            f.wrong("assumptions", rule, "send {\"name\": value}");
            BTreeMap::new()
        }
    };
    f.finish("the draft")?;
    Ok(Draft {
        content,
        category: category.flatten(),
        complexity: complexity.flatten().unwrap_or(Complexity::Intermediate),
        assumptions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let check = |body: &str, fields: &[&str]| {
            let found = match parse_draft(body.as_bytes()) {
                Ok(_) => Vec::new(),
                Err(fault) if fault.code == FaultCode::BadJson => vec!["body".to_owned()],
                Err(fault) => fault.fields.into_iter().map(|f| f.field).collect(),
            };
            assert_eq!(found, fields, "{body}");
        };
        check(r#"{"content": "ten letters, or more"}"#, &[]);
        check(
            r#"{"content": "ten letters, or more", "category": null, "assumptions": {"a": 1}}"#,
            &[],
        );
        check(r#"{"content": "short"}"#, &["content"]);
        check(
            r#"{"content": 1, "category": "x", "complexity": 3, "assumptions": []}"#,
            &["content", "category", "complexity", "assumptions"],
        );
        check(
            r#"{"content": "ten letters, or more", "assumptions": {"a": {}}}"#,
            &["assumptions.a"],
        );
        for body in ["", "[]", "{\"content\": \"a\", \"content\": \"b\"}", "{"] {
            check(body, &["body"]);
        }
    }
}
