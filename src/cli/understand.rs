//! `emflow understand`: what the agents read out of a text.

use std::io::{self, BufRead, Write};

use super::{Exit, UnderstandArgs};
use crate::agents::catalog::Catalog;
use crate::agents::reading;
use crate::agents::understand::prediction_json;

/// The longest line read from the input, in bytes: far above 2000 characters as JSON.
const LINE_MAX: usize = 256 * 1024;

/// Prints what is understood of the text, or of each line `{"id", "text"}` of `input`, as one
/// JSON object a line. `today` is the day from which "by June" counts.
///
/// # Errors
/// A closed pipe, or an input that cannot be read.
pub fn run(
    args: &UnderstandArgs,
    today: time::Date,
    input: &mut impl BufRead,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let Some((catalog, configured)) = args.catalog.load(err)? else {
        return Ok(Exit::Usage);
    };
    let as_of = configured.unwrap_or(today).to_string();
    if let Some(text) = &args.text {
        return one(&catalog, &as_of, "text", text, out, err);
    }
    let mut end = Exit::Done;
    for (number, line) in input.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let told = (line.len() <= LINE_MAX)
            .then(|| serde_json::from_str::<serde_json::Value>(&line).ok())
            .flatten();
        let id = told.as_ref().and_then(|v| v.get("id")?.as_str());
        let text = told.as_ref().and_then(|v| v.get("text")?.as_str());
        let (Some(id), Some(text)) = (id, text) else {
            writeln!(
                err,
                "error: line {}: not an object with id and text",
                number + 1
            )?;
            end = Exit::Usage;
            continue;
        };
        if one(&catalog, &as_of, id, text, out, err)? != Exit::Done {
            end = Exit::Failed;
        }
    }
    Ok(end)
}

fn one(
    catalog: &Catalog,
    as_of: &str,
    id: &str,
    text: &str,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    match reading(text, catalog, as_of) {
        Ok(said) => {
            writeln!(out, "{}", prediction_json(id, &said))?;
            Ok(Exit::Done)
        }
        Err(refusal) => {
            writeln!(err, "error: {refusal}")?;
            Ok(Exit::Failed)
        }
    }
}
