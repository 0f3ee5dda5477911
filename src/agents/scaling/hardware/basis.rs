//! What sizing rests on: the model's shape, the GPU's datasheet, the load.

use super::*;
use crate::agents::catalog::Gpu;

/// What the calculation rests on.
pub(super) struct Fit {
    pub(super) gpu: String,
    pub(super) memory: Value,
    pub(super) bandwidth: Value,
    pub(super) flops: Value,
    pub(super) weights: Value,
    pub(super) active: Value,
    pub(super) kv: Value,
    pub(super) users: Value,
    pub(super) context: Value,
    pub(super) util: Value,
    pub(super) mbu: Value,
    pub(super) mfu: Value,
}

/// Gathers it: from the message, the catalog, and visible assumptions.
pub(super) fn fit(work: &mut Work<'_>, shape: &Architecture, id: &str) -> Option<Fit> {
    let gpu = work.catalog.gpu(id)?.clone();
    let half = work.said.wants("precision:fp8") || work.said.wants("precision:int8");
    let (size, why) = match half {
        true => (1.0, "The precision that the message names."),
        false => (2.0, "BF16 or FP16."),
    };
    let label = "bytes of a parameter and cache element";
    let name = "bytes_per_parameter";
    let bytes = work
        .ledger
        .assume(name, label, size, "bytes", (0.5, 4.0), why);
    let row = format!("{}: {}", shape.id, shape.source);
    let l = &mut work.ledger;
    let total = l.catalog("parameters", shape.total_billion * 1e9, "parameters", &row);
    let label = "parameters that take part in a token";
    let active = l.catalog(label, shape.active_billion * 1e9, "parameters", &row);
    let inputs = [("P", &total), ("bytes", &bytes)];
    let reference = "parameters times their size";
    let weights = l.derive("weights", "P * bytes", reference, &inputs, "bytes");
    let kv = kv(work, shape, &bytes, &row);
    let (users, context) = (users(work), context(work));
    let mut sheet = |what: &str, value: f64, unit: &str| {
        let source = format!("{}: {}", gpu.id, gpu.source);
        work.ledger
            .catalog(&format!("{}: {what}", gpu.id), value, unit, &source)
    };
    let memory = sheet("memory", gpu.memory_gb, "GB");
    let bandwidth = sheet("memory bandwidth", gpu.bandwidth_gb_s, "GB/s");
    let flops = sheet("dense compute", compute(&gpu, half), "TFLOPS");
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

/// Dense throughput: the cautious figure where sources differ.
fn compute(gpu: &Gpu, half: bool) -> f64 {
    match (gpu.bf16_tflops_low, gpu.fp8_tflops) {
        (Some(low), _) => low,
        (None, Some(fp8)) if half => fp8,
        _ => gpu.bf16_tflops,
    }
}

fn users(work: &mut Work<'_>) -> Value {
    let label = "requests at the same moment";
    let stated = work.first(Kind::Concurrent, label, "requests", (1.0, 1e6));
    stated.unwrap_or_else(|| concurrent(work))
}

fn context(work: &mut Work<'_>) -> Value {
    let label = "context of a request";
    if let Some(stated) = work.first(Kind::Context, label, "tokens", (1.0, 1e7)) {
        return stated;
    }
    let (t_in, t_out) = (work.tokens_in(), work.tokens_out());
    let inputs = [("t_in", &t_in), ("t_out", &t_out)];
    work.ledger.derive(
        label,
        "t_in + t_out",
        "prompt and answer",
        &inputs,
        "tokens",
    )
}

/// Requests at the same moment, by Little's law where a load is stated.
pub(super) fn concurrent(work: &mut Work<'_>) -> Value {
    let peak = crate::agents::scaling::peak(work).filter(|p| p.value > 0.0);
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

pub(super) fn kv(work: &mut Work<'_>, shape: &Architecture, bytes: &Value, row: &str) -> Value {
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
