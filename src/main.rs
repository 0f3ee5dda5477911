//! The `emflow` command: arguments → configuration → tracing → runtime → app → until a signal → drain.

use std::process::ExitCode;

use emflow::cli::{self, Command, Exit};

fn main() -> ExitCode {
    let exit = match cli::parse().call() {
        Command::Serve(args) => cli::serve::run(&args),
        Command::Bench(args) => written(cli::bench::run(&args)),
        Command::BenchServer(args) => cli::bench::run_server(&args),
        Command::CheckConfig(args) => {
            let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
            written(cli::check_config::run(
                &args,
                emflow::clock::wall(),
                &mut out,
                &mut err,
            ))
        }
        Command::Backup(args) => written(cli::backup::run(
            &args,
            &mut std::io::stdout(),
            &mut std::io::stderr(),
        )),
        Command::Restore(args) => written(cli::backup::restore(
            &args,
            &mut std::io::stdout(),
            &mut std::io::stderr(),
        )),
        Command::Store(args) => written(cli::store::run(
            &args,
            &mut std::io::stdout(),
            &mut std::io::stderr(),
        )),
        Command::Completions(args) => written(cli::completions::run(&args, &mut std::io::stdout())),
        Command::Send(args) => written(cli::send::run(&args)),
        Command::Understand(args) => {
            let mut input = std::io::stdin().lock();
            written(cli::understand::run(
                &args,
                today(),
                &mut input,
                &mut std::io::stdout().lock(),
                &mut std::io::stderr(),
            ))
        }
        Command::Verify(args) => written(cli::verify::run(
            &args,
            &mut std::io::stdout(),
            &mut std::io::stderr(),
        )),
        Command::Answer(args) => written(cli::answer::run(
            &args,
            today(),
            &mut std::io::stdout().lock(),
            &mut std::io::stderr(),
        )),
    };
    exit.into()
}

fn today() -> time::Date {
    emflow::clock::wall().date()
}

/// A reader that went away (`emflow completions bash | head -1`) is no failure of ours.
fn written(result: std::io::Result<Exit>) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            eprintln!("emflow: {error}");
            Exit::Failed
        }
    }
}
