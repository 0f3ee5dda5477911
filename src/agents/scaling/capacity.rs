//! How many requests must be served at once so that few wait: Erlang C.

use super::super::answer::{Mark, Table};
use super::super::catalog::Mode;
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, Metric, Quantity, Role};
use super::super::work::{Advice, Work, column, words};
use super::{Lines, curve_series, lines, peak, peak_of};
use crate::id::Complexity;

const ERLANG: &str = "Erlang 1917: the M/M/c queue";
/// More offered load than this needs another model than one queue.
const LOAD_MAX: f64 = 20_000.0;

/// A service time or waiting target is stated, or there is load and nothing else to compute.
pub(super) fn called_for(work: &Work<'_>) -> bool {
    let said = &work.said;
    let asked = said.first(Kind::ServiceTime).is_some()
        || said
            .all(Kind::Latency)
            .any(|q| q.metric == Some(Metric::Wait))
        || said.first(Kind::SlotsPerReplica).is_some();
    let load = said.first(Kind::Requests).is_some() || said.first(Kind::Users).is_some();
    let other = super::limits::states_limit(work)
        || super::states_hardware(work)
        || super::states_growth(work);
    asked || (load && !other)
}

/// The parts of a queue that all pools share.
struct Queue {
    service: Value,
    wait: Value,
    p: Value,
    per_replica: Option<Value>,
}

/// Slots and replicas for every stated peak.
pub(super) fn staffing(work: &mut Work<'_>) -> Option<Prose> {
    let peaks: Vec<Quantity> = work
        .said
        .all(Kind::Requests)
        .filter(|q| q.q.as_deref() == Some("peak"))
        .cloned()
        .collect();
    let mut pools = Vec::new();
    if peaks.len() > 1 {
        for (i, quantity) in peaks.iter().take(4).enumerate() {
            let name = if i == 0 {
                "peak_rps".to_owned()
            } else {
                format!("peak_rps_{}", i + 1)
            };
            pools.push((
                format!("\"{}\"", quantity.quote),
                peak_of(work, &name, quantity)?,
            ));
        }
    } else {
        let today = peak(work)?;
        pools.push(("Peak".to_owned(), today.clone()));
        if let Some(then) = grown(work, &today) {
            pools[0].0 = "Today".to_owned();
            pools.push(("With the users you expect".to_owned(), then));
        }
    }
    let queue = queue(work)?;
    let mut told: Option<Prose> = None;
    for (name, load) in &pools {
        if load.value <= 0.0 || load.value * queue.service.value > LOAD_MAX {
            work.finding(
                "warning",
                "Not a load for one queue",
                say!(
                    "A load of {} requests a second is outside of what one queue can be sized for.",
                    load.count()
                ),
            );
            continue;
        }
        let prose = pool(work, name, load, &queue, pools.len() > 1)?;
        told = Some(told.take().unwrap_or_default().and(prose));
    }
    total(work, peaks.len());
    told
}

/// Replicas and rent of all pools together.
fn total(work: &mut Work<'_>, pools: usize) {
    if pools < 2 {
        return;
    }
    for (key, label, unit) in [
        ("replicas", "replicas in all pools", "replicas"),
        ("replica_cost", "replicas a month in all pools", "USD/month"),
    ] {
        let parts: Vec<Value> = (1..=pools).filter_map(|i| work.kept_of(key, i)).collect();
        let symbols = ["a", "b", "c", "d"];
        let inputs: Vec<(&str, &Value)> = symbols.iter().copied().zip(&parts).collect();
        if inputs.len() == pools.min(4) {
            let formula = symbols[..inputs.len()].join(" + ");
            let all = work
                .ledger
                .derive(label, &formula, "sum of the pools", &inputs, unit);
            work.keep(key, &all);
        }
    }
}

/// The peak with the users that are expected, where their number is stated without a date.
fn grown(work: &mut Work<'_>, today: &Value) -> Option<Value> {
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

fn queue(work: &mut Work<'_>) -> Option<Queue> {
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

fn percentile(work: &mut Work<'_>) -> Value {
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
fn service_time(work: &mut Work<'_>) -> Value {
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

fn pool(work: &mut Work<'_>, name: &str, load: &Value, q: &Queue, several: bool) -> Option<Prose> {
    let base = [("lam", load), ("s", &q.service)];
    let offered = work
        .ledger
        .derive("offered load", "lam * s", "Little 1961", &base, "slots");
    let inputs = [
        ("lam", load),
        ("s", &q.service),
        ("t", &q.wait),
        ("p", &q.p),
    ];
    let slots = work.ledger.derive(
        "slots needed",
        "slots_needed(lam; s; t; p)",
        "Erlang 1917: the smallest c whose waiting-time percentile meets the target",
        &inputs,
        "slots",
    );
    let with = [("c", &slots), ("lam", load), ("s", &q.service), ("p", &q.p)];
    let waits = work.ledger.derive(
        "probability of waiting",
        "erlang_c(c; lam; s)",
        "Erlang C: B_k = a B_(k−1) / (k + a B_(k−1)), C = B / (1 − ρ (1 − B))",
        &with[..3],
        "fraction",
    );
    let longest = work.ledger.derive(
        "wait at the percentile",
        "erlang_wait(c; lam; s; p)",
        "W_p = max(0, ln(C / (1 − p)) / (c / s − λ))",
        &with,
        "s",
    );
    let busy = work
        .ledger
        .derive("utilisation", "lam * s / c", ERLANG, &with[..3], "fraction");
    let mean = work.ledger.derive(
        "mean wait",
        "w / (c / s - lam)",
        ERLANG,
        &[
            ("w", &waits),
            ("c", &slots),
            ("s", &q.service),
            ("lam", load),
        ],
        "s",
    );
    let fewer = work.ledger.derive(
        "one slot fewer",
        "c - 1",
        "for comparison",
        &[("c", &slots)],
        "slots",
    );
    let mut rows = vec![
        vec![
            words("Offered load"),
            offered.cell(offered.digits(4).then(" slots")),
        ],
        vec![words("Slots"), slots.cell(slots.digits(6))],
        vec![words("Probability of waiting"), waits.cell(waits.percent())],
        vec![
            words("Wait at the percentile"),
            longest.cell(longest.seconds()),
        ],
        vec![words("Mean wait"), mean.cell(mean.seconds())],
        vec![words("Utilisation"), busy.cell(busy.percent())],
    ];
    if fewer.value > offered.value {
        let with = [("c", &fewer), ("lam", load), ("s", &q.service), ("p", &q.p)];
        let less = work.ledger.derive(
            "wait with one slot fewer",
            "erlang_wait(c; lam; s; p)",
            "W_p = max(0, ln(C / (1 − p)) / (c / s − λ))",
            &with,
            "s",
        );
        rows.push(vec![
            words("Wait with one slot fewer"),
            less.cell(less.seconds()),
        ]);
    }
    let mut told = say!(
        "{}: {} requests a second, {} each: {} slots, {} busy, {} wait at all.",
        name,
        load.count(),
        q.service.seconds(),
        slots.digits(6),
        busy.percent(),
        waits.percent()
    );
    if let Some(per) = &q.per_replica {
        let replicas = work.ledger.derive(
            "replicas",
            "ceil(c / per)",
            "whole replicas",
            &[("c", &slots), ("per", per)],
            "replicas",
        );
        rows.push(vec![words("Replicas"), replicas.cell(replicas.digits(6))]);
        told = told.and(say!(
            "That is {} replicas of {} slots.",
            replicas.digits(6),
            per.digits(4)
        ));
        let replicas = spare(work, &replicas, &mut rows);
        work.keep_next("replicas", &replicas);
    }
    let id = if several {
        format!("capacity-{}", work.draft.tables.len() + 1)
    } else {
        "capacity".to_owned()
    };
    let title = if several {
        format!("Capacity: {name}")
    } else {
        "Capacity at peak".into()
    };
    work.table(Table {
        id: id.clone(),
        title,
        columns: vec![column("", ""), column("Value", "")],
        rows,
    });
    let mut named = slots.clone();
    named.label = name.to_owned();
    work.keep_next("pool", &named);
    work.verdicts.push(say!(
        "{}: {} slots, {} busy.",
        name,
        slots.digits(6),
        busy.percent()
    ));
    for (key, value) in [
        ("slots", &slots),
        ("wait", &longest),
        ("utilisation", &busy),
        ("offered", &offered),
    ] {
        work.keep(key, value);
    }
    advise(
        work,
        several.then_some(name),
        load,
        q,
        &slots,
        &longest,
        &busy,
    );
    if !several && work.at_least(Complexity::Intermediate) {
        chart(work, load, q, &slots, &longest, &id);
    }
    Some(told)
}

/// One replica more, and its rent, where the message asks for it.
fn spare(
    work: &mut Work<'_>,
    replicas: &Value,
    rows: &mut Vec<Vec<super::super::answer::Cell>>,
) -> Value {
    let wanted = work.task.content.to_lowercase().contains("n+1")
        || work.said.first(Kind::Availability).is_some();
    let replicas = if wanted {
        let spare = work.ledger.derive(
            "replicas with one to spare",
            "r + 1",
            "one may fail",
            &[("r", replicas)],
            "replicas",
        );
        rows.push(vec![
            words("Replicas, one to spare"),
            spare.cell(spare.digits(6)),
        ]);
        spare
    } else {
        replicas.clone()
    };
    if let Some(price) = work.first(
        Kind::ReplicaPrice,
        "price of a replica and hour",
        "USD/h",
        (0.0, 1e6),
    ) {
        let inputs = [("r", &replicas), ("price", &price)];
        let cost = work.ledger.derive(
            "replicas a month",
            "r * price * 730.5",
            super::super::facts::MONTH,
            &inputs,
            "USD/month",
        );
        rows.push(vec![words("Cost a month"), cost.cell(cost.money())]);
        work.keep_next("replica_cost", &cost);
    }
    replicas
}

#[allow(clippy::too_many_arguments)]
fn advise(
    work: &mut Work<'_>,
    pool: Option<&str>,
    load: &Value,
    q: &Queue,
    slots: &Value,
    longest: &Value,
    busy: &Value,
) {
    let why = say!(
        "At {} requests a second, each {} long, {} slots keep {} of the waits under {} (they reach {}), at {} utilisation. Fewer slots look efficient and make the tail explode.",
        load.count(),
        q.service.seconds(),
        slots.digits(6),
        q.p.percent(),
        q.wait.seconds(),
        longest.seconds(),
        busy.percent()
    );
    let advice = Advice {
        why,
        effort: "medium",
        impact: "high",
        confidence: "high",
    };
    let gain = slots.figure(slots.digits(6).then(" slots"));
    let title = if q.per_replica.is_some() {
        "Run this many replicas at peak"
    } else {
        "Provide this many concurrent slots"
    };
    let title = pool.map_or(title.to_owned(), |pool| {
        format!("{pool}: {}", title.to_lowercase())
    });
    work.recommend(&title, advice, slots, Some(gain));
    if work
        .draft
        .findings
        .iter()
        .all(|f| f.title != "Where this formula does not fit")
    {
        work.finding("info", "Where this formula does not fit", say!(
            "Language models do not have exponential service times, and a replica slows down as its batch fills. Measure the service time at the batch size you will run, and leave the correction for its spread in place."
        ));
    }
    work.measure(
        "Wait in the queue",
        say!("not measured"),
        say!(
            "{} of the requests under {}",
            q.p.percent(),
            q.wait.seconds()
        ),
        "A histogram of the time between arrival and start, by minute.",
    );
    work.measure(
        "Utilisation of slots at peak",
        say!("not measured"),
        say!("{}", busy.percent()),
        "Busy slots over all slots, in the busiest minute.",
    );
}

fn chart(
    work: &mut Work<'_>,
    load: &Value,
    q: &Queue,
    slots: &Value,
    longest: &Value,
    table: &str,
) {
    let least = (load.value * q.service.value).floor() + 1.0;
    let xs: Vec<f64> = (0..20).map(|i| least + f64::from(i)).collect();
    let inputs = [("c", slots), ("lam", load), ("s", &q.service), ("p", &q.p)];
    let wait = work.ledger.curve(
        "wait at the percentile by slots",
        "erlang_wait(c; lam; s; p)",
        ERLANG,
        &inputs,
        "s",
        ("c", &xs),
    );
    let text = say!(
        "With {} slots the wait at the percentile is {}; the target is {}.",
        slots.digits(6),
        longest.seconds(),
        q.wait.seconds()
    );
    let marks = vec![
        Mark {
            axis: "y".into(),
            value: q.wait.value,
            label: "target".into(),
        },
        Mark {
            axis: "x".into(),
            value: slots.value,
            label: "chosen".into(),
        },
    ];
    let about = Lines {
        id: "erlang",
        kind: "line",
        title: "Wait by number of slots",
        x: ("Slots", "slots"),
        y: ("Wait at the percentile", "s"),
        table,
    };
    lines(
        work,
        &about,
        vec![curve_series("Wait", &wait, Some(slots.value))],
        marks,
        text,
    );
}
