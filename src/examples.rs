//! The gallery of example messages: built in, the operator's file, or as the administrator has edited it.

pub mod shelf;

use std::fmt;

pub mod script;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{BusinessValue, Category, Complexity, MessageId};

/// One example; field names are the wire's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Example {
    /// Unique; 1 to 100 of the characters of a message id (a client appends to it).
    pub id: String,
    /// 1 to 200 characters.
    pub title: String,
    /// 10 to 2000 characters after trimming.
    pub content: String,
    /// Which agent.
    pub category: Category,
    /// How deep.
    pub complexity: Complexity,
    /// What it is worth.
    pub business_value: BusinessValue,
    /// Free text, 1 to 40 characters.
    pub estimated_time: String,
}

/// All of them, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Gallery(Vec<Example>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    example: Vec<Example>,
}

/// The most examples of a gallery.
pub const MAX: usize = 100;

/// The fields of an example that are texts, with the characters they may have.
const TEXTS: [(&str, std::ops::RangeInclusive<usize>); 3] = [
    ("title", 1..=200),
    ("content", 10..=2000),
    ("estimatedTime", 1..=40),
];
const WORDS: [&str; 3] = ["category", "complexity", "businessValue"];

/// One mistake in a gallery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which example, from 0, and its id where it has one; none where it is the list itself.
    pub at: Option<(usize, String)>,
    /// Which field; empty where it is the whole example or list.
    pub field: String,
    /// What must hold.
    pub rule: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some((at, id)) => write!(
                f,
                "example {} (`{id}`): {} {}",
                at + 1,
                self.field,
                self.rule
            ),
            None => f.write_str(&self.rule),
        }
    }
}

impl Gallery {
    /// The one inside the binary.
    pub fn builtin() -> Self {
        Self::parse(include_str!("examples.toml"))
            .expect("the built-in gallery is well formed: a test reads it")
    }

    /// Reads a gallery from TOML: a list of `[[example]]`.
    ///
    /// # Errors
    /// Every fault: the line where the file is no such TOML, else the example, the field and the rule.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let document: Document = toml::from_str(text).map_err(|e| vec![e.to_string()])?;
        Self::of(document.example).map_err(|faults| faults.iter().map(Fault::to_string).collect())
    }

    /// Reads a gallery from what an editor sends: the examples as JSON.
    ///
    /// # Errors
    /// Every fault, those of form and those of content.
    pub fn read(items: &[Value]) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let read = |(at, item): (usize, &Value)| {
            let wrong = malformed(at, item);
            if wrong.is_empty() {
                return serde_json::from_value(item.clone()).map_err(|error| {
                    faults.push(Fault {
                        at: Some((at, id_of(item))),
                        field: String::new(),
                        rule: error.to_string(),
                    });
                });
            }
            faults.extend(wrong);
            Err(())
        };
        // More than that are not even looked at: the list is refused below.
        let examples: Vec<Example> = items
            .iter()
            .take(MAX + 1)
            .enumerate()
            .flat_map(read)
            .collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        Self::of(examples)
    }

    /// # Errors
    /// Every rule that does not hold.
    pub fn of(examples: Vec<Example>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        if examples.is_empty() || examples.len() > MAX {
            let rule = format!(
                "a gallery has 1 to {MAX} examples; this one has {}",
                examples.len()
            );
            faults.push(Fault {
                at: None,
                field: String::new(),
                rule,
            });
        }
        for (index, example) in examples.iter().enumerate() {
            let mut wrong = |field: &str, rule: String| {
                faults.push(Fault {
                    at: Some((index, example.id.clone())),
                    field: field.to_owned(),
                    rule,
                });
            };
            if example.id.len() > 100 || MessageId::parse(&example.id).is_err() {
                wrong("id", "must have 1 to 100 of A-Z a-z 0-9 . _ : -".to_owned());
            }
            let texts = [&example.title, &example.content, &example.estimated_time];
            for ((field, length), text) in TEXTS.iter().zip(texts) {
                let count = text.trim().chars().count();
                if !length.contains(&count) {
                    let (least, most) = (length.start(), length.end());
                    wrong(
                        field,
                        format!("must have {least} to {most} characters; it has {count}"),
                    );
                }
            }
            if examples[..index].iter().any(|other| other.id == example.id) {
                wrong("id", "stands twice".to_owned());
            }
        }
        if faults.is_empty() {
            Ok(Self(examples))
        } else {
            Err(faults)
        }
    }

    /// As a file that [`Gallery::parse`] reads.
    pub fn toml(&self) -> String {
        let document = Document {
            example: self.0.clone(),
        };
        toml::to_string(&document).unwrap_or_default()
    }

    /// The examples in order.
    pub fn examples(&self) -> &[Example] {
        &self.0
    }
}

fn id_of(item: &Value) -> String {
    item["id"]
        .as_str()
        .unwrap_or("")
        .chars()
        .take(100)
        .collect()
}

/// What keeps an example from being read at all, by field.
fn malformed(at: usize, item: &Value) -> Vec<Fault> {
    let fault = |field: &str, rule: String| Fault {
        at: Some((at, id_of(item))),
        field: field.to_owned(),
        rule,
    };
    let Some(members) = item.as_object() else {
        return vec![fault("", "must be an object".to_owned())];
    };
    let texts = TEXTS.iter().map(|(field, _)| *field);
    let known: Vec<&str> = texts.chain(WORDS).chain(["id"]).collect();
    let mut faults = Vec::new();
    for field in &known {
        match members.get(*field).map(Value::as_str) {
            None => faults.push(fault(field, "is missing".to_owned())),
            Some(None) => faults.push(fault(field, "must be a text".to_owned())),
            Some(Some(_)) => {}
        }
    }
    let mut word = |field: &str, known: bool, list: Vec<&str>| {
        if members.get(field).is_some_and(Value::is_string) && !known {
            let rule = format!("must be one of {}", list.join(", "));
            faults.push(fault(field, rule));
        }
    };
    let said = |field: &str| members.get(field).and_then(Value::as_str).unwrap_or("");
    let [category, complexity, value] = WORDS.map(said);
    word(
        WORDS[0],
        Category::parse(category).is_some(),
        Category::ALL.iter().map(|c| c.as_str()).collect(),
    );
    word(
        WORDS[1],
        Complexity::parse(complexity).is_some(),
        Complexity::ALL.iter().map(|c| c.as_str()).collect(),
    );
    word(
        WORDS[2],
        BusinessValue::parse(value).is_some(),
        BusinessValue::ALL.iter().map(|c| c.as_str()).collect(),
    );
    let others = members
        .keys()
        .filter(|name| !known.contains(&name.as_str()));
    faults.extend(others.map(|name| fault(name, "is not a field of an example".to_owned())));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_gallery_covers_every_category() {
        let gallery = Gallery::builtin();
        for category in Category::ALL {
            let count = gallery
                .examples()
                .iter()
                .filter(|e| e.category == *category)
                .count();
            assert!(count >= 2, "{category} has {count}");
        }
    }

    #[test]
    fn every_fault_is_named() {
        let check = |text: &str, expected: &[&str]| {
            let faults = Gallery::parse(text).unwrap_err().join("\n");
            expected
                .iter()
                .for_each(|e| assert!(faults.contains(e), "{e} in {faults}"));
        };
        let good = "id = \"a\"\ntitle = \"t\"\ncontent = \"long enough\"\ncategory = \"scaling\"\ncomplexity = \"basic\"\nbusinessValue = \"conversion\"\nestimatedTime = \"5 s\"\n";
        assert!(Gallery::parse(&format!("[[example]]\n{good}")).is_ok());
        check("example = []", &["1 to 100 examples"]);
        check(
            &format!("[[example]]\n{good}[[example]]\n{good}"),
            &["example 2 (`a`): id stands twice"],
        );
        check(
            &format!(
                "[[example]]\n{}",
                good.replace("long enough", "short")
                    .replace("\"t\"", "\"\"")
            ),
            &["title must", "content must"],
        );
        check(
            &format!("[[example]]\n{}", good.replace("scaling", "scalling")),
            &["line 5", "scalling"],
        );
        check(&format!("[[example]]\n{good}colour = 1"), &["colour"]);
    }
}
