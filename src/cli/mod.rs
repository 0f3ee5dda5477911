//! The command line: what can be said, and with which code a call ends. One file a subcommand.

pub mod admin;
pub mod answer;
pub mod backup;
pub mod bench;
pub mod catalog;
pub mod check_config;
pub mod client;
pub mod completions;
pub mod doctor;
pub mod man;
pub mod preflight;
pub mod send;
pub mod serve;
pub mod store;
mod supervise;
pub mod trust;
pub mod understand;
pub mod verify;
pub mod welcome;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError, Loaded, Origins, Overrides, environment};
use crate::id::{Category, Complexity};

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed while it ran.
    Failed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// `send`: the session ended with an error.
    Session = 3,
    /// `send`: the appliance could not be reached, or refused.
    Connect = 4,
    /// The data directory is in use by another process.
    InUse = 5,
    /// The store is damaged, or a write failed (EX_IOERR of sysexits.h). Never repaired silently.
    Damaged = 74,
}

impl Exit {
    /// That of a child of ours, by its code.
    fn of(code: i32) -> Self {
        let all = [
            Self::Done,
            Self::Usage,
            Self::Session,
            Self::Connect,
            Self::InUse,
            Self::Damaged,
        ];
        let known = all.into_iter().find(|exit| *exit as i32 == code);
        known.unwrap_or(Self::Failed)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        // The discriminants are the codes.
        Self::from(exit as u8)
    }
}

/// The appliance that shows what AI-optimization agents compute, live, with durable delivery.
#[derive(Debug, Parser)]
#[command(name = "emflow", version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Without a command it serves. Exit codes: 0 done, 1 failed, 2 wrong usage or \
                        configuration, 3 session error, 4 cannot connect, 5 data directory in use, \
                        74 store damaged or not writable."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

impl Cli {
    /// What was asked for; without a subcommand, to serve.
    pub fn call(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

/// The calls.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve until SIGINT or SIGTERM, then drain (the default).
    Serve(ServeArgs),
    /// Print the effective configuration and where each value came from, or what is wrong with it.
    CheckConfig(check_config::CheckConfigArgs),
    /// Be a visitor in the terminal: send a message, follow the work, print the result.
    Send(SendArgs),
    /// Show what the agents read out of a text: quantities, models, roles.
    Understand(UnderstandArgs),
    /// Say whether a report is as the appliance signed it. Needs no server and no network.
    Verify(verify::VerifyArgs),
    /// Answer a text here, without a server.
    Answer(AnswerArgs),
    /// Check whether it can serve here; each red line names the command that mends it.
    Preflight(preflight::PreflightArgs),
    /// Gather what somebody who helps must know in one file without secrets.
    Doctor(doctor::DoctorArgs),
    /// Make this machine trust the appliance's own authority, or print how.
    Trust(trust::TrustArgs),
    /// Print the manual pages.
    Man(man::ManArgs),
    /// Put load on an appliance and count what arrives: rates, times, losses.
    Bench(bench::BenchArgs),
    /// The server of `bench --spawn`.
    #[command(hide = true)]
    BenchServer(bench::BenchServerArgs),
    /// Copy everything of an appliance into one file, stopped or with --url serving; `verify` proves that it restores.
    Backup(backup::BackupArgs),
    /// Make the store from a backup.
    Restore(backup::RestoreArgs),
    /// Administer this appliance from the shell of its owner, without the password.
    Admin(admin::AdminArgs),
    /// Look after the store of a stopped appliance.
    Store(store::StoreArgs),
    /// Print a completion script for a shell.
    Completions(completions::CompletionsArgs),
}

/// Where the configuration comes from, and the values that flags set.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// The configuration file [default: ./config.toml, else /etc/emflow/config.toml, where there is one].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory of the store, keys and certificate (`server.data_dir`).
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Address and port to listen on (`server.listen`).
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<String>,
}

impl ConfigArgs {
    fn overrides(&self) -> Overrides {
        let mut flags = Overrides::default();
        if let Some(value) = &self.data_dir {
            flags.set("--data-dir", "server.data_dir", value);
        }
        if let Some(value) = &self.listen {
            flags.set("--listen", "server.listen", value);
        }
        flags
    }

    /// The configuration of this process: its flags, its environment, its files.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(&self) -> Result<Loaded, Vec<ConfigError>> {
        Config::load(&self.overrides(), environment(), self.config.as_deref())
    }
}

/// `emflow [serve]`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Do not open a browser (`server.open_browser`).
    #[arg(long)]
    pub no_open: bool,
    /// Serve although the store has provably lost data: visitors start a new epoch.
    #[arg(long)]
    pub accept_loss: bool,
    /// Start the server again when it is killed, as a service manager does.
    #[arg(long)]
    pub supervised: bool,
}

impl ServeArgs {
    /// As [`ConfigArgs::load`], with the flags of `serve`.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn load(&self) -> Result<Loaded, Vec<ConfigError>> {
        self.origins().load(&BTreeMap::new())
    }

    /// Where the configuration is read from, to read it again while serving.
    pub fn origins(&self) -> Origins {
        let mut flags = self.config.overrides();
        if self.no_open {
            flags.set("--no-open", "server.open_browser", "false");
        }
        Origins {
            flags,
            env: environment(),
            file: self.config.config.clone(),
        }
    }
}

/// `emflow send`.
#[derive(Debug, Clone, Args)]
pub struct SendArgs {
    /// The appliance.
    #[arg(long, value_name = "URL", default_value = "https://localhost:8443")]
    pub url: String,
    /// A PEM file with the authority to trust [default: the local one in the data directory].
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// What the message asks about [default: what the appliance reads out of the text].
    #[arg(long, value_parser = category())]
    pub category: Option<Category>,
    /// How deep the answer goes.
    #[arg(long, value_name = "LEVEL", value_parser = complexity())]
    pub complexity: Option<Complexity>,
    /// Print the frames as they come, one JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// The message, 10 to 2000 characters.
    #[arg(value_name = "TEXT")]
    pub text: String,
}

/// `emflow understand`.
#[derive(Debug, Clone, Args)]
pub struct UnderstandArgs {
    /// Read one JSON object a line from standard input, write one a line.
    #[arg(long)]
    pub jsonl: bool,
    /// The catalog whose models are known.
    #[command(flatten)]
    pub catalog: catalog::CatalogArgs,
    /// The text.
    #[arg(
        value_name = "TEXT",
        required_unless_present = "jsonl",
        conflicts_with = "jsonl"
    )]
    pub text: Option<String>,
}

/// `emflow answer`.
#[derive(Debug, Clone, Args)]
pub struct AnswerArgs {
    /// What the text asks about [default: read from the text].
    #[arg(long, value_parser = category())]
    pub category: Option<Category>,
    /// How deep the answer goes.
    #[arg(long, value_name = "LEVEL", value_parser = complexity())]
    pub complexity: Option<Complexity>,
    /// The day for which prices are looked up [default: today].
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    pub as_of: Option<time::Date>,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
    /// The catalog to compute with.
    #[command(flatten)]
    pub catalog: catalog::CatalogArgs,
    /// The text.
    #[arg(value_name = "TEXT")]
    pub text: String,
}

fn category() -> impl TypedValueParser<Value = Category> {
    PossibleValuesParser::new(Category::ALL.iter().map(|each| each.as_str()))
        .try_map(|word| Category::parse(&word).ok_or("not a category"))
}

fn complexity() -> impl TypedValueParser<Value = Complexity> {
    PossibleValuesParser::new(Complexity::ALL.iter().map(|each| each.as_str()))
        .try_map(|word| Complexity::parse(&word).ok_or("not a complexity"))
}

fn date(text: &str) -> Result<time::Date, &'static str> {
    let form = time::macros::format_description!("[year]-[month]-[day]");
    time::Date::parse(text, &form).map_err(|_| "a date such as 2026-08-20")
}

/// The arguments of this process. Ends it with code 2 where they are wrong, and with 0 after
/// `--help` and `--version`.
pub fn parse() -> Cli {
    Cli::parse()
}
