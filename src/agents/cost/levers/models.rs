//! A cheaper model for the easy part: routing and cascades.

use super::*;

/// A share of easy requests and a smaller model are stated.
pub(in crate::agents) fn easy_share(work: &Work<'_>) -> bool {
    (work.said.share("easy").is_some() || work.said.share("escalation").is_some())
        && small_model(work).is_some()
}

pub(super) fn small_model(work: &Work<'_>) -> Option<String> {
    let big = work.model.clone()?;
    let candidates = work.said.models_in(ModelRole::Candidate);
    candidates
        .into_iter()
        .find(|id| *id != big)
        .map(str::to_owned)
}

pub(super) struct Pair {
    pub(super) name: String,
    pub(super) big: Value,
    pub(super) small: Value,
    pub(super) prices: crate::agents::facts::Prices,
}

/// Costs of a request of the current traffic on the big and on the small model.
pub(super) fn pair(work: &mut Work<'_>, t: &Traffic) -> Option<Pair> {
    let id = small_model(work)?;
    let name = work.name(&id);
    let prices = work.prices(&id, t.t_in.value, true)?;
    let formula = "(t_in * p_in + t_out * p_out) / 1e6";
    let mut cost = |label: &str, p_in: &Value, p_out: &Value| {
        let inputs = [
            ("t_in", &t.t_in),
            ("p_in", p_in),
            ("t_out", &t.t_out),
            ("p_out", p_out),
        ];
        work.ledger
            .derive(label, formula, PRICE_PAGES, &inputs, "USD/request")
    };
    let big = cost("cost of a request on the big model", &t.p_in, &t.p_out);
    let small = cost(
        "cost of a request on the small model",
        &prices.input,
        &prices.output,
    );
    Some(Pair {
        name,
        big,
        small,
        prices,
    })
}

/// The share of requests that needs the big model, and the share that does not.
pub(super) fn split(work: &mut Work<'_>) -> Option<(Value, Value)> {
    if let Some(easy) = work.share("easy", "share of easy requests") {
        let hard = work.ledger.derive(
            "share that needs the big model",
            "1 - easy",
            "the rest",
            &[("easy", &easy)],
            "fraction",
        );
        return Some((easy, hard));
    }
    let hard = work.share("escalation", "share that needs the big model")?;
    let easy = work.ledger.derive(
        "share of easy requests",
        "1 - e",
        "the rest",
        &[("e", &hard)],
        "fraction",
    );
    Some((easy, hard))
}

pub(in crate::agents) fn routing(work: &mut Work<'_>) -> Option<Prose> {
    pull(
        work,
        &Kindred {
            name: "Routing",
            title: "Route easy requests to the smaller model",
            effort: "medium",
            confidence: "medium",
            apply: |work, t| {
                let pair = pair(work, t)?;
                let (easy, hard) = split(work)?;
                let router = work.ledger.assume("router_cost", "cost of the router", 0.0, "USD/request", (0.0, 1.0), "A rule or a small classifier costs next to nothing; edit it where yours is a model call.");
                let inputs = [
                    ("n", &t.n),
                    ("easy", &easy),
                    ("big", &pair.big),
                    ("small", &pair.small),
                    ("router", &router),
                ];
                let saving = work.ledger.derive(
                    "saving of routing a month",
                    "n * (easy * (big - small) - router)",
                    "RouteLLM, arXiv:2406.18665",
                    &inputs,
                    "USD/month",
                );
                let mut blend = |label: &str, big: &Value, small: &Value| {
                    let inputs = [
                        ("hard", &hard),
                        ("p_big", big),
                        ("easy", &easy),
                        ("p_small", small),
                    ];
                    work.ledger.derive(
                        label,
                        "hard * p_big + easy * p_small",
                        "weighted by traffic",
                        &inputs,
                        "USD/Mtok",
                    )
                };
                let p_in = blend("price of input after routing", &t.p_in, &pair.prices.input);
                let p_out = blend(
                    "price of output after routing",
                    &t.p_out,
                    &pair.prices.output,
                );
                let why = say!(
                    "{} of the requests are easy. On {} they cost {} instead of {} each. A router must recognise them beforehand: measure how often it is wrong.",
                    easy.percent(),
                    &pair.name,
                    pair.small.money(),
                    pair.big.money()
                );
                Some(Effect {
                    saving,
                    why,
                    after: Traffic {
                        p_in,
                        p_out,
                        ..t.clone()
                    },
                })
            },
        },
    )
}

/// The other way to use two models; shown beside routing, not stacked on it.
pub(in crate::agents) fn cascade(work: &mut Work<'_>) -> Option<Prose> {
    let t = start(work)?;
    let pair = pair(work, &t)?;
    let (_, hard) = split(work)?;
    if pair.big.value <= 0.0 {
        return None;
    }
    let judge = work.ledger.assume(
        "judge_cost",
        "cost of judging an answer",
        0.0,
        "USD/request",
        (0.0, 1.0),
        "Judging by rule or by the model's own confidence; edit it where yours is a model call.",
    );
    let paper = "FrugalGPT, arXiv:2305.05176";
    let inputs = [
        ("n", &t.n),
        ("small", &pair.small),
        ("e", &hard),
        ("big", &pair.big),
        ("judge", &judge),
    ];
    let l = &mut work.ledger;
    let (label, formula) = ("cost of a cascade a month", "n * (small + e * big + judge)");
    let cost = l.derive(label, formula, paper, &inputs, "USD/month");
    let both = [("before", &t.cost), ("after", &cost)];
    let (label, formula) = ("saving of a cascade a month", "before - after");
    let saving = l.derive(label, formula, paper, &both, "USD/month");
    let (label, formula) = ("saving of a cascade", "(before - after) / before");
    let share = l.derive(label, formula, paper, &both, "fraction");
    let (label, formula) = (
        "escalation at which a cascade stops paying",
        "1 - (small + judge) / big",
    );
    let costs = [inputs[1], inputs[3], inputs[4]];
    let break_even = l.derive(label, formula, paper, &costs, "fraction");
    let pays = if hard.value < break_even.value {
        "pays"
    } else {
        "does not pay"
    };
    work.finding("info", "A cascade instead of a router", say!(
        "If every request first tries {} and {} escalate, the month costs {}: {} saved ({}). It {} here, because it does so while fewer than {} escalate. Routing is cheaper where easy requests can be told beforehand, since a cascade pays for the first try of every hard request.",
        &pair.name, hard.percent(), cost.money(), saving.money(), share.percent(), pays, break_even.percent()
    ));
    Some(say!(
        "Cascade: {} a month at {} escalation; break-even at {}.",
        cost.money(),
        hard.percent(),
        break_even.percent()
    ))
}
