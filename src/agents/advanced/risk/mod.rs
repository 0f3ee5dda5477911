//! Ranges instead of numbers: Monte Carlo with a stated seed, and a tornado.

mod swings;

use crate::agents::answer::{Chart, Point, Series, Table};
use crate::agents::ledger::{Curve, Prose, Value, say};
use crate::agents::understand::{Kind, Quantity};
use crate::agents::work::{Fallback, Work, column, fact, words};
pub(super) use swings::*;

const PERCENTILE: Fallback<'_> = Fallback {
    label: "percentile asked for",
    unit: "fraction",
    range: (0.01, 0.999),
    value: 0.9,
    why: "A budget that holds in nine of ten cases.",
};

const DRAWS: &str =
    "SplitMix64 (Steele, Lea & Flood 2014), triangular by inverse distribution, nearest rank";

/// Low, likeliest and high of an input.
pub(super) struct Range {
    pub(super) name: &'static str,
    pub(super) low: Value,
    pub(super) mode: Value,
    pub(super) high: Value,
}

impl Range {
    fn is_point(&self) -> bool {
        self.low.value == self.high.value
    }
}

/// What is drawn: volume, input, output and a fixed cost, in this order.
pub(super) struct Simulation {
    /// Seed and draws; none where only the ends are computed.
    run: Option<(Value, Value)>,
    ranges: Vec<Range>,
    p_in: Value,
    p_out: Value,
}

const SYMBOLS: [(&str, &str, &str); 4] = [
    ("v1", "v2", "v3"),
    ("i1", "i2", "i3"),
    ("o1", "o2", "o3"),
    ("f1", "f2", "f3"),
];

impl Simulation {
    /// The same with seed and draws: the message's, else visible defaults.
    pub(super) fn drawn(mut self, work: &mut Work<'_>) -> Self {
        let seed = match work.first(Kind::Seed, "seed of the draws", "", (0.0, 9e15)) {
            Some(seed) => seed,
            None => work.ledger.assume(
                "seed",
                "seed of the draws",
                42.0,
                "",
                (0.0, 9e15),
                "Any number: the same seed gives the same draws.",
            ),
        };
        let draws = match work.first(Kind::Draws, "draws", "draws", (100.0, 100_000.0)) {
            Some(draws) => draws,
            None => work.ledger.assume(
                "draws",
                "draws",
                10_000.0,
                "draws",
                (100.0, 100_000.0),
                "Enough for stable percentiles.",
            ),
        };
        self.run = Some((seed, draws));
        self
    }

    /// The same with a fixed cost to be subtracted.
    pub(super) fn with_fixed(mut self, fixed: Range) -> Self {
        self.ranges.truncate(3);
        self.ranges.push(fixed);
        self
    }

    fn inputs<'s>(
        &'s self,
        further: &[(&'static str, &'s Value)],
    ) -> Vec<(&'static str, &'s Value)> {
        let mut inputs: Vec<(&'static str, &Value)> = further.to_vec();
        if let Some((seed, draws)) = &self.run {
            inputs.extend([("seed", seed), ("draws", draws)]);
        }
        for (range, (low, mode, high)) in self.ranges.iter().zip(SYMBOLS) {
            inputs.extend([(low, &range.low), (mode, &range.mode), (high, &range.high)]);
        }
        inputs.extend([("p_in", &self.p_in), ("p_out", &self.p_out)]);
        inputs
    }

    fn formula(&self, function: &str, further: &[(&'static str, &Value)]) -> String {
        let symbols: Vec<&str> = self.inputs(&[]).iter().map(|i| i.0).collect();
        let first: Vec<&str> = further.iter().map(|f| f.0).collect();
        let all = [first, symbols].concat().join("; ");
        format!("{function}({all})")
    }

    /// A statistic of the draws of `v × (i × p_in + o × p_out) / 1e6 − f`.
    pub(super) fn derive(
        &self,
        work: &mut Work<'_>,
        label: &str,
        function: &str,
        further: &[(&'static str, &Value)],
        unit: &str,
    ) -> Value {
        work.ledger.derive(
            label,
            &self.formula(function, further),
            DRAWS,
            &self.inputs(further),
            unit,
        )
    }

    /// The same along a chart.
    pub(super) fn curve(
        &self,
        work: &mut Work<'_>,
        label: &str,
        function: &str,
        further: &[(&'static str, &Value)],
        unit: &str,
        varies: (&str, &[f64]),
    ) -> Curve {
        work.ledger.curve(
            label,
            &self.formula(function, further),
            DRAWS,
            &self.inputs(further),
            unit,
            varies,
        )
    }
}

/// A quantity's stated range: three values, or two beside a base value.
fn range(
    work: &mut Work<'_>,
    kind: Kind,
    name: &'static str,
    key: &str,
    base: &Value,
    unit: &str,
) -> Option<Range> {
    let found: Option<Quantity> = work
        .said
        .all(kind)
        .find(|q| q.value.numbers().len() > 1)
        .cloned();
    let month = |work: &Work<'_>, q: &Quantity| match kind {
        Kind::Requests => work.said.bounds_per_month(q),
        _ => q.value.bounds(),
    };
    let Some((quantity, (low, high))) = found.and_then(|q| month(work, &q).map(|b| (q, b))) else {
        return Some(Range {
            name,
            low: base.clone(),
            mode: base.clone(),
            high: base.clone(),
        });
    };
    let mut end = |end: &str, value: f64| {
        let label = format!(
            "{} of {}",
            if end == "low" { "least" } else { "most" },
            base.label
        );
        work.stated(
            &format!("{key}_{end}"),
            &label,
            &quantity,
            value,
            unit,
            (0.0, 1e16),
        )
    };
    let (low, high) = (end("low", low), end("high", high));
    if low.value > base.value || high.value < base.value {
        let prose = say!(
            "The stated value of {} lies outside of its range and is drawn as fixed.",
            base.label.clone()
        );
        work.finding("warning", "A value outside of its range", prose);
        return Some(Range {
            name,
            low: base.clone(),
            mode: base.clone(),
            high: base.clone(),
        });
    }
    Some(Range {
        name,
        low,
        mode: base.clone(),
        high,
    })
}

/// Volume and tokens with their ranges, at the prices of the model.
pub(super) fn traffic(work: &mut Work<'_>) -> Option<Simulation> {
    let model = work.model.clone()?;
    let (n, t_in, t_out) = (work.requests()?, work.tokens_in(), work.tokens_out());
    let prices = work.prices(&model, t_in.value, true)?;
    let ranges = vec![
        range(
            work,
            Kind::Requests,
            "Requests a month",
            "requests_per_month",
            &n,
            "requests/month",
        )?,
        range(
            work,
            Kind::TokensIn,
            "Input tokens",
            "tokens_in",
            &t_in,
            "tokens/request",
        )?,
        range(
            work,
            Kind::TokensOut,
            "Output tokens",
            "tokens_out",
            &t_out,
            "tokens/request",
        )?,
    ];
    Some(Simulation {
        run: None,
        ranges,
        p_in: prices.input,
        p_out: prices.output,
    })
}

/// A range of volume or tokens is stated, and own GPUs are not the question.
pub(super) fn states_range(work: &Work<'_>) -> bool {
    let several = |kind| work.said.all(kind).any(|q| q.value.numbers().len() > 1);
    let any = several(Kind::Requests) || several(Kind::TokensIn) || several(Kind::TokensOut);
    any && work.model.is_some()
        && work.said.requests_per_month().is_some()
        && !crate::agents::advanced::own_gpus::called_for(work)
}

/// The cost of a year over the stated ranges, at the percentile asked for.
pub(super) fn budget(work: &mut Work<'_>) -> Option<Prose> {
    let traffic = traffic(work)?.drawn(work);
    let none = work
        .ledger
        .catalog("no fixed cost", 0.0, "USD/month", "API only");
    let s = traffic.with_fixed(Range {
        name: "Fixed cost",
        low: none.clone(),
        mode: none.clone(),
        high: none,
    });
    let asked = work.first_or(Kind::PercentileWanted, "percentile_wanted", &PERCENTILE);
    let month = s.derive(
        work,
        "cost a month at the percentile",
        "mc_percentile",
        &[("p", &asked)],
        "USD/month",
    );
    let year = work.ledger.derive(
        "cost a year at the percentile",
        "x * 12",
        "twelve such months",
        &[("x", &month)],
        "USD/year",
    );
    let mean = s.derive(work, "cost a month, mean", "mc_mean", &[], "USD/month");
    let half = work
        .ledger
        .catalog("percentile shown", 0.5, "fraction", "nearest rank");
    let middle = s.derive(
        work,
        "cost a month, p50",
        "mc_percentile",
        &[("p", &half)],
        "USD/month",
    );
    work.facts(
        "budget",
        "Cost over the stated ranges",
        "USD",
        vec![
            fact("A month, p50", middle.cell(middle.money())),
            fact("A month, mean", mean.cell(mean.money())),
            fact(
                "A month, at the percentile asked for",
                month.cell(month.money()),
            ),
            fact(
                "A year, at the percentile asked for",
                year.cell(year.money()),
            ),
        ],
    );
    work.keep("budget_year", &year);
    work.keep("budget_percentile", &asked);
    draw_tornado(work, &s, "Cost a month", "USD/month");
    Some(say!(
        "With {} certainty a month costs at most {}, a year {}.",
        asked.percent(),
        month.money(),
        year.money()
    ))
}
