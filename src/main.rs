//! The `emflow` command: arguments → configuration → tracing → runtime → app → until a signal → drain.

use std::process::ExitCode;

use emflow::cli::{self, Command, Exit};

fn main() -> ExitCode {
    let exit = match cli::parse().call() {
        Command::Serve(args) => cli::serve::run(&args),
        Command::CheckConfig(args) => {
            let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
            written(cli::check_config::run(
                &args,
                emflow::clock::wall(),
                &mut out,
                &mut err,
            ))
        }
        Command::Completions(args) => written(cli::completions::run(&args, &mut std::io::stdout())),
        Command::Send(args) => cli::send::run(&args),
        Command::Understand(args) => cli::understand::run(&args),
        Command::Answer(args) => cli::answer::run(&args),
    };
    exit.into()
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
