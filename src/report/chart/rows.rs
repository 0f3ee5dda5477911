//! Amounts by name: bars that lie down, one under the other.

use super::axis::Scale;
use super::{Drawing, WIDTH, caption, colour, shortened, told};
use crate::agents::answer::{Axis, Chart, Point};

/// Where the bars begin; names stand before.
const LEFT: f64 = 205.0;
/// Where they end; values stand behind.
const RIGHT: f64 = WIDTH - 105.0;
/// Characters of a name.
const NAME: usize = 31;
const BAR: f64 = 16.0;
/// A name of two lines fits beside one bar.
const GAP: f64 = 12.0;
/// More rows than this are left to the table.
const ROWS: usize = 40;

/// A bar from one value to another.
struct Bar {
    from: f64,
    to: f64,
    class: String,
    text: String,
}

pub(super) fn draw(chart: &Chart) -> Option<Drawing> {
    let lies = ["tornado", "gantt"].contains(&chart.kind.as_str());
    let swapped = chart.x.scale != "category" && (chart.y.scale == "category" || lies);
    let value = if swapped { &chart.x } else { &chart.y };
    let rows = rows(chart, value);
    if rows.is_empty() || rows.len() > ROWS {
        return None;
    }
    let ends = rows.iter().flat_map(|(_, bars)| bars);
    let ends = ends.flat_map(|bar| [bar.from, bar.to]);
    let marks = chart.marks.iter().map(|mark| mark.value);
    let from_zero = !["tornado", "gantt"].contains(&chart.kind.as_str());
    let scale = Scale::of(value, ends.chain(marks), from_zero, (LEFT, RIGHT))?;

    let mut drawing = Drawing::new();
    let names: Vec<&str> = chart.series.iter().map(|s| s.name.as_str()).collect();
    let many = chart.kind != "waterfall" && chart.series.len() > 1;
    let top = drawing.legend(if many { &names } else { &[] }, LEFT);
    let stacked = chart.kind == "stacked";
    let height = |bars: &[Bar]| {
        if stacked {
            BAR
        } else {
            BAR * bars.len() as f64
        }
    };
    let below = top + rows.iter().map(|(_, bars)| height(bars) + GAP).sum::<f64>();
    for tick in scale.ticks() {
        if let Some(x) = scale.place(tick) {
            drawing.line("g", (x, top), (x, below));
            drawing.text("t", "middle", (x, below + 15.0), &told(tick, value));
        }
    }
    let mut y = top + GAP / 2.0;
    for (name, bars) in &rows {
        let middle = y + height(bars) / 2.0 + 4.0;
        let lines = wrapped(name);
        for (n, line) in lines.iter().enumerate() {
            let down = 13.0 * n as f64 - 6.5 * (lines.len() - 1) as f64;
            drawing.text("n", "end", (LEFT - 10.0, middle + down), line);
        }
        for (n, bar) in bars.iter().enumerate() {
            let at = if stacked { y } else { y + BAR * n as f64 };
            one(&mut drawing, &scale, bar, at, !stacked);
        }
        if stacked && let Some(last) = bars.last() {
            let end = scale.place(last.to).unwrap_or(RIGHT);
            drawing.text("v", "start", (end + 6.0, middle), &told(last.to, value));
        }
        y += height(bars) + GAP;
    }
    for mark in &chart.marks {
        if let Some(x) = scale.place(mark.value) {
            drawing.line("m", (x, top), (x, below));
            drawing.text("t", "middle", (x, below + 30.0), &mark.label);
        }
    }
    let more = if chart.marks.is_empty() { 34.0 } else { 49.0 };
    drawing.text("t", "end", (RIGHT, below + more), &caption(value));
    drawing.height = below + more + 8.0;
    Some(drawing)
}

/// A name in one line or two.
fn wrapped(name: &str) -> Vec<String> {
    if name.chars().count() <= NAME {
        return vec![name.to_owned()];
    }
    let ends = name.char_indices().take(NAME + 1);
    let gap = ends.filter(|(_, c)| c.is_whitespace()).last();
    match gap {
        Some((at, _)) => {
            let (first, rest) = name.split_at(at);
            vec![first.to_owned(), shortened(rest.trim_start(), NAME)]
        }
        None => vec![shortened(name, NAME)],
    }
}

fn one(drawing: &mut Drawing, scale: &Scale, bar: &Bar, y: f64, with_text: bool) {
    let place = |value| scale.place(value).unwrap_or_else(|| scale.base());
    let (a, b) = (place(bar.from), place(bar.to));
    let (left, right) = (a.min(b), a.max(b));
    let size = ((right - left).max(1.5), BAR - 2.0);
    drawing.rect(&bar.class, (left, y + 1.0), size);
    if with_text {
        let at = (right + 6.0, y + BAR / 2.0 + 4.0);
        drawing.text("v", "start", at, &bar.text);
    }
}

/// Each name with its bars, in the order of the chart.
fn rows(chart: &Chart, value: &Axis) -> Vec<(String, Vec<Bar>)> {
    let mut rows: Vec<(String, Vec<Bar>)> = Vec::new();
    for (n, series) in chart.series.iter().enumerate() {
        for point in &series.points {
            let name = point.label.clone().unwrap_or_default();
            let at = match rows.iter().position(|(known, _)| *known == name) {
                // A step of a waterfall may have the name of another.
                Some(at) if chart.kind != "waterfall" => at,
                _ => {
                    rows.push((name, Vec::new()));
                    rows.len() - 1
                }
            };
            let before = rows[at].1.last().map_or(0.0, |bar| bar.to);
            rows[at].1.push(bar(chart, value, n, point, before));
        }
    }
    rows
}

fn bar(chart: &Chart, value: &Axis, series: usize, point: &Point, before: f64) -> Bar {
    let named = |from: f64, to: f64, text: String| Bar {
        from,
        to,
        class: colour(series),
        text,
    };
    match chart.kind.as_str() {
        "stacked" => named(before, before + point.y, String::new()),
        "tornado" | "gantt" => {
            let (low, high) = (point.low.unwrap_or(0.0), point.high.unwrap_or(point.y));
            let text = format!("{} … {}", told(low, value), told(high, value));
            named(low, high, text)
        }
        // A step from nothing is a level.
        "waterfall" => match point.low.filter(|low| *low != 0.0) {
            Some(low) => {
                let step = point.y - low;
                let plus = if step > 0.0 { "+" } else { "" };
                let class = if step > 0.0 { "c1" } else { "c2" };
                Bar {
                    class: class.to_owned(),
                    ..named(low, point.y, format!("{plus}{}", told(step, value)))
                }
            }
            None => Bar {
                class: if point.strong { "c0" } else { "c5" }.to_owned(),
                ..named(0.0, point.y, told(point.y, value))
            },
        },
        _ => {
            let told_apart = chart
                .series
                .iter()
                .any(|s| s.points.iter().any(|p| p.strong));
            let mut bar = named(0.0, point.y, told(point.y, value));
            if chart.series.len() == 1 && told_apart && !point.strong {
                "c5".clone_into(&mut bar.class);
            }
            bar
        }
    }
}
