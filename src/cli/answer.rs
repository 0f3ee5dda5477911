//! `emflow answer`: an agent's answer in the terminal, without a server.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{AnswerArgs, Exit};
use crate::agents::answer::{Answer, Finding, Recommendation, Table};
use crate::agents::{Task, answer, category_of, reading};
use crate::id::Complexity;

/// Width of a line of prose.
const WIDTH: usize = 88;

/// Answers the text and prints the result, as JSON where asked for. `today` is the day whose
/// prices count unless the arguments name another.
///
/// # Errors
/// A closed pipe.
pub fn run(
    args: &AnswerArgs,
    today: time::Date,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let Some((catalog, configured)) = args.catalog.load(err)? else {
        return Ok(Exit::Usage);
    };
    let as_of = args.as_of.or(configured).unwrap_or(today).to_string();
    let content = args.text.trim().to_owned();
    let count = content.chars().count();
    if !(10..=2000).contains(&count) {
        writeln!(
            err,
            "error: the text must have 10 to 2000 characters; it has {count}"
        )?;
        return Ok(Exit::Usage);
    }
    let category = match (args.category, reading(&content, &catalog, &as_of)) {
        (Some(category), _) => category,
        (None, Ok(said)) => category_of(&said),
        (None, Err(refusal)) => {
            writeln!(err, "error: {refusal}")?;
            return Ok(Exit::Failed);
        }
    };
    let task = Task {
        content,
        category,
        complexity: args.complexity.unwrap_or(Complexity::Intermediate),
        assumptions: BTreeMap::new(),
        as_of,
    };
    match answer(&task, &catalog, &mut |_| {}) {
        Ok(answer) if args.json => {
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            writeln!(out)?;
            Ok(Exit::Done)
        }
        Ok(answer) => print(&answer, out).map(|()| Exit::Done),
        Err(refusal) => {
            writeln!(err, "{}", wrapped(&refusal.message, ""))?;
            Ok(Exit::Failed)
        }
    }
}

/// The answer for people.
///
/// # Errors
/// A closed pipe.
pub fn print(answer: &Answer, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{} ({})\n", answer.agent_name, answer.catalog.text)?;
    for figure in &answer.headline {
        writeln!(out, "  {:<28} {}", figure.label, figure.text)?;
    }
    writeln!(out, "\n{}", wrapped(&answer.summary, ""))?;
    let told: Vec<&Finding> = answer
        .findings
        .iter()
        .chain(&answer.business_insights)
        .collect();
    if !told.is_empty() {
        heading(out, "Findings")?;
    }
    for finding in told {
        writeln!(out, "[{}] {}", finding.severity, finding.title)?;
        writeln!(out, "{}", wrapped(&finding.text, "    "))?;
    }
    if !answer.recommendations.is_empty() {
        heading(out, "Recommendations")?;
    }
    for recommendation in &answer.recommendations {
        recommended(recommendation, out)?;
    }
    for table in &answer.tables {
        tabular(table, out)?;
    }
    footing(answer, out)
}

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{text}\n{}", "-".repeat(text.chars().count()))
}

fn recommended(r: &Recommendation, out: &mut impl Write) -> io::Result<()> {
    let gain = r
        .gain
        .as_ref()
        .map_or(String::new(), |g| format!(": {}", g.text));
    writeln!(out, "{}. {}{gain}", r.priority, r.title)?;
    writeln!(
        out,
        "   effort {}, impact {}, confidence {}",
        r.effort, r.impact, r.confidence
    )?;
    writeln!(out, "{}", wrapped(&r.rationale, "   "))?;
    writeln!(out, "   {}", r.formula)?;
    writeln!(out, "   {}", r.arithmetic)
}

/// A table with columns as wide as they must be; numbers to the right.
fn tabular(table: &Table, out: &mut impl Write) -> io::Result<()> {
    heading(out, &table.title)?;
    let width = |i: usize| {
        let cells = table
            .rows
            .iter()
            .filter_map(|r| r.get(i))
            .map(|c| c.text.chars().count());
        cells
            .chain([table.columns[i].name.chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let line = |texts: Vec<(&str, bool)>| {
        let mut line = String::new();
        for ((text, right), width) in texts.into_iter().zip(&widths) {
            let pad = " ".repeat(width - text.chars().count().min(*width));
            let cell = if right {
                format!("{pad}{text}")
            } else {
                format!("{text}{pad}")
            };
            line.push_str(&cell);
            line.push_str("  ");
        }
        line.trim_end().to_owned()
    };
    let numeric = |i: usize| {
        table
            .rows
            .iter()
            .any(|r| r.get(i).is_some_and(|c| c.value.is_some()))
    };
    let names = table
        .columns
        .iter()
        .enumerate()
        .map(|(i, c)| (c.name.as_str(), numeric(i)));
    if table.columns.iter().any(|c| !c.name.is_empty()) {
        writeln!(out, "{}", line(names.collect()))?;
    }
    for row in &table.rows {
        let cells = row
            .iter()
            .enumerate()
            .map(|(i, c)| (c.text.as_str(), numeric(i)));
        writeln!(out, "{}", line(cells.collect()))?;
    }
    Ok(())
}

fn footing(answer: &Answer, out: &mut impl Write) -> io::Result<()> {
    let assumed = |q: &&crate::agents::answer::NamedQuantity| {
        q.source == crate::agents::answer::Source::Assumption
    };
    let assumptions: Vec<_> = answer.quantities.iter().filter(assumed).collect();
    if !assumptions.is_empty() {
        heading(out, "Assumptions")?;
    }
    for q in assumptions {
        let value = crate::agents::ledger::show::exact(q.value);
        let note = q.note.as_deref().unwrap_or("");
        writeln!(out, "{} = {value} {}", q.name, q.unit)?;
        writeln!(out, "{}", wrapped(&format!("{}. {note}", q.label), "    "))?;
    }
    if !answer.questions.is_empty() {
        heading(out, "Questions")?;
    }
    for question in &answer.questions {
        writeln!(
            out,
            "{}",
            wrapped(&format!("- {} {}", question.text, question.effect), "")
        )?;
    }
    heading(out, "Sources")?;
    for line in &answer.catalog.attributions {
        writeln!(out, "{}", wrapped(line, ""))?;
    }
    writeln!(
        out,
        "Prices as of {}. `--json` prints the arithmetic of every number.",
        answer.catalog.prices_as_of
    )
}

/// Prose in lines of [`WIDTH`], each with an indent.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let full = lines.last().is_some_and(|l| {
            !l.is_empty() && indent.len() + l.chars().count() + 1 + word.chars().count() > WIDTH
        });
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    let lines: Vec<String> = lines.into_iter().map(|l| format!("{indent}{l}")).collect();
    lines.join("\n")
}
