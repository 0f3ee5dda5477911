//! What an agent would compute with, before the question is asked.
//!
//! The whole answer is computed and its text thrown away: only so are the names the ones that an
//! edit of the answer takes, and only so is an assumption shown that this agent would really
//! make. Reading alone knows neither. It costs milliseconds.

use serde::Serialize;

use super::answer::{NamedQuantity, Question, Source};
use super::catalog::Catalog;
use super::understand::{Kind, ModelMention, Quantity, questions};
use super::{Refusal, Task, answer, category_of, reading};
use crate::id::Category;

/// A message as it is understood so far. Field names are the wire's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// The agent that was tried.
    pub category: Category,
    /// The agent that the words ask for.
    pub suggested_category: Category,
    /// Read from the message or edited, as the agent uses them.
    pub quantities: Vec<NamedQuantity>,
    /// What the agent would assume, and what the visitor put in the place of something read.
    pub assumptions: Vec<NamedQuantity>,
    /// Read, but of no use to this agent; or out of range.
    pub unused: Vec<Unused>,
    /// Models, known by the catalog.
    pub models: Vec<ModelMention>,
    /// Names that look like a model's and are in no catalog.
    pub unknown_models: Vec<String>,
    /// At most three, the most telling first.
    pub questions: Vec<Question>,
    /// Stable words: contradictions, what is missing, what could be read in two ways.
    pub flags: Vec<String>,
    /// ISO 639-1.
    pub language: &'static str,
    /// Why this agent could not answer yet.
    pub refusal: Option<Refusal>,
}

/// A number that was read and is not computed with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unused {
    /// What it seems to measure.
    pub kind: Kind,
    /// Start and end in Unicode scalar values of the message.
    pub span: (usize, usize),
    /// The exact words.
    pub quote: String,
    /// False where nothing could be computed with such a value.
    pub in_range: bool,
}

/// Previews `task`. `chosen` is false where nobody has picked its category: then the words do.
///
/// # Errors
/// Where the day of the task is none.
pub fn preview(mut task: Task, chosen: bool, catalog: &Catalog) -> Result<Preview, Refusal> {
    let said = reading(&task.content, catalog, &task.as_of)?;
    let suggested = category_of(&said);
    if !chosen {
        task.category = suggested;
    }
    let mut preview = Preview {
        category: task.category,
        suggested_category: suggested,
        quantities: Vec::new(),
        assumptions: Vec::new(),
        unused: Vec::new(),
        questions: Vec::new(),
        models: said.models.clone(),
        unknown_models: said.unknown_models.clone(),
        flags: said.flags.clone(),
        language: said.language,
        refusal: None,
    };
    match answer(&task, catalog, &mut |_| {}) {
        Ok(answer) => {
            preview.questions = answer.questions;
            for quantity in answer.quantities {
                match quantity.source {
                    Source::Message => preview.quantities.push(quantity),
                    Source::Assumption => preview.assumptions.push(quantity),
                    Source::Catalog | Source::Computed => {}
                }
            }
        }
        Err(refusal) => {
            preview.refusal = Some(refusal);
            preview.questions = questions(&said)
                .into_iter()
                .map(|ask| Question {
                    name: ask.name.into(),
                    text: ask.text.into(),
                    effect: String::new(),
                    refs: Vec::new(),
                })
                .collect();
        }
    }
    let used = |q: &Quantity| {
        preview
            .quantities
            .iter()
            .any(|known| known.span == Some((q.span.start, q.span.end)))
    };
    preview.unused = said
        .quantities
        .iter()
        .filter(|q| !used(q))
        .map(|q| Unused {
            kind: q.kind,
            span: (q.span.start, q.span.end),
            quote: q.quote.clone(),
            in_range: q.in_range,
        })
        .collect();
    Ok(preview)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::id::Complexity;

    const TEXT: &str =
        "We run 1M requests a month on gpt-4o with 1000 input tokens each. Cut our cost.";

    fn check(
        content: &str,
        category: Option<Category>,
        edits: &[(&str, serde_json::Value)],
    ) -> Preview {
        let task = Task {
            content: content.into(),
            category: category.unwrap_or(Category::Cost),
            complexity: Complexity::Intermediate,
            assumptions: edits
                .iter()
                .map(|(k, v)| ((*k).to_owned(), v.clone()))
                .collect::<BTreeMap<_, _>>(),
            as_of: "2026-12-01".into(),
        };
        preview(task, category.is_some(), &Catalog::builtin()).unwrap()
    }

    fn named<'a>(list: &'a [NamedQuantity], name: &str) -> &'a NamedQuantity {
        let found = list.iter().find(|q| q.name == name);
        found.unwrap_or_else(|| panic!("no {name} in {list:#?}"))
    }

    #[test]
    fn what_is_said_stands_where_it_is_said_and_what_is_not_is_assumed_and_asked() {
        // req: A6
        let seen = check(TEXT, Some(Category::Cost), &[]);
        let volume = named(&seen.quantities, "requests_per_month");
        let (from, to) = volume.span.unwrap();
        let letters: Vec<char> = TEXT.chars().collect();
        assert_eq!(
            letters[from..to].iter().collect::<String>(),
            *volume.quote.as_ref().unwrap()
        );
        assert_eq!(volume.value, 1e6);
        let out = named(&seen.assumptions, "tokens_out");
        assert!(out.editable && out.note.is_some(), "{out:?}");
        assert!(seen.questions.len() <= 3);
        assert!(seen.questions.iter().any(|q| q.name == "tokens_out"));
        assert_eq!(seen.refusal, None);
    }

    #[test]
    fn an_edit_takes_the_place_of_what_was_read() {
        let edits = [
            ("requests_per_month", json!(2e6)),
            ("tokens_out", json!(77)),
        ];
        let seen = check(TEXT, Some(Category::Cost), &edits);
        for (name, value) in [("requests_per_month", 2e6), ("tokens_out", 77.0)] {
            assert_eq!(named(&seen.assumptions, name).value, value);
        }
    }

    #[test]
    fn the_words_choose_the_agent_where_nobody_did() {
        let text = "Peak 12 requests per second, each takes 1.8 s; limit 2M TPM.";
        assert_eq!(check(text, None, &[]).category, Category::Scaling);
        let cost = check(text, Some(Category::Cost), &[]);
        assert_eq!(cost.category, Category::Cost);
        assert_eq!(cost.suggested_category, Category::Scaling);
        assert!(
            cost.unused.iter().any(|u| u.quote.contains("2M")),
            "{:?}",
            cost.unused
        );
    }

    #[test]
    fn a_message_without_numbers_says_what_to_write() {
        let seen = check("How are you today, my friend?", Some(Category::Cost), &[]);
        assert_eq!(seen.refusal.unwrap().code, "nothing_to_compute");
        assert!(!seen.questions.is_empty());
    }
}
