//! What a presenter shows, in which order, and what they say to it.

use serde::{Deserialize, Serialize};

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The id of an example of the gallery.
    pub example: String,
    /// For the presenter alone; up to [`NOTES_MAX`] characters.
    #[serde(default)]
    pub notes: String,
}

/// All steps in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Script(Vec<Step>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    step: Vec<Step>,
}

/// The most steps of a script.
pub const MAX: usize = 100;
/// The longest notes, in characters.
pub const NOTES_MAX: usize = 2000;

impl Script {
    /// Reads a script from TOML: a list of `[[step]]`. `known` says whether there is such an example.
    ///
    /// # Errors
    /// Every fault: the line where the file is no such TOML, else the step, the field and the rule.
    pub fn parse(text: &str, known: impl Fn(&str) -> bool) -> Result<Self, Vec<String>> {
        let document: Document = toml::from_str(text).map_err(|e| vec![e.to_string()])?;
        let steps = document.step;
        let mut faults = Vec::new();
        if steps.is_empty() || steps.len() > MAX {
            faults.push(format!(
                "a script has 1 to {MAX} steps; this one has {}",
                steps.len()
            ));
        }
        for (index, step) in steps.iter().enumerate() {
            let number = index + 1;
            if !known(&step.example) {
                faults.push(format!(
                    "step {number}: example must be the id of an example of the gallery, not `{}`",
                    step.example
                ));
            }
            let length = step.notes.chars().count();
            if length > NOTES_MAX {
                faults.push(format!(
                    "step {number}: notes must have at most {NOTES_MAX} characters; it has {length}"
                ));
            }
        }
        if faults.is_empty() {
            Ok(Self(steps))
        } else {
            Err(faults)
        }
    }

    /// The steps; none where there is no script.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Script, Vec<String>> {
        Script::parse(text, |id| id == "a" || id == "b")
    }

    #[test]
    fn steps_stand_in_their_order_with_their_notes() {
        let script =
            parse("[[step]]\nexample = \"b\"\nnotes = \"say hello\"\n[[step]]\nexample = \"a\"\n");
        let steps: Vec<_> = script
            .unwrap()
            .steps()
            .iter()
            .map(|s| (s.example.clone(), s.notes.clone()))
            .collect();
        assert_eq!(
            steps,
            [
                ("b".into(), "say hello".into()),
                ("a".into(), String::new())
            ]
        );
    }

    #[test]
    fn every_fault_is_named() {
        let check = |text: &str, words: &[&str]| {
            let faults = parse(text).unwrap_err();
            assert_eq!(faults.len(), words.len(), "{faults:?}");
            for (fault, word) in faults.iter().zip(words) {
                assert!(fault.contains(word), "{fault}");
            }
        };
        check("step = []", &["1 to 100 steps"]);
        let long = "x".repeat(NOTES_MAX + 1);
        let two =
            format!("[[step]]\nexample = \"c\"\n[[step]]\nexample = \"a\"\nnotes = \"{long}\"\n");
        check(&two, &["step 1: example", "step 2: notes"]);
        check("[[step]]\nexample = \"a\"\nnote = \"\"", &["unknown field"]);
        check("[[step]]", &["example"]);
    }
}
