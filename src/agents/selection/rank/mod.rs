//! Cost, quality and latency of the candidates: Pareto front and two rankings.

mod scores;
mod show;

use crate::agents::answer::{Chart, Point, Series, Table};
use crate::agents::calculate::decide::{Criterion, Decision, Goal, order};
use crate::agents::catalog::{Basis, Metric, Mode};
use crate::agents::latency::timing;
use crate::agents::ledger::{Prose, Value, say};
use crate::agents::selection::filter::metric;
use crate::agents::understand::Kind;
use crate::agents::work::{Advice, Work, column, words};
use scores::*;
use show::*;

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

/// "Cost matters most, then quality": 50 % to the first named, 30 % to the second, 20 % to the
/// last. The order is the visitor's, the figures are assumptions.
const BY_RANK: [f64; 3] = [0.5, 0.3, 0.2];

/// Defaults by the order in words, where one is stated; else cost and quality alike.
fn defaults(work: &Work<'_>) -> ([f64; 3], &'static str) {
    let order = &work.said.priorities;
    if order.is_empty() {
        let why = "The message states no weight; edit it and the ranking follows.";
        return ([0.4, 0.4, 0.2], why);
    }
    let unnamed: f64 = BY_RANK[order.len().min(3)..].iter().sum();
    let share = unnamed / (3 - order.len().min(3)).max(1) as f64;
    let of = |name: &str| {
        let rank = order.iter().position(|o| *o == name);
        rank.and_then(|r| BY_RANK.get(r).copied()).unwrap_or(share)
    };
    let why =
        "You named an order, not figures: 50%, 30%, 20% by rank. Edit it and the ranking follows.";
    ([of("cost"), of("quality"), of("latency")], why)
}

fn weights(work: &mut Work<'_>) -> [Value; 3] {
    let (defaults, why) = defaults(work);
    let mut weight = |q: &str, default: f64| {
        let name = format!("weight_{q}");
        let label = format!("weight of {q}");
        match work.said.qualified(Kind::Weight, q).cloned() {
            Some(stated) => {
                let value = stated.value.base().unwrap_or(default);
                work.stated(&name, &label, &stated, value, "fraction", (0.0, 1.0))
            }
            None => work
                .ledger
                .assume(&name, &label, default, "fraction", (0.0, 1.0), why),
        }
    };
    [
        weight("cost", defaults[0]),
        weight("quality", defaults[1]),
        weight("latency", defaults[2]),
    ]
}

/// Ranks the candidates.
pub(in crate::agents) fn pareto_rank(work: &mut Work<'_>) -> Option<Prose> {
    let rows = rows(work);
    let weights = weights(work);
    let sum: f64 = weights.iter().map(|w| w.value).sum();
    if rows.len() < 2 || sum <= 0.0 {
        // Too little is published to rank; what it costs can still be compared.
        return crate::agents::cost::compare_models(work);
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
    let advice = |why| Advice::new(why, "medium", "high", "medium");
    let why = about(a).and(say!("With your weights it comes closest to the best of all criteria at once ({}). Try it on a sample of your own requests before you move traffic.", scores.0[first.0].decimals(3)));
    let price = |r: &Row| r.values[0].figure(r.values[0].money().then(" for 1,000 requests"));
    let gain = price(a);
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
        let gain = price(b);
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
