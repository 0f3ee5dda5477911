//! A document as Markdown.

use std::fmt::Write;

use super::{Block, Document};

pub(super) fn write(document: &Document) -> String {
    let [title, from] = [&document.title, &document.look.title].map(|text| escaped(text));
    let mut out = format!("# {title}\n\n{from}\n");
    for block in &document.blocks {
        // Writing into a string does not fail.
        let _ = match block {
            Block::Heading(level, text) => {
                let marks = "#".repeat(usize::from(*level));
                writeln!(out, "\n{marks} {}", escaped(text))
            }
            Block::Text(text) => writeln!(out, "\n{}", escaped(text)),
            Block::Headline(figures) => figures.iter().fold(writeln!(out), |done, figure| {
                let [label, value, id] = figure.each_ref().map(|text| escaped(text));
                done.and_then(|()| writeln!(out, "- {label}: **{value}** ({id})"))
            }),
            Block::Quote(text) => writeln!(out, "\n> {}", escaped(text)),
            Block::List(items) => items.iter().fold(writeln!(out), |done, item| {
                done.and_then(|()| writeln!(out, "- {}", escaped(item)))
            }),
            // The rules of an address leave it nothing that would end it here.
            Block::Action(action) => {
                writeln!(out, "\n[{}](<{}>)", escaped(&action.text), action.url)
            }
            // Its words and its table say it.
            Block::Chart(_) => Ok(()),
            Block::Table(columns, rows) => {
                let line = |cells: &[String]| {
                    let cells: Vec<String> = cells.iter().map(|c| escaped(c)).collect();
                    format!("| {} |", cells.join(" | "))
                };
                let rule = vec!["--".to_owned(); columns.len()];
                let rule = format!("| {} |", rule.join(" | "));
                let body: Vec<String> = rows.iter().map(|row| line(row)).collect();
                writeln!(out, "\n{}\n{rule}\n{}", line(columns), body.join("\n"))
            }
        };
    }
    out
}

/// On one line, with everything that Markdown or HTML in it could mean made plain.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '!' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    // A bare address becomes a link where nobody asked for one.
    let out = out.replace("://", "&#58;//").replace("www.", "www&#46;");
    // What would begin a list or a rule at the start of a line.
    match out.trim_start().chars().next() {
        Some('-' | '+' | '=') => format!("\\{}", out.trim_start()),
        _ => out.trim_start().to_owned(),
    }
}
