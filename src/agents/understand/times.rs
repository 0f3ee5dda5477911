//! Rules for time and growth: latencies with percentile, metric and role;
//! horizons; factors.

use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::{Kind, Metric, Per, Role};
use super::rules::{Draft, Facts};
use super::scene::Scene;

/// "grows 3x", "10x by June", "from 1x to 5x".
pub(super) fn growth(scene: &Scene) -> Option<Draft> {
    if !scene.amount.times {
        return None;
    }
    let right = scene.right_clause();
    if right.iter().take(3).any(|t| t.is(PARALLEL)) && scene.amount.values.iter().all(|v| *v >= 2.0)
    {
        return Some(
            Draft::of(scene, Kind::Fanout, "call")
                .per(Per::Request)
                .tight(scene),
        );
    }
    let context = scene.near(GROW)
        || scene.says(&[
            "traffic",
            "by",
            "next",
            "scale",
            "volume",
            "users",
            "load",
            "more",
            "expect",
            "expecting",
            "surge",
            "erwarten",
            "attendons",
            "esperamos",
        ]);
    let other = scene
        .right_clause()
        .iter()
        .take(2)
        .any(|t| t.is(SPEED | LATENCY | SAVE) || t.word == "faster");
    (context && !other).then(|| Draft::of(scene, Kind::GrowthMultiplier, "x").tight(scene))
}

/// Whatever has a unit of time.
pub(super) fn seconds(scene: &Scene, facts: &Facts) -> Option<Draft> {
    let unit = if scene.amount.minutes {
        None
    } else {
        Some(scene.unit().filter(|t| t.is(TIME))?)
    };
    let scale = unit.map_or(60.0, |t| t.meaning.scale);
    let upper_unit = unit.is_some_and(|t| t.upper && t.word.len() == 1);
    if upper_unit || scene.amount.times || scene.amount.params {
        return None;
    }
    let lemma = unit.map_or("minute", |t| t.meaning.lemma);
    if matches!(
        lemma,
        "day" | "workday" | "week" | "month" | "quarter" | "year"
    ) {
        return calendar_length(scene, lemma);
    }
    if lemma == "hour" {
        return Some(Draft::of(scene, Kind::Duration, "hour"));
    }
    if scene.amount.minutes
        && !(scene.near(UNDER | LATENCY | WAIT) || scene.says(&["takes", "take"]))
    {
        return None;
    }
    // "within five minutes of the previous one" describes arrivals.
    if lemma == "minute"
        && scene
            .right_clause()
            .iter()
            .take(4)
            .any(|t| t.lemma("last") || t.word == "previous")
    {
        return None;
    }
    if scene.amount.spelled
        && lemma == "second"
        && !scene.near(UNDER | LATENCY | NOW | WANT | TOTAL | FIRST)
    {
        return None;
    }
    Some(latency(scene, facts).scaled(scale))
}

/// Days to years: a horizon, working days a month, or a duration.
fn calendar_length(scene: &Scene, lemma: &str) -> Option<Draft> {
    let months = match lemma {
        "month" => Some(1.0),
        "quarter" => Some(3.0),
        "year" => Some(12.0),
        _ => None,
    };
    if let Some(days) = working_days(scene, lemma) {
        return Some(days);
    }
    if scene.per.is_some() && scene.unit().is_some_and(|t| t.is(ADVERB)) {
        return None;
    }
    let ahead = scene.within(FUTURE, 6)
        || scene.left_clause().iter().rev().take(3).any(|t| {
            matches!(
                t.word.as_str(),
                "over" | "within" | "in" | "for" | "after" | "über" | "sur" | "en"
            ) || t.is(OVER)
        });
    let hyphened = scene
        .tokens
        .get(scene.amount.tokens.end)
        .is_some_and(|t| t.symbol('-'));
    match months {
        Some(months)
            if ahead
                || hyphened
                || scene.says(&[
                    "horizon", "payback", "npv", "forecast", "plan", "discount", "look",
                ]) =>
        {
            Some(Draft::of(scene, Kind::Horizon, "month").scaled(months))
        }
        Some(_) => None,
        None if scene.amount.spelled && !ahead => None,
        None if lemma == "week" => Some(Draft::of(scene, Kind::Duration, "day").scaled(7.0)),
        None => Some(Draft::of(scene, Kind::Duration, "day")),
    }
}

/// "per working day (22 days)", "22 working days a month".
fn working_days(scene: &Scene, lemma: &str) -> Option<Draft> {
    if !matches!(lemma, "day" | "workday") {
        return None;
    }
    let said = |t: &Token| matches!(t.word.as_str(), "working" | "business") || t.lemma("workday");
    let near = scene.around().iter().any(said) || lemma == "workday";
    let plausible = scene
        .amount
        .values
        .iter()
        .all(|v| (15.0..=31.0).contains(v));
    (near && plausible).then(|| Draft::of(scene, Kind::WorkingDays, "day").per(Per::Month))
}

/// A latency with everything the scene says about it.
fn latency(scene: &Scene, facts: &Facts) -> Draft {
    if scene
        .left_clause()
        .iter()
        .rev()
        .take(4)
        .any(|t| t.is(HEDGE))
    {
        let mut draft = Draft::of(scene, Kind::HedgeAfter, "s");
        draft.end = scene.phrase.start + 1;
        return draft;
    }
    let percentile = percentile(scene);
    let metric = metric(scene);
    let role = role(scene, metric, &percentile);
    if metric == Metric::Unspecified
        && role == Role::Current
        && is_service_time(scene, facts, &percentile)
    {
        return Draft::of(scene, Kind::ServiceTime, "s");
    }
    let mut draft = Draft::of(scene, Kind::Latency, "s")
        .metric(metric)
        .role(role);
    draft.end = scene.phrase.start + usize::from(!scene.phrase.is_empty());
    if let Some((q, at)) = percentile {
        draft.start = draft.start.min(at);
        draft.end = draft.end.max(at + 1);
        draft = draft.q(q);
    }
    if metric == Metric::Total && is_patience(scene) {
        draft = draft.q("max");
    }
    draft
}

/// "users give up after 20 s": a limit nobody exceeds.
fn is_patience(scene: &Scene) -> bool {
    scene.says(&["give", "abandon", "hang", "leave"]) && scene.says(&["after", "up"])
}

/// In a queueing question the time of one request is the time of a slot.
fn is_service_time(scene: &Scene, facts: &Facts, percentile: &Option<(String, usize)>) -> bool {
    let average = percentile.as_ref().is_none_or(|(q, _)| q == "avg");
    let said = scene.says(&[
        "service", "takes", "take", "needs", "runs", "holds", "lasts",
    ]) || scene.per_noun & REQUEST != 0;
    average && facts.queueing && said
}

/// The percentile as `p95`, `avg` or `max`, and its token.
fn percentile(scene: &Scene) -> Option<(String, usize)> {
    let tokens = scene.tokens;
    let name = |at: usize| match tokens[at].shape {
        Shape::Percentile(value) => Some(percentile_name(value)),
        _ if tokens[at].lemma("median") => Some("p50".to_owned()),
        _ if tokens[at].is(AVERAGE) => Some("avg".to_owned()),
        _ if tokens[at].is(MAXIMUM) && tokens[at].lemma("max") => Some("max".to_owned()),
        _ => None,
    };
    let start = scene.left.end - scene.left_clause().len();
    let left = (start..scene.left.end)
        .rev()
        .find_map(|at| name(at).map(|q| (q, at)));
    let right_end = scene.amount.tokens.end + scene.right_clause().len();
    let right = (scene.amount.tokens.end..right_end).find_map(|at| name(at).map(|q| (q, at)));
    // On the right it must be its own: "2s p95", "1.8 s on average", "1 s (p95)", not "1 s and p95 2 s".
    let own = |at: usize| {
        let gap = at - scene.amount.tokens.end;
        let next = tokens.get(at + 1);
        let taken =
            at + 1 >= scene.right.end && next.is_some_and(|t| matches!(t.shape, Shape::Number(_)));
        gap <= 4 && !taken && !next.is_some_and(|t| t.is(NOW) && t.shape == Shape::Word)
    };
    let bracket = || {
        let at = scene.amount.tokens.end + 1;
        let open = tokens.get(at).is_some_and(|t| t.symbol('('));
        (open && at + 1 < tokens.len())
            .then(|| name(at + 1).map(|q| (q, at + 1)))
            .flatten()
    };
    left.or(right.filter(|(_, at)| own(*at))).or_else(bracket)
}

/// 0.95 is `p95`, 0.999 is `p99.9`.
pub(super) fn percentile_name(value: f64) -> String {
    let hundred = (value * 100_000.0).round() / 1000.0;
    format!("p{hundred}")
}

fn metric(scene: &Scene) -> Metric {
    let left = scene.left_clause();
    let right = scene.right_clause();
    let named = |t: &Token| t.is(FIRST | WAIT | TOTAL | COMPONENT);
    let scope = if left.iter().any(named) {
        left
    } else {
        scene.far_left()
    };
    let nearest = scope
        .iter()
        .rev()
        .take(8)
        .find(|t| t.is(FIRST | WAIT | TOTAL | COMPONENT));
    let after = right
        .iter()
        .skip(1)
        .take(4)
        .find(|t| t.is(FIRST | WAIT | TOTAL));
    let stepwise = left.iter().chain(right).any(|t| t.is(STEP))
        || scene.around().iter().any(|t| t.is(STEP))
            && left.iter().any(|t| t.word == "each" || t.word == "per");
    let in_turn = left.iter().chain(right).any(|t| t.word == "each")
        && scene.says(&["sequential", "consecutive", "serial", "step", "chained"]);
    let token = after.filter(|t| t.is(FIRST | WAIT)).or(nearest).or(after);
    match token {
        Some(t) if t.is(FIRST) => Metric::Ttft,
        Some(t) if t.is(WAIT) => Metric::Wait,
        Some(t) if t.is(TOTAL) => Metric::Total,
        Some(t) if t.is(COMPONENT) && left.len() <= 6 => Metric::Component,
        _ if right.iter().any(|t| t.lemma("wait")) => Metric::Wait,
        _ if stepwise || in_turn => Metric::Step,
        _ if is_patience(scene) => Metric::Total,
        _ => Metric::Unspecified,
    }
}

fn role(scene: &Scene, metric: Metric, percentile: &Option<(String, usize)>) -> Role {
    let left = scene.left_clause();
    let right = scene.right_clause();
    let demand =
        |t: &&Token| t.is(UNDER | WANT) || t.lemma("limit") || matches!(t.word.as_str(), "than");
    let tail = &right[..right.len().min(4)];
    if metric == Metric::Component {
        return Role::Fixed;
    }
    let negated = left
        .iter()
        .any(|t| t.lemma("not") || matches!(t.word.as_str(), "nie" | "jamais" | "nunca"));
    if negated && left.iter().any(|t| t.is(OVER)) {
        return Role::Target;
    }
    let missed = left
        .iter()
        .any(|t| t.is(OVER) || matches!(t.word.as_str(), "currently" | "today" | "now"));
    let wished = left.iter().rev().take(8).any(|t| demand(&t))
        || tail.iter().any(|t| {
            t.is(UNDER) || t.is(WANT) && !t.lemma("quality") || t.is(MAXIMUM) && t.lemma("max")
        });
    // "must finish a 400-token answer in 3 seconds", "must start within 400 ms and finish in 2 s"
    let goes_on = metric == Metric::Total && {
        let said = &scene.tokens[scene.sentence.start..scene.amount.tokens.start];
        said.iter().any(|t| t.is(WANT)) && !said.iter().any(|t| t.is(NOW) || t.symbol(','))
    };
    let bound =
        (scene.far_left().iter().any(|t| t.is(WANT)) || goes_on) && !left.iter().any(|t| t.is(NOW));
    if (wished || bound) && !missed {
        return Role::Target;
    }
    if metric == Metric::Total && (is_patience(scene) || left.iter().any(|t| t.is(BUDGET)))
        || left.iter().any(|t| t.is(BUDGET))
    {
        return Role::Target;
    }
    let to = scene
        .before()
        .is_some_and(|t| matches!(t.word.as_str(), "to" | "auf" | "à" | "a"))
        && scene.says(&["from", "get", "bring", "down", "save", "von", "de"]);
    let please = percentile.is_some()
        && !left.iter().any(|t| t.is(NOW))
        && scene.around().iter().any(|t| t.word == "please");
    if to || please {
        Role::Target
    } else {
        Role::Current
    }
}
