//! The two rankings, step by step.

use super::*;

/// The column of a criterion as inputs `x1`, `x2`, …
pub(super) fn symbols(rows: &[Row], j: usize) -> Vec<(String, Value)> {
    rows.iter()
        .enumerate()
        .map(|(i, r)| (format!("x{}", i + 1), r.values[j].clone()))
        .collect()
}

pub(super) fn over_column(
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
pub(super) struct Ends {
    pub(super) best: Value,
    pub(super) worst: Value,
    pub(super) length: Value,
}

pub(super) fn ends(work: &mut Work<'_>, rows: &[Row]) -> Vec<Ends> {
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
pub(super) fn topsis(work: &mut Work<'_>, rows: &[Row], w: &[Value; 3]) -> Vec<Value> {
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
pub(super) fn chebyshev(work: &mut Work<'_>, rows: &[Row], w: &[Value; 3]) -> Vec<Value> {
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
