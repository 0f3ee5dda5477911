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

pub(super) fn queue(work: &mut Work<'_>) -> Option<Queue> {
    let service = match work.first(
        Kind::ServiceTime,
        "time a request holds a slot",
        "s",
        (0.001, 86_400.0),
    ) {
        Some(service) => service,
        None => service_time(work),
    };
    let target = work
        .said
        .all(Kind::Latency)
        .find(|q| q.metric == Some(Metric::Wait))
        .cloned();
    let fraction = |q: &Quantity| {
        q.q.as_deref()
            .and_then(|q| q.strip_prefix('p')?.parse::<f64>().ok())
            .map(|p| p / 100.0)
    };
    let (wait, p) = match &target {
        Some(q) => {
            let wait = work.stated(
                "wait_target",
                "longest wait",
                q,
                q.value.base()?,
                "s",
                (0.0, 86_400.0),
            );
            let p = match fraction(q) {
                Some(p) => work.stated(
                    "wait_percentile",
                    "share of requests that wait no longer",
                    q,
                    p,
                    "fraction",
                    (0.01, 0.9999),
                ),
                None => percentile(work),
            };
            (wait, p)
        }
        None => {
            let wait = work.ledger.assume(
                "wait_target",
                "longest wait",
                0.2,
                "s",
                (0.0, 86_400.0),
                "The message names no waiting time; a fifth of a second is hardly noticed.",
            );
            (wait, percentile(work))
        }
    };
    let per_replica = work.first(
        Kind::SlotsPerReplica,
        "slots of a replica",
        "slots/replica",
        (1.0, 1e6),
    );
    let wait = match work.first(
        Kind::Cs2,
        "squared coefficient of variation of the service time",
        "x",
        (0.0, 100.0),
    ) {
        Some(cs2) => {
            work.finding("info", "Service times vary more or less than the formula assumes", say!(
                "Erlang C assumes exponential service times. With a squared coefficient of variation of {} the wait is scaled by half of one plus that (Allen and Cunneen), so the target is tightened by the same factor.", cs2.digits(3)
            ));
            let inputs = [("t", &wait), ("cs", &cs2)];
            work.ledger.derive(
                "longest wait, corrected for the spread of service times",
                "t * 2 / (1 + cs)",
                "Allen 1990; Cunneen: Wq × (Ca² + Cs²) / 2, with Ca² = 1",
                &inputs,
                "s",
            )
        }
        None => wait,
    };
    Some(Queue {
        service,
        wait,
        p,
        per_replica,
    })
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
