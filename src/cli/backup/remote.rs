//! `emflow backup --url`: a backup of a serving appliance, through its admin API.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{Exit, failed, told};
use crate::cli::client::{ConnectError, Server};
use crate::store::backup::{self, BackupError, Summary, Unfinished};

const PATH: &str = "/api/v1/example-messages/backups";
/// How long the appliance may take to make one.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Where the token is looked for.
const TOKEN: &str = "EMFLOW_TOKEN";

/// How to reach a serving appliance.
#[derive(Debug, Clone, Args)]
pub(super) struct RemoteArgs {
    /// A serving appliance; its copy is removed when the file is here and complete.
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// A token with the scope operate [default: $EMFLOW_TOKEN, which other users of this machine do not see].
    #[arg(long, value_name = "TOKEN", requires = "url")]
    token: Option<String>,
    /// A PEM file with the authority to trust [default: the local one in the data directory].
    #[arg(long, value_name = "FILE", requires = "url")]
    ca: Option<PathBuf>,
    /// Leave the appliance's own copy where it is.
    #[arg(long, requires = "url")]
    keep: bool,
}

enum Why {
    Connect(ConnectError),
    Backup(BackupError),
    Io(io::Error),
}

/// Makes one there, takes it here, checks it, and only then gives it its name.
pub(super) fn run(
    args: &RemoteArgs,
    url: &str,
    file: &Path,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<Exit> {
    let token = args.token.clone().or_else(|| std::env::var(TOKEN).ok());
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        writeln!(
            err,
            "emflow: --url needs a token with the scope operate: set {TOKEN}, or give --token; \
             `emflow admin token create` makes one"
        )?;
        return Ok(Exit::Usage);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let taken = runtime.block_on(async {
        let server = Server::new(url, args.ca.as_deref()).map_err(Why::Connect)?;
        take(&server, &token, file, args.keep, err).await
    });
    match taken {
        Ok(summary) => {
            writeln!(out, "{}", file.display())?;
            told(out, &summary)?;
            Ok(Exit::Done)
        }
        Err(Why::Backup(error)) => failed(&error, err),
        Err(Why::Connect(error)) => {
            writeln!(err, "emflow: {error}")?;
            Ok(Exit::Connect)
        }
        Err(Why::Io(error)) => Err(error),
    }
}

async fn take(
    server: &Server,
    token: &str,
    file: &Path,
    keep: bool,
    err: &mut impl Write,
) -> Result<Summary, Why> {
    // Before the appliance has worked for nothing.
    let unfinished = Unfinished::begin(file).map_err(Why::Backup)?;
    let request = server.post(PATH, &json!({}), Some(token));
    let made = server.exchange_within(PATIENCE, request).await;
    let made = made.map_err(Why::Connect)?;
    let body: Value = serde_json::from_slice(made.body()).unwrap_or_default();
    let name = match (made.status().as_u16(), body["name"].as_str()) {
        (201, Some(name)) => name.to_owned(),
        (status, _) => return Err(refused(status, body["detail"].as_str())),
    };
    let path = format!("{PATH}/{name}");
    let request = server.get(&path, Some(token));
    let status = server.download(request, &mut unfinished.file()).await;
    match status.map_err(Why::Connect)? {
        200 => {}
        status => return Err(refused(status, None)),
    }
    let summary = backup::inspect(unfinished.place()).map_err(Why::Backup)?;
    unfinished.finish().map_err(Why::Backup)?;
    if !keep {
        let removed = server.call(server.delete(&path, Some(token))).await;
        if !matches!(removed, Ok((200, _))) {
            let told = writeln!(
                err,
                "emflow: the file is here, but the appliance still holds its copy {name}; delete it there"
            );
            told.map_err(Why::Io)?;
        }
    }
    Ok(summary)
}

fn refused(status: u16, detail: Option<&str>) -> Why {
    let why = detail.map_or_else(|| format!("it answered {status}"), str::to_owned);
    Why::Connect(ConnectError::Refused(why))
}
