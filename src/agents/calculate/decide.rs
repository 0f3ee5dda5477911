//! Choosing by several criteria.
//!
//! One ranking is not enough: TOPSIS lets a strength make up for a weakness, Chebyshev
//! judges by the worst criterion. Where they differ, show both and say why.

use super::{Computed, OutOfRange, count, positive, signed};

/// The most options or criteria; the front is quadratic in the options.
pub const MOST: usize = 1_000;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Less.
    Min,
    /// More.
    Max,
}

/// What counts, and how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Criterion {
    /// Which way is better.
    pub goal: Goal,
    /// Over zero; only the ratio of weights matters.
    pub weight: f64,
}

/// Options (rows) by criteria (columns), checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    rows: Vec<Vec<f64>>,
    criteria: Vec<Criterion>,
}

impl Decision {
    /// Options with one value a criterion. Weights are scaled to a sum of one.
    ///
    /// # Errors
    /// Where there is no option or criterion, a row has another length, a weight is not
    /// over zero, a value is not a number, or there are more than [`MOST`].
    pub fn new(rows: Vec<Vec<f64>>, criteria: Vec<Criterion>) -> Computed<Self> {
        for (what, length) in [("options", rows.len()), ("criteria", criteria.len())] {
            count(what, length.min(MOST) as u32)?;
            if length > MOST {
                let value = length as f64;
                return Err(OutOfRange {
                    what,
                    value,
                    allowed: "at most 1,000",
                });
            }
        }
        for row in &rows {
            if row.len() != criteria.len() {
                let value = row.len() as f64;
                return Err(OutOfRange {
                    what: "values",
                    value,
                    allowed: "one a criterion",
                });
            }
            for value in row {
                signed("value", *value)?;
            }
        }
        let mut sum = 0.0;
        for criterion in &criteria {
            sum += positive("weight", criterion.weight)?;
        }
        let scaled = |c: &Criterion| Criterion {
            weight: c.weight / sum,
            ..*c
        };
        Ok(Self {
            rows,
            criteria: criteria.iter().map(scaled).collect(),
        })
    }

    /// For each option the first one that is no worse in all criteria and better in one;
    /// none for the members of the front.
    ///
    /// Source: Pareto dominance.
    pub fn dominated_by(&self) -> Vec<Option<usize>> {
        let others = |row: &Vec<f64>| {
            self.rows
                .iter()
                .position(|other| self.dominates(other, row))
        };
        self.rows.iter().map(others).collect()
    }

    /// The options nobody dominates, in their order.
    pub fn front(&self) -> Vec<usize> {
        let dominated = self.dominated_by();
        (0..dominated.len())
            .filter(|i| dominated[*i].is_none())
            .collect()
    }

    fn dominates(&self, a: &[f64], b: &[f64]) -> bool {
        let better = |(x, y, c): (&f64, &f64, &Criterion)| match c.goal {
            Goal::Min => x < y,
            Goal::Max => x > y,
        };
        let pairs = |x: &[f64], y: &[f64]| {
            x.iter()
                .zip(y)
                .zip(&self.criteria)
                .any(|((x, y), c)| better((x, y, c)))
        };
        pairs(a, b) && !pairs(b, a)
    }

    /// Closeness to the best of all criteria against the worst, 0 to 1, more is better:
    /// normalise by the vector's length, weigh, `d_worst / (d_best + d_worst)`. One half for
    /// all where all are equal.
    ///
    /// Source: Hwang & Yoon 1981.
    pub fn topsis(&self) -> Vec<f64> {
        let columns: Vec<_> = (0..self.criteria.len()).map(|j| self.weighed(j)).collect();
        let distance = |i: usize, end: fn(&Ends) -> f64| {
            let square = |(column, ends): &(Vec<f64>, Ends)| (column[i] - end(ends)).powi(2);
            columns.iter().map(square).sum::<f64>().sqrt()
        };
        let closeness = |i: usize| {
            let (best, worst) = (distance(i, |e| e.best), distance(i, |e| e.worst));
            if best + worst == 0.0 {
                0.5
            } else {
                worst / (best + worst)
            }
        };
        (0..self.rows.len()).map(closeness).collect()
    }

    fn weighed(&self, j: usize) -> (Vec<f64>, Ends) {
        let length = self.rows.iter().map(|r| r[j].powi(2)).sum::<f64>().sqrt();
        let scale = if length == 0.0 {
            0.0
        } else {
            self.criteria[j].weight / length
        };
        let column: Vec<_> = self.rows.iter().map(|r| r[j] * scale).collect();
        let ends = Ends::of(column.iter().copied(), self.criteria[j].goal);
        (column, ends)
    }

    /// Weighted distance to the ideal by the worst criterion, less is better:
    /// `max_j w_j z_j + rho * sum_j w_j z_j` with `z = (x - ideal) / (nadir - ideal)` and
    /// `rho` 0.001, which prefers the better of two with the same worst criterion.
    ///
    /// Source: Steuer & Choo 1983. The nadir is taken over all options.
    pub fn chebyshev(&self) -> Vec<f64> {
        const RHO: f64 = 0.001;
        let ends: Vec<_> = (0..self.criteria.len())
            .map(|j| Ends::of(self.rows.iter().map(|r| r[j]), self.criteria[j].goal))
            .collect();
        let score = |row: &Vec<f64>| {
            let parts = row.iter().zip(&ends).zip(&self.criteria);
            let (max, sum) = parts.fold((0.0, 0.0), |(max, sum), ((x, e), c)| {
                let span = e.worst - e.best;
                let part = if span == 0.0 {
                    0.0
                } else {
                    c.weight * (x - e.best) / span
                };
                (f64::max(max, part), sum + part)
            });
            max + RHO * sum
        };
        self.rows.iter().map(score).collect()
    }
}

/// The best and the worst value of a criterion.
struct Ends {
    best: f64,
    worst: f64,
}

impl Ends {
    fn of(values: impl Iterator<Item = f64>, goal: Goal) -> Self {
        let start = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = values.fold(start, |(l, h), v| (l.min(v), h.max(v)));
        match goal {
            Goal::Min => Self {
                best: low,
                worst: high,
            },
            Goal::Max => Self {
                best: high,
                worst: low,
            },
        }
    }
}

/// Indices from the best score to the worst; equal scores keep their order.
pub fn order(scores: &[f64], goal: Goal) -> Vec<usize> {
    let mut indices: Vec<_> = (0..scores.len()).collect();
    indices.sort_by(|a, b| match goal {
        Goal::Min => scores[*a].total_cmp(&scores[*b]),
        Goal::Max => scores[*b].total_cmp(&scores[*a]),
    });
    indices
}
