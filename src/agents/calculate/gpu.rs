//! Models on one's own accelerators: what fits and how fast it can be at best.
//!
//! The efficiencies (0.6 of the bandwidth, 0.4 of the throughput) are assumptions
//! without a citable source; callers show them as such. Closed models have no public
//! parameter count: there is nothing to compute for them.

use super::{Computed, HOURS_PER_MONTH, SECONDS_PER_MONTH, amount, count, finite, positive, share};

/// Assumed share of the memory bandwidth that decoding reaches.
pub const MEMORY_EFFICIENCY: f64 = 0.6;
/// Assumed share of the peak throughput that matrices reach.
pub const COMPUTE_EFFICIENCY: f64 = 0.4;
/// Assumed share of the memory that weights and cache may fill.
pub const MEMORY_UTILISATION: f64 = 0.9;

/// Bytes a token leaves in the cache with a key and a value per head:
/// `2 * layers * kv_heads * head_dim * bytes_per_element`.
///
/// Source: vLLM/PagedAttention, arXiv:2309.06180 (OPT-13B: about 800 KB).
///
/// # Errors
/// Where a figure is zero or not finite.
pub fn kv_bytes_per_token(
    layers: u32,
    kv_heads: u32,
    head_dim: u32,
    bytes_per_element: f64,
) -> Computed<f64> {
    let elements =
        count("layers", layers)? * count("kv_heads", kv_heads)? * count("head_dim", head_dim)?;
    Ok(2.0 * elements * positive("bytes_per_element", bytes_per_element)?)
}

/// The same with one compressed vector a layer: `layers * (latent + rope) * bytes_per_element`.
///
/// Source: github:deepseek-ai/DeepSeek-V3, config_671B.json.
///
/// # Errors
/// Where a figure is zero or not finite.
pub fn latent_kv_bytes_per_token(
    layers: u32,
    latent: u32,
    rope: u32,
    bytes_per_element: f64,
) -> Computed<f64> {
    let elements = count("latent", latent)? + f64::from(rope);
    let bytes = positive("bytes_per_element", bytes_per_element)?;
    Ok(count("layers", layers)? * elements * bytes)
}

/// The memory a model needs and gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// Of one accelerator.
    pub bytes_per_gpu: f64,
    /// The share that may be filled, see [`MEMORY_UTILISATION`].
    pub utilisation: f64,
    /// All weights.
    pub weights_bytes: f64,
    /// What a token leaves in the cache.
    pub kv_bytes_per_token: f64,
    /// Prompt and answer of one request.
    pub context_tokens: f64,
}

impl Memory {
    /// Requests that fit at once: `floor((gpus * memory * utilisation - weights) / (kv * context))`,
    /// zero where the weights alone do not fit. Capacity arithmetic.
    ///
    /// # Errors
    /// Where a figure is out of its range.
    pub fn largest_batch(&self, gpus: u32) -> Computed<f64> {
        let usable = count("gpus", gpus)? * self.usable_bytes()?;
        let free = (usable - amount("weights_bytes", self.weights_bytes)?).max(0.0);
        finite("batch", (free / self.bytes_per_request()?).floor())
    }

    /// Accelerators that hold the weights and the cache of `concurrent` requests:
    /// `ceil((weights + concurrent * kv * context) / (memory * utilisation))`.
    ///
    /// # Errors
    /// Where a figure is out of its range or a million would not do.
    pub fn gpus_for(&self, concurrent: f64) -> Computed<u32> {
        let cache = amount("concurrent", concurrent)? * self.bytes_per_request()?;
        let needed = amount("weights_bytes", self.weights_bytes)? + cache;
        let gpus = (needed / self.usable_bytes()?).ceil().max(1.0);
        super::within("gpus", gpus, gpus <= 1e6, "at most 1,000,000").map(|g| g as u32)
    }

    fn usable_bytes(&self) -> Computed<f64> {
        positive("utilisation", share("utilisation", self.utilisation)?)?;
        Ok(positive("bytes_per_gpu", self.bytes_per_gpu)? * self.utilisation)
    }

    fn bytes_per_request(&self) -> Computed<f64> {
        let kv = positive("kv_bytes_per_token", self.kv_bytes_per_token)?;
        Ok(kv * positive("context_tokens", self.context_tokens)?)
    }
}

/// The next power of two: the usual degrees of tensor parallelism.
pub fn tensor_parallel(gpus: u32) -> u32 {
    gpus.clamp(1, 1 << 20).next_power_of_two()
}

/// Accelerators that work on one model together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cluster {
    /// How many.
    pub gpus: u32,
    /// Memory bandwidth of one, bytes a second.
    pub bytes_per_s: f64,
    /// Peak dense throughput of one, operations a second.
    pub flops: f64,
    /// See [`MEMORY_EFFICIENCY`].
    pub memory_efficiency: f64,
    /// See [`COMPUTE_EFFICIENCY`].
    pub compute_efficiency: f64,
}

/// How fast a batch can decode at best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decode {
    /// Seconds a step needs to read weights and cache.
    pub memory_s: f64,
    /// Seconds a step needs to compute.
    pub compute_s: f64,
    /// Seconds of a step: the longer of the two.
    pub step_s: f64,
    /// Tokens per second one user sees.
    pub tps_per_user: f64,
    /// Tokens per second of the batch.
    pub tps_total: f64,
}

impl Cluster {
    /// A decoding step, bounded from below by the bytes it must read and the operations it
    /// must do:
    /// `max((weights_read + batch * context * kv) / (gpus * bandwidth * eff), 2 * active * batch / (gpus * flops * eff))`.
    ///
    /// Sources: the roofline of Williams et al. 2009; Pope et al., arXiv:2211.05102.
    ///
    /// # Errors
    /// Where a figure is out of its range.
    pub fn decode(
        &self,
        weights_read_bytes: f64,
        active_parameters: f64,
        batch: f64,
        context_tokens: f64,
        kv_bytes_per_token: f64,
    ) -> Computed<Decode> {
        let batch = positive("batch", batch)?;
        let cache = batch
            * amount("context_tokens", context_tokens)?
            * amount("kv_bytes_per_token", kv_bytes_per_token)?;
        let bytes = positive("weights_read_bytes", weights_read_bytes)? + cache;
        let gpus = count("gpus", self.gpus)?;
        let bandwidth = positive("bytes_per_s", self.bytes_per_s)?
            * efficiency("memory_efficiency", self.memory_efficiency)?;
        let memory_s = bytes / (gpus * bandwidth);
        let compute_s = self.compute_s(active_parameters, batch)?;
        let step_s = finite("step", memory_s.max(compute_s))?;
        let tps_total = finite("tps_total", batch / step_s)?;
        Ok(Decode {
            memory_s,
            compute_s,
            step_s,
            tps_per_user: tps_total / batch,
            tps_total,
        })
    }

    /// Seconds to read a prompt, the least a first token takes:
    /// `2 * active * tokens / (gpus * flops * eff)`.
    ///
    /// Source: Pope et al., arXiv:2211.05102.
    ///
    /// # Errors
    /// Where a figure is out of its range.
    pub fn prefill_s(&self, active_parameters: f64, input_tokens: f64) -> Computed<f64> {
        self.compute_s(active_parameters, input_tokens)
    }

    fn compute_s(&self, active_parameters: f64, tokens: f64) -> Computed<f64> {
        let operations =
            2.0 * positive("active_parameters", active_parameters)? * amount("tokens", tokens)?;
        let flops = positive("flops", self.flops)?
            * efficiency("compute_efficiency", self.compute_efficiency)?;
        finite(
            "compute time",
            operations / (count("gpus", self.gpus)? * flops),
        )
    }
}

fn efficiency(what: &'static str, value: f64) -> Computed<f64> {
    super::within(
        what,
        value,
        value > 0.0 && value <= 1.0,
        "over 0, at most 1",
    )
}

/// Share of the experts that a batch touches: `1 - (1 - active / experts)^batch`, as if
/// tokens were spread evenly.
///
/// # Errors
/// Where more experts are active than there are.
pub fn experts_touched(active_experts: u32, experts: u32, batch: f64) -> Computed<f64> {
    let part = count("active_experts", active_experts)? / count("experts", experts)?;
    Ok(1.0 - (1.0 - share("active share", part)?).powf(amount("batch", batch)?))
}

/// Rent of a month in USD, around the clock.
///
/// # Errors
/// Where a figure is negative.
pub fn usd_per_month(gpus: u32, usd_per_gpu_hour: f64) -> Computed<f64> {
    Ok(f64::from(gpus) * amount("usd_per_gpu_hour", usd_per_gpu_hour)? * HOURS_PER_MONTH)
}

/// USD per million tokens of answer where the batch is always full: the least it can be.
///
/// # Errors
/// Where the speed is not over zero.
pub fn usd_per_mtok_full_load(usd_per_month: f64, tps_total: f64) -> Computed<f64> {
    let mtok = positive("tps_total", tps_total)? * SECONDS_PER_MONTH / 1e6;
    finite("price", amount("usd_per_month", usd_per_month)? / mtok)
}
