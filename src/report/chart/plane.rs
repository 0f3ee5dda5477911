//! Curves, clouds of points and distributions on two axes.

use super::axis::Scale;
use super::{Drawing, WIDTH, caption, colour, shortened, told, width_of};
use crate::agents::answer::{Chart, Point, Series};

const LEFT: f64 = 78.0;
const RIGHT: f64 = WIDTH - 18.0;
const TALL: f64 = 250.0;
/// Characters of a name beside a point.
const NAME: usize = 24;
/// Names on a category axis.
const NAMES: usize = 12;

/// Left, top, right, bottom.
type Place = [f64; 4];

fn overlap(a: &Place, b: &Place) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

struct Plane<'a> {
    chart: &'a Chart,
    /// The names of a category axis; empty where the axis counts.
    names: Vec<&'a str>,
    x: Scale,
    y: Scale,
}

pub(super) fn draw(chart: &Chart) -> Option<Drawing> {
    let mut drawing = Drawing::new();
    let names: Vec<&str> = chart.series.iter().map(|s| s.name.as_str()).collect();
    let top = drawing.legend(&names, LEFT) + 18.0;
    let bottom = top + TALL;
    let plane = Plane::new(chart, (bottom, top))?;
    plane.axes(&mut drawing, (top, bottom));
    let mut taken = Vec::new();
    for (n, series) in chart.series.iter().enumerate() {
        match chart.kind.as_str() {
            "scatter" => plane.cloud(&mut drawing, n, series, &mut taken),
            "histogram" => plane.histogram(&mut drawing, series, bottom),
            _ => plane.curve(&mut drawing, n, series),
        }
    }
    plane.marks(&mut drawing, (top, bottom));
    drawing.text("t", "end", (RIGHT, bottom + 34.0), &caption(&chart.x));
    drawing.text("t", "start", (4.0, top - 13.0), &caption(&chart.y));
    drawing.height = bottom + 42.0;
    Some(drawing)
}

impl<'a> Plane<'a> {
    fn new(chart: &'a Chart, (bottom, top): (f64, f64)) -> Option<Self> {
        let points = || chart.series.iter().flat_map(|s| &s.points);
        let mut names: Vec<&str> = Vec::new();
        if chart.x.scale == "category" {
            for name in points().filter_map(|p| p.label.as_deref()) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let on = |axis: &'static str| {
            let marks = chart.marks.iter().filter(move |m| m.axis == axis);
            marks.map(|m| m.value)
        };
        let bins = chart.kind == "histogram";
        let edges = move |p: &Point| [p.low, p.high];
        let ends = |p: &Point| if bins { [None; 2] } else { edges(p) };
        let heights = points().flat_map(|p| ends(p).into_iter().flatten().chain([p.y]));
        let zero = chart.kind != "scatter";
        let y = Scale::of(&chart.y, heights.chain(on("y")), zero, (bottom, top))?;
        let x = if names.is_empty() {
            // The edges of a bin lie across.
            let bin = |p: &Point| if bins { edges(p) } else { [None; 2] };
            let across = points().flat_map(|p| bin(p).into_iter().chain([p.x]).flatten());
            Scale::of(&chart.x, across.chain(on("x")), false, (LEFT, RIGHT))?
        } else {
            let ends = [-0.5, names.len() as f64 - 0.5].into_iter();
            let counted = crate::agents::answer::Axis {
                scale: "linear".into(),
                ..chart.x.clone()
            };
            Scale::of(&counted, ends, false, (LEFT, RIGHT))?
        };
        Some(Self { chart, names, x, y })
    }

    fn place(&self, point: &Point, height: f64) -> Option<(f64, f64)> {
        let across = match (self.names.is_empty(), &point.label) {
            (true, _) => point.x?,
            (false, Some(label)) => self.names.iter().position(|name| name == label)? as f64,
            (false, None) => return None,
        };
        Some((self.x.place(across)?, self.y.place(height)?))
    }

    fn axes(&self, drawing: &mut Drawing, (top, bottom): (f64, f64)) {
        for tick in self.y.ticks() {
            if let Some(y) = self.y.place(tick) {
                drawing.line("g", (LEFT, y), (RIGHT, y));
                let text = told(tick, &self.chart.y);
                drawing.text("t", "end", (LEFT - 8.0, y + 4.0), &text);
            }
        }
        if self.names.is_empty() {
            for tick in self.x.ticks() {
                if let Some(x) = self.x.place(tick) {
                    drawing.line("g", (x, top), (x, bottom));
                    let text = told(tick, &self.chart.x);
                    drawing.text("t", "middle", (x, bottom + 16.0), &text);
                }
            }
        }
        for (n, name) in self.names.iter().take(NAMES).enumerate() {
            if let Some(x) = self.x.place(n as f64) {
                drawing.text("t", "middle", (x, bottom + 16.0), &shortened(name, 12));
            }
        }
    }

    fn curve(&self, drawing: &mut Drawing, n: usize, series: &Series) {
        // A fan of three series: the first and the last are its edges.
        let chart = self.chart;
        let ranged = series
            .points
            .iter()
            .any(|p| p.low.is_some() || p.high.is_some());
        if chart.kind == "fan" && chart.series.len() == 3 && !ranged && n == 0 {
            self.band(drawing, n, &series.points, &chart.series[2].points, |p| p.y);
        }
        if ranged {
            let low = |p: &Point| p.low.unwrap_or(p.y);
            let up = series
                .points
                .iter()
                .filter_map(|p| self.place(p, p.high.unwrap_or(p.y)));
            let down = series
                .points
                .iter()
                .rev()
                .filter_map(|p| self.place(p, low(p)));
            drawing.path(
                "polygon",
                &format!("a {}", colour(n)),
                &up.chain(down).collect::<Vec<_>>(),
            );
        }
        let line: Vec<_> = series
            .points
            .iter()
            .filter_map(|p| self.place(p, p.y))
            .collect();
        drawing.path("polyline", &format!("s {}", colour(n)), &line);
        for point in series.points.iter().filter(|p| p.strong) {
            if let Some(at) = self.place(point, point.y) {
                drawing.dot(&colour(n), at, 4.5);
            }
        }
    }

    fn band(
        &self,
        drawing: &mut Drawing,
        n: usize,
        one: &[Point],
        other: &[Point],
        height: impl Fn(&Point) -> f64,
    ) {
        let there = one.iter().filter_map(|p| self.place(p, height(p)));
        let back = other.iter().rev().filter_map(|p| self.place(p, height(p)));
        let around: Vec<_> = there.chain(back).collect();
        drawing.path("polygon", &format!("a {}", colour(n)), &around);
    }

    fn cloud(&self, drawing: &mut Drawing, n: usize, series: &Series, taken: &mut Vec<Place>) {
        for point in &series.points {
            let Some(at) = self.place(point, point.y) else {
                continue;
            };
            let class = if point.strong {
                colour(n)
            } else {
                format!("w {}", colour(n))
            };
            drawing.dot(&class, at, if point.strong { 5.0 } else { 3.5 });
            if let Some(name) = point.label.as_deref().filter(|_| point.strong) {
                self.name(drawing, at, &shortened(name, NAME), taken);
            }
        }
    }

    /// Beside its point where no other name stands; else the table alone says it.
    fn name(&self, drawing: &mut Drawing, (x, y): (f64, f64), name: &str, taken: &mut Vec<Place>) {
        let wide = width_of(name);
        for (anchor, by, down) in [
            ("start", 9.0, -7.0),
            ("end", -9.0, -7.0),
            ("start", 9.0, 15.0),
            ("end", -9.0, 15.0),
        ] {
            let left = if anchor == "start" {
                x + by
            } else {
                x + by - wide
            };
            let place = [left, y + down - 11.0, left + wide, y + down + 3.0];
            let inside = left >= LEFT && left + wide <= RIGHT;
            if inside && !taken.iter().any(|other| overlap(other, &place)) {
                drawing.text("n", anchor, (x + by, y + down), name);
                taken.push(place);
                return;
            }
        }
    }

    fn histogram(&self, drawing: &mut Drawing, series: &Series, bottom: f64) {
        for point in &series.points {
            let edge = |end: Option<f64>| self.x.place(end.or(point.x)?);
            let (Some(left), Some(right)) = (edge(point.low), edge(point.high)) else {
                continue;
            };
            let Some(y) = self.y.place(point.y) else {
                continue;
            };
            let size = ((right - left - 1.0).max(1.0), bottom - y);
            drawing.rect("c0", (left, y), size);
        }
    }

    fn marks(&self, drawing: &mut Drawing, (top, bottom): (f64, f64)) {
        for (n, mark) in self.chart.marks.iter().enumerate() {
            if mark.axis == "y" {
                let Some(y) = self.y.place(mark.value) else {
                    continue;
                };
                drawing.line("m", (LEFT, y), (RIGHT, y));
                drawing.text("t", "end", (RIGHT, y - 5.0), &mark.label);
            } else if let Some(x) = self.x.place(mark.value) {
                drawing.line("m", (x, top), (x, bottom));
                // Marks close to one another stand one under the other.
                let at = top + 10.0 + 14.0 * (n % 3) as f64;
                let (anchor, by) = if x > WIDTH * 0.7 {
                    ("end", -5.0)
                } else {
                    ("start", 5.0)
                };
                drawing.text("t", anchor, (x + by, at), &mark.label);
            }
        }
    }
}
