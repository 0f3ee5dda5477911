//! `emflow admin`: what the owner of the machine may do without the password, because they own
//! the files anyway. Works while the appliance serves, through its control socket, and on the
//! store of a stopped one.
//!
//! A password is typed at a prompt or read from standard input; as an argument everybody on the
//! machine could read it in the list of processes.

use std::io::{self, BufRead, IsTerminal, Write};
use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{ConfigArgs, Exit, check_config, serve, welcome};
use crate::access::admin::Scope;
use crate::access::admin::control::{Answer, Request, TokenInfo};
use crate::access::admin::password;
use crate::app::{self, StartError};
use crate::config::{Config, Raw, Value};
use crate::serve::control;
use crate::serve::network;
use crate::store::StoreError;

/// `emflow admin`.
#[derive(Debug, Clone, Args)]
pub struct AdminArgs {
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum AdminCommand {
    /// Set the password. Every browser that is logged in is logged out.
    SetPassword(SetPasswordArgs),
    /// Print an address that logs one browser in, once, within ten minutes. Needs the appliance to serve.
    Link(ConfigArgs),
    /// Log every browser out, and make links that were not used worth nothing.
    LogoutEverywhere(ConfigArgs),
    /// API tokens, for scripts and monitoring.
    Token(TokenArgs),
}

/// `emflow admin set-password`.
#[derive(Debug, Clone, Args)]
struct SetPasswordArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Read it from the first line of standard input instead of asking for it twice.
    #[arg(long)]
    stdin: bool,
}

/// `emflow admin token`.
#[derive(Debug, Clone, Args)]
struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum TokenCommand {
    /// Make a token and print it, this once; only its hash is kept.
    Create(CreateArgs),
    /// List the tokens.
    List(ListArgs),
    /// Revoke a token; whatever it holds open ends.
    Revoke(RevokeArgs),
}

/// `emflow admin token create`.
#[derive(Debug, Clone, Args)]
struct CreateArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// What it may: look at everything, or change things too.
    #[arg(long, value_parser = scope(), default_value = "read")]
    scope: Scope,
    /// For how long it is good, such as 12h or 90d [default: until it is revoked].
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires_in: Option<Duration>,
    /// What it is for: 1 to 64 of A-Z a-z 0-9 . _ - and space.
    #[arg(value_name = "NAME")]
    name: String,
}

/// `emflow admin token list`.
#[derive(Debug, Clone, Args)]
struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print one JSON array.
    #[arg(long)]
    json: bool,
}

/// `emflow admin token revoke`.
#[derive(Debug, Clone, Args)]
struct RevokeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The id or the name, as `list` shows it.
    #[arg(value_name = "ID-OR-NAME")]
    which: String,
}

fn scope() -> impl clap::builder::TypedValueParser<Value = Scope> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    let words = [Scope::Read, Scope::Operate].map(Scope::as_str);
    PossibleValuesParser::new(words)
        .try_map(|word| Scope::parse(&word).ok_or("neither read nor operate"))
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    Duration::read(&Raw::Loose(text.to_owned())).ok_or(Duration::FORM)
}

/// Runs the call.
///
/// # Errors
/// A closed pipe.
pub fn run(args: &AdminArgs, out: &mut impl Write, err: &mut impl Write) -> io::Result<Exit> {
    let loaded = match args.command.config().load() {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            check_config::report(&mistakes, err)?;
            return Ok(Exit::Usage);
        }
    };
    let request = match args.command.request() {
        Ok(request) => request,
        Err(why) => {
            writeln!(err, "emflow: {why}")?;
            return Ok(Exit::Usage);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match runtime.block_on(answer(&loaded.config, request)) {
        Ok(Answer::Refused { why }) => {
            writeln!(err, "emflow: {why}")?;
            Ok(Exit::Failed)
        }
        Ok(answer) => {
            tell(&args.command, answer, &loaded.config, out, err)?;
            Ok(Exit::Done)
        }
        Err(failure) => {
            writeln!(err, "emflow: {failure}")?;
            Ok(failure.exit())
        }
    }
}

impl AdminCommand {
    fn config(&self) -> &ConfigArgs {
        match self {
            Self::SetPassword(args) => &args.config,
            Self::Link(config) | Self::LogoutEverywhere(config) => config,
            Self::Token(args) => match &args.command {
                TokenCommand::Create(args) => &args.config,
                TokenCommand::List(args) => &args.config,
                TokenCommand::Revoke(args) => &args.config,
            },
        }
    }

    fn request(&self) -> Result<Request, String> {
        Ok(match self {
            Self::SetPassword(args) => Request::SetPassword {
                password: new_password(args.stdin)?,
            },
            Self::Link(_) => Request::Link {},
            Self::LogoutEverywhere(_) => Request::LogoutEverywhere {},
            Self::Token(args) => match &args.command {
                TokenCommand::Create(args) => Request::TokenCreate {
                    name: args.name.clone(),
                    scope: args.scope,
                    expires_in_s: args.expires_in.map(|span| span.as_secs()),
                },
                TokenCommand::List(_) => Request::TokenList {},
                TokenCommand::Revoke(args) => Request::TokenRevoke {
                    which: args.which.clone(),
                },
            },
        })
    }
}

/// Typed twice, or the first line of standard input.
fn new_password(stdin: bool) -> Result<String, String> {
    let input = io::stdin();
    let typed = if stdin {
        first_line(input.lock())
    } else if input.is_terminal() {
        twice()
    } else {
        return Err("standard input is no terminal; give the password there with --stdin".into());
    }?;
    password::check(&typed).map_err(|unfit| unfit.to_string())?;
    Ok(typed)
}

fn twice() -> Result<String, String> {
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).map_err(|e| format!("could not read a password: {e}"))
    };
    let typed = ask("New password of the administrator, 12 characters or more: ")?;
    if typed != ask("Again: ")? {
        return Err("the two are not the same; nothing was changed".into());
    }
    Ok(typed)
}

/// A little more than may be, so that too much is seen.
fn first_line(input: impl BufRead) -> Result<String, String> {
    let limit = u64::try_from(password::MAX + 2).unwrap_or(u64::MAX);
    let mut line = String::new();
    input
        .take(limit)
        .read_line(&mut line)
        .map_err(|e| format!("could not read the password: {e}"))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(
        "could not ask the appliance that serves {dir}: {source}{}",
        fix(source)
    )]
    Ask { dir: String, source: io::Error },
    #[error("{0}")]
    Open(#[from] StartError),
    /// Between opening the store and the control socket, or in the drain.
    #[error("{0}; if that is the appliance, it is starting or stopping: try again in a moment")]
    InUse(StartError),
}

fn fix(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied {
        "; ask as the user that it runs as, or as root"
    } else {
        ""
    }
}

impl Failure {
    fn exit(&self) -> Exit {
        match self {
            Self::Ask { .. } => Exit::Failed,
            Self::Open(error) | Self::InUse(error) => serve::exit_of(error),
        }
    }
}

async fn answer(config: &Config, request: Request) -> Result<Answer, Failure> {
    let dir = &config.server.data_dir;
    let asked = control::ask(dir, &request).await;
    let asked = asked.map_err(|source| Failure::Ask {
        dir: dir.display().to_string(),
        source,
    })?;
    if let Some(answer) = asked {
        return Ok(answer);
    }
    let opened = app::administer(config, request).await;
    opened.map_err(|error| match error {
        StartError::Store(StoreError::InUse(_)) => Failure::InUse(error),
        other => Failure::Open(other),
    })
}

/// What was done; on standard output only what a script would take.
fn tell(
    command: &AdminCommand,
    answer: Answer,
    config: &Config,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<()> {
    match answer {
        Answer::Done {} => writeln!(err, "{}", done(command)),
        Answer::Link { secret, listening } => {
            let near = welcome::nearby(listening, network::likely());
            for url in links(&secret, listening, near, config) {
                writeln!(out, "{url}")?;
            }
            writeln!(err, "It logs one browser in, once, within ten minutes.")
        }
        Answer::Token { token, about } => {
            writeln!(out, "{token}")?;
            let until = about.expires_at.as_deref().unwrap_or("it is revoked");
            writeln!(
                err,
                "`{}` may {} until {until}. It is not shown again; send it as Authorization: Bearer.",
                about.name,
                about.scope.as_str()
            )
        }
        Answer::Tokens { tokens } => match command {
            AdminCommand::Token(TokenArgs {
                command: TokenCommand::List(ListArgs { json: true, .. }),
            }) => writeln!(out, "{}", serde_json::to_string_pretty(&tokens)?),
            _ => listed(&tokens, out),
        },
        // `run` has told it.
        Answer::Refused { why } => writeln!(err, "emflow: {why}"),
    }
}

fn done(command: &AdminCommand) -> &'static str {
    match command {
        AdminCommand::SetPassword(_) => "The password is set; every browser is logged out.",
        AdminCommand::LogoutEverywhere(_) => "Every browser is logged out.",
        AdminCommand::Token(_) => "The token is revoked.",
        AdminCommand::Link(_) => "Done.",
    }
}

/// The same link under every name by which a browser may come; the secret stands behind the `#`,
/// which no browser sends and no log sees.
fn links(
    secret: &str,
    listening: SocketAddr,
    near: Option<String>,
    config: &Config,
) -> Vec<String> {
    let under = |base: &String| format!("{base}admin#link={secret}");
    if config.tls.plain_behind_proxy {
        return welcome::behind_proxy(config).iter().map(under).collect();
    }
    let named = config.server.public_names.iter();
    let named = named.map(|name| format!("https://{}:{}/", name.as_str(), listening.port()));
    let mut bases = vec![format!("https://{}/", network::local(listening))];
    for base in named.chain(near) {
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    bases.iter().map(under).collect()
}

fn listed(tokens: &[TokenInfo], out: &mut impl Write) -> io::Result<()> {
    if tokens.is_empty() {
        return writeln!(out, "There are no tokens.");
    }
    let mut row = |cells: [&str; 6]| {
        let [id, scope, created, used, expires, name] = cells;
        writeln!(
            out,
            "{id:12}  {scope:7}  {created:24}  {used:24}  {expires:24}  {name}"
        )
    };
    row(["ID", "SCOPE", "CREATED", "LAST USED", "EXPIRES", "NAME"])?;
    for token in tokens {
        row([
            &token.id,
            token.scope.as_str(),
            &token.created_at,
            token.last_used_at.as_deref().unwrap_or("never"),
            token.expires_at.as_deref().unwrap_or("never"),
            &token.name,
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password() {
        let check = |text: &str, read: &str| {
            assert_eq!(first_line(text.as_bytes()).unwrap(), read, "{text:?}");
        };
        check("correct horse", "correct horse");
        check("correct horse\n", "correct horse");
        check("correct horse \r\nmore\n", "correct horse ");
        check("", "");
        let long = "x".repeat(password::MAX + 1);
        assert!(password::check(&first_line(long.as_bytes()).unwrap()).is_err());
        assert!(first_line(&b"\xff\xfe"[..]).is_err());
    }

    #[test]
    fn a_link_stands_under_every_name() {
        let mut config = Config::default();
        let listening: SocketAddr = "0.0.0.0:8443".parse().unwrap();
        let check = |config: &Config, near: Option<&str>, hosts: &[&str]| {
            let near = near.map(str::to_owned);
            let expected = hosts.iter();
            let expected: Vec<String> = expected
                .map(|host| format!("https://{host}:8443/admin#link=SECRET"))
                .collect();
            assert_eq!(links("SECRET", listening, near, config), expected);
        };
        check(&config, None, &["localhost"]);
        let near = Some("https://192.0.2.7:8443/");
        check(&config, near, &["localhost", "192.0.2.7"]);
        let name = crate::config::Host::parse("demo.example");
        config.server.public_names = name.into_iter().collect();
        check(&config, near, &["localhost", "demo.example", "192.0.2.7"]);
        let name = crate::config::Host::parse("192.0.2.7");
        config.server.public_names = name.into_iter().collect();
        check(&config, near, &["localhost", "192.0.2.7"]);
    }
}
