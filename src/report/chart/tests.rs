use super::*;
use crate::agents::answer::{Mark, Point, Series};

fn axis(scale: &str, unit: &str) -> Axis {
    Axis {
        label: "amount".into(),
        unit: unit.into(),
        scale: scale.into(),
    }
}

fn chart(kind: &str, points: Vec<Point>) -> Chart {
    let of_names = ["waterfall", "bars", "stacked"].contains(&kind);
    Chart {
        id: "c".into(),
        kind: kind.into(),
        title: "A <b>title".into(),
        x: axis(if of_names { "category" } else { "linear" }, ""),
        y: axis(
            if ["tornado", "gantt"].contains(&kind) {
                "category"
            } else {
                "linear"
            },
            "USD/month",
        ),
        series: vec![Series {
            name: "s".into(),
            points,
        }],
        marks: vec![Mark {
            axis: "y".into(),
            value: 3.0,
            label: "limit".into(),
        }],
        table: String::new(),
        source: String::new(),
        text: String::new(),
        refs: Vec::new(),
    }
}

fn point(n: usize) -> Point {
    Point {
        label: Some(format!("step {n}")),
        x: Some(n as f64),
        y: 2.0 + n as f64,
        low: Some(1.0),
        high: Some(4.0 + n as f64),
        strong: n == 1,
        id: None,
    }
}

const KINDS: [&str; 9] = [
    "waterfall",
    "bars",
    "line",
    "scatter",
    "fan",
    "tornado",
    "histogram",
    "stacked",
    "gantt",
];

#[test]
fn every_kind_is_drawn_and_every_word_escaped() {
    for kind in KINDS {
        let drawn = draw(&chart(kind, (0..3).map(point).collect())).unwrap();
        assert!(drawn.contains("aria-label=\"A &lt;b&gt;title\""), "{drawn}");
        assert!(drawn.contains(">limit<"), "{kind}: {drawn}");
        let bars = [
            "waterfall",
            "bars",
            "stacked",
            "tornado",
            "gantt",
            "histogram",
        ];
        let shape = match kind {
            "scatter" => "<circle",
            kind if bars.contains(&kind) => "<rect",
            _ => "<polyline",
        };
        assert!(drawn.matches(shape).count() >= 1, "{kind}: {drawn}");
        let hostile = Point {
            label: Some("</svg><script>".into()),
            ..point(1)
        };
        let drawn = draw(&chart(kind, vec![point(0), hostile])).unwrap();
        assert!(!drawn.contains("<script"), "{drawn}");
    }
}

#[test]
fn nothing_that_has_no_place_gets_into_a_drawing() {
    for kind in KINDS {
        let mut nothing = chart(kind, Vec::new());
        nothing.marks.clear();
        assert_eq!(draw(&nothing), None, "{kind}");
        for bad in [f64::NAN, f64::INFINITY, -f64::INFINITY] {
            let odd = Point {
                y: bad,
                low: Some(bad),
                high: Some(bad),
                x: Some(bad),
                ..point(1)
            };
            let drawn = draw(&chart(kind, vec![point(0), odd, point(2)])).unwrap();
            assert!(
                !drawn.contains("NaN") && !drawn.contains("inf"),
                "{kind}: {drawn}"
            );
        }
    }
    assert_eq!(draw(&chart("of the future", vec![point(0)])), None);
}

#[test]
fn everything_of_a_real_answer_stays_within_the_picture() {
    let examples = crate::examples::Gallery::builtin();
    let mut drawn = 0;
    for example in examples.examples() {
        let task = crate::agents::Task {
            content: example.content.clone(),
            category: example.category,
            complexity: example.complexity,
            assumptions: Default::default(),
            as_of: "2026-12-01".to_owned(),
        };
        let catalog = crate::agents::catalog::Catalog::builtin();
        let answer = crate::agents::answer(&task, &catalog, &mut |_| {}).unwrap();
        for chart in &answer.charts {
            let svg = draw(chart).unwrap_or_else(|| panic!("{} {}", example.id, chart.title));
            drawn += 1;
            let number = |attribute: &str| {
                let named = format!(" {attribute}=\"");
                let parts = svg.split(named.as_str()).skip(1);
                let texts = parts.filter_map(|part| part.split('"').next());
                texts
                    .filter_map(|text| text.parse::<f64>().ok())
                    .collect::<Vec<f64>>()
            };
            for x in ["x", "x1", "x2", "cx"].into_iter().flat_map(number) {
                assert!(
                    (0.0..=WIDTH).contains(&x),
                    "{} {}: {x}",
                    example.id,
                    chart.title
                );
            }
        }
    }
    assert!(drawn >= 10, "{drawn}");
}
