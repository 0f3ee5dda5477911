//! Rules for percentages: growth, discount, weights, and shares of something.

use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::{Kind, Per, Role};
use super::rules::{Draft, Facts};
use super::scene::Scene;

/// What a share is of, by the nearest word; the first of equal distance wins.
const SHARES: &[(Tags, &str)] = &[
    (CACHE, "cached"),
    (BATCH, "batch"),
    (ESCALATE, "escalation"),
    (RETRY, "retry"),
    (REPEAT, "repeat"),
    (BUSY, "utilisation"),
    (EASY, "easy"),
    (DISCOUNT, "discount"),
    (SELF_HOST, "self_host"),
];

/// An amount with a percent sign.
pub(super) fn percent(scene: &Scene, _facts: &Facts) -> Option<Draft> {
    weight(scene)
        .or_else(|| availability(scene))
        .or_else(|| discount_rate(scene))
        .or_else(|| growth(scene))
        .or_else(|| percentile_wanted(scene))
        .or_else(|| named_share(scene))
        .or_else(|| saving_target(scene))
        .or_else(|| traffic(scene))
}

fn clause(scene: &Scene, tags: Tags) -> bool {
    scene
        .left_clause()
        .iter()
        .chain(scene.right_clause())
        .any(|t| t.is(tags))
}

/// "Weights: cost 40%, quality 40%", "weight cost at 50 %".
fn weight(scene: &Scene) -> Option<Draft> {
    let stated = scene.says(&[
        "weight",
        "important",
        "importance",
        "optimise",
        "optimize",
        "optimising",
        "optimizing",
        "prioritise",
        "prioritize",
        "priorities",
        "matters",
        "matter",
        "counts",
    ]);
    if !stated
        || clause(scene, GROW | CACHE | BATCH)
        || scene.left_clause().iter().any(|t| t.is(SAVE))
    {
        return None;
    }
    let criterion = |t: &Token| {
        if t.is(PAY | COST) {
            Some("cost")
        } else if t.is(QUALITY) {
            Some("quality")
        } else if t.is(SPEED | LATENCY) {
            Some("latency")
        } else {
            None
        }
    };
    // "cost (50%)": the bracket cuts the clause, not the meaning.
    let before =
        &scene.tokens[scene.left.end.saturating_sub(4).max(scene.left.start)..scene.left.end];
    let left = before
        .iter()
        .rev()
        .take_while(|t| !t.symbol(','))
        .find_map(criterion);
    let right = scene.right_clause().iter().take(3).find_map(criterion);
    let draft = |q: &'static str| Draft::of(scene, Kind::Weight, "fraction").q(q).tight(scene);
    left.or(right).map(draft)
}

/// "99.9% uptime".
fn availability(scene: &Scene) -> Option<Draft> {
    let named = scene
        .left_clause()
        .iter()
        .rev()
        .take(4)
        .chain(scene.right_clause().iter().take(3))
        .any(|t| t.lemma("uptime"));
    named.then(|| Draft::of(scene, Kind::Availability, "fraction").tight(scene))
}

/// "Discount rate 10% a year", "WACC of 8 %".
fn discount_rate(scene: &Scene) -> Option<Draft> {
    let words = |t: &Token| matches!(t.word.as_str(), "wacc" | "diskontsatz" | "kapitalkosten");
    let both = |t: &[Token]| {
        t.iter().any(|t| t.is(DISCOUNT))
            && t.iter()
                .any(|t| matches!(t.word.as_str(), "rate" | "factor"))
    };
    let left = scene.left_clause();
    let right = &scene.right_clause()[..scene.right_clause().len().min(4)];
    let named = left.iter().chain(right).any(words) || both(left) || both(right);
    let yearly = scene.per == Some(Per::Year) && left.iter().chain(right).any(|t| t.is(DISCOUNT));
    let valued = scene.per == Some(Per::Year)
        && scene.says(&["payback", "npv", "roi", "tco"])
        && !clause(scene, GROW);
    (named || yearly || valued)
        .then(|| Draft::of(scene, Kind::DiscountRate, "fraction").per(Per::Year))
}

/// "growing 15% a month", "+9% monthly", "growth of -100% a month".
fn growth(scene: &Scene) -> Option<Draft> {
    let plus = scene
        .before()
        .is_some_and(|t| t.symbol('+') || matches!(t.word.as_str(), "up" | "um"));
    let grows = clause(scene, GROW);
    let timed = scene.per.filter(|per| per.per_month().is_some());
    let saving = scene.left_clause().iter().any(|t| t.is(SAVE));
    if saving
        || !(grows || plus && timed.is_some() || timed.is_some() && scene.amount.values[0] < 0.0)
    {
        return None;
    }
    let cached = scene.phrase_tags() & (CACHE | BATCH | RETRY | ESCALATE) != 0;
    // The traffic grows by a rate a period; without one a month is not assumed silently.
    (!cached)
        .then(|| Draft::of(scene, Kind::GrowthRate, "fraction").per(timed.or_else(|| over(scene))))
}

/// "quarter over quarter", "MoM", "YoY".
fn over(scene: &Scene) -> Option<Per> {
    let window = scene.right_clause();
    let short = window.iter().take(4).find_map(|t| match t.word.as_str() {
        "mom" | "month-over-month" | "month-on-month" => Some(Per::Month),
        "qoq" | "quarter-over-quarter" => Some(Per::Quarter),
        "yoy" | "year-over-year" => Some(Per::Year),
        "wow" | "week-over-week" => Some(Per::Week),
        _ => None,
    });
    let long = window
        .windows(3)
        .take(4)
        .find(|w| w[0].is(PERIOD) && w[0].meaning.lemma == w[2].meaning.lemma);
    short.or_else(|| long.and_then(|w| super::scene::per_of(w[0].meaning.lemma)))
}

/// "for 95% of requests", "99% should": a percentile without a time.
fn percentile_wanted(scene: &Scene) -> Option<Draft> {
    let value = scene.amount.values[0];
    let asked = scene.says(&[
        "percentile",
        "confidence",
        "probability",
        "certainty",
        "sure",
    ]);
    (asked
        && (0.5..1.0).contains(&value)
        && !scene.left_clause().iter().any(|t| t.is(CACHE | BATCH)))
    .then(|| Draft::of(scene, Kind::PercentileWanted, "fraction").tight(scene))
}

/// The share's name stands in the phrase, the rest of the clause, or before it.
fn named_share(scene: &Scene) -> Option<Draft> {
    if scene.head(DISCOUNT).is_some() {
        return Some(
            Draft::of(scene, Kind::Share, "fraction")
                .q("discount")
                .tight(scene),
        );
    }
    let right = scene.right_clause();
    let left = scene.left_clause();
    let find = |t: &Token| {
        SHARES
            .iter()
            .find(|(tags, _)| t.is(*tags) || *tags == BATCH && t.is(WAIT))
    };
    let on_right = right
        .iter()
        .enumerate()
        .find_map(|(at, t)| find(t).map(|s| (at + 1, s.1)));
    let on_left = left
        .iter()
        .rev()
        .enumerate()
        .find_map(|(at, t)| find(t).map(|s| (at + 1, s.1)));
    // "22% of the questions are repeats": what a share is said to be.
    let predicate = right.windows(2).find_map(|w| {
        let is = matches!(
            w[0].word.as_str(),
            "are" | "is" | "sind" | "ist" | "sont" | "son"
        );
        is.then(|| find(&w[1]).map(|s| s.1)).flatten()
    });
    let name = match (on_left, on_right) {
        _ if predicate.is_some() => predicate?,
        (Some((l, left)), Some((r, right))) => {
            if r <= l + 3 {
                right
            } else {
                left
            }
        }
        (Some((_, name)), None) | (None, Some((_, name))) => name,
        (None, None) => match scene.far_left().iter().rev().find_map(find) {
            Some((RETRY, name)) => name,
            _ => deferrable(scene).or_else(|| within_minutes(scene))?,
        },
    };
    Some(
        Draft::of(scene, Kind::Share, "fraction")
            .q(name)
            .tight(scene),
    )
}

/// "65% of our 400k reports could run overnight": another amount stands between.
fn deferrable(scene: &Scene) -> Option<&'static str> {
    let stop = scene.sentence.end.min(scene.tokens.len());
    let rest = scene.tokens.get(scene.amount.tokens.end..stop)?;
    let of = rest
        .first()
        .is_some_and(|t| t.lemma("of") || matches!(t.word.as_str(), "der" | "des" | "de"));
    let mut verb = rest.iter().take(14).skip_while(|t| {
        !matches!(
            t.word.as_str(),
            "can" | "could" | "may" | "might" | "können" | "peuvent" | "pueden"
        )
    });
    (of && verb.any(|t| t.is(BATCH | WAIT))).then_some("batch")
}

/// "95% of calls come within five minutes of the previous one": they hit a cache.
fn within_minutes(scene: &Scene) -> Option<&'static str> {
    let window = &scene.tokens[scene.amount.tokens.end
        ..scene
            .sentence
            .end
            .min(scene.tokens.len())
            .min(scene.amount.tokens.end + 16)];
    let cached = window.iter().any(|t| t.lemma("minute"))
        && window.iter().any(|t| t.is(UNDER))
        && window
            .iter()
            .any(|t| matches!(t.word.as_str(), "previous" | "last" | "each" | "other"));
    cached.then_some("cached")
}

/// "cut cost by 30%", "another 30%", "-40% cost".
fn saving_target(scene: &Scene) -> Option<Draft> {
    let negative = scene.amount.values[0] < 0.0;
    let cost_near = scene
        .right_clause()
        .iter()
        .take(3)
        .any(|t| t.is(PAY | COST))
        || scene
            .left_clause()
            .iter()
            .rev()
            .take(3)
            .any(|t| t.is(PAY | COST));
    let another = scene
        .before()
        .is_some_and(|t| matches!(t.word.as_str(), "another" | "weitere"));
    let by = scene
        .left_clause()
        .iter()
        .rev()
        .take(3)
        .any(|t| matches!(t.word.as_str(), "by" | "um" | "de" | "del" | "un"));
    let saves = clause(scene, SAVE)
        || by && scene.around().iter().any(|t| t.is(SAVE))
        || another
        || negative && cost_near
        || scene.next().is_some_and(|t| t.word == "off")
        || scene
            .left_clause()
            .iter()
            .rev()
            .take(3)
            .any(|t| matches!(t.word.as_str(), "down" | "lower" | "smaller" | "runter"));
    saves.then(|| {
        let draft = Draft::of(scene, Kind::Share, "fraction")
            .q("saving_target")
            .role(Role::Target)
            .tight(scene);
        if negative { draft.scaled(-1.0) } else { draft }
    })
}

/// "70% of traffic on gpt-4o", "30% on gpt-4o-mini", "gpt-4o takes 70 %".
fn traffic(scene: &Scene) -> Option<Draft> {
    let right = scene.right_clause();
    let model = |t: &Token| match t.shape {
        Shape::Model(at) => Some(at),
        _ => None,
    };
    let carries = |t: &Token| {
        matches!(
            t.word.as_str(),
            "on" | "to"
                | "through"
                | "via"
                | "auf"
                | "uses"
                | "use"
                | "go"
                | "goes"
                | "runs"
                | "run"
                | "from"
        ) || t.lemma("traffic")
    };
    // "70% of our spend of $40k/month goes to X": another amount may stand between.
    let stop = scene
        .sentence
        .end
        .min(scene.tokens.len())
        .min(scene.amount.tokens.end + 14);
    let far = &scene.tokens[scene.amount.tokens.end..stop.max(scene.amount.tokens.end)];
    let far = &far[..far
        .iter()
        .position(|t| t.symbol(',') || t.lemma("and"))
        .unwrap_or(far.len())];
    let right = if far
        .iter()
        .any(|t| matches!(t.word.as_str(), "goes" | "go" | "runs"))
        || scene.before().is_some_and(|t| {
            matches!(
                t.word.as_str(),
                "move" | "moving" | "route" | "routing" | "send" | "sending" | "shift" | "shifting"
            )
        }) {
        far
    } else {
        right
    };
    if let Some(at) = right.iter().find_map(model) {
        let led = right.iter().any(carries) || right.first().is_some_and(|t| model(t).is_some());
        return led.then(|| {
            Draft::of(scene, Kind::Share, "fraction")
                .q(format!("traffic:#{at}"))
                .tight(scene)
        });
    }
    let left = scene.left_clause().iter().rev().take(4).find_map(model);
    left.map(|at| {
        Draft::of(scene, Kind::Share, "fraction")
            .q(format!("traffic:#{at}"))
            .tight(scene)
    })
}
