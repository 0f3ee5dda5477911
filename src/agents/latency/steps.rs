//! Today's latency against the target, streaming, steps in sequence and agent loops.

use super::super::answer::{Chart, Point, Series};
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, Metric, Quantity, Role};
use super::super::work::{Advice, Work, axis, fact, mark};

const AMDAHL: &str = "Amdahl 1967";
const STREAM: &str = "Nielsen's limits, nngroup.com/articles/response-times-3-important-limits";

fn is_current(q: &&Quantity) -> bool {
    q.role == Some(Role::Current)
        && matches!(q.metric, Some(Metric::Unspecified | Metric::Total) | None)
}

/// Today's latency is stated.
pub(super) fn states_current(work: &Work<'_>) -> bool {
    !super::fanned(work) && work.said.all(Kind::Latency).any(|q| is_current(&q))
}

/// How far today's latency is from the target.
pub(super) fn gap(work: &mut Work<'_>) -> Option<Prose> {
    let targets: Vec<Quantity> = work
        .said
        .all(Kind::Latency)
        .filter(|q| q.role == Some(Role::Target))
        .cloned()
        .collect();
    let all: Vec<Quantity> = work
        .said
        .all(Kind::Latency)
        .filter(is_current)
        .cloned()
        .collect();
    let wanted = targets.first().and_then(|t| t.q.clone());
    let quantity = all
        .iter()
        .find(|q| wanted.is_some() && q.q == wanted)
        .or_else(|| all.first())?
        .clone();
    let name = quantity
        .q
        .as_deref()
        .map_or("latency_today".to_owned(), |q| format!("latency_{q}"));
    let now = work.stated(
        &name,
        "latency today",
        &quantity,
        quantity.value.base()?,
        "s",
        (0.001, 86_400.0),
    );
    let target = super::targets(work).into_iter().next()?;
    if target.limit.value <= 0.0 {
        return None;
    }
    let inputs = [("now", &now), ("target", &target.limit)];
    let factor = work.ledger.derive(
        "times faster it must be",
        "now / target",
        "the gap",
        &inputs,
        "x",
    );
    let less = work.ledger.derive(
        "time to be taken away",
        "now - target",
        "the gap",
        &inputs,
        "s",
    );
    work.keep("now", &now);
    work.keep("factor", &factor);
    work.keep("less", &less);
    penalty(work, &less);
    Some(say!(
        "Today {}, wanted {}: {} must go, {} times faster.",
        now.seconds(),
        target.limit.seconds(),
        less.seconds(),
        factor.digits(3)
    ))
}

/// What a missed service level costs a year.
fn penalty(work: &mut Work<'_>, less: &Value) {
    let Some(quantity) = work.said.first(Kind::Penalty).cloned() else {
        return;
    };
    let currency = quantity.unit.to_string();
    let Some(month) = work.monthly(
        "penalty",
        "penalty a month at this rate",
        &quantity,
        &currency,
    ) else {
        return;
    };
    let year = work.ledger.derive(
        "penalties a year if every period is breached",
        "x * 12",
        "your contract",
        &[("x", &month)],
        &format!("{currency}/year"),
    );
    if less.value > 0.0 {
        let text = say!(
            "Missing the target in every period costs {} a year.",
            year.money()
        );
        work.draft.business_impact.text = text.text;
        work.draft.business_impact.refs = text.refs;
        work.draft.business_impact.figures = vec![year.figure(year.money().then(" a year"))];
    }
}

/// First token, speed and length of an answer: stated, else published.
fn parts(work: &mut Work<'_>) -> Option<(Value, Value, Value)> {
    let n_out = work.tokens_out();
    let first = work
        .said
        .all(Kind::Latency)
        .find(|q| q.metric == Some(Metric::Ttft) && q.role != Some(Role::Target))
        .cloned();
    let ttft = match first {
        Some(q) => Some(work.stated(
            "ttft",
            "time to first token",
            &q,
            q.value.base()?,
            "s",
            (0.0, 3600.0),
        )),
        None => work.kept("ttft50"),
    };
    let tps = match work.first(Kind::Tps, "tokens a second", "tokens/s", (0.1, 1e5)) {
        Some(tps) => tps,
        None => {
            let total = work.kept("total50")?;
            let ttft = ttft.clone()?;
            let inputs = [("n", &n_out), ("total", &total), ("ttft", &ttft)];
            if total.value <= ttft.value {
                return None;
            }
            work.ledger.derive(
                "tokens a second",
                "n / (total - ttft)",
                "published speed",
                &inputs,
                "tokens/s",
            )
        }
    };
    Some((ttft?, tps, n_out))
}

/// What a reader waits with and without streaming.
pub(super) fn streaming(work: &mut Work<'_>) -> Option<Prose> {
    let (ttft, tps, n_out) = parts(work)?;
    if ttft.value <= 0.0 {
        return None;
    }
    let inputs = [("ttft", &ttft), ("n_out", &n_out), ("tps", &tps)];
    let whole = work.ledger.derive(
        "wait without streaming",
        "ttft + n_out / tps",
        STREAM,
        &inputs,
        "s",
    );
    let ratio = work.ledger.derive(
        "times sooner with streaming",
        "(ttft + n_out / tps) / ttft",
        STREAM,
        &inputs,
        "x",
    );
    let gain = work.ledger.derive(
        "wait that streaming takes away",
        "n_out / tps",
        STREAM,
        &inputs[1..],
        "s",
    );
    work.keep("stream_ratio", &ratio);
    work.keep("stream_wait", &ttft);
    work.keep("whole", &whole);
    let why = say!(
        "A reader sees the first word after {} instead of the whole answer after {}: {} times sooner, without any other change. The whole answer takes as long as before; where it is parsed, not read, streaming gains nothing.",
        ttft.seconds(),
        whole.seconds(),
        ratio.digits(3)
    );
    let advice = Advice::new(why, "low", "high", "high");
    let figure = gain.figure(gain.seconds().then(" less to wait"));
    work.recommend("Stream the answer", advice, &gain, Some(figure));
    work.measure("Time to first token", say!("{}", ttft.seconds()), say!("no more than {}", ttft.seconds()), "From sending the request to the first non-empty piece of the stream, per request, p50 and p95.");
    Some(say!(
        "With streaming the wait is {} instead of {}.",
        ttft.seconds(),
        whole.seconds()
    ))
}

/// Steps in sequence, some of them independent.
pub(super) fn has_steps(work: &Work<'_>) -> bool {
    work.said.first(Kind::Steps).is_some() && step_time(work).is_some()
}

fn step_time(work: &Work<'_>) -> Option<Quantity> {
    let step = |q: &&Quantity| matches!(q.metric, Some(Metric::Step));
    let any = |q: &&Quantity| q.role != Some(Role::Target);
    work.said
        .all(Kind::Latency)
        .find(step)
        .or_else(|| work.said.all(Kind::Latency).find(any))
        .cloned()
}

/// How many of the steps need no other's result.
fn independent(work: &mut Work<'_>, steps: &Value) -> Value {
    let label = "independent steps";
    if let Some(stated) = work.first(Kind::Parallelisable, label, "steps", (1.0, 1e4)) {
        return stated;
    }
    let why = "A placeholder; look which steps need no other's result.";
    let range = (1.0, steps.value.max(1.0));
    work.ledger
        .assume("independent_steps", label, 2.0, "steps", range, why)
}

/// What running independent steps at once gains.
pub(super) fn parallel(work: &mut Work<'_>) -> Option<Prose> {
    let steps = work.first(Kind::Steps, "steps one after another", "steps", (1.0, 1e4))?;
    let quantity = step_time(work)?;
    let (time, range) = (quantity.value.base()?, (0.001, 86_400.0));
    let each = work.stated("step_time", "time of a step", &quantity, time, "s", range);
    let free = independent(work, &steps);
    if free.value > steps.value {
        return None;
    }
    let inputs = [("k", &steps), ("f", &free), ("t", &each)];
    let l = &mut work.ledger;
    let label = "time of all steps in sequence";
    let before = l.derive(label, "k * t", AMDAHL, &[inputs[0], inputs[2]], "s");
    let label = "time with the independent steps at once";
    let after = l.derive(label, "(k - f + 1) * t", AMDAHL, &inputs, "s");
    let formula = "1 / ((1 - f / k) + (f / k) / f)";
    let speedup = l.derive("speed-up", formula, AMDAHL, &inputs[..2], "x");
    let both = [("before", &before), ("after", &after)];
    let gain = l.derive("time gained", "before - after", AMDAHL, &both, "s");
    for (key, value) in [
        ("before", &before),
        ("parallel", &after),
        ("speedup", &speedup),
    ] {
        work.keep(key, value);
    }
    let rows = vec![
        fact("In sequence", before.cell(before.seconds())),
        fact("Independent steps at once", after.cell(after.seconds())),
        fact("Speed-up", speedup.cell(speedup.digits(3).then(" times"))),
    ];
    work.facts("steps", "Steps in sequence and at once", "", rows);
    let why = say!(
        "{} steps of {} take {} in sequence. With {} of them at once it is {}: {} times faster, for the same number of calls. At once they take as long as the slower of them, so a little less than this is gained.",
        steps.digits(3),
        each.seconds(),
        before.seconds(),
        free.digits(3),
        after.seconds(),
        speedup.digits(3)
    );
    let figure = gain.figure(gain.seconds().then(" less"));
    let advice = Advice::new(why, "medium", "high", "high");
    work.recommend(
        "Run the independent steps at once",
        advice,
        &gain,
        Some(figure),
    );
    Some(say!(
        "{} in sequence, {} with the independent steps at once.",
        before.seconds(),
        after.seconds()
    ))
}

/// An agent that calls a model several times a request.
pub(super) fn loops(work: &Work<'_>) -> bool {
    work.said.first(Kind::CallsPerRequest).is_some()
}

/// Where the time of an agent's loop goes, and what parallel calls change.
pub(super) fn agent_loop(work: &mut Work<'_>) -> Option<Prose> {
    let label = "model calls of a request";
    let calls = work.first(Kind::CallsPerRequest, label, "calls", (1.0, 1000.0))?;
    let (ttft, tps, n_out) = parts(work)?;
    let inputs = [
        ("k", &calls),
        ("ttft", &ttft),
        ("n_out", &n_out),
        ("tps", &tps),
    ];
    let turns = "turns one after another";
    let l = &mut work.ledger;
    let total = l.derive(
        "time of the loop",
        "k * (ttft + n_out / tps)",
        turns,
        &inputs,
        "s",
    );
    let waiting = l.derive(
        "of it until first tokens",
        "k * ttft",
        turns,
        &inputs[..2],
        "s",
    );
    let spent = [inputs[0], inputs[2], inputs[3]];
    let writing = l.derive(
        "of it writing tokens",
        "k * n_out / tps",
        turns,
        &spent,
        "s",
    );
    let mut rows = vec![
        fact("Whole loop", total.cell(total.seconds())),
        fact("Until first tokens", waiting.cell(waiting.seconds())),
        fact("Writing tokens", writing.cell(writing.seconds())),
    ];
    work.keep("loop", &total);
    let rounds = at_once(work, &inputs, &total);
    picture(work, &waiting, &writing, &total, rounds.as_ref());
    if let Some(rounds) = &rounds {
        rows.push(fact(
            "With calls at once, at best",
            rounds.cell(rounds.seconds()),
        ));
    }
    work.facts("loop", "Where the time of the loop goes", "s", rows);
    Some(say!(
        "{} calls take {}: {} until first tokens, {} writing.",
        calls.digits(3),
        total.seconds(),
        waiting.seconds(),
        writing.seconds()
    ))
}

/// Where the time of the loop goes, against the limit that was named.
fn picture(
    work: &mut Work<'_>,
    waiting: &Value,
    writing: &Value,
    total: &Value,
    rounds: Option<&Value>,
) {
    let mut points = vec![
        Point {
            low: Some(0.0),
            ..waiting.bar("Until first tokens")
        },
        Point {
            low: Some(waiting.value),
            ..total.bar("Writing tokens")
        },
    ];
    points.extend(rounds.map(|rounds| Point {
        low: Some(0.0),
        strong: true,
        ..rounds.bar("With calls at once, at best")
    }));
    let limit = super::targets(work).into_iter().find(|t| !t.first_token);
    let marks = limit.map(|t| mark("y", t.limit.value, "limit"));
    let text = say!(
        "Of {} the first tokens take {} and writing takes {}.",
        total.seconds(),
        waiting.seconds(),
        writing.seconds()
    );
    work.chart(Chart {
        id: "loop".into(),
        kind: "waterfall".into(),
        title: "Where the time of the loop goes".into(),
        x: axis("Part", "", "category"),
        y: axis("Time", "s", "linear"),
        series: vec![Series {
            name: "Loop".into(),
            points,
        }],
        marks: marks.into_iter().collect(),
        table: "loop".into(),
        source: "the numbers of the message".into(),
        text: text.text,
        refs: text.refs,
    });
}

/// The loop with several calls at once, if none of them needs another's result.
fn at_once(work: &mut Work<'_>, inputs: &[(&str, &Value)], total: &Value) -> Option<Value> {
    let width = work.first(Kind::Fanout, "calls at once", "calls", (1.0, 100.0))?;
    if width.value <= 1.0 {
        return None;
    }
    let mut with = inputs.to_vec();
    with.push(("w", &width));
    let (label, formula) = (
        "time of the loop with calls at once",
        "ceil(k / w) * (ttft + n_out / tps)",
    );
    let best = "best case: no call waits for another's result";
    let rounds = work.ledger.derive(label, formula, best, &with, "s");
    let both = [("a", total), ("b", &rounds)];
    let gain = work
        .ledger
        .derive("time gained at best", "a - b", AMDAHL, &both, "s");
    work.keep("loop_parallel", &rounds);
    let why = say!(
        "Up to {} calls at once turn {} into {} at best, if none of them needs another's result.",
        width.digits(3),
        total.seconds(),
        rounds.seconds()
    );
    let figure = gain.figure(gain.seconds().then(" less at best"));
    let advice = Advice::new(why, "medium", "high", "medium");
    work.recommend(
        "Run independent tool calls at once",
        advice,
        &gain,
        Some(figure),
    );
    Some(rounds)
}
