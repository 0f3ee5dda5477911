//! Small pieces of tables and charts.

use super::answer::{Axis, Cell, Column, Mark};

/// A column of a table.
pub(super) fn column(name: &str, unit: &str) -> Column {
    Column {
        name: name.into(),
        unit: unit.into(),
    }
}

/// A cell of words.
pub(super) fn words(text: &str) -> Cell {
    Cell {
        text: text.into(),
        value: None,
        id: None,
    }
}

/// A row of a table of facts: a name and its number.
pub(super) fn fact(name: &str, cell: Cell) -> Vec<Cell> {
    vec![words(name), cell]
}

/// An axis of a chart.
pub(super) fn axis(label: &str, unit: &str, scale: &str) -> Axis {
    Axis {
        label: label.into(),
        unit: unit.into(),
        scale: scale.into(),
    }
}

/// A line across a chart.
pub(super) fn mark(axis: &str, value: f64, label: &str) -> Mark {
    Mark {
        axis: axis.into(),
        value,
        label: label.into(),
    }
}
