//! Cost, quality and latency of the candidates: Pareto front and two rankings.

use super::super::answer::{Axis, Chart, Mark, Point, Series, Table};
use super::super::calculate::decide::{Criterion, Decision, Goal, order};
use super::super::catalog::{Basis, Metric, Mode};
use super::super::latency::timing;
use super::super::ledger::{Prose, Value, say};
use super::super::understand::Kind;
use super::super::work::{Advice, Work, column, words};
use super::filter::metric;

const TOPSIS: &str = "TOPSIS, Hwang & Yoon 1981";
const CHEBYSHEV: &str = "augmented weighted Chebyshev, Steuer & Choo 1983";

/// A candidate with all three criteria.
#[derive(Debug, Clone)]
struct Row {
    id: String,
    name: String,
    /// USD for 1,000 requests; points; seconds at p50.
    values: [Value; 3],
    estimated: bool,
}

fn rows(work: &mut Work<'_>) -> Vec<Row> {
    let scale = metric(work);
    let mut all = Vec::new();
    let mut missing = Vec::new();
    for id in work.candidates.clone() {
        let name = work.name(&id);
        let quality = work.catalog.quality(&id, Mode::Direct, scale).map(|q| {
            (
                q.value,
                q.basis == Basis::Estimated,
                format!("{id}, no reasoning: {} of {}", q.pack.name, q.pack.as_of),
            )
        });
        let (Some((q, estimated, row)), Some(t), Some(c)) = (
            quality,
            timing(work, &id),
            work.cost_of_request(&id, work.said.models.iter().any(|m| m.id == id)),
        ) else {
            missing.push(name);
            continue;
        };
        let quality = work
            .ledger
            .catalog(&format!("{name}: {}", scale.label()), q, "points", &row);
        let cost = work.ledger.derive(
            &format!("{name}: cost of a thousand requests"),
            "c * 1000",
            "price lists",
            &[("c", &c)],
            "USD/1,000 requests",
        );
        all.push(Row {
            id,
            name,
            values: [cost, quality, t.total50],
            estimated,
        });
    }
    if !missing.is_empty() {
        let prose = say!(
            "Not ranked, because no quality or speed without reasoning is published: {}.",
            missing.join(", ")
        );
        work.finding("warning", "Models without published figures", prose);
    }
    all
}

fn weights(work: &mut Work<'_>) -> [Value; 3] {
    let mut weight = |q: &str, default: f64| {
        let name = format!("weight_{q}");
        let label = format!("weight of {q}");
        match work.said.qualified(Kind::Weight, q).cloned() {
            Some(stated) => {
                let value = stated.value.base().unwrap_or(default);
                work.stated(&name, &label, &stated, value, "fraction", (0.0, 1.0))
            }
            None => work.ledger.assume(
                &name,
                &label,
                default,
                "fraction",
                (0.0, 1.0),
                "The message states no weight; edit it and the ranking follows.",
            ),
        }
    };
    [
        weight("cost", 0.4),
        weight("quality", 0.4),
        weight("latency", 0.2),
    ]
}

/// Ranks the candidates.
pub(in crate::agents) fn pareto_rank(work: &mut Work<'_>) -> Option<Prose> {
    let rows = rows(work);
    let weights = weights(work);
    let sum: f64 = weights.iter().map(|w| w.value).sum();
    if rows.len() < 2 || sum <= 0.0 {
        // Too little is published to rank; what it costs can still be compared.
        return super::super::cost::compare_models(work);
    }
    let goals = [Goal::Min, Goal::Max, Goal::Min];
    let criteria = goals
        .iter()
        .zip(&weights)
        .map(|(goal, w)| Criterion {
            goal: *goal,
            weight: w.value.max(1e-9),
        })
        .collect();
    let matrix = rows
        .iter()
        .map(|r| r.values.iter().map(|v| v.value).collect())
        .collect();
    let decision = Decision::new(matrix, criteria).ok()?;
    let beaten = decision.dominated_by();
    let closeness = topsis(work, &rows, &weights);
    let regret = chebyshev(work, &rows, &weights);
    let values = |v: &[Value]| v.iter().map(|v| v.value).collect::<Vec<_>>();
    let by_topsis = order(&values(&closeness), Goal::Max);
    let by_chebyshev = order(&values(&regret), Goal::Min);
    table(
        work,
        &rows,
        &beaten,
        (&closeness, &regret),
        (&by_topsis, &by_chebyshev),
    );
    scatter(work, &rows, &beaten);
    compare(
        work,
        &rows,
        &beaten,
        (by_topsis[0], by_chebyshev[0]),
        (&closeness, &regret),
    );
    let front: Vec<&str> = rows
        .iter()
        .zip(&beaten)
        .filter(|(_, b)| b.is_none())
        .map(|(r, _)| r.name.as_str())
        .collect();
    Some(say!(
        "Not dominated: {}. TOPSIS prefers {}, weighted Chebyshev {}.",
        front.join(", "),
        &rows[by_topsis[0]].name,
        &rows[by_chebyshev[0]].name
    ))
}

/// The column of a criterion as inputs `x1`, `x2`, …
fn symbols(rows: &[Row], j: usize) -> Vec<(String, Value)> {
    rows.iter()
        .enumerate()
        .map(|(i, r)| (format!("x{}", i + 1), r.values[j].clone()))
        .collect()
}

fn over_column(
    work: &mut Work<'_>,
    label: &str,
    formula: &str,
    column: &[(String, Value)],
    unit: &str,
    reference: &str,
) -> Value {
    let inputs: Vec<(&str, &Value)> = column.iter().map(|(s, v)| (s.as_str(), v)).collect();
    work.ledger.derive(label, formula, reference, &inputs, unit)
}

/// Best, worst and length of each criterion's column.
struct Ends {
    best: Value,
    worst: Value,
    length: Value,
}

fn ends(work: &mut Work<'_>, rows: &[Row]) -> Vec<Ends> {
    let names = ["cost", "quality", "latency"];
    (0..3)
        .map(|j| {
            let column = symbols(rows, j);
            let list = column.iter().map(|c| c.0.clone()).collect::<Vec<_>>();
            let unit = rows[0].values[j].unit.clone();
            let (low, high) = (
                format!("min({})", list.join("; ")),
                format!("max({})", list.join("; ")),
            );
            let (best, worst) = if j == 1 { (high, low) } else { (low, high) };
            let squares: Vec<String> = list.iter().map(|x| format!("{x} ^ 2")).collect();
            let length = format!("sqrt({})", squares.join(" + "));
            Ends {
                best: over_column(
                    work,
                    &format!("best {}", names[j]),
                    &best,
                    &column,
                    &unit,
                    "over all candidates",
                ),
                worst: over_column(
                    work,
                    &format!("worst {}", names[j]),
                    &worst,
                    &column,
                    &unit,
                    "over all candidates",
                ),
                length: over_column(
                    work,
                    &format!("length of the column of {}", names[j]),
                    &length,
                    &column,
                    &unit,
                    "over all candidates",
                ),
            }
        })
        .collect()
}

/// Closeness to the best: compensatory, a strength makes up for a weakness.
fn topsis(work: &mut Work<'_>, rows: &[Row], w: &[Value; 3]) -> Vec<Value> {
    let ends = ends(work, rows);
    let distance = |work: &mut Work<'_>, r: &Row, best: bool| {
        let end = |j: usize| if best { &ends[j].best } else { &ends[j].worst };
        let inputs = [
            ("w1", &w[0]),
            ("c", &r.values[0]),
            ("e1", end(0)),
            ("n1", &ends[0].length),
            ("w2", &w[1]),
            ("q", &r.values[1]),
            ("e2", end(1)),
            ("n2", &ends[1].length),
            ("w3", &w[2]),
            ("t", &r.values[2]),
            ("e3", end(2)),
            ("n3", &ends[2].length),
        ];
        let formula =
            "sqrt((w1 * (c - e1) / n1) ^ 2 + (w2 * (q - e2) / n2) ^ 2 + (w3 * (t - e3) / n3) ^ 2)";
        let label = format!(
            "{}: distance to the {}",
            r.name,
            if best { "best" } else { "worst" }
        );
        work.ledger.derive(&label, formula, TOPSIS, &inputs, "")
    };
    rows.iter()
        .map(|r| {
            let (best, worst) = (distance(work, r, true), distance(work, r, false));
            let formula = if best.value + worst.value == 0.0 {
                "0.5 + 0 * (a + b)"
            } else {
                "b / (a + b)"
            };
            work.ledger.derive(
                &format!("{}: closeness", r.name),
                formula,
                TOPSIS,
                &[("a", &best), ("b", &worst)],
                "",
            )
        })
        .collect()
}

/// Distance by the worst criterion: not compensatory.
fn chebyshev(work: &mut Work<'_>, rows: &[Row], w: &[Value; 3]) -> Vec<Value> {
    let ends = ends(work, rows);
    let symbols = [
        ("w1", "c", "a1", "b1"),
        ("w2", "q", "a2", "b2"),
        ("w3", "t", "a3", "b3"),
    ];
    let mut parts = Vec::new();
    let mut used = Vec::new();
    for (j, (weight, x, ideal, nadir)) in symbols.iter().enumerate() {
        if ends[j].best.value != ends[j].worst.value {
            parts.push(format!("{weight} * ({x} - {ideal}) / ({nadir} - {ideal})"));
            used.push(j);
        }
    }
    let formula = match parts.len() {
        0 => "0 * w1".to_owned(),
        _ => format!(
            "max({}) + 0.001 * ({})",
            parts.join("; "),
            parts.join(" + ")
        ),
    };
    rows.iter()
        .map(|r| {
            let mut inputs: Vec<(&str, &Value)> = Vec::new();
            for j in &used {
                let (weight, x, ideal, nadir) = symbols[*j];
                inputs.extend([
                    (weight, &w[*j]),
                    (x, &r.values[*j]),
                    (ideal, &ends[*j].best),
                    (nadir, &ends[*j].worst),
                ]);
            }
            if used.is_empty() {
                inputs.push(("w1", &w[0]));
            }
            work.ledger.derive(
                &format!("{}: regret", r.name),
                &formula,
                CHEBYSHEV,
                &inputs,
                "",
            )
        })
        .collect()
}

fn table(
    work: &mut Work<'_>,
    rows: &[Row],
    beaten: &[Option<usize>],
    scores: (&[Value], &[Value]),
    orders: (&[usize], &[usize]),
) {
    let scale = metric(work);
    let digits = if scale == Metric::Arena { 4 } else { 3 };
    let body = orders
        .0
        .iter()
        .map(|i| {
            let r = &rows[*i];
            let front = match beaten[*i] {
                None => "on the front".to_owned(),
                Some(by) => format!("dominated by {}", rows[by].name),
            };
            let quality = r.values[1].digits(digits);
            let quality = if r.estimated {
                quality.then(" (estimated)")
            } else {
                quality
            };
            let place = |order: &[usize]| {
                order
                    .iter()
                    .position(|k| k == i)
                    .map_or(String::new(), |p| format!(" (no. {})", p + 1))
            };
            vec![
                words(&r.name),
                r.values[0].cell(r.values[0].money()),
                r.values[1].cell(quality),
                r.values[2].cell(r.values[2].seconds()),
                words(&front),
                scores.0[*i].cell(scores.0[*i].decimals(3).then(&place(orders.0))),
                scores.1[*i].cell(scores.1[*i].decimals(3).then(&place(orders.1))),
            ]
        })
        .collect();
    work.table(Table {
        id: "ranking".into(),
        title: "Candidates by closeness (TOPSIS), with the other ranking beside it".into(),
        columns: vec![
            column("Model", ""),
            column("Cost of 1,000 requests", "USD"),
            column(scale.label(), "points"),
            column("Whole answer, p50", "s"),
            column("Pareto", ""),
            column("TOPSIS, more is better", ""),
            column("Chebyshev, less is better", ""),
        ],
        rows: body,
    });
}

fn scatter(work: &mut Work<'_>, rows: &[Row], beaten: &[Option<usize>]) {
    let scale = metric(work);
    let point = |r: &Row, strong: bool| Point {
        label: Some(r.name.clone()),
        x: Some(r.values[0].value),
        y: r.values[1].value,
        strong,
        id: Some(r.values[1].id.clone()),
        ..Point::default()
    };
    let mut front: Vec<Point> = rows
        .iter()
        .zip(beaten)
        .filter(|(_, b)| b.is_none())
        .map(|(r, _)| point(r, true))
        .collect();
    front.sort_by(|a, b| a.x.unwrap_or(0.0).total_cmp(&b.x.unwrap_or(0.0)));
    let rest: Vec<Point> = rows
        .iter()
        .zip(beaten)
        .filter(|(_, b)| b.is_some())
        .map(|(r, _)| point(r, false))
        .collect();
    let (cheap, good) = (
        rows.iter()
            .min_by(|a, b| a.values[0].value.total_cmp(&b.values[0].value)),
        rows.iter()
            .max_by(|a, b| a.values[1].value.total_cmp(&b.values[1].value)),
    );
    let (Some(cheap), Some(good)) = (cheap, good) else {
        return;
    };
    let text = say!(
        "Cheapest: {} at {} for a thousand requests. Best index: {} with {}, at {}.",
        &cheap.name,
        cheap.values[0].money(),
        &good.name,
        good.values[1].digits(4),
        good.values[0].money()
    );
    let marks = work
        .floor()
        .filter(|_| scale == Metric::Intelligence)
        .map(|f| Mark {
            axis: "y".into(),
            value: f.value,
            label: "least quality".into(),
        })
        .into_iter()
        .collect();
    let source = format!(
        "{}; quality and speed as attributed",
        work.draft.catalog.text
    );
    work.chart(Chart {
        id: "pareto".into(),
        kind: "scatter".into(),
        title: "Cost against quality".into(),
        x: Axis {
            label: "Cost of 1,000 requests".into(),
            unit: "USD".into(),
            scale: "log".into(),
        },
        y: Axis {
            label: scale.label().into(),
            unit: "points".into(),
            scale: "linear".into(),
        },
        series: vec![
            Series {
                name: "On the Pareto front".into(),
                points: front,
            },
            Series {
                name: "Dominated".into(),
                points: rest,
            },
        ],
        marks,
        table: "ranking".into(),
        source,
        text: text.text,
        refs: text.refs,
    });
}

/// What the two rankings say, and why they differ where they do.
fn compare(
    work: &mut Work<'_>,
    rows: &[Row],
    beaten: &[Option<usize>],
    first: (usize, usize),
    scores: (&[Value], &[Value]),
) {
    let (a, b) = (&rows[first.0], &rows[first.1]);
    work.keep("winner_cost", &a.values[0]);
    work.keep("winner_quality", &a.values[1]);
    work.keep("winner_latency", &a.values[2]);
    let about = |r: &Row| {
        say!(
            "{} costs {} for a thousand requests, scores {} and takes {}.",
            &r.name,
            r.values[0].money(),
            r.values[1].digits(4),
            r.values[2].seconds()
        )
    };
    let advice = |why| Advice {
        why,
        effort: "medium",
        impact: "high",
        confidence: "medium",
    };
    let why = about(a).and(say!("With your weights it comes closest to the best of all criteria at once ({}). Try it on a sample of your own requests before you move traffic.", scores.0[first.0].decimals(3)));
    let gain = scores.0[first.0].figure(scores.0[first.0].decimals(3).then(" closeness"));
    work.recommend(
        &format!("Shortlist {}", a.name),
        advice(why),
        &scores.0[first.0],
        Some(gain),
    );
    if first.0 == first.1 {
        work.finding("info", "Both rankings agree", say!("TOPSIS, which lets a strength make up for a weakness, and weighted Chebyshev, which looks at the worst criterion, both prefer {}.", &a.name));
    } else {
        work.finding("info", "The two rankings differ, and why", say!(
            "TOPSIS prefers {}: it lets a strength make up for a weakness. Weighted Chebyshev prefers {}: it judges by the worst criterion only, so it avoids a model that is poor at anything. If one bad criterion would hurt you, take the second.",
            &a.name, &b.name
        ));
        let why = about(b).and(say!("Its worst weighted shortfall is the smallest ({}): the choice where no criterion may fail.", scores.1[first.1].decimals(3)));
        let gain = scores.1[first.1].figure(scores.1[first.1].decimals(3).then(" regret"));
        work.recommend(
            &format!("Keep {} as the balanced choice", b.name),
            advice(why),
            &scores.1[first.1],
            Some(gain),
        );
    }
    let dominated: Vec<String> = rows
        .iter()
        .zip(beaten)
        .filter_map(|(r, by)| Some(format!("{} by {}", r.name, rows[(*by)?].name)))
        .collect();
    if !dominated.is_empty() {
        work.finding("info", "Dominated models", say!("No weights make these the choice, since another is no worse in anything and better in something: {}.", dominated.join("; ")));
    }
    work.winner = Some(a.id.clone());
}
