//! What sizing rests on: the model's shape, the GPU's datasheet, the load.

use super::*;

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

pub(super) fn fit(work: &mut Work<'_>, shape: &Architecture, id: &str) -> Option<Fit> {
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
