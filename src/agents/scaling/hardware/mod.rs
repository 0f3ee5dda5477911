//! Own GPUs for an open model: how many by memory, how fast by roofline, at what rent.

mod basis;
mod show;

use crate::agents::answer::{Chart, Series};
use crate::agents::catalog::{Architecture, KvShape};
use crate::agents::ledger::{Prose, Value, say};
use crate::agents::understand::{Kind, ModelRole};
use crate::agents::work::{Advice, Work};
use basis::*;
use show::*;

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

/// GPUs, speed and rent for the stated load.
pub(in crate::agents) fn self_host(work: &mut Work<'_>) -> Option<Prose> {
    let shape = model(work)?;
    let id = gpu_named(work).unwrap_or_else(|| "H100-SXM-80GB".into());
    let fit = fit(work, &shape, &id)?;
    let [kv_total, by_memory, gpus, batch] = sizes(work, &fit);
    if gpus.value > 64.0 {
        let prose = say!(
            "{} GPUs do not share one fast network; size this load as several replicas.",
            gpus.count()
        );
        work.finding("warning", "More than one node", prose);
    }
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

/// Cache at this load, GPUs by memory and in whole groups, and the largest batch.
fn sizes(work: &mut Work<'_>, f: &Fit) -> [Value; 4] {
    let arithmetic = "capacity arithmetic";
    let l = &mut work.ledger;
    let inputs = [("B", &f.users), ("ctx", &f.context), ("kv", &f.kv)];
    let label = "key-value cache at this load";
    let kv_total = l.derive(
        label,
        "B * ctx * kv",
        "vLLM, arXiv:2309.06180",
        &inputs,
        "bytes",
    );
    let memory = [("mem", &f.memory), ("util", &f.util), ("W", &f.weights)];
    let inputs = [memory[0], memory[1], memory[2], ("kv_total", &kv_total)];
    let formula = "ceil((W + kv_total) / (mem * 1e9 * util))";
    let by_memory = l.derive("GPUs by memory", formula, arithmetic, &inputs, "GPUs");
    let inputs = [("g", &by_memory)];
    let why = "tensor parallel groups are powers of two";
    let gpus = l.derive(
        "GPUs, a power of two",
        "power_of_two(g)",
        why,
        &inputs,
        "GPUs",
    );
    let mut inputs = memory.to_vec();
    inputs.extend([("G", &gpus), ("kv", &f.kv), ("ctx", &f.context)]);
    let formula = "floor((G * mem * 1e9 * util - W) / (kv * ctx))";
    let batch = l.derive("largest batch", formula, arithmetic, &inputs, "requests");
    [kv_total, by_memory, gpus, batch]
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
        crate::agents::facts::MONTH,
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
