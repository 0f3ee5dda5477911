//! Accelerators, their rent, and the shapes of open models.

use serde::Deserialize;

use crate::agents::calculate::{Computed, gpu};

/// An accelerator's datasheet. Prefixes are decimal: a GB is 1e9 bytes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// For example `H100-SXM-80GB`.
    pub id: String,
    /// Shorter ways to write it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Memory in GB.
    pub memory_gb: f64,
    /// Memory bandwidth in GB a second.
    pub bandwidth_gb_s: f64,
    /// Dense BF16 throughput in TFLOPS.
    pub bf16_tflops: f64,
    /// What another source says, where it is less: the cautious figure.
    pub bf16_tflops_low: Option<f64>,
    /// Dense FP8 throughput in TFLOPS, where there is one.
    pub fp8_tflops: Option<f64>,
    /// Rated board power in watts.
    pub power_w: Option<f64>,
    /// Where it stands.
    pub source: String,
    /// What a reader should know.
    pub note: Option<String>,
}

/// What an accelerator rents for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuPrice {
    /// Which, by [`Gpu::id`].
    pub gpu: String,
    /// Whose offer.
    pub cloud: String,
    /// USD per GPU and hour, on demand.
    pub usd_per_gpu_hour: f64,
    /// How it was listed.
    pub basis: String,
    /// Where it stands.
    pub source: String,
}

/// The shape of an open model, as far as memory and speed depend on it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// For example `llama-3.3-70b`.
    pub id: String,
    /// The catalog's rows that sell this model.
    #[serde(default)]
    pub models: Vec<String>,
    /// Transformer layers.
    pub layers: u32,
    /// What a token leaves in the cache, per layer.
    pub kv: KvShape,
    /// All parameters, in billions.
    pub total_billion: f64,
    /// Those that take part in one token, in billions.
    pub active_billion: f64,
    /// Where it stands.
    pub source: String,
    /// What a reader should know.
    pub note: Option<String>,
}

impl Architecture {
    /// Bytes a token leaves in the cache.
    ///
    /// # Errors
    /// Where an element has no bytes.
    pub fn kv_bytes_per_token(&self, bytes_per_element: f64) -> Computed<f64> {
        match self.kv {
            KvShape::Heads { heads, head_dim } => {
                gpu::kv_bytes_per_token(self.layers, heads, head_dim, bytes_per_element)
            }
            KvShape::Latent { latent, rope } => {
                gpu::latent_kv_bytes_per_token(self.layers, latent, rope, bytes_per_element)
            }
        }
    }
}

/// What attention keeps of a token in one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum KvShape {
    /// A key and a value per head.
    Heads {
        /// Heads that keep a key and a value.
        heads: u32,
        /// Elements per head.
        head_dim: u32,
    },
    /// One compressed vector and its rotary part.
    Latent {
        /// Elements of the compressed vector.
        latent: u32,
        /// Elements of the rotary part.
        rope: u32,
    },
}
