//! In which order to act: measure first, then by what a step is worth over its effort.

use super::super::answer::{Chart, Phase, Point, Recommendation, Series, Table};
use super::super::ledger::{Prose, say};
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

/// Phases with weeks, and the table and chart of them.
pub(in crate::agents) fn roadmap(work: &mut Work<'_>) -> Option<Prose> {
    let weight = |word: &str| match word {
        "high" => 3.0,
        "medium" => 2.0,
        _ => 1.0,
    };
    let score = |r: &Recommendation| {
        r.gain
            .as_ref()
            .filter(|g| g.unit.ends_with("/month"))
            .map_or(0.0, |g| g.value)
            * weight(&r.confidence)
            / weight(&r.effort)
    };
    let mut steps: Vec<Recommendation> = work.draft.recommendations.clone();
    steps.sort_by(|a, b| {
        rank(a)
            .cmp(&rank(b))
            .then_with(|| score(b).total_cmp(&score(a)))
    });
    if work.at_least(Complexity::Intermediate) {
        steps.truncate(5);
    } else {
        steps.sort_by(|a, b| score(b).total_cmp(&score(a)));
        steps.truncate(1);
    }
    if steps.is_empty() {
        return None;
    }
    let why = "An assumption: nobody knows your team's pace; edit it and the plan follows.";
    let weeks = |work: &mut Work<'_>, effort: &str| {
        let (_, name, default) = WEEKS
            .iter()
            .find(|w| w.0 == effort)
            .copied()
            .unwrap_or(WEEKS[1]);
        let label = if effort == "measure" {
            "weeks to measure today's state".to_owned()
        } else {
            format!("weeks of a step of {effort} effort")
        };
        work.ledger
            .assume(name, &label, default, "weeks", (1.0, 104.0), why)
    };
    let mut rows = Vec::new();
    let mut points = Vec::new();
    let mut end: Option<super::super::ledger::Value> = None;
    let plan = std::iter::once((
        "Measure today's cost, latency and quality".to_owned(),
        "measure".to_owned(),
    ))
    .chain(steps.iter().map(|r| (r.title.clone(), r.effort.clone())));
    for (title, effort) in plan {
        let length = weeks(work, &effort);
        let last = match &end {
            Some(before) => work.ledger.derive(
                &format!("last week of: {title}"),
                "before + weeks",
                "one step after the other",
                &[("before", before), ("weeks", &length)],
                "week",
            ),
            None => work.ledger.derive(
                &format!("last week of: {title}"),
                "weeks",
                "one step after the other",
                &[("weeks", &length)],
                "week",
            ),
        };
        let from = end.as_ref().map_or(0.0, |e| e.value.ceil()) as u32 + 1;
        let start = end.as_ref().map_or(0.0, |e| e.value);
        work.draft.implementation_guidance.push(Phase {
            title: title.clone(),
            from_week: from,
            to_week: (last.value.ceil() as u32).max(from),
            steps: todo(&title, &effort),
        });
        rows.push(vec![
            words(&title),
            length.cell(length.digits(3)),
            last.cell(last.digits(4)),
        ]);
        points.push(Point {
            low: Some(start),
            high: Some(last.value),
            ..last.bar(&title)
        });
        end = Some(last);
    }
    let last = end?;
    if work.task.category != Category::Advanced && !work.at_least(Complexity::Advanced) {
        return Some(say!(
            "By the durations assumed, all steps are done by week {}.",
            last.digits(4)
        ));
    }
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
    let text = say!(
        "One step after the other, all are done by week {}; the durations are assumptions.",
        last.digits(4)
    );
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
    Some(text)
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
