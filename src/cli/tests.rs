//! What can be said on the command line, and what the small commands print.

use std::fs;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;
use crate::clock::Wall;

fn said(words: &[&str]) -> Result<Command, ErrorKind> {
    let words = ["emflow"].iter().chain(words);
    Cli::try_parse_from(words)
        .map(Cli::call)
        .map_err(|e| e.kind())
}

#[test]
fn the_description_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn without_a_subcommand_it_serves() {
    let calls: [&[&str]; 2] = [
        &[
            "--listen",
            "[::]:9000",
            "--data-dir",
            "d",
            "--no-open",
            "--accept-loss",
        ],
        &[
            "serve",
            "--listen",
            "[::]:9000",
            "--data-dir",
            "d",
            "--no-open",
            "--accept-loss",
        ],
    ];
    for call in calls {
        let Ok(Command::Serve(args)) = said(call) else {
            panic!("{call:?} does not serve")
        };
        assert!(args.no_open && args.accept_loss);
        assert_eq!(args.config.listen.as_deref(), Some("[::]:9000"));
        assert_eq!(args.config.data_dir.as_deref(), Some("d"));
    }
    assert!(matches!(said(&[]), Ok(Command::Serve(_))));
}

#[test]
fn arguments_are_typed_and_the_wrong_ones_refused() {
    let text = "We spend $500 a month";
    let Ok(Command::Send(args)) = said(&["send", "--category", "scaling", "--json", text]) else {
        panic!("send")
    };
    assert_eq!(
        (args.category, args.complexity),
        (Some(Category::Scaling), None)
    );
    assert!(args.json && args.url == "https://localhost:8443" && args.text == text);
    let Ok(Command::Answer(args)) = said(&["answer", "--as-of", "2026-08-20", text]) else {
        panic!("answer")
    };
    assert_eq!(
        args.as_of.map(|d| d.to_string()).as_deref(),
        Some("2026-08-20")
    );
    assert!(matches!(
        said(&["understand", "--jsonl"]),
        Ok(Command::Understand(_))
    ));
    assert!(matches!(
        said(&["understand", text]),
        Ok(Command::Understand(_))
    ));

    let wrong: [(&[&str], ErrorKind); 8] = [
        (
            &["send", "--category", "costs", text],
            ErrorKind::InvalidValue,
        ),
        (&["send"], ErrorKind::MissingRequiredArgument),
        (
            &["answer", "--as-of", "yesterday", text],
            ErrorKind::ValueValidation,
        ),
        (&["understand"], ErrorKind::MissingRequiredArgument),
        (
            &["understand", "--jsonl", text],
            ErrorKind::ArgumentConflict,
        ),
        (&["--no-open", "send", text], ErrorKind::ArgumentConflict),
        (&["serves"], ErrorKind::InvalidSubcommand),
        (&["--version"], ErrorKind::DisplayVersion),
    ];
    for (words, kind) in wrong {
        assert_eq!(said(words).err(), Some(kind), "{words:?}");
    }
}

#[test]
fn exit_codes_are_those_documented() {
    let codes = [
        (Exit::Done, 0),
        (Exit::Failed, 1),
        (Exit::Usage, 2),
        (Exit::Session, 3),
        (Exit::Connect, 4),
        (Exit::InUse, 5),
        (Exit::Damaged, 74),
    ];
    for (exit, code) in codes {
        assert_eq!(exit as u8, code);
    }
}

#[test]
fn completions_know_the_subcommands() {
    for shell in ["bash", "zsh", "fish"] {
        let Ok(Command::Completions(args)) = said(&["completions", shell]) else {
            panic!("{shell}")
        };
        let mut script = Vec::new();
        assert_eq!(completions::run(&args, &mut script).unwrap(), Exit::Done);
        let script = String::from_utf8(script).unwrap();
        assert!(
            script.contains("check-config") && script.contains("accept-loss"),
            "{shell}"
        );
    }
}

/// `check-config` on `text`: exit code, output, errors.
fn checked(text: &str) -> (Exit, String, String) {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("c.toml");
    fs::write(&file, text).unwrap();
    let args = check_config::CheckConfigArgs {
        config: ConfigArgs {
            config: Some(file),
            data_dir: Some("somewhere".to_owned()),
            listen: None,
        },
        quiet: false,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = check_config::run(&args, Wall(1_790_000_000_000), &mut out, &mut err).unwrap();
    let root = format!("{}/", scratch.path().display());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&root, "");
    (exit, text(out), text(err))
}

#[test]
fn check_config_prints_what_counts_and_where_it_came_from() {
    let (exit, out, err) =
        checked("[admin]\npassword = \"canary canary\"\n[delivery]\nwindow = 8\n");
    assert_eq!(exit, Exit::Done);
    let has = |start: &str, end: &str| {
        assert!(
            out.lines()
                .any(|l| l.starts_with(start) && l.ends_with(end)),
            "{start} in\n{out}"
        );
    };
    has("# read c.toml", "");
    has("window = 8 ", "# c.toml:4");
    has("data_dir = \"somewhere\" ", "# flag --data-dir");
    has("listen = \"127.0.0.1:8443\" ", "# default");
    has("password = \"********\" ", "# c.toml:2");
    assert!(!out.contains("canary") && !err.contains("canary"));
    assert!(
        err.contains("warning: c.toml:2: admin.password"),
        "the file has mode 0644: {err}"
    );
}

#[test]
fn check_config_reports_every_mistake_on_its_line() {
    let (exit, out, err) = checked("[delivery]\nwindow = 0\nwindo = 1\n");
    assert_eq!((exit, out.as_str()), (Exit::Usage, ""));
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(lines[0].starts_with("error: c.toml:2: delivery.window: must be from 1 to 1024"));
    assert!(lines[1].contains("did you mean delivery.window?"));

    let (exit, _, err) = checked(
        "[tls]\ncertificate = \"/none.pem\"\nkey = \"/none.key\"\n[agents]\ncatalog = \"/none\"\n",
    );
    assert_eq!(exit, Exit::Usage);
    assert!(
        err.contains("c.toml:2: tls.certificate: /none.pem cannot be read"),
        "{err}"
    );
    assert!(
        err.contains("c.toml:5: agents.catalog: /none cannot be read"),
        "{err}"
    );
}
