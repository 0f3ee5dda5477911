//! The published speed of models against the targets.

mod speeds;
mod verdict;

use crate::agents::answer::{Cell, Chart, Point, Series, Table};
use crate::agents::catalog::Mode;
use crate::agents::latency::targets::{Stat, Target, targets};
use crate::agents::ledger::{Prose, Value, say, show};
use crate::agents::work::{Advice, Work, axis, column, fact, mark, words};
use crate::id::Complexity;
pub(in crate::agents) use speeds::*;
use verdict::*;

const PARTS: &str =
    "definitions of Artificial Analysis: time to first token plus tokens over speed";
/// The most rows of a comparison.
const ROWS_MAX: usize = 8;

/// How long a request takes on a model, without reasoning.
#[derive(Debug, Clone)]
pub(in crate::agents) struct Timing {
    pub(in crate::agents) id: String,
    pub(in crate::agents) name: String,
    ttft50: Value,
    ttft95: Value,
    tps50: Value,
    tps05: Value,
    pub(in crate::agents) total50: Value,
    /// Sum of the slow ends of both parts: an upper bound.
    pub(in crate::agents) total95: Value,
}

/// The models to look at: those named, else all that are fit for an automatic choice.
fn ids(work: &Work<'_>) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for m in &work.said.models {
        if !named.contains(&m.id) && work.catalog.model(&m.id).is_some() {
            named.push(m.id.clone());
        }
    }
    if named.len() >= 2 {
        return named;
    }
    let mut all: Vec<String> = work.catalog.eligible().map(|m| m.id.clone()).collect();
    all.extend(
        named
            .into_iter()
            .filter(|id| !all.contains(id))
            .collect::<Vec<_>>(),
    );
    all
}

/// Every candidate's times, fastest first by what the first target limits.
pub(super) fn timings(work: &mut Work<'_>, target: Option<&Target>) -> Vec<Timing> {
    let mut all: Vec<Timing> = ids(work).iter().filter_map(|id| timing(work, id)).collect();
    let key = |t: &Timing| target.map_or(t.total50.value, |g| t.against(g).value);
    all.sort_by(|a, b| key(a).total_cmp(&key(b)).then_with(|| a.id.cmp(&b.id)));
    all
}

/// Which models meet the targets.
pub(super) fn compare(work: &mut Work<'_>) -> Option<Prose> {
    let targets = targets(work);
    let all = timings(work, targets.first());
    if all.is_empty() {
        return None;
    }
    unmeasured(work);
    let current = work.model.clone();
    let mut shown: Vec<Timing> = all.iter().take(ROWS_MAX).cloned().collect();
    if let Some(own) = all.iter().find(|t| Some(&t.id) == current.as_ref())
        && shown.iter().all(|t| t.id != own.id)
    {
        shown.push(own.clone());
    }
    table(work, &shown, &targets, current.as_deref());
    let told = judge(work, &all, &targets, current.as_deref());
    let focus = all
        .iter()
        .find(|t| Some(&t.id) == current.as_ref())
        .unwrap_or(&all[0])
        .clone();
    if current.as_deref().is_none_or(|id| id == focus.id) {
        work.keep("ttft50", &focus.ttft50);
        work.keep("total50", &focus.total50);
        work.keep("total95", &focus.total95);
    }
    waterfall(work, &focus, &targets);
    caution(work);
    told
}

/// Named models without a published speed are said, not guessed.
fn unmeasured(work: &mut Work<'_>) {
    let missing: Vec<String> = work
        .said
        .models
        .iter()
        .filter(|m| {
            work.catalog.model(&m.id).is_some() && work.catalog.speed(&m.id, Mode::Direct).is_none()
        })
        .map(|m| work.name(&m.id))
        .collect();
    if !missing.is_empty() {
        let prose = say!(
            "No speed without reasoning is published for {}, so nothing is claimed about it here: measure it on your own traffic.",
            missing.join(", ")
        );
        work.finding("warning", "Speed not known", prose);
    }
}

fn caution(work: &mut Work<'_>) {
    work.finding("info", "What the bound means", say!(
        "The p95 of a whole answer is bounded by the slow end of both parts, as if a slow start and slow tokens always came together: the truth is lower. Times to first token were measured with the publisher's default prompt, given as short on one page and ten times as long on another."
    ));
}

fn table(work: &mut Work<'_>, shown: &[Timing], targets: &[Target], current: Option<&str>) {
    let mut columns = vec![
        column("Model", ""),
        column("First token p50", "s"),
        column("First token p95", "s"),
        column("Whole answer p50", "s"),
        column("Whole answer p95, upper bound", "s"),
    ];
    columns.extend(
        targets
            .iter()
            .map(|t| column(&format!("Meets: {}", t.what()), "")),
    );
    let rows = shown
        .iter()
        .map(|t| {
            let name = if Some(t.id.as_str()) == current {
                format!("{} (today)", t.name)
            } else {
                t.name.clone()
            };
            // 3.0004 s must not stand as "3 s" beside "no" for a limit of 3 s.
            let ambiguous = |v: &Value| {
                targets.iter().any(|g| {
                    v.value > g.limit.value
                        && show::seconds(v.value) == show::seconds(g.limit.value)
                })
            };
            let cell = |v: &Value| match ambiguous(v) {
                true => v.cell(v.digits(7).then(" s")),
                false => v.cell(v.seconds()),
            };
            let mut row: Vec<Cell> = vec![
                words(&name),
                cell(&t.ttft50),
                cell(&t.ttft95),
                cell(&t.total50),
                cell(&t.total95),
            ];
            row.extend(
                targets
                    .iter()
                    .map(|g| words(if t.meets(g) { "yes" } else { "no" })),
            );
            row
        })
        .collect();
    work.table(Table {
        id: "speed".into(),
        title: "Published speed without reasoning".into(),
        columns,
        rows,
    });
}

/// The longest answer that fits each limit on the whole answer.
pub(super) fn longest(work: &mut Work<'_>) -> Option<Prose> {
    let target = targets(work).into_iter().find(|t| !t.first_token)?;
    let mut all = timings(work, Some(&target));
    all.truncate(ROWS_MAX);
    let queue = work.ledger.assume(
        "queue_time",
        "queue and network",
        0.0,
        "s",
        (0.0, 3600.0),
        "Nothing is stated; add your own queue and network time.",
    );
    let mut rows = Vec::new();
    for t in &all {
        let (ttft, tps) = match target.stat {
            Stat::P50 => (&t.ttft50, &t.tps50),
            Stat::P95 => (&t.ttft95, &t.tps05),
        };
        let inputs = [
            ("slo", &target.limit),
            ("queue", &queue),
            ("ttft", ttft),
            ("tps", tps),
        ];
        let label = format!("{}: longest answer within the limit", t.name);
        let tokens = work.ledger.derive(
            &label,
            "max(0; floor((slo - queue - ttft) * tps))",
            PARTS,
            &inputs,
            "tokens",
        );
        rows.push(fact(&t.name, tokens.cell(tokens.count().then(" tokens"))));
    }
    work.table(Table {
        id: "longest".into(),
        title: format!("Longest answer within the limit: {}", target.what()),
        columns: vec![column("Model", ""), column("Longest answer", "tokens")],
        rows,
    });
    Some(say!(
        "The longest answers within {} were computed for {} models.",
        target.limit.seconds(),
        if all.len() == 1 { "the" } else { "all" }
    ))
}

/// Where the time of a request goes, at p50 and at the bound.
fn waterfall(work: &mut Work<'_>, t: &Timing, targets: &[Target]) {
    if work.task.complexity == Complexity::Basic && targets.is_empty() {
        return;
    }
    let n_out = work.tokens_out();
    let mut series = Vec::new();
    for (name, tps, total) in [
        ("p50", &t.tps50, &t.total50),
        ("p95, upper bound", &t.tps05, &t.total95),
    ] {
        let inputs = [("n_out", &n_out), ("tps", tps)];
        let tokens = work.ledger.derive(
            &format!("time of the tokens, {name}"),
            "n_out / tps",
            PARTS,
            &inputs,
            "s",
        );
        let inputs = [("total", total), ("tokens", &tokens)];
        let start = work.ledger.derive(
            &format!("until the first token, {name}"),
            "total - tokens",
            PARTS,
            &inputs,
            "s",
        );
        series.push(Series {
            name: name.into(),
            points: vec![
                Point {
                    low: Some(0.0),
                    ..start.bar("First token")
                },
                Point {
                    low: Some(start.value),
                    strong: true,
                    ..total.bar("All tokens")
                },
            ],
        });
    }
    let limit = targets.iter().find(|g| !g.first_token);
    let marks = limit
        .map(|g| mark("y", g.limit.value, "target"))
        .into_iter()
        .collect();
    let text = say!(
        "On {} the first token comes after {}, the whole answer after {} at p50 and at most {} at p95. With streaming a reader waits for the first token only.",
        &t.name,
        t.ttft50.seconds(),
        t.total50.seconds(),
        t.total95.seconds()
    );
    work.chart(Chart {
        id: "latency".into(),
        kind: "waterfall".into(),
        title: format!("Where the time goes on {}", t.name),
        x: axis("Part", "", "category"),
        y: axis("Time", "s", "linear"),
        series,
        marks,
        table: "speed".into(),
        source: work.speed_row(&t.id),
        text: text.text,
        refs: text.refs,
    });
}
