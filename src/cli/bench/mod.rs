//! `emflow bench`: a load generator that counts what arrived, and calls any loss a failure.
//!
//! It is a client like any other: it knows nothing of the server but the wire. What it prints was
//! counted or timed by it; only the memory of a server that it started itself is read from the system.

mod flood;
mod report;
mod spawn;
mod tally;
mod visitor;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Barrier;

use super::client::{ConnectError, Server};
use super::{Exit, ServeArgs, serve};
use crate::clock;
use report::Report;
use spawn::Spawned;
use tally::Tally;

/// Between two looks at the memory of the server.
const LOOK: Duration = Duration::from_millis(200);

/// `emflow bench`.
#[derive(Debug, Clone, Args)]
pub struct BenchArgs {
    /// The appliance.
    #[arg(
        long,
        value_name = "URL",
        default_value = "https://localhost:8443",
        conflicts_with = "spawn"
    )]
    pub url: String,
    /// Start one for the time of the run, in a temporary directory, with the rate limits out of the way.
    #[arg(long)]
    pub spawn: bool,
    /// A PEM file with the authority to trust [default: the local one in the data directory].
    #[arg(long, value_name = "FILE", conflicts_with = "spawn")]
    pub ca: Option<PathBuf>,
    /// Visitors at the same time, each with a socket.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub visitors: u32,
    /// How long new messages are sent; what was accepted is then waited for.
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub seconds: u32,
    /// Messages of one visitor that are being answered at the same time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub in_flight: u32,
    /// What the messages make the server do.
    #[arg(long, value_enum, default_value_t = Work::Answers)]
    pub work: Work,
    /// Unacknowledged frames on one socket (`delivery.window`) of the server that `--spawn` starts.
    #[arg(long, value_name = "N", default_value_t = 64, requires = "spawn", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub window: u32,
    /// Print the figures as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// Real answers of the agents: the whole appliance.
    Answers,
    /// Fifty frames of filler before each answer: delivery above all. Only with --spawn.
    Frames,
}

/// The server that `bench --spawn` starts; not for people.
#[derive(Debug, Clone, Args)]
pub struct BenchServerArgs {
    /// Frames of filler before each answer.
    #[arg(long, default_value_t = 0)]
    pub frames: u32,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Serves for a bench.
pub fn run_server(args: &BenchServerArgs) -> Exit {
    let backend = (args.frames > 0).then(|| flood::backend(args.frames));
    serve::run_with(&args.serve, backend)
}

/// Runs the load and prints the figures: 0 where nothing was lost, 1 where something was.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(args: &BenchArgs) -> io::Result<Exit> {
    if args.work == Work::Frames && !args.spawn {
        eprintln!(
            "emflow: --work frames needs --spawn: an appliance in use answers messages and nothing else"
        );
        return Ok(Exit::Usage);
    }
    // One thread plays all visitors: what is left of the machine is the server's.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("emflow: the runtime could not be started: {error}");
            return Ok(Exit::Failed);
        }
    };
    match runtime.block_on(measure(args)) {
        Ok(report) => {
            report.print(args.json, &mut io::stdout().lock())?;
            Ok(if report.tally.faults() == 0 && report.tally.results > 0 {
                Exit::Done
            } else {
                Exit::Failed
            })
        }
        Err(error) => {
            eprintln!("emflow: {error}");
            Ok(match error {
                ConnectError::Url(_) | ConnectError::Authority(..) => Exit::Usage,
                ConnectError::Connect(..) | ConnectError::Refused(_) => Exit::Connect,
            })
        }
    }
}

async fn measure(args: &BenchArgs) -> Result<Report, ConnectError> {
    let spawned = match args.spawn {
        true => Some(
            Spawned::start(args)
                .map_err(|why| ConnectError::Connect("the server of --spawn".into(), why))?,
        ),
        false => None,
    };
    let server = match &spawned {
        Some(spawned) => Server::new(&spawned.url, Some(&spawned.authority))?,
        None => Server::new(&args.url, args.ca.as_deref())?,
    };
    let visitors = visitor::all(&server, args.visitors).await?;
    let before = spawned.as_ref().and_then(Spawned::memory);
    let start = Arc::new(Barrier::new(visitors.len()));
    let time = Duration::from_secs(args.seconds.into());
    let plan = |server: &Server| visitor::Plan {
        start: Arc::clone(&start),
        time,
        in_flight: args.in_flight as usize,
        server: server.clone(),
    };
    let mut running: FuturesUnordered<_> = visitors
        .into_iter()
        .map(|visitor| visitor.run(plan(&server)))
        .collect();
    let began = clock::now();
    let mut tally = Tally::default();
    let mut peak = before;
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            each = running.next() => match each {
                Some(each) => tally.add(each),
                None => break,
            },
            _ = look.tick() => peak = peak.max(spawned.as_ref().and_then(Spawned::memory)),
        }
    }
    Ok(Report {
        visitors: args.visitors,
        sent_for: time,
        took: clock::now().duration_since(began),
        tally,
        memory: before.zip(peak),
        work: args.work,
    })
}
