//! The gallery of example messages: built in, or the operator's file.

pub mod script;

use serde::{Deserialize, Serialize};

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    example: Vec<Example>,
}

/// The most examples of a gallery.
pub const MAX: usize = 100;

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
        let examples = document.example;
        let mut faults = Vec::new();
        if examples.is_empty() || examples.len() > MAX {
            faults.push(format!(
                "a gallery has 1 to {MAX} examples; this one has {}",
                examples.len()
            ));
        }
        for (index, example) in examples.iter().enumerate() {
            let mut wrong = |field: &str, rule: &str| {
                faults.push(format!(
                    "example {} (`{}`): {field} {rule}",
                    index + 1,
                    example.id
                ))
            };
            if example.id.len() > 100 || MessageId::parse(&example.id).is_err() {
                wrong("id", "must have 1 to 100 of A-Z a-z 0-9 . _ : -");
            }
            let fields = [
                ("title", &example.title, 1..=200),
                ("content", &example.content, 10..=2000),
                ("estimatedTime", &example.estimated_time, 1..=40),
            ];
            for (field, text, length) in fields {
                let count = text.trim().chars().count();
                if !length.contains(&count) {
                    wrong(
                        field,
                        &format!(
                            "must have {} to {} characters; it has {count}",
                            length.start(),
                            length.end()
                        ),
                    );
                }
            }
            if examples[..index].iter().any(|other| other.id == example.id) {
                wrong("id", "stands twice");
            }
        }
        if faults.is_empty() {
            Ok(Self(examples))
        } else {
            Err(faults)
        }
    }

    /// The examples in order.
    pub fn examples(&self) -> &[Example] {
        &self.0
    }
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
