//! The ranking as a table and a picture.

use super::*;
use crate::agents::work::{axis, mark};

pub(super) fn table(
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

pub(super) fn scatter(work: &mut Work<'_>, rows: &[Row], beaten: &[Option<usize>]) {
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
    let by = |a: &&Row, b: &&Row, j: usize| a.values[j].value.total_cmp(&b.values[j].value);
    let cheap = rows.iter().min_by(|a, b| by(a, b, 0));
    let good = rows.iter().max_by(|a, b| by(a, b, 1));
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
        .map(|f| mark("y", f.value, "least quality"))
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
        x: axis("Cost of 1,000 requests", "USD", "log"),
        y: axis(scale.label(), "points", "linear"),
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
