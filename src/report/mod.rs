//! A session's result as something to take away: one document, written as Markdown or HTML.
//!
//! Every text in it may have come from a visitor or from an agent of somebody else's, so the
//! document holds plain text only, and each writer escapes all of it.

mod chart;
pub mod delivery;
mod html;
mod markdown;
pub mod seal;

use crate::agents::answer::{Answer, Chart, Figure, Finding, Recommendation};
use crate::appearance::{Action, Appearance};
use crate::clock::Wall;
use crate::protocol::frame::Kind;
use crate::store::SessionRecord;
use delivery::Delivery;

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
enum Block {
    /// A heading of level 2 or 3.
    Heading(u8, String),
    Text(String),
    /// The numbers that matter first: label, value, id of the arithmetic.
    Headline(Vec<[String; 3]>),
    /// The visitor's words.
    Quote(String),
    List(Vec<String>),
    Table(Vec<String>, Vec<Vec<String>>),
    /// Drawn where there is room for a drawing; its numbers stand in a table.
    Chart(Box<Chart>),
    /// Where a reader goes who wants more: the operator's words and address.
    Action(Action),
}

/// What a report is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    title: String,
    /// Whose report it is: name, logo and colours.
    look: Appearance,
    blocks: Vec<Block>,
}

/// How a session ended.
pub enum Outcome<'a> {
    /// With a result.
    Answer(&'a Answer),
    /// Without one: the last frame's type and its words.
    Other(Kind, &'a str),
}

impl Document {
    /// The report of an ended session, as the operator's pages look.
    pub fn new(
        record: &SessionRecord,
        outcome: &Outcome<'_>,
        delivery: &Delivery,
        look: Appearance,
    ) -> Self {
        let mut document = Self {
            title: record.title.clone(),
            look,
            blocks: Vec::new(),
        };
        document.about(record);
        match outcome {
            Outcome::Answer(answer) => document.answer(answer),
            Outcome::Other(kind, words) => {
                document.heading(2, "There is no result");
                document.text(&format!(
                    "The session ended with {}: {words}",
                    kind.as_str()
                ));
            }
        }
        let action = document.look.action.clone();
        document.blocks.extend(action.map(Block::Action));
        document.delivery(delivery);
        document
    }

    /// As Markdown (CommonMark with tables).
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }

    /// As one HTML file that needs nothing else.
    pub fn html(&self) -> String {
        html::write(self)
    }

    fn heading(&mut self, level: u8, text: &str) {
        self.blocks.push(Block::Heading(level, text.to_owned()));
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.blocks.push(Block::Text(text.to_owned()));
        }
    }

    fn list(&mut self, items: Vec<String>) {
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
    }

    fn table(&mut self, columns: &[&str], rows: Vec<Vec<String>>) {
        if !rows.is_empty() {
            let columns = columns.iter().map(|c| (*c).to_owned()).collect();
            self.blocks.push(Block::Table(columns, rows));
        }
    }

    fn about(&mut self, record: &SessionRecord) {
        self.blocks.push(Block::Quote(record.content.clone()));
        let rows = [
            ("Session", record.id.to_string()),
            ("Category", record.category.to_string()),
            ("Depth", record.complexity.to_string()),
            ("Asked", record.created.rfc3339()),
            (
                "Answered",
                record.ended.map_or_else(String::new, Wall::rfc3339),
            ),
        ];
        let rows = rows.into_iter().map(|(k, v)| vec![k.to_owned(), v]);
        self.table(&["", ""], rows.collect());
    }

    fn answer(&mut self, answer: &Answer) {
        self.heading(2, "Summary");
        self.text(&answer.summary);
        let headline = answer.headline.iter();
        let headline = headline.map(|f| [f.label.clone(), f.text.clone(), f.id.clone()]);
        self.blocks.push(Block::Headline(headline.collect()));
        self.understood(answer);
        if !answer.recommendations.is_empty() {
            self.heading(2, "Recommendations");
        }
        answer
            .recommendations
            .iter()
            .for_each(|r| self.recommendation(r));
        self.findings("Findings", &answer.findings);
        self.data(answer);
        self.heading(2, "What it is worth");
        self.text(&answer.business_impact.text);
        self.figures(&answer.business_impact.figures);
        self.plan(answer);
        self.findings("About this message", &answer.business_insights);
        let questions = answer
            .questions
            .iter()
            .map(|q| format!("{} {}", q.text, q.effect));
        let questions: Vec<_> = questions.collect();
        if !questions.is_empty() {
            self.heading(2, "What would settle more");
            self.list(questions);
        }
        self.arithmetic(answer);
    }

    fn figures(&mut self, figures: &[Figure]) {
        let row = |f: &Figure| vec![f.label.clone(), f.text.clone(), f.id.clone()];
        self.table(
            &["Figure", "Value", "Arithmetic"],
            figures.iter().map(row).collect(),
        );
    }

    fn understood(&mut self, answer: &Answer) {
        self.heading(2, "What was understood and assumed");
        let rows = answer.quantities.iter().map(|q| {
            let from = q
                .quote
                .clone()
                .or_else(|| q.note.clone())
                .unwrap_or_default();
            let source = format!("{:?}", q.source).to_lowercase();
            vec![
                q.label.clone(),
                number(q.value),
                q.unit.clone(),
                source,
                from,
            ]
        });
        self.table(
            &["Quantity", "Value", "Unit", "Source", "From"],
            rows.collect(),
        );
    }

    fn recommendation(&mut self, recommendation: &Recommendation) {
        let r = recommendation;
        self.heading(3, &format!("{}. {}", r.priority, r.title));
        self.text(&r.rationale);
        let gain = r.gain.as_ref();
        let mut rows = vec![
            vec!["Effort".to_owned(), r.effort.clone()],
            vec!["Impact".to_owned(), r.impact.clone()],
            vec!["Confidence".to_owned(), r.confidence.clone()],
            vec!["Formula".to_owned(), r.formula.clone()],
            vec!["Arithmetic".to_owned(), r.arithmetic.clone()],
        ];
        rows.extend(gain.map(|g| vec![g.label.clone(), format!("{} ({})", g.text, g.id)]));
        self.table(&["", ""], rows);
    }

    fn findings(&mut self, heading: &str, findings: &[Finding]) {
        if findings.is_empty() {
            return;
        }
        self.heading(2, heading);
        let item = |f: &Finding| match f.severity.as_str() {
            "info" => format!("{}: {}", f.title, f.text),
            severity => format!("{severity}: {}: {}", f.title, f.text),
        };
        self.list(findings.iter().map(item).collect());
    }

    fn data(&mut self, answer: &Answer) {
        for chart in &answer.charts {
            self.heading(3, &chart.title);
            self.blocks.push(Block::Chart(Box::new(chart.clone())));
            self.text(&chart.text);
            self.text(&chart.source);
        }
        for table in &answer.tables {
            self.heading(3, &table.title);
            let column = |c: &crate::agents::answer::Column| match c.unit.as_str() {
                "" => c.name.clone(),
                unit => format!("{} ({unit})", c.name),
            };
            let columns: Vec<String> = table.columns.iter().map(column).collect();
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let rows = table.rows.iter();
            let rows = rows.map(|row| row.iter().map(|cell| cell.text.clone()).collect());
            self.table(&columns, rows.collect());
        }
    }

    fn plan(&mut self, answer: &Answer) {
        if !answer.implementation_guidance.is_empty() {
            self.heading(2, "Plan");
        }
        for phase in &answer.implementation_guidance {
            let weeks = format!("{}–{}", phase.from_week, phase.to_week);
            self.heading(3, &format!("{} (weeks {weeks})", phase.title));
            self.list(phase.steps.clone());
        }
        if !answer.success_metrics.is_empty() {
            self.heading(2, "What to measure");
        }
        let rows = answer.success_metrics.iter();
        let rows = rows.map(|m| {
            [&m.name, &m.baseline, &m.target, &m.how]
                .map(String::clone)
                .into()
        });
        self.table(&["Measure", "Today", "Aim", "How"], rows.collect());
    }

    fn delivery(&mut self, delivery: &Delivery) {
        self.heading(2, "Proof of delivery");
        self.text(&delivery.verdict());
        let rows = delivery.frames.iter().map(|f| {
            let yes = if f.acknowledged { "yes" } else { "not yet" };
            vec![
                f.sequence.to_string(),
                f.r#type.replace('_', " "),
                f.stored_at.clone(),
                yes.to_owned(),
                f.payload_sha256.clone(),
            ]
        });
        let columns = ["#", "Frame", "Stored", "Acknowledged", "SHA-256"];
        self.table(&columns, rows.collect());
        self.text("This file ends with the appliance's seal. `emflow verify FILE` says whether a byte of it has changed, without a network.");
    }

    fn arithmetic(&mut self, answer: &Answer) {
        self.heading(2, "The arithmetic of every number");
        let rows = answer.provenance.iter().map(|d| {
            let [id, label] = [d.id.clone(), d.label.clone()];
            let result = format!("{} {}", number(d.result), d.unit);
            vec![
                id,
                label,
                d.formula.clone(),
                d.arithmetic.clone(),
                result,
                d.reference.clone(),
            ]
        });
        let columns = [
            "Id",
            "Number",
            "Formula",
            "Arithmetic",
            "Result",
            "Reference",
        ];
        self.table(&columns, rows.collect());
        let ran = &answer.execution;
        self.text(&format!(
            "{}. Computed by {}.",
            answer.catalog.text, ran.backend
        ));
        self.list(answer.catalog.attributions.clone());
    }
}

/// As a person writes it: ten significant digits, as in the arithmetic, and thousands apart.
fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let before = value.abs().log10().floor() as i32 + 1;
    let places = usize::try_from((DIGITS - before).clamp(0, 17)).unwrap_or(0);
    let text = format!("{:.places$}", value.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = if value < 0.0 { "\u{2212}" } else { "" }.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    match part.trim_end_matches('0') {
        "" => out,
        part => format!("{out}.{part}"),
    }
}

/// Significant digits of a number.
const DIGITS: i32 = 10;

#[cfg(test)]
mod tests;
