//! The published speed of models against the targets.

use super::super::answer::{Axis, Cell, Chart, Mark, Point, Series, Table};
use super::super::catalog::Mode;
use super::super::ledger::{Prose, Value, say};
use super::super::work::{Advice, Work, column, words};
use super::targets::{Stat, Target, targets};
use crate::id::Complexity;

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

impl Timing {
    /// The seconds that a target limits.
    pub(in crate::agents) fn against(&self, target: &Target) -> &Value {
        match (target.first_token, target.stat) {
            (true, Stat::P50) => &self.ttft50,
            (true, Stat::P95) => &self.ttft95,
            (false, Stat::P50) => &self.total50,
            (false, Stat::P95) => &self.total95,
        }
    }

    /// True where the target is met: "under 2 s" is not met by 2 s.
    pub(in crate::agents) fn meets(&self, target: &Target) -> bool {
        self.against(target).value < target.limit.value
    }
}

/// Published speed of a model; none where nothing without reasoning is published.
pub(in crate::agents) fn timing(work: &mut Work<'_>, id: &str) -> Option<Timing> {
    let speed = work.catalog.speed(id, Mode::Direct)?.clone();
    let row = work.speed_row(id);
    let name = work.name(id);
    let mut enter = |what: &str, value: f64, unit: &str| {
        work.ledger
            .catalog(&format!("{name}: {what}"), value, unit, &row)
    };
    let ttft50 = enter("time to first token, p50", speed.ttft.p50, "s");
    let ttft95 = enter("time to first token, p95", speed.ttft.p95, "s");
    let tps50 = enter("tokens a second, p50", speed.tps.p50, "tokens/s");
    let tps05 = enter("tokens a second, slow end (p05)", speed.tps.p05, "tokens/s");
    let n_out = work.tokens_out();
    let queue = work.ledger.assume(
        "queue_time",
        "queue and network",
        0.0,
        "s",
        (0.0, 3600.0),
        "Nothing is stated; add your own queue and network time.",
    );
    let mut total = |label: &str, ttft: &Value, tps: &Value| {
        let inputs = [
            ("queue", &queue),
            ("ttft", ttft),
            ("n_out", &n_out),
            ("tps", tps),
        ];
        work.ledger.derive(
            &format!("{name}: {label}"),
            "queue + ttft + n_out / tps",
            PARTS,
            &inputs,
            "s",
        )
    };
    Some(Timing {
        total50: total("whole answer, p50", &ttft50, &tps50),
        total95: total("whole answer, p95 upper bound", &ttft95, &tps05),
        id: id.into(),
        name: name.clone(),
        ttft50,
        ttft95,
        tps50,
        tps05,
    })
}

impl Work<'_> {
    /// The row of a model's speed, with publisher and date.
    pub(in crate::agents) fn speed_row(&self, id: &str) -> String {
        let has = |p: &&super::super::catalog::Pack| p.speed.iter().any(|s| s.model == id);
        match self.catalog.packs().iter().find(has) {
            Some(pack) => format!("{id}, no reasoning: {} of {}", pack.name, pack.as_of),
            None => id.to_owned(),
        }
    }
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
            .map(|t| column(&format!("Meets the target ({})", t.what()), "")),
    );
    let rows = shown
        .iter()
        .map(|t| {
            let name = if Some(t.id.as_str()) == current {
                format!("{} (today)", t.name)
            } else {
                t.name.clone()
            };
            let cell = |v: &Value| v.cell(v.seconds());
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

/// Who passes each target; where a target is ambiguous, both readings.
fn judge(
    work: &mut Work<'_>,
    all: &[Timing],
    targets: &[Target],
    current: Option<&str>,
) -> Option<Prose> {
    let floor = work.floor();
    let mut told: Option<Prose> = None;
    for target in targets {
        let mut good = Vec::new();
        let mut below = Vec::new();
        for t in all.iter().filter(|t| t.meets(target)) {
            match (&floor, work.quality(&t.id)) {
                (Some(floor), Some((q, _))) if q.value < floor.value => below.push(t.name.clone()),
                _ => good.push(t.name.clone()),
            }
        }
        let mut prose = passing(target, &good, &below, floor.is_some());
        if good.is_empty() && target.stat == Stat::P95 {
            prose = prose.and(at_median(all, target));
        }
        let title = if target.reading {
            format!("Read as: {}", target.what())
        } else {
            format!("Target: {}", target.what())
        };
        work.finding("info", &title, prose.clone());
        work.verdicts.push(prose.clone());
        told = Some(told.take().unwrap_or_default().and(prose));
    }
    passes_all(work, all, targets, current);
    let fastest = &all[0];
    Some(told.unwrap_or_else(|| {
        say!(
            "The fastest is {}: {} for the whole answer at p50.",
            &fastest.name,
            fastest.total50.seconds()
        )
    }))
}

/// Who would pass at the median, where nobody does at the 95th percentile.
fn at_median(all: &[Timing], target: &Target) -> Prose {
    let median = Target {
        stat: Stat::P50,
        ..target.clone()
    };
    let names: Vec<&str> = all
        .iter()
        .filter(|t| t.meets(&median))
        .map(|t| t.name.as_str())
        .take(4)
        .collect();
    match names.is_empty() {
        true => say!("Nor does any at the median."),
        false => say!(
            "At the median it is met by {}, whatever their quality.",
            names.join(", ")
        ),
    }
}

fn passing(target: &Target, good: &[String], below: &[String], floored: bool) -> Prose {
    let list = |names: &[String]| {
        let more = if names.len() > 8 { " and others" } else { "" };
        format!(
            "{}{more}",
            names.iter().take(8).cloned().collect::<Vec<_>>().join(", ")
        )
    };
    let first = match good.is_empty() {
        true => say!(
            "No eligible model{} meets {} for the {}.",
            if floored {
                " of at least today's quality"
            } else {
                ""
            },
            target.limit.seconds(),
            target.what()
        ),
        false => say!(
            "{} for the {} is met by {}.",
            target.limit.seconds(),
            target.what(),
            list(good)
        ),
    };
    match below.is_empty() {
        true => first,
        false => first.and(say!("At lower quality also: {}.", list(below))),
    }
}

/// The fastest model that passes everything that is not merely a reading.
fn passes_all(work: &mut Work<'_>, all: &[Timing], targets: &[Target], current: Option<&str>) {
    let floor = work.floor();
    let mut firm: Vec<&Target> = targets.iter().filter(|t| !t.reading).collect();
    if firm.is_empty() {
        firm = targets.iter().filter(|t| !t.first_token).collect();
    }
    let own = all.iter().find(|t| Some(t.id.as_str()) == current).cloned();
    let mut best = None;
    for t in all.iter().filter(|t| firm.iter().all(|g| t.meets(g))) {
        let quality = work.quality(&t.id);
        let enough = match (&floor, quality) {
            (Some(floor), Some((q, _))) => q.value >= floor.value,
            (Some(_), None) => false,
            (None, _) => true,
        };
        if enough && best.is_none() {
            best = Some(t.clone());
        }
    }
    let Some(best) = best.or_else(|| targets.is_empty().then(|| all[0].clone())) else {
        return;
    };
    if own.as_ref().is_some_and(|o| o.id == best.id) {
        work.insight(
            "The current model is the fastest that fits",
            say!(
                "{} takes {} for the whole answer at p50.",
                &best.name,
                best.total50.seconds()
            ),
        );
        return;
    }
    let advice = |why| Advice {
        why,
        effort: "medium",
        impact: "high",
        confidence: "medium",
    };
    match own {
        Some(own) => {
            let inputs = [("today", &own.total50), ("then", &best.total50)];
            let gain = work.ledger.derive(
                "time gained at p50",
                "today - then",
                "published speeds",
                &inputs,
                "s",
            );
            if gain.value <= 0.0 {
                return;
            }
            let why = say!(
                "{} needs {} instead of {} for the whole answer at p50 ({} at the p95 bound instead of {}), at no lower index. Compare both on your own prompts.",
                &best.name,
                best.total50.seconds(),
                own.total50.seconds(),
                best.total95.seconds(),
                own.total95.seconds()
            );
            let figure = gain.figure(gain.seconds().then(" less"));
            work.recommend(
                &format!("Test {}", best.name),
                advice(why),
                &gain,
                Some(figure),
            );
        }
        None => {
            let why = say!(
                "{} is the fastest that meets the targets: first token after {}, the whole answer after {} at p50, {} at the p95 bound.",
                &best.name,
                best.ttft50.seconds(),
                best.total50.seconds(),
                best.total95.seconds()
            );
            let figure = best.total50.figure(best.total50.seconds());
            work.recommend(
                &format!("Use {}", best.name),
                advice(why),
                &best.total50,
                Some(figure),
            );
        }
    }
    work.keep("best_total50", &best.total50);
    work.keep("best_total95", &best.total95);
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
        rows.push(vec![
            words(&t.name),
            tokens.cell(tokens.count().then(" tokens")),
        ]);
    }
    work.table(Table {
        id: "longest".into(),
        title: format!("Longest answer within the limit ({})", target.what()),
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
        .map(|g| Mark {
            axis: "y".into(),
            value: g.limit.value,
            label: "target".into(),
        })
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
        x: Axis {
            label: "Part".into(),
            unit: String::new(),
            scale: "category".into(),
        },
        y: Axis {
            label: "Time".into(),
            unit: "s".into(),
            scale: "linear".into(),
        },
        series,
        marks,
        table: "speed".into(),
        source: work.speed_row(&t.id),
        text: text.text,
        refs: text.refs,
    });
}
