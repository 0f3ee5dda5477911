//! A declared chart as a drawing in the text of the page: SVG with shapes and words alone.
//!
//! The demo page draws with a library and a canvas; a report must show the same charts on paper and
//! without a script. What compares amounts by name lies down as rows, so that any name can be read;
//! the rest stands on a plane of two axes. What a drawing cannot say, its table does.

mod axis;
mod plane;
mod rows;

use std::fmt::Write;

use super::html::escaped;
use crate::agents::answer::{Axis, Chart};
use crate::agents::ledger::show;

/// Units of the drawing across; it scales.
const WIDTH: f64 = 720.0;
/// Colours that the style sheet has.
const COLOURS: usize = 6;

/// The drawing; none where there is nothing that can be drawn.
pub(super) fn draw(chart: &Chart) -> Option<String> {
    let drawing = match chart.kind.as_str() {
        "waterfall" | "bars" | "stacked" | "tornado" | "gantt" => rows::draw(chart),
        "line" | "scatter" | "fan" | "histogram" => plane::draw(chart),
        _ => None,
    }?;
    Some(format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\">{}</svg>",
        drawing.height,
        escaped(&chart.title),
        drawing.shapes
    ))
}

/// Shapes, and how far down they reach.
struct Drawing {
    height: f64,
    shapes: String,
}

impl Drawing {
    fn new() -> Self {
        Self {
            height: 0.0,
            shapes: String::new(),
        }
    }

    // Writing into a string does not fail.

    fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        let _ = write!(
            self.shapes,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\"/>"
        );
    }

    fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = write!(
            self.shapes,
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        );
    }

    fn path(&mut self, tag: &str, class: &str, points: &[(f64, f64)]) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = write!(
            self.shapes,
            "<{tag} class=\"{class}\" points=\"{}\"/>",
            points.join(" ")
        );
    }

    fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        let _ = write!(
            self.shapes,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>"
        );
    }

    /// `anchor`: `start`, `middle` or `end`.
    fn text(&mut self, class: &str, anchor: &str, (x, y): (f64, f64), text: &str) {
        let _ = write!(
            self.shapes,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
            escaped(text)
        );
    }

    /// The names of the series, where there are several; returns where what follows may begin.
    fn legend(&mut self, names: &[&str], from: f64) -> f64 {
        if names.len() < 2 {
            return 8.0;
        }
        let (mut x, mut y) = (from, 14.0);
        for (n, name) in names.iter().enumerate() {
            let room = 30.0 + width_of(name);
            if x > from && x + room > WIDTH {
                (x, y) = (from, y + 18.0);
            }
            self.rect(&colour(n), (x, y - 9.0), (10.0, 10.0));
            self.text("l", "start", (x + 15.0, y), name);
            x += room;
        }
        y + 14.0
    }
}

fn colour(n: usize) -> String {
    format!("c{}", n % COLOURS)
}

/// About how wide a text is; no font is known here, so that this errs on the wide side.
fn width_of(text: &str) -> f64 {
    text.chars().count() as f64 * 6.6
}

/// A text within so many characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short + "…"
}

/// A value as it stands beside a bar or a tick: the axis says by what it is counted.
fn told(value: f64, axis: &Axis) -> String {
    let unit = axis.unit.as_str();
    match unit.split(['/', ' ']).next().unwrap_or("") {
        "USD" | "EUR" if value.abs() >= 1e6 => {
            let sign = if unit.starts_with("EUR") { "€" } else { "$" };
            format!("{sign}{}", show::count(value))
        }
        "USD" | "EUR" => show::money(value, unit),
        "fraction" => show::percent(value),
        "s" => show::seconds(value),
        _ => show::count(value),
    }
}

/// What an axis measures, with its unit.
fn caption(axis: &Axis) -> String {
    match axis.unit.replace("fraction", "%").as_str() {
        "" => axis.label.clone(),
        unit if axis.label.contains(unit) => axis.label.clone(),
        unit => format!("{} ({unit})", axis.label),
    }
}

#[cfg(test)]
mod tests;
