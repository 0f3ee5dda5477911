//! The `emflow` command: arguments → configuration → tracing → runtime → app → until a signal → drain.

use std::io::IsTerminal;
use std::process::ExitCode;

use emflow::cli::{self, Command, Exit};

fn main() -> ExitCode {
    let now = emflow::clock::wall();
    let (out, err) = (&mut std::io::stdout(), &mut std::io::stderr());
    let exit = match cli::parse().call() {
        Command::Serve(args) => return cli::serve::run(&args).into(),
        Command::BenchServer(args) => return cli::bench::run_server(&args).into(),
        Command::Bench(args) => cli::bench::run(&args),
        Command::CheckConfig(args) => cli::check_config::run(&args, now, out, err),
        Command::Preflight(args) => cli::preflight::run(&args, now, coloured(), out, err),
        Command::Doctor(args) => cli::doctor::run(&args, now, out),
        Command::Trust(args) => {
            let asks = std::io::stdin().is_terminal();
            cli::trust::run(&args, &mut std::io::stdin().lock(), asks, out, err)
        }
        Command::Man(args) => cli::man::run(&args, out),
        Command::Backup(args) => cli::backup::run(&args, out, err),
        Command::Restore(args) => cli::backup::restore(&args, out, err),
        Command::Store(args) => cli::store::run(&args, out, err),
        Command::Verify(args) => cli::verify::run(&args, out, err),
        Command::Admin(args) => cli::admin::run(&args, out, err),
        Command::Completions(args) => cli::completions::run(&args, out),
        Command::Send(args) => cli::send::run(&args),
        Command::Understand(args) => {
            let input = &mut std::io::stdin().lock();
            cli::understand::run(&args, now.date(), input, &mut out.lock(), err)
        }
        Command::Answer(args) => cli::answer::run(&args, now.date(), &mut out.lock(), err),
    };
    written(exit).into()
}

/// Colours where a terminal reads that does not refuse them (no-color.org).
fn coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
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
