//! All levers pulled, as a table and a waterfall.

use super::*;
use crate::agents::work::axis;

/// The table and waterfall of all levers pulled.
pub(in crate::agents) fn stacked(work: &mut Work<'_>) -> Option<Prose> {
    let levers = work.levers.clone();
    let baseline = work.kept("baseline")?;
    let last = levers.last()?.after.clone();
    if baseline.value <= 0.0 {
        return None;
    }
    let unit = baseline.unit.clone();
    let inputs = [("before", &baseline), ("after", &last)];
    let total = work.ledger.derive(
        "saving of all levers a month",
        "before - after",
        "stacked in a fixed order",
        &inputs,
        &unit,
    );
    let share = work.ledger.derive(
        "saving of all levers",
        "(before - after) / before",
        "stacked in a fixed order",
        &inputs,
        "fraction",
    );
    work.keep("saving", &total);
    work.keep("saving_share", &share);
    work.keep("after", &last);
    let mut rows = Vec::new();
    let mut points = vec![Point {
        low: Some(0.0),
        ..baseline.bar("Today, at list price")
    }];
    for lever in &levers {
        rows.push(vec![
            words(lever.name),
            lever.alone.cell(lever.alone.money()),
            lever.before.cell(lever.before.money()),
            lever.marginal.cell(lever.marginal.money()),
            lever.after.cell(lever.after.money()),
        ]);
        points.push(Point {
            low: Some(lever.before.value),
            ..lever.after.bar(lever.name)
        });
    }
    points.push(Point {
        low: Some(0.0),
        strong: true,
        ..last.bar("Afterwards")
    });
    work.table(Table {
        id: "levers".into(),
        title: "Levers, alone and stacked in a fixed order".into(),
        columns: vec![
            column("Lever", ""),
            column("Alone it saves", "USD/month"),
            column("Before", "USD/month"),
            column("On top it saves", "USD/month"),
            column("After", "USD/month"),
        ],
        rows,
    });
    waterfall(work, points, &baseline, &total, &last);
    Some(say!(
        "All levers together: {} a month becomes {}, {} less.",
        baseline.money(),
        last.money(),
        share.percent()
    ))
}

pub(super) fn waterfall(
    work: &mut Work<'_>,
    mut points: Vec<Point>,
    baseline: &Value,
    total: &Value,
    last: &Value,
) {
    if let (Some(gap), Some(spend)) = (work.kept("gap"), crate::agents::cost::spend_per_month(work))
        && spend.unit.starts_with("USD")
    {
        let unexplained = Point {
            low: Some(spend.value),
            label: Some(
                match gap.value < 0.0 {
                    true => "Below list price",
                    false => "Not explained",
                }
                .into(),
            ),
            y: baseline.value,
            id: Some(gap.id),
            ..Point::default()
        };
        points.splice(
            0..0,
            [
                Point {
                    low: Some(0.0),
                    ..spend.bar("Stated bill")
                },
                unexplained,
            ],
        );
    }
    let text = say!(
        "From {} a month to {}: {} saved.",
        baseline.money(),
        last.money(),
        total.money()
    );
    let source = work.draft.catalog.text.clone();
    work.chart(Chart {
        id: "savings".into(),
        kind: "waterfall".into(),
        title: "Savings a month, step by step".into(),
        x: axis("Lever", "", "category"),
        y: axis("Cost", &baseline.unit, "linear"),
        series: vec![Series {
            name: "Cost a month".into(),
            points,
        }],
        marks: Vec::new(),
        table: "levers".into(),
        source,
        text: text.text,
        refs: text.refs,
    });
}

/// What papers report: the upper end, with its scope.
pub(in crate::agents) fn published(work: &mut Work<'_>) -> Option<Prose> {
    let pulled: Vec<&str> = work.levers.iter().map(|l| l.name).collect();
    let mut notes = Vec::new();
    let mut note = |lever: &str, label: &str, value: f64, paper: &str, words: &str| {
        if pulled.contains(&lever) {
            let v = work.ledger.catalog(label, value, "fraction", paper);
            notes.push(say!(words, v.percent()));
        }
    };
    note(
        "Semantic cache",
        "highest published hit rate",
        0.688,
        "GPT Semantic Cache, arXiv:2411.05276",
        "Semantic cache: up to {} hits on the authors' own frequently asked questions; a vendor reports well under half in production.",
    );
    note(
        "Routing",
        "highest published saving by routing",
        0.85,
        "RouteLLM, arXiv:2406.18665",
        "Routing: up to {} cheaper at nearly the strong model's score on MT Bench, with a far weaker second model; benchmark traffic, not yours.",
    );
    note(
        "Shorter context",
        "highest published saving by compression",
        0.94,
        "LongLLMLingua, arXiv:2310.06839",
        "Compression: up to {} off the cost of long-context questions on LooGLE with GPT-3.5-Turbo.",
    );
    let all = notes.into_iter().reduce(Prose::and)?;
    work.finding(
        "info",
        "What papers report is the upper end, not the forecast",
        all,
    );
    Some(say!(
        "Published savings noted with their scope; none enters the forecast."
    ))
}
