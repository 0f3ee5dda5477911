//! How much can be carried.

use super::super::gpu::{self, Cluster, Memory};
use super::super::growth;
use super::super::limits::{self, Binding};
use super::super::queueing::Queue;
use super::*;

#[test]
fn e09_slots_for_a_peak() {
    let queue = Queue::smallest(12.0, 1.8, 0.2, 0.95).unwrap();
    let one_less = Queue::new(queue.slots() - 1, 12.0, 1.8).unwrap();
    assert_eq!(
        (queue.slots(), queue.slots().div_ceil(8)),
        (29, 4),
        "E09 slots and replicas"
    );
    check(
        "E09",
        &[
            ("load", queue.offered_load(), 21.6),
            ("p wait", queue.wait_probability(), 0.090_579_746_84),
            ("w95", queue.wait_percentile_s(0.95).unwrap(), 0.144_536_993),
            (
                "w95 with one less",
                one_less.wait_percentile_s(0.95).unwrap(),
                0.276_988_212_4,
            ),
            ("utilisation", queue.utilisation(), 0.744_827_586_2),
            ("mean wait", queue.mean_wait_s(), 0.022_032_911_39),
        ],
    );
}

#[test]
fn e10_an_open_model_on_own_accelerators() {
    let catalog = Catalog::builtin();
    let shape = catalog.architecture("llama-3.3-70b").unwrap();
    let board = catalog.gpu("H100").unwrap();
    let kv = shape.kv_bytes_per_token(2.0).unwrap();
    let (concurrent, context) = (40.0, 4096.0);
    let memory = Memory {
        bytes_per_gpu: board.memory_gb * 1e9,
        utilisation: gpu::MEMORY_UTILISATION,
        weights_bytes: shape.total_billion * 1e9 * 2.0,
        kv_bytes_per_token: kv,
        context_tokens: context,
    };
    let by_memory = memory.gpus_for(concurrent).unwrap();
    let gpus = gpu::tensor_parallel(by_memory);
    assert_eq!((by_memory, gpus), (3, 4), "E10 accelerators");
    assert_eq!(memory.largest_batch(gpus), Ok(110.0), "E10 largest batch");
    let cluster = Cluster {
        gpus,
        bytes_per_s: board.bandwidth_gb_s * 1e9,
        flops: board.bf16_tflops * 1e12,
        memory_efficiency: gpu::MEMORY_EFFICIENCY,
        compute_efficiency: gpu::COMPUTE_EFFICIENCY,
    };
    let active = shape.active_billion * 1e9;
    let decode = cluster
        .decode(memory.weights_bytes, active, concurrent, context, kv)
        .unwrap();
    let rent = gpu::usd_per_month(gpus, catalog.gpu_price("H100").unwrap().usd_per_gpu_hour);
    let rent = rent.unwrap();
    let price = gpu::usd_per_mtok_full_load(rent, decode.tps_total).unwrap();
    check(
        "E10",
        &[
            ("kv of a token", kv, 327_680.0),
            ("kv in GB", concurrent * context * kv / 1e9, 53.687_091_2),
            ("step in ms", decode.step_s * 1e3, 24.090_434_23),
            ("tps of a user", decode.tps_per_user, 41.510_252_18),
            ("tps of all", decode.tps_total, 1_660.410_087),
            (
                "prefill",
                cluster.prefill_s(active, context).unwrap(),
                0.362_386_248_7,
            ),
            ("rent", rent, 8_619.9),
            ("price at full load", price, 1.974_077_249),
        ],
    );
}

#[test]
fn e11_when_a_rate_limit_is_reached() {
    let tokens = 950.0 + 200.0;
    let allowed = limits::allowed(10_000.0, 2e6, tokens).unwrap();
    let month = growth::first_month_above(allowed.requests_per_s, 9.0, 0.15).unwrap();
    let in_a_year = growth::after(9.0, 0.15, 12.0).unwrap();
    assert_eq!(
        (allowed.binding, month),
        (Binding::Tpm, Some(9)),
        "E11 binding and month"
    );
    check(
        "E11",
        &[
            ("by requests", allowed.by_rpm_per_s, 166.666_666_7),
            ("by tokens", allowed.by_tpm_per_s, 28.985_507_25),
            ("headroom", allowed.headroom(9.0).unwrap(), 0.6895),
            (
                "in a year",
                limits::tpm_needed(in_a_year, tokens).unwrap(),
                3_322_505.315,
            ),
        ],
    );
}
