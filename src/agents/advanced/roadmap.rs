//! In which order to act: measure first, then by what a step is worth over its effort.

use super::super::answer::{Cell, Chart, Phase, Point, Recommendation, Series, Table};
use super::super::ledger::{Prose, Value, say};
use super::super::work::{Work, axis, column, words};
use crate::id::{Category, Complexity};

/// Weeks of a step by its effort: assumptions, editable.
const WEEKS: [(&str, &str, f64); 4] = [
    ("measure", "weeks_to_measure", 2.0),
    ("low", "weeks_low_effort", 1.0),
    ("medium", "weeks_medium_effort", 3.0),
    ("high", "weeks_high_effort", 8.0),
];

/// What must come before what: measure, cache, route or switch, own machines.
fn rank(r: &Recommendation) -> u32 {
    let title = r.title.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| title.contains(w));
    if has(&["cache", "shorter", "stream", "batch", "compress"]) {
        1
    } else if has(&["route", "test ", "shortlist", "cascade", "balanced"]) {
        2
    } else if has(&["gpu", "own"]) {
        3
    } else {
        2
    }
}

/// What a step is worth over its effort: saving a month times confidence over effort.
fn score(r: &Recommendation) -> f64 {
    let weight = |word: &str| match word {
        "high" => 3.0,
        "medium" => 2.0,
        _ => 1.0,
    };
    let saving = r.gain.as_ref().filter(|g| g.unit.ends_with("/month"));
    saving.map_or(0.0, |g| g.value) * weight(&r.confidence) / weight(&r.effort)
}

/// The steps in order: their titles and efforts, measuring first.
fn steps(work: &Work<'_>) -> Vec<(String, String)> {
    let mut steps: Vec<Recommendation> = work.draft.recommendations.clone();
    if work.at_least(Complexity::Intermediate) {
        let worth = |a: &Recommendation, b: &Recommendation| score(b).total_cmp(&score(a));
        steps.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| worth(a, b)));
        steps.truncate(5);
    } else {
        steps.sort_by(|a, b| score(b).total_cmp(&score(a)));
        steps.truncate(1);
    }
    if steps.is_empty() {
        return Vec::new();
    }
    let first = "Measure today's cost, latency and quality";
    std::iter::once((first.to_owned(), "measure".to_owned()))
        .chain(steps.into_iter().map(|r| (r.title, r.effort)))
        .collect()
}

/// The weeks of a step, by its effort.
fn weeks(work: &mut Work<'_>, effort: &str) -> Value {
    let found = WEEKS.iter().find(|w| w.0 == effort).copied();
    let (_, name, default) = found.unwrap_or(WEEKS[1]);
    let label = match effort {
        "measure" => "weeks to measure today's state".to_owned(),
        _ => format!("weeks of a step of {effort} effort"),
    };
    let why = "An assumption: nobody knows your team's pace; edit it and the plan follows.";
    work.ledger
        .assume(name, &label, default, "weeks", (1.0, 104.0), why)
}

/// Phases with weeks; where depth allows, the table and chart of them.
pub(in crate::agents) fn roadmap(work: &mut Work<'_>) -> Option<Prose> {
    let mut rows = Vec::new();
    let mut points = Vec::new();
    let mut end: Option<Value> = None;
    for (title, effort) in steps(work) {
        let length = weeks(work, &effort);
        let mut inputs = vec![("weeks", &length)];
        inputs.extend(end.as_ref().map(|before| ("before", before)));
        let formula = if end.is_some() {
            "before + weeks"
        } else {
            "weeks"
        };
        let label = format!("last week of: {title}");
        let reference = "one step after the other";
        let last = work
            .ledger
            .derive(&label, formula, reference, &inputs, "week");
        let start = end.as_ref().map_or(0.0, |e| e.value);
        let from_week = start.ceil() as u32 + 1;
        work.draft.implementation_guidance.push(Phase {
            title: title.clone(),
            from_week,
            to_week: (last.value.ceil() as u32).max(from_week),
            steps: todo(&title, &effort),
        });
        let (long, done) = (length.cell(length.digits(3)), last.cell(last.digits(4)));
        rows.push(vec![words(&title), long, done]);
        points.push(Point {
            low: Some(start),
            high: Some(last.value),
            ..last.bar(&title)
        });
        end = Some(last);
    }
    let last = end?;
    let text = say!(
        "One step after the other, all are done by week {}; the durations are assumptions.",
        last.digits(4)
    );
    if work.task.category == Category::Advanced || work.at_least(Complexity::Advanced) {
        show(work, rows, points, &text);
    }
    Some(text)
}

fn show(work: &mut Work<'_>, rows: Vec<Vec<Cell>>, points: Vec<Point>, text: &Prose) {
    work.table(Table {
        id: "roadmap".into(),
        title: "Roadmap".into(),
        columns: vec![
            column("Step", ""),
            column("Weeks", "weeks"),
            column("Done by week", "week"),
        ],
        rows,
    });
    work.chart(Chart {
        id: "roadmap".into(),
        kind: "gantt".into(),
        title: "Roadmap".into(),
        x: axis("Week", "weeks", "linear"),
        y: axis("Step", "", "category"),
        series: vec![Series {
            name: "Steps".into(),
            points,
        }],
        marks: Vec::new(),
        table: "roadmap".into(),
        source: "order by saving, confidence and effort; durations assumed".into(),
        text: text.text.clone(),
        refs: text.refs.clone(),
    });
}

fn todo(title: &str, effort: &str) -> Vec<String> {
    if effort == "measure" {
        return vec![
            "Export usage by model and day; note requests, tokens and cache hits.".into(),
            "Log time to first token and total time per request.".into(),
            "Set aside a sample of real requests with answers people judged good.".into(),
        ];
    }
    vec![
        format!("{title}: on a tenth of the traffic first."),
        "Compare cost, latency and quality with the measurement before.".into(),
        "Extend to all traffic, or take it back.".into(),
    ]
}
