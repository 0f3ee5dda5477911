//! A provider's limits: which binds, how much room is left, what a burst waits.

use super::super::ledger::{Prose, Value, say};
use super::super::understand::Kind;
use super::super::work::{Advice, Work, fact, mark};
use super::{Lines, curve_series, lines, peak};

const DOCS: &str = "the providers' documentation of rate limits";

/// A limit is stated.
pub(super) fn states_limit(work: &Work<'_>) -> bool {
    work.said.first(Kind::RateLimit).is_some()
}

/// A limit in tokens is stated.
pub(super) fn states_tokens(work: &Work<'_>) -> bool {
    work.said.qualified(Kind::RateLimit, "tpm").is_some()
}

fn limit(work: &mut Work<'_>, q: &str, label: &str, unit: &str) -> Option<Value> {
    let quantity = work.said.qualified(Kind::RateLimit, q)?.clone();
    let value = quantity.value.base().filter(|v| *v > 0.0)?;
    Some(work.stated(q, label, &quantity, value, unit, (1.0, 1e15)))
}

/// Tokens of a request, input and output.
fn tokens(work: &mut Work<'_>) -> Value {
    if let Some(stated) = work.first(
        Kind::TokensPerRequest,
        "tokens of a request, all in",
        "tokens/request",
        (1.0, 1e7),
    ) {
        return stated;
    }
    let (t_in, t_out) = (work.tokens_in(), work.tokens_out());
    work.ledger.derive(
        "tokens of a request",
        "t_in + t_out",
        "limits count input and output",
        &[("t_in", &t_in), ("t_out", &t_out)],
        "tokens/request",
    )
}

/// The request rate that each stated limit allows.
fn allowed(work: &mut Work<'_>) -> Vec<(&'static str, Value)> {
    let rpm = limit(work, "rpm", "requests a minute allowed", "requests/min");
    let tpm = limit(work, "tpm", "tokens a minute allowed", "tokens/min");
    let mut allowed: Vec<(&'static str, Value)> = Vec::new();
    if let Some(rpm) = &rpm {
        let rate = work.ledger.derive(
            "requests a second by the limit on requests",
            "rpm / 60",
            DOCS,
            &[("rpm", rpm)],
            "requests/s",
        );
        allowed.push(("requests a minute (RPM)", rate));
    }
    if let Some(tpm) = &tpm {
        let tokens = tokens(work);
        let inputs = [("tpm", tpm), ("tok", &tokens)];
        let rate = work.ledger.derive(
            "requests a second by the limit on tokens",
            "tpm / (60 * tok)",
            DOCS,
            &inputs,
            "requests/s",
        );
        allowed.push(("tokens a minute (TPM)", rate));
    }
    allowed
}

/// The request rate each limit allows, and the one that binds.
pub(super) fn rate_limit(work: &mut Work<'_>) -> Option<Prose> {
    let allowed = allowed(work);
    let (binding, cap) = allowed
        .iter()
        .min_by(|a, b| a.1.value.total_cmp(&b.1.value))
        .cloned()?;
    work.keep("limit", &cap);
    let mut rows: Vec<_> = allowed
        .iter()
        .map(|(name, rate)| {
            fact(
                &format!("Allowed by {name}"),
                rate.cell(rate.digits(4).then(" requests/s")),
            )
        })
        .collect();
    let mut told = say!(
        "The limit on {} binds: {} requests a second.",
        binding,
        cap.digits(4)
    );
    if let Some(demand) = peak(work).filter(|d| d.value > 0.0) {
        let inputs = [("demand", &demand), ("limit", &cap)];
        let room = work.ledger.derive(
            "room left at peak",
            "1 - demand / limit",
            DOCS,
            &inputs,
            "fraction",
        );
        rows.push(fact(
            "Demand at peak",
            demand.cell(demand.digits(4).then(" requests/s")),
        ));
        rows.push(fact("Room left", room.cell(room.percent())));
        told = told.and(say!(
            "At a peak of {} a second {} of it is free.",
            demand.digits(4),
            room.percent()
        ));
        work.keep("headroom", &room);
        spike(work, &demand, &cap, &mut rows);
    }
    work.facts("limits", "What the limits allow", "requests/s", rows);
    advise(work, binding, &cap);
    Some(told)
}

/// A factor without a date is a spike: does it pass the limit?
fn spike(
    work: &mut Work<'_>,
    demand: &Value,
    cap: &Value,
    rows: &mut Vec<Vec<super::super::answer::Cell>>,
) {
    let Some(q) = work
        .said
        .first(Kind::GrowthMultiplier)
        .filter(|q| q.by.is_none() && super::growth::period(q).is_none())
        .cloned()
    else {
        return;
    };
    let Some(x) = q.value.base().filter(|x| *x > 0.0) else {
        return;
    };
    if super::growth::growth_rate(work).is_some() {
        return;
    }
    let factor = work.stated("spike", "spike over normal load", &q, x, "x", (0.0, 1e6));
    let at = work.ledger.derive(
        "requests a second in the spike",
        "demand * x",
        "your spike",
        &[("demand", demand), ("x", &factor)],
        "requests/s",
    );
    let used = work.ledger.derive(
        "use of the limit in the spike",
        "at / limit",
        DOCS,
        &[("at", &at), ("limit", cap)],
        "fraction",
    );
    rows.push(fact(
        "Demand in the spike",
        at.cell(at.digits(4).then(" requests/s")),
    ));
    rows.push(fact(
        "Use of the limit in the spike",
        used.cell(used.percent()),
    ));
    work.keep("spike", &at);
    work.keep("spike_use", &used);
    if used.value <= 1.0 {
        work.insight(
            "The spike fits",
            say!(
                "In the spike {} requests a second use {} of the limit.",
                at.digits(4),
                used.percent()
            ),
        );
    } else {
        work.finding("warning", "The spike does not fit", say!("In the spike {} requests a second are {} of the limit: queue what can wait, or have the limit raised beforehand.", at.digits(4), used.percent()));
    }
}

fn advise(work: &mut Work<'_>, binding: &str, cap: &Value) {
    let why = say!(
        "The limit on {} allows {} requests a second. A limit is raised by the provider, spread over accounts or models, or stretched: fewer tokens a request where tokens bind, fewer calls where requests bind. Obey Retry-After and back off with full jitter, so that retries do not eat the limit.",
        binding,
        cap.digits(4)
    );
    let advice = Advice::new(why, "low", "high", "high");
    let gain = cap.figure(cap.digits(4).then(" requests/s"));
    work.recommend("Plan with the limit that binds", advice, cap, Some(gain));
    work.measure(
        "Refused requests (429)",
        say!("not measured"),
        say!("none at peak"),
        "Count responses with status 429 and read the rate-limit headers of each response.",
    );
}

/// What the last request of a burst waits where tokens refill continuously.
pub(super) fn token_bucket(work: &mut Work<'_>) -> Option<Prose> {
    let tpm = limit(work, "tpm", "tokens a minute allowed", "tokens/min")?;
    let tok = tokens(work);
    let spike = work.kept("spike").or_else(|| peak(work));
    let demand = spike.filter(|d| d.value > 0.0)?;
    let l = &mut work.ledger;
    let why = "A placeholder: requests of this many seconds of peak arrive at once.";
    let (name, label) = ("burst_seconds", "length of a burst");
    let seconds = l.assume(name, label, 10.0, "s", (0.1, 3600.0), why);
    let why = "A placeholder: providers do not publish the size of their buckets.";
    let (name, label) = (
        "bucket_seconds",
        "seconds of limit that a full bucket holds",
    );
    let fill = l.assume(name, label, 1.0, "s", (0.0, 60.0), why);
    let inputs = [("rate", &demand), ("seconds", &seconds)];
    let (label, formula) = ("requests of a burst", "ceil(rate * seconds)");
    let burst = l.derive(label, formula, "your peak", &inputs, "requests");
    let zero = l.catalog("start of the trace", 0.0, "s", "the burst");
    let inputs = [
        ("n", &burst),
        ("tok", &tok),
        ("tpm", &tpm),
        ("fill", &fill),
        ("t", &zero),
    ];
    let label = "wait of the last request of a burst";
    let formula = "max(0; (n * tok - fill * tpm / 60) / (tpm / 60))";
    let source = "token bucket with continuous refill; Anthropic documentation";
    let wait = l.derive(label, formula, source, &inputs[..4], "s");
    // A quarter more than the wait: the picture ends soon after all is served.
    let span = (wait.value * 1.25).clamp(1.0, 86_400.0);
    let xs: Vec<f64> = (0..=60).map(|i| f64::from(i) * span / 60.0).collect();
    let formula = "min(fill * tpm / 60; fill * tpm / 60 - n * tok + t * tpm / 60)";
    let label = "tokens in the bucket";
    let level = l.curve(label, formula, source, &inputs, "tokens", ("t", &xs));
    let text = say!(
        "After a burst of {} requests the last one waits {}.",
        burst.count(),
        wait.seconds()
    );
    let about = Lines {
        id: "bucket",
        kind: "line",
        title: "Tokens in the bucket after a burst",
        x: ("Time", "s"),
        y: ("Tokens", "tokens"),
        y_scale: "linear",
        table: "limits",
    };
    let marks = vec![mark("x", wait.value, "last request served")];
    let series = vec![curve_series("Level", &level, None)];
    lines(work, &about, series, marks, text.clone());
    Some(text)
}
