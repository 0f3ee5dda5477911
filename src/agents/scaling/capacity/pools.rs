//! What a queue is made of: service time, waiting target, expected users.

use super::*;

/// The parts of a queue that all pools share.
pub(super) struct Queue {
    pub(super) service: Value,
    pub(super) wait: Value,
    pub(super) p: Value,
    pub(super) per_replica: Option<Value>,
}

/// The peak with the users that are expected, where their number is stated without a date.
pub(super) fn grown(work: &mut Work<'_>, today: &Value) -> Option<Value> {
    let target = work
        .said
        .all(Kind::Users)
        .find(|q| q.role == Some(Role::Target) && q.by.is_none())
        .cloned()?;
    let users = work.first(Kind::Users, "users", "users", (0.0, 1e10))?;
    if users.value <= 0.0 {
        return None;
    }
    let value = target.value.base()?;
    let then = work.stated(
        "users_target",
        "users expected",
        &target,
        value,
        "users",
        (1.0, 1e10),
    );
    let inputs = [("peak", today), ("then", &then), ("now", &users)];
    let label = "requests a second at peak with the users expected";
    Some(work.ledger.derive(
        label,
        "peak * then / now",
        "load proportional to users",
        &inputs,
        "requests/s",
    ))
}

/// The parts of the queue: stated, published, or visible defaults.
pub(super) fn queue(work: &mut Work<'_>) -> Option<Queue> {
    let label = "time a request holds a slot";
    let service = match work.first(Kind::ServiceTime, label, "s", (0.001, 86_400.0)) {
        Some(service) => service,
        None => service_time(work),
    };
    let (wait, p) = target(work)?;
    let label = "slots of a replica";
    let per_replica = work.first(Kind::SlotsPerReplica, label, "slots/replica", (1.0, 1e6));
    let wait = corrected(work, wait);
    Some(Queue {
        service,
        wait,
        p,
        per_replica,
    })
}

/// The longest wait and the share of requests that may not exceed it.
fn target(work: &mut Work<'_>) -> Option<(Value, Value)> {
    let is_wait = |q: &&Quantity| q.metric == Some(Metric::Wait);
    let Some(q) = work.said.all(Kind::Latency).find(is_wait).cloned() else {
        let why = "The message names no waiting time; a fifth of a second is hardly noticed.";
        let range = (0.0, 86_400.0);
        let wait = work
            .ledger
            .assume("wait_target", "longest wait", 0.2, "s", range, why);
        return Some((wait, percentile(work)));
    };
    let seconds = q.value.base()?;
    let wait = work.stated(
        "wait_target",
        "longest wait",
        &q,
        seconds,
        "s",
        (0.0, 86_400.0),
    );
    let word =
        q.q.as_deref()
            .and_then(|q| q.strip_prefix('p')?.parse::<f64>().ok());
    let p = match word {
        Some(p) => {
            let (name, range) = ("wait_percentile", (0.01, 0.9999));
            let label = "share of requests that wait no longer";
            work.stated(name, label, &q, p / 100.0, "fraction", range)
        }
        None => percentile(work),
    };
    Some((wait, p))
}

/// The target, tightened or loosened for the stated spread of service times.
fn corrected(work: &mut Work<'_>, wait: Value) -> Value {
    let label = "squared coefficient of variation of the service time";
    let Some(cs2) = work.first(Kind::Cs2, label, "x", (0.0, 100.0)) else {
        return wait;
    };
    let prose = say!(
        "Erlang C assumes exponential service times. With a squared coefficient of variation of {} the wait is scaled by half of one plus that (Allen and Cunneen), so the target is changed by the same factor.",
        cs2.digits(3)
    );
    let title = "Service times vary more or less than the formula assumes";
    work.finding("info", title, prose);
    let inputs = [("t", &wait), ("cs", &cs2)];
    let label = "longest wait, corrected for the spread of service times";
    let source = "Allen 1990; Cunneen: Wq × (Ca² + Cs²) / 2, with Ca² = 1";
    work.ledger
        .derive(label, "t * 2 / (1 + cs)", source, &inputs, "s")
}

pub(super) fn percentile(work: &mut Work<'_>) -> Value {
    work.ledger.assume(
        "wait_percentile",
        "share of requests that wait no longer",
        0.95,
        "fraction",
        (0.01, 0.9999),
        "The percentile that service levels usually name.",
    )
}

/// How long a request holds a slot: the model's published speed, else a placeholder.
pub(super) fn service_time(work: &mut Work<'_>) -> Value {
    let speed = work
        .model
        .clone()
        .and_then(|id| Some((id.clone(), work.catalog.speed(&id, Mode::Direct)?.clone())));
    let Some((id, speed)) = speed else {
        return work.ledger.assume(
            "service_time",
            "time a request holds a slot",
            2.0,
            "s",
            (0.001, 86_400.0),
            "A placeholder without a source; measure how long your requests run.",
        );
    };
    let row = format!("{id}, no reasoning: Artificial Analysis, median");
    let name = work.name(&id);
    let ttft = work.ledger.catalog(
        &format!("{name}: time to first token"),
        speed.ttft.p50,
        "s",
        &row,
    );
    let tps = work.ledger.catalog(
        &format!("{name}: tokens a second"),
        speed.tps.p50,
        "tokens/s",
        &row,
    );
    let n_out = work.tokens_out();
    let inputs = [("ttft", &ttft), ("n_out", &n_out), ("tps", &tps)];
    work.ledger.derive(
        "time a request holds a slot",
        "ttft + n_out / tps",
        "definitions of Artificial Analysis",
        &inputs,
        "s",
    )
}
