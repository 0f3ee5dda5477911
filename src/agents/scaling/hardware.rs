//! Own GPUs for an open model: how many by memory, how fast by roofline, at what rent.

use super::super::answer::{Axis, Chart, Series, Table};
use super::super::catalog::{Architecture, KvShape};
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, ModelRole};
use super::super::work::{Advice, Work, column, words};

const ROOFLINE: &str = "roofline: Williams et al. 2009; Pope et al. arXiv:2211.05102";

/// A GPU or a model to host is named.
pub(in crate::agents) fn states_hardware(work: &Work<'_>) -> bool {
    model(work).is_some()
        && (gpu_named(work).is_some() || !work.said.models_in(ModelRole::SelfHost).is_empty())
}

fn gpu_named(work: &Work<'_>) -> Option<String> {
    let unit = work.said.all(Kind::Gpu).next()?.unit.to_string();
    Some(work.catalog.gpu(&unit)?.id.clone())
}

/// The open model to host: only one whose shape is published.
fn model(work: &Work<'_>) -> Option<Architecture> {
    let hosted = work.said.models_in(ModelRole::SelfHost);
    let named = work.said.models.iter().map(|m| m.id.as_str());
    hosted
        .into_iter()
        .chain(named)
        .find_map(|id| work.catalog.architecture(id))
        .cloned()
}

/// What the calculation rests on.
struct Fit {
    gpu: String,
    memory: Value,
    bandwidth: Value,
    flops: Value,
    weights: Value,
    active: Value,
    kv: Value,
    users: Value,
    context: Value,
    util: Value,
    mbu: Value,
    mfu: Value,
}

/// GPUs, speed and rent for the stated load.
pub(in crate::agents) fn self_host(work: &mut Work<'_>) -> Option<Prose> {
    let shape = model(work)?;
    let id = gpu_named(work).unwrap_or_else(|| "H100-SXM-80GB".into());
    let fit = fit(work, &shape, &id)?;
    let kv_total = work.ledger.derive(
        "key-value cache at this load",
        "B * ctx * kv",
        "vLLM, arXiv:2309.06180",
        &[("B", &fit.users), ("ctx", &fit.context), ("kv", &fit.kv)],
        "bytes",
    );
    let inputs = [
        ("W", &fit.weights),
        ("kv_total", &kv_total),
        ("mem", &fit.memory),
        ("util", &fit.util),
    ];
    let by_memory = work.ledger.derive(
        "GPUs by memory",
        "ceil((W + kv_total) / (mem * 1e9 * util))",
        "capacity arithmetic",
        &inputs,
        "GPUs",
    );
    let gpus = work.ledger.derive(
        "GPUs, a power of two",
        "power_of_two(g)",
        "tensor parallel groups are powers of two",
        &[("g", &by_memory)],
        "GPUs",
    );
    if gpus.value > 64.0 {
        work.finding(
            "warning",
            "More than one node",
            say!(
                "{} GPUs do not share one fast network; size this load as several replicas.",
                gpus.count()
            ),
        );
    }
    let inputs = [
        ("G", &gpus),
        ("mem", &fit.memory),
        ("util", &fit.util),
        ("W", &fit.weights),
        ("kv", &fit.kv),
        ("ctx", &fit.context),
    ];
    let batch = work.ledger.derive(
        "largest batch",
        "floor((G * mem * 1e9 * util - W) / (kv * ctx))",
        "capacity arithmetic",
        &inputs,
        "requests",
    );
    let speed = speed(work, &fit, &gpus);
    let rent = rent(work, &fit.gpu, &gpus, &speed[2]);
    table(
        work,
        &shape,
        &fit,
        &[&kv_total, &by_memory, &gpus, &batch],
        &speed,
        &rent,
    );
    memory_bar(work, &fit, &kv_total, &gpus);
    for (key, value) in [("gpus", &gpus), ("tps_user", &speed[1]), ("batch", &batch)] {
        work.keep(key, value);
    }
    if let Some((cost, _)) = &rent {
        work.keep("gpu_cost", cost);
    }
    advise(work, &shape, &fit, &gpus, &batch, &speed);
    Some(say!(
        "{} on {} {}: {} tokens a second for each of {} users.",
        &shape.id,
        gpus.digits(4),
        &fit.gpu,
        speed[1].digits(3),
        fit.users.count()
    ))
}

fn fit(work: &mut Work<'_>, shape: &Architecture, id: &str) -> Option<Fit> {
    let gpu = work.catalog.gpu(id)?.clone();
    let half = work.said.wants("precision:fp8") || work.said.wants("precision:int8");
    let bytes = work.ledger.assume(
        "bytes_per_parameter",
        "bytes of a parameter and cache element",
        if half { 1.0 } else { 2.0 },
        "bytes",
        (0.5, 4.0),
        if half {
            "The precision that the message names."
        } else {
            "BF16 or FP16."
        },
    );
    let row = format!("{}: {}", shape.id, shape.source);
    let billions = |work: &mut Work<'_>, label: &str, b: f64| {
        work.ledger.catalog(label, b * 1e9, "parameters", &row)
    };
    let total = billions(work, "parameters", shape.total_billion);
    let active = billions(
        work,
        "parameters that take part in a token",
        shape.active_billion,
    );
    let weights = work.ledger.derive(
        "weights",
        "P * bytes",
        "parameters times their size",
        &[("P", &total), ("bytes", &bytes)],
        "bytes",
    );
    let kv = kv(work, shape, &bytes, &row);
    let sheet = format!("{}: {}", gpu.id, gpu.source);
    let flops = gpu.bf16_tflops_low.unwrap_or(gpu.bf16_tflops);
    let flops = if half {
        gpu.fp8_tflops
            .filter(|_| gpu.bf16_tflops_low.is_none())
            .unwrap_or(flops)
    } else {
        flops
    };
    let memory = work
        .ledger
        .catalog(&format!("{}: memory", gpu.id), gpu.memory_gb, "GB", &sheet);
    let bandwidth = work.ledger.catalog(
        &format!("{}: memory bandwidth", gpu.id),
        gpu.bandwidth_gb_s,
        "GB/s",
        &sheet,
    );
    let flops = work.ledger.catalog(
        &format!("{}: dense compute", gpu.id),
        flops,
        "TFLOPS",
        &sheet,
    );
    let users = match work.first(
        Kind::Concurrent,
        "requests at the same moment",
        "requests",
        (1.0, 1e6),
    ) {
        Some(users) => users,
        None => concurrent(work),
    };
    let context = match work.first(Kind::Context, "context of a request", "tokens", (1.0, 1e7)) {
        Some(context) => context,
        None => {
            let (t_in, t_out) = (work.tokens_in(), work.tokens_out());
            work.ledger.derive(
                "context of a request",
                "t_in + t_out",
                "prompt and answer",
                &[("t_in", &t_in), ("t_out", &t_out)],
                "tokens",
            )
        }
    };
    let why = "An assumption without a citable source; measure it on your own serving stack.";
    let mut share = |name: &str, label: &str, value: f64| {
        work.ledger
            .assume(name, label, value, "fraction", (0.05, 1.0), why)
    };
    Some(Fit {
        util: share(
            "memory_utilisation",
            "share of memory that may be used",
            0.9,
        ),
        mbu: share(
            "bandwidth_efficiency",
            "share of the bandwidth reached",
            0.6,
        ),
        mfu: share("compute_efficiency", "share of the compute reached", 0.4),
        gpu: gpu.id,
        memory,
        bandwidth,
        flops,
        weights,
        active,
        kv,
        users,
        context,
    })
}

/// Requests at the same moment, by Little's law where a load is stated.
fn concurrent(work: &mut Work<'_>) -> Value {
    let peak = super::peak(work).filter(|p| p.value > 0.0);
    match peak {
        Some(peak) => {
            let seconds = work.ledger.assume(
                "service_time",
                "time a request holds a slot",
                5.0,
                "s",
                (0.001, 86_400.0),
                "A placeholder without a source; measure how long your requests run.",
            );
            work.ledger.derive(
                "requests at the same moment",
                "max(1; lam * s)",
                "Little 1961",
                &[("lam", &peak), ("s", &seconds)],
                "requests",
            )
        }
        None => work.ledger.assume(
            "concurrent",
            "requests at the same moment",
            10.0,
            "requests",
            (1.0, 1e6),
            "A placeholder; the message states no load.",
        ),
    }
}

fn kv(work: &mut Work<'_>, shape: &Architecture, bytes: &Value, row: &str) -> Value {
    let mut number = |label: &str, v: u32| work.ledger.catalog(label, f64::from(v), "", row);
    let layers = number("layers", shape.layers);
    match shape.kv {
        KvShape::Heads { heads, head_dim } => {
            let (heads, dim) = (
                number("key-value heads", heads),
                number("elements of a head", head_dim),
            );
            let inputs = [
                ("layers", &layers),
                ("heads", &heads),
                ("dim", &dim),
                ("bytes", bytes),
            ];
            work.ledger.derive(
                "key-value cache of a token",
                "2 * layers * heads * dim * bytes",
                "vLLM, arXiv:2309.06180",
                &inputs,
                "bytes/token",
            )
        }
        KvShape::Latent { latent, rope } => {
            let (latent, rope) = (
                number("compressed vector", latent),
                number("rotary part", rope),
            );
            let inputs = [
                ("layers", &layers),
                ("latent", &latent),
                ("rope", &rope),
                ("bytes", bytes),
            ];
            work.ledger.derive(
                "key-value cache of a token",
                "layers * (latent + rope) * bytes",
                "DeepSeek-V3",
                &inputs,
                "bytes/token",
            )
        }
    }
}

/// Step time, tokens a second of a user, of all, and the prefill.
fn speed(work: &mut Work<'_>, f: &Fit, gpus: &Value) -> [Value; 4] {
    let inputs = [
        ("W", &f.weights),
        ("B", &f.users),
        ("ctx", &f.context),
        ("kv", &f.kv),
        ("G", gpus),
        ("BW", &f.bandwidth),
        ("mbu", &f.mbu),
        ("P", &f.active),
        ("FLOPS", &f.flops),
        ("mfu", &f.mfu),
    ];
    let formula =
        "max((W + B * ctx * kv) / (G * BW * 1e9 * mbu); 2 * P * B / (G * FLOPS * 1e12 * mfu))";
    let step = work
        .ledger
        .derive("time of a decoding step", formula, ROOFLINE, &inputs, "s");
    let user = work.ledger.derive(
        "tokens a second for each user",
        "1 / t",
        ROOFLINE,
        &[("t", &step)],
        "tokens/s",
    );
    let total = work.ledger.derive(
        "tokens a second in all",
        "B / t",
        ROOFLINE,
        &[("B", &f.users), ("t", &step)],
        "tokens/s",
    );
    let inputs = [
        ("P", &f.active),
        ("ctx", &f.context),
        ("G", gpus),
        ("FLOPS", &f.flops),
        ("mfu", &f.mfu),
    ];
    let prefill = work.ledger.derive(
        "time to read the prompt",
        "2 * P * ctx / (G * FLOPS * 1e12 * mfu)",
        ROOFLINE,
        &inputs,
        "s",
    );
    [step, user, total, prefill]
}

/// Rent a month and cost of a million tokens at full load; none where no price is known.
fn rent(work: &mut Work<'_>, gpu: &str, gpus: &Value, total: &Value) -> Option<(Value, Value)> {
    let price = gpu_price(work, gpu)?;
    let cost = work.ledger.derive(
        "GPUs a month",
        "G * price * 730.5",
        super::super::facts::MONTH,
        &[("G", gpus), ("price", &price)],
        "USD/month",
    );
    let inputs = [("cost", &cost), ("tps", total)];
    let each = work.ledger.derive(
        "a million output tokens at full load",
        "cost / (tps * 2629800) * 1e6",
        "rent over what full load yields",
        &inputs,
        "USD/Mtok",
    );
    Some((cost, each))
}

/// The stated price of a GPU and hour, else the cheapest listing.
pub(in crate::agents) fn gpu_price(work: &mut Work<'_>, gpu: &str) -> Option<Value> {
    if let Some(price) = work.first(
        Kind::GpuPrice,
        "price of a GPU and hour",
        "USD/h",
        (0.0, 1000.0),
    ) {
        return Some(price);
    }
    let offer = work.catalog.gpu_price(gpu)?.clone();
    let why = format!(
        "{} lists {} on demand ({}).",
        offer.cloud, offer.gpu, offer.source
    );
    Some(work.ledger.assume(
        "gpu_price",
        "price of a GPU and hour",
        offer.usd_per_gpu_hour,
        "USD/h",
        (0.01, 1000.0),
        &why,
    ))
}

fn table(
    work: &mut Work<'_>,
    shape: &Architecture,
    f: &Fit,
    sizes: &[&Value; 4],
    speed: &[Value; 4],
    rent: &Option<(Value, Value)>,
) {
    let gb = |work: &mut Work<'_>, v: &Value| {
        work.ledger.derive(
            &format!("{} in GB", v.label),
            "x / 1e9",
            "a GB is 1e9 bytes",
            &[("x", v)],
            "GB",
        )
    };
    let (weights, cache) = (gb(work, &f.weights), gb(work, sizes[0]));
    let ms = work.ledger.derive(
        "time of a decoding step in ms",
        "t * 1000",
        "seconds to milliseconds",
        &[("t", &speed[0])],
        "ms",
    );
    let mut rows = vec![
        vec![
            words("Weights"),
            weights.cell(weights.digits(4).then(" GB")),
        ],
        vec![
            words("Cache of a token"),
            f.kv.cell(f.kv.digits(8).then(" bytes")),
        ],
        vec![
            words("Cache at this load"),
            cache.cell(cache.digits(4).then(" GB")),
        ],
        vec![words("GPUs by memory"), sizes[1].cell(sizes[1].digits(4))],
        vec![words("GPUs to rent"), sizes[2].cell(sizes[2].digits(4))],
        vec![words("Largest batch"), sizes[3].cell(sizes[3].digits(5))],
        vec![words("Decoding step"), ms.cell(ms.digits(4).then(" ms"))],
        vec![
            words("Tokens a second, each user"),
            speed[1].cell(speed[1].digits(3)),
        ],
        vec![
            words("Tokens a second, all"),
            speed[2].cell(speed[2].digits(4)),
        ],
        vec![
            words("Reading the prompt"),
            speed[3].cell(speed[3].seconds()),
        ],
    ];
    if let Some((cost, each)) = rent {
        rows.push(vec![words("Rent a month"), cost.cell(cost.money())]);
        rows.push(vec![
            words("A million output tokens at full load"),
            each.cell(each.money()),
        ]);
        if let Some(used) = work
            .share("utilisation", "share of time the GPUs are busy")
            .filter(|u| u.value > 0.0)
        {
            let inputs = [("each", each), ("u", &used)];
            let real = work.ledger.derive(
                "a million output tokens at your utilisation",
                "each / u",
                "idle hours are paid too",
                &inputs,
                "USD/Mtok",
            );
            rows.push(vec![
                words("The same at your utilisation"),
                real.cell(real.money()),
            ]);
        }
    }
    work.table(Table {
        id: "hardware".into(),
        title: format!("{} on {}", shape.id, f.gpu),
        columns: vec![column("", ""), column("Value", "")],
        rows,
    });
}

fn memory_bar(work: &mut Work<'_>, f: &Fit, kv_total: &Value, gpus: &Value) {
    let each = |work: &mut Work<'_>, label: &str, v: &Value| {
        work.ledger.derive(
            label,
            "x / G / 1e9",
            "spread evenly",
            &[("x", v), ("G", gpus)],
            "GB",
        )
    };
    let weights = each(work, "weights on each GPU", &f.weights);
    let cache = each(work, "cache on each GPU", kv_total);
    let free = work.ledger.derive(
        "free on each GPU",
        "mem * util - w - k",
        "capacity arithmetic",
        &[
            ("mem", &f.memory),
            ("util", &f.util),
            ("w", &weights),
            ("k", &cache),
        ],
        "GB",
    );
    let text = say!(
        "Each GPU holds {} GB of weights and {} GB of cache; {} GB stay free.",
        weights.digits(3),
        cache.digits(3),
        free.digits(3)
    );
    let series = [
        ("Weights", &weights),
        ("Cache at this load", &cache),
        ("Free", &free),
    ];
    work.chart(Chart {
        id: "memory".into(),
        kind: "stacked".into(),
        title: "Memory of a GPU".into(),
        x: Axis {
            label: "GPU".into(),
            unit: String::new(),
            scale: "category".into(),
        },
        y: Axis {
            label: "Memory".into(),
            unit: "GB".into(),
            scale: "linear".into(),
        },
        series: series
            .iter()
            .map(|(name, v)| Series {
                name: (*name).into(),
                points: vec![v.bar("each GPU")],
            })
            .collect(),
        marks: Vec::new(),
        table: "hardware".into(),
        source: format!("datasheet of {}", f.gpu),
        text: text.text,
        refs: text.refs,
    });
}

fn advise(
    work: &mut Work<'_>,
    shape: &Architecture,
    f: &Fit,
    gpus: &Value,
    batch: &Value,
    speed: &[Value; 4],
) {
    let why = say!(
        "Weights and cache of {} for {} concurrent requests of {} tokens fit on {} GPUs, which could hold {} at once. The roofline gives {} tokens a second for each user: an upper estimate that rests on the efficiencies shown. Run the load on rented GPUs for a day before buying.",
        &shape.id,
        f.users.count(),
        f.context.count(),
        gpus.digits(4),
        batch.digits(5),
        speed[1].digits(3)
    );
    let advice = Advice {
        why,
        effort: "high",
        impact: "high",
        confidence: "medium",
    };
    let gain = gpus.figure(gpus.digits(4).then(" GPUs"));
    work.recommend(
        &format!("Start with this many {}", f.gpu),
        advice,
        gpus,
        Some(gain),
    );
    work.measure(
        "Tokens a second of a user",
        say!("not measured"),
        say!("{}", speed[1].digits(3)),
        "Output tokens over decoding time, per request, at the planned concurrency.",
    );
    if let Some(note) = &shape.note {
        work.finding(
            "info",
            "About this model's shape",
            Prose {
                text: note.clone(),
                refs: Vec::new(),
            },
        );
    }
}
