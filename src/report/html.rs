//! A document as one HTML file: no script, no link, nothing fetched.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Block, Document};
use crate::appearance::Appearance;

/// Inline, because the file is opened from a disk and must need nothing else.
const STYLE: &str = include_str!("style.css");

pub(super) fn write(document: &Document) -> String {
    let title = escaped(&document.title);
    let (colours, letterhead) = (document.look.report_colours(), letterhead(&document.look));
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <title>{title}</title>\n<style>{STYLE}{colours}</style>\n</head>\n<body>\n<main>\n{letterhead}<h1>{title}</h1>\n"
    );
    for block in &document.blocks {
        // Writing into a string does not fail.
        let _ = match block {
            Block::Heading(level, text) => writeln!(out, "<h{level}>{}</h{level}>", escaped(text)),
            Block::Text(text) => writeln!(out, "<p>{}</p>", escaped(text)),
            Block::Headline(figures) => {
                let one = |[label, value, id]: &[String; 3]| {
                    let [label, value, id] = [label, value, id].map(|text| escaped(text));
                    format!("<div><dt>{label}</dt><dd>{value} <small>{id}</small></dd></div>")
                };
                let all: String = figures.iter().map(one).collect();
                writeln!(out, "<dl>{all}</dl>")
            }
            Block::Quote(text) => writeln!(out, "<blockquote>{}</blockquote>", escaped(text)),
            Block::List(items) => {
                let items = items.iter().map(|i| format!("<li>{}</li>", escaped(i)));
                writeln!(out, "<ul>{}</ul>", items.collect::<String>())
            }
            Block::Chart(chart) => match super::chart::draw(chart) {
                Some(drawing) => writeln!(out, "<figure>{drawing}</figure>"),
                None => Ok(()),
            },
            Block::Action(action) => writeln!(
                out,
                "<p class=\"act\"><a href=\"{0}\" rel=\"noopener noreferrer\">{1}</a> <span>{0}</span></p>",
                escaped(&action.url),
                escaped(&action.text)
            ),
            Block::Table(columns, rows) => {
                let row = |cells: &[String], tag: &str| {
                    let cells = cells
                        .iter()
                        .map(|c| format!("<{tag}>{}</{tag}>", breakable(c)));
                    format!("<tr>{}</tr>", cells.collect::<String>())
                };
                let head = if columns.iter().all(String::is_empty) {
                    String::new()
                } else {
                    format!("<thead>{}</thead>", row(columns, "th"))
                };
                let body: String = rows.iter().map(|r| row(r, "td")).collect();
                writeln!(
                    out,
                    "<div class=\"t\" tabindex=\"0\" role=\"group\"><table>{head}<tbody>{body}</tbody></table></div>"
                )
            }
        };
    }
    out + "</main>\n</body>\n</html>\n"
}

/// Whose report it is, above its title.
fn letterhead(look: &Appearance) -> String {
    let logo = look.logo.as_ref().map(|logo| {
        let data = STANDARD.encode(&logo.bytes);
        format!(
            "<img src=\"data:{};base64,{data}\" alt=\"\">",
            logo.media.as_str()
        )
    });
    let (logo, title) = (logo.unwrap_or_default(), escaped(&look.title));
    format!("<p class=\"from\">{logo}{title}</p>\n")
}

/// A cell's text; a word that no column holds may break after what parts it, and where nothing
/// does, such as a hash, every so many characters.
fn breakable(text: &str) -> String {
    const LONG: usize = 24;
    let parts = |c: char| "_/-.@:".contains(c);
    let word = |word: &str| -> String {
        if word.chars().count() <= LONG {
            return escaped(word);
        }
        let most = if word.contains(parts) { LONG } else { LONG / 2 };
        let mut out = String::new();
        let mut since = 0;
        for c in word.chars() {
            out.push_str(&escaped(c.encode_utf8(&mut [0; 4])));
            since += 1;
            if since >= most || (parts(c) && since >= 4) {
                out.push_str("<wbr>");
                since = 0;
            }
        }
        out
    };
    text.split_inclusive(char::is_whitespace)
        .map(word)
        .collect()
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            // Bidirectional overrides turn a text on a screen into another one.
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
