//! `emflow understand`: what the agents read out of a text.

use std::io::{self, BufRead, Read, Write};

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
    let mut number = 0;
    while let Some(line) = next_line(input)? {
        number += 1;
        let Some(line) = line else {
            writeln!(err, "error: line {number}: longer than {LINE_MAX} bytes")?;
            end = Exit::Usage;
            continue;
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        let told = serde_json::from_slice::<serde_json::Value>(&line).ok();
        let id = told.as_ref().and_then(|v| v.get("id")?.as_str());
        let text = told.as_ref().and_then(|v| v.get("text")?.as_str());
        let (Some(id), Some(text)) = (id, text) else {
            writeln!(err, "error: line {number}: not an object with id and text")?;
            end = Exit::Usage;
            continue;
        };
        if one(&catalog, &as_of, id, text, out, err)? != Exit::Done {
            end = Exit::Failed;
        }
    }
    Ok(end)
}

/// The next line, none at the end; none inside where it is too long, which costs no memory: the rest
/// of it is passed over.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Option<Vec<u8>>>> {
    let mut line = Vec::new();
    let read = input
        .take(LINE_MAX as u64 + 1)
        .read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    if read <= LINE_MAX || line.ends_with(b"\n") {
        return Ok(Some(Some(line)));
    }
    input.skip_until(b'\n')?;
    Ok(Some(None))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_is_passed_over_and_the_next_one_is_read() {
        let long = "x".repeat(3 * LINE_MAX);
        let full = "y".repeat(LINE_MAX);
        let text = format!("a\n{long}\n\n{full}\nb");
        let mut input = text.as_bytes();
        let mut read = Vec::new();
        while let Some(line) = next_line(&mut input).unwrap() {
            read.push(line.map(|line| line.trim_ascii().len()));
        }
        assert_eq!(read, [Some(1), None, Some(0), Some(LINE_MAX), Some(1)]);
    }
}
