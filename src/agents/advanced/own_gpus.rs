//! The API against own GPUs: break-even, and how likely it is that owning is cheaper.

use super::super::answer::{Chart, Point, Series};
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, Quantity};
use super::super::work::{Advice, Work, axis, fact, mark};
use super::risk::{Range, Simulation};

const BREAK_EVEN: &str = "fixed cost over variable cost";

/// Own GPUs are an alternative, and there is a volume to compare.
pub(super) fn called_for(work: &Work<'_>) -> bool {
    let said = &work.said;
    let gpus = said.first(Kind::GpuCount).is_some()
        || said.wants("option:self_host")
        || said.share("self_host").is_some();
    gpus && work.model.is_some() && said.requests_per_month().is_some()
}

/// GPUs and staff a month.
fn fixed(work: &mut Work<'_>) -> Option<Value> {
    let count = match work.first(Kind::GpuCount, "GPUs", "GPUs", (1.0, 10_000.0)) {
        Some(count) => count,
        None => work.ledger.assume(
            "gpu_count",
            "GPUs",
            2.0,
            "GPUs",
            (1.0, 10_000.0),
            "A placeholder; the scaling agent sizes them.",
        ),
    };
    let named = work.said.first(Kind::GpuCount).and_then(|q| q.q.clone());
    let unit = work.said.first(Kind::Gpu).map(|q| q.unit.to_string());
    let kind = named
        .map(String::from)
        .or(unit)
        .and_then(|k| work.catalog.gpu(&k).map(|g| g.id.clone()));
    let kind = kind.unwrap_or_else(|| "H100-SXM-80GB".into());
    let price = match super::super::scaling::gpu_price(work, &kind) {
        Some(price) => price,
        None => {
            let why = format!(
                "No listing of {kind} is in the catalog: a placeholder to be replaced by your own rent or depreciation."
            );
            work.ledger.assume(
                "gpu_price",
                "price of a GPU and hour",
                1.0,
                "USD/h",
                (0.01, 1000.0),
                &why,
            )
        }
    };
    let staff: Option<Quantity> = work
        .said
        .first(Kind::RunCost)
        .cloned()
        .filter(|q| q.unit == "USD");
    let staff = match staff {
        Some(q) => work.monthly("run_cost", "staff and running cost a month", &q, "USD")?,
        None => work.ledger.assume(
            "run_cost_per_month",
            "staff and running cost a month",
            3000.0,
            "USD/month",
            (0.0, 1e9),
            "A placeholder: somebody must run the machines.",
        ),
    };
    let inputs = [("g", &count), ("price", &price), ("staff", &staff)];
    Some(work.ledger.derive(
        "own GPUs a month, fixed",
        "g * price * 730.5 + staff",
        super::super::facts::MONTH,
        &inputs,
        "USD/month",
    ))
}

/// The requests that would move: all, or the stated share.
fn moved(work: &mut Work<'_>) -> Option<Value> {
    let n = work.requests()?;
    let Some(share) = work.share("self_host", "share of requests that moves to own GPUs") else {
        return Some(n);
    };
    let inputs = [("n", &n), ("share", &share)];
    let unit = "requests/month";
    let moved = work.ledger.derive(
        "requests a month that move to own GPUs",
        "n * share",
        "your plan",
        &inputs,
        unit,
    );
    work.keep("requests", &moved);
    Some(moved)
}

/// Break-even, risk and the decision.
pub(super) fn compare(work: &mut Work<'_>) -> Option<Prose> {
    let model = work.model.clone()?;
    let each = work.cost_of_request(&model, true)?;
    let fixed = fixed(work)?;
    if each.value <= 0.0 || fixed.value <= 0.0 {
        return None;
    }
    let n = moved(work)?;
    let even = work.ledger.derive(
        "requests a month at break-even",
        "fixed / c",
        BREAK_EVEN,
        &[("fixed", &fixed), ("c", &each)],
        "requests/month",
    );
    let net = work.ledger.derive(
        "net saving of owning a month, base case",
        "n * c - fixed",
        BREAK_EVEN,
        &[("n", &n), ("c", &each), ("fixed", &fixed)],
        "USD/month",
    );
    for (key, value) in [("fixed", &fixed), ("even", &even), ("net", &net)] {
        work.keep(key, value);
    }
    let simulation = simulate(work, &fixed)?;
    let outcome = outcome(work, &simulation)?;
    table(work, &each, &fixed, &even, &net, &outcome);
    histogram(work, &simulation, &outcome);
    super::risk::draw_tornado(
        work,
        &simulation,
        "Net saving of owning a month",
        "USD/month",
    );
    decide(work, &net, &even, &n, &outcome);
    Some(say!(
        "Owning costs {} a month, break-even at {} requests; base case {} a month; cheaper in {} of the draws.",
        fixed.money(),
        even.count(),
        net.money(),
        outcome.cheaper.percent()
    ))
}

fn simulate(work: &mut Work<'_>, fixed: &Value) -> Option<Simulation> {
    let traffic = super::risk::traffic(work)?.drawn(work);
    let why = "A placeholder: rent and staff may turn out lower or higher.";
    let low = work.ledger.assume(
        "fixed_low",
        "lowest fixed cost over base",
        0.9,
        "x",
        (0.1, 1.0),
        why,
    );
    let high = work.ledger.assume(
        "fixed_high",
        "highest fixed cost over base",
        1.3,
        "x",
        (1.0, 10.0),
        why,
    );
    let scaled = |work: &mut Work<'_>, label: &str, by: &Value| {
        work.ledger.derive(
            label,
            "fixed * x",
            "assumed range",
            &[("fixed", fixed), ("x", by)],
            "USD/month",
        )
    };
    let range = Range {
        name: "Fixed cost",
        low: scaled(work, "lowest fixed cost", &low),
        mode: fixed.clone(),
        high: scaled(work, "highest fixed cost", &high),
    };
    Some(traffic.with_fixed(range))
}

struct Outcome {
    mean: Value,
    p05: Value,
    p50: Value,
    p95: Value,
    cheaper: Value,
}

fn outcome(work: &mut Work<'_>, s: &Simulation) -> Option<Outcome> {
    let unit = "USD/month";
    let mut quantile = |label: &str, p: f64| {
        let p = work
            .ledger
            .catalog("percentile shown", p, "fraction", "nearest rank");
        s.derive(work, label, "mc_percentile", &[("p", &p)], unit)
    };
    let (p05, p50, p95) = (
        quantile("net saving, p05", 0.05),
        quantile("net saving, p50", 0.5),
        quantile("net saving, p95", 0.95),
    );
    Some(Outcome {
        p05,
        p50,
        p95,
        mean: s.derive(work, "net saving, mean", "mc_mean", &[], unit),
        cheaper: s.derive(
            work,
            "probability that owning is cheaper",
            "mc_share_positive",
            &[],
            "fraction",
        ),
    })
}

fn table(work: &mut Work<'_>, each: &Value, fixed: &Value, even: &Value, net: &Value, o: &Outcome) {
    let row = |name: &str, v: &Value| fact(name, v.cell(v.money()));
    let rows = vec![
        fact("API, a request", each.cell(each.money())),
        row("Own GPUs, fixed a month", fixed),
        fact(
            "Break-even",
            even.cell(even.count().then(" requests a month")),
        ),
        row("Net saving of owning, base case", net),
        row("Net saving, mean of the draws", &o.mean),
        row("Net saving, p05", &o.p05),
        row("Net saving, p50", &o.p50),
        row("Net saving, p95", &o.p95),
        fact(
            "Probability that owning is cheaper",
            o.cheaper.cell(o.cheaper.percent()),
        ),
    ];
    work.facts("owning", "API against own GPUs", "USD/month", rows);
}

fn histogram(work: &mut Work<'_>, s: &Simulation, o: &Outcome) {
    let (low, high) = (
        o.p05.value - (o.p95.value - o.p05.value) * 0.4,
        o.p95.value + (o.p95.value - o.p05.value) * 0.6,
    );
    if high <= low {
        return;
    }
    let bins = 20;
    let size = (high - low) / f64::from(bins);
    let why = "chosen to show p05 to p95";
    let label = "lower end of the first bar";
    let width = work
        .ledger
        .catalog("width of a bar", size, "USD/month", why);
    let start = work.ledger.catalog(label, low, "USD/month", why);
    let xs: Vec<f64> = (0..bins).map(|i| low + f64::from(i) * size).collect();
    let curve = s.curve(
        work,
        "share of the draws by net saving",
        "mc_share_between",
        &[("at", &start), ("width", &width)],
        "fraction",
        ("at", &xs),
    );
    let points = curve
        .points
        .iter()
        .map(|(x, y)| Point {
            x: Some(*x),
            y: *y,
            low: Some(*x),
            high: Some(x + size),
            id: Some(curve.id.clone()),
            ..Point::default()
        })
        .collect();
    let text = say!(
        "p05 {}, p50 {}, p95 {}; owning is cheaper in {} of the draws.",
        o.p05.money(),
        o.p50.money(),
        o.p95.money(),
        o.cheaper.percent()
    );
    let mark = |v: &Value, label: &str| mark("x", v.value, label);
    work.chart(Chart {
        id: "risk".into(),
        kind: "histogram".into(),
        title: "Net saving of owning a month, by draw".into(),
        x: axis("Net saving a month", "USD/month", "linear"),
        y: axis("Share of the draws", "fraction", "linear"),
        series: vec![Series {
            name: "Draws".into(),
            points,
        }],
        marks: vec![
            mark(&o.p05, "p05"),
            mark(&o.p50, "p50"),
            mark(&o.p95, "p95"),
        ],
        table: "owning".into(),
        source: "SplitMix64 with the seed shown; triangular distributions".into(),
        text: text.text,
        refs: text.refs,
    });
}

fn decide(work: &mut Work<'_>, net: &Value, even: &Value, n: &Value, o: &Outcome) {
    let close = (0.35..=0.65).contains(&o.cheaper.value);
    let title = match (close, net.value > 0.0) {
        (true, _) => "Stay with the API until the volume is measured",
        (false, true) => "Prepare to own the GPUs",
        (false, false) => "Stay with the API",
    };
    let base = match net.value >= 0.0 {
        true => say!(
            "At {} requests a month owning saves {} a month in the base case; it breaks even at {}.",
            n.count(),
            net.amount(),
            even.count()
        ),
        false => say!(
            "At {} requests a month owning costs {} a month more in the base case; it breaks even at {}.",
            n.count(),
            net.amount(),
            even.count()
        ),
    };
    let why = base.and(say!("Over the stated ranges it is cheaper in {} of the draws, with a net saving between {} (p05) and {} (p95) a month.", o.cheaper.percent(), o.p05.money(), o.p95.money()));
    let why = if close {
        why.and(say!("That is close to a coin toss: a better estimate of the volume is worth more than either decision."))
    } else {
        why
    };
    let advice = Advice::new(
        why,
        if net.value > 0.0 && !close {
            "high"
        } else {
            "low"
        },
        "high",
        "medium",
    );
    // Staying where one is gains nothing.
    let gain = (net.value > 0.0).then(|| net.figure(net.money().then(" a month")));
    work.recommend(title, advice, net, gain);
    work.finding("warning", "Capacity is not checked here", say!("Whether these GPUs carry the load, at which quality an open model answers, and what a second site costs, is not part of this comparison. Ask the scaling agent with the model, the GPU and the concurrent requests."));
    for (key, value) in [
        ("mc_p05", &o.p05),
        ("mc_p95", &o.p95),
        ("mc_cheaper", &o.cheaper),
    ] {
        work.keep(key, value);
    }
}
