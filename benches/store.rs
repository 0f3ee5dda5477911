//! What the store costs: bytes on disk under churn, and what commits wait for while a backup is
//! read. Prints a table; ends with 1 where a bar is broken.
//!
//! `cargo bench --bench store [-- --frames 1000000] [--visitors 20000]`

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use emflow::clock::Wall;
use emflow::id::{SessionId, UserId};
use emflow::protocol::frame::Kind;
use emflow::store::snapshot::Snapshot;
use emflow::store::{Append, Committer, Frame, Op, Opened, Options, VisitorRecord, backup, open};

/// Bytes of a frame's payload, about those of a partial result.
const PAYLOAD: usize = 600;
/// Frames of one append.
const APPEND: u64 = 16;
/// Visitors that come and go; a tenth as many never acknowledge.
const CHURNING: u64 = 1000;
/// The bar: so many times the live bytes, and so much more.
const TIMES: u64 = 5;
const MORE: u64 = 128 << 20;

fn options(dir: &Path) -> Options {
    Options {
        dir: dir.to_owned(),
        cache: 32 << 20,
        segment_size: 8 << 20,
        flush_every_ms: 50,
        accept_loss: false,
        sync: true,
        ballast: 0,
    }
}

fn user(n: u64) -> UserId {
    UserId::parse(&format!("visitor-{n}")).expect("a name of letters and digits")
}

/// Frames whose text no compression or repetition makes smaller than it is.
fn frames(seed: u64, count: u64) -> Vec<Frame> {
    let frame = |n: u64| {
        let mut text = String::with_capacity(PAYLOAD + 16);
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ n;
        while text.len() < PAYLOAD {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            text += &format!("{state:016x}");
        }
        Frame {
            kind: Kind::PartialResult,
            session: SessionId(u128::from(seed)),
            at: Wall(1),
            payload: format!("\"{text}\""),
        }
    };
    (0..count).map(frame).collect()
}

fn append(n: u64, first: u64, count: u64, acked: u64) -> Vec<Op> {
    let append = Append {
        user: user(n),
        epoch: 1,
        first,
        frames: frames(n ^ (first << 20), count),
    };
    let record = VisitorRecord {
        acked,
        next: first + count,
        ..VisitorRecord::new(user(n), 1, Wall(1))
    };
    vec![Op::Append(append), Op::PutVisitor(record)]
}

/// The live bytes: a backup holds them and little more.
async fn live(opened: &Opened, dir: &Path) -> u64 {
    let file = dir.join("live.emflow-backup");
    let snapshot = Snapshot::begin(&opened.store, &opened.committer).await;
    let snapshot = snapshot.expect("nobody else reads one");
    let write = move || {
        let summary = backup::write(snapshot, &file, Wall(1), &backup::to_the_end);
        let bytes = summary.expect("there is room").bytes;
        std::fs::remove_file(&file).expect("it was just written");
        bytes
    };
    tokio::task::spawn_blocking(write).await.expect("it ends")
}

/// A thousand visitors whose frames come and are acknowledged, beside a tenth as many whose never are.
async fn churn(total: u64) -> bool {
    let dir = tempfile::tempdir().expect("a directory");
    let opened = open(&options(dir.path()), Wall(1000)).expect("a new store");
    println!(
        "disk under churn: {total} frames of {PAYLOAD} bytes, {CHURNING} visitors, {} never acknowledge",
        CHURNING / 10
    );
    println!("  frames      live MiB   disk MiB   times");
    let mut firsts = vec![1; CHURNING as usize];
    let (mut written, mut cold, mut held) = (0, 0, true);
    let mut told = 0;
    while written < total {
        let mut waits = Vec::new();
        for (n, first) in firsts.iter_mut().enumerate() {
            let n = n as u64;
            let mut ops = Vec::new();
            if *first > 1 {
                ops.push(Op::RemoveChunk(user(n), *first - APPEND));
            }
            ops.extend(append(n, *first, APPEND, *first - 1));
            *first += APPEND;
            written += APPEND;
            waits.push(opened.committer.commit(ops));
        }
        // Those that never acknowledge get one more now and then, up to 2000 frames each.
        for n in 0..CHURNING / 10 {
            let first = 1 + cold * APPEND;
            if first < 2000 {
                waits.push(
                    opened
                        .committer
                        .commit(append(CHURNING + n, first, APPEND, 0)),
                );
            }
        }
        cold += 1;
        for done in futures_util::future::join_all(waits).await {
            done.expect("the disk works");
        }
        if written - told >= total / 10 {
            told = written;
            let live = live(&opened, dir.path()).await;
            let disk = opened.store.bytes_on_disk().expect("it is there");
            println!(
                "  {written:>9} {:>10} {:>10} {:>7.2}",
                live >> 20,
                disk >> 20,
                disk as f64 / live as f64
            );
            held &= disk <= TIMES * live + MORE;
        }
    }
    println!(
        "  bar: {TIMES} times the live bytes and {} MiB: {}",
        MORE >> 20,
        verdict(held)
    );
    held
}

fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "BROKEN" }
}

/// Milliseconds at shares of a sorted list.
fn row(name: &str, mut times: Vec<Duration>) -> Duration {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "  {name:<24} {:>7} commits   p50 {:>6.2} ms   p99 {:>6.2} ms   longest {:>7.2} ms",
        times.len(),
        ms(at(0.5)),
        ms(at(0.99)),
        ms(at(1.0))
    );
    at(1.0)
}

/// One writer after the other, timed, until told to stop.
async fn writer(committer: Committer, stop: Arc<AtomicBool>, least: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut first = 1;
    while times.len() < least || !stop.load(Ordering::Relaxed) {
        let ops = append(999_999, first, 4, first - 1);
        let started = Instant::now();
        committer.commit(ops).await.expect("the disk works");
        times.push(started.elapsed());
        first += 4;
    }
    times
}

/// What a commit waits for while the whole store is read by a backup.
async fn stall(visitors: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let opened = open(&options(dir.path()), Wall(1000)).expect("a new store");
    for part in 0..visitors / 500 {
        let one = |n| {
            opened
                .committer
                .commit(append(part * 500 + n, 1, APPEND, 0))
        };
        for done in futures_util::future::join_all((0..500).map(one)).await {
            done.expect("the disk works");
        }
    }
    let bytes = live(&opened, dir.path()).await;
    println!("commits beside a backup of {} MiB", bytes >> 20);
    let committer = || opened.committer.clone();
    let over = Arc::new(AtomicBool::new(true));
    row("without", writer(committer(), over, 2000).await);
    let stop = Arc::new(AtomicBool::new(false));
    let timed = tokio::spawn(writer(committer(), Arc::clone(&stop), 1));
    let started = Instant::now();
    let mut backups = 0;
    while started.elapsed() < Duration::from_secs(5) {
        live(&opened, dir.path()).await;
        backups += 1;
    }
    let each = started.elapsed() / backups;
    stop.store(true, Ordering::Relaxed);
    row("while backups are made", timed.await.expect("it ends"));
    println!("  {backups} backups, {:.2} s each", each.as_secs_f64());
}

fn argument(name: &str, usual: u64) -> u64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    let value = arguments.nth(1);
    value.map_or(usual, |n| n.parse().expect("a number follows the flag"))
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (frames, visitors) = (
        argument("--frames", 1_000_000),
        argument("--visitors", 20_000),
    );
    let held = runtime.block_on(async {
        stall(visitors).await;
        churn(frames).await
    });
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
