//! Where the owner of the machine comes in while the appliance serves: a Unix socket in the data
//! directory, for one request and one answer, each a line of JSON.
//!
//! The kernel says who is at the other end; only the user that serves, and root, are answered.
//! That counts, not the file's mode alone: between `bind` and `chmod` the mode is whatever the
//! umask left. A password in a request is as safe here as in the memory of the two processes.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use crate::access::admin::Admin;
use crate::access::admin::control::{self, Answer, LINE_MAX, Request, SOCKET};
use crate::clock;
use crate::shutdown::{Drain, Phase};

/// Owners heard at once; more wait in the kernel's queue.
const AT_ONCE: usize = 4;
/// How long the server waits for a request, and for its answer to be taken.
const SLOW: Duration = Duration::from_secs(5);
/// How long the command line waits for an answer: a hashing may wait for others, and a commit.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest path that fits into an address, in bytes.
const PATH_MAX: usize = 107;

/// The listening end.
pub struct Control {
    socket: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl Control {
    /// Listens in the data directory. Whoever holds the store calls it, so a socket that is there
    /// already was left behind by a process that was killed.
    ///
    /// # Errors
    /// What the system says.
    pub fn bind(dir: &Path) -> io::Result<Self> {
        let path = dir.join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let address = Address::of(dir)?;
        let socket = UnixListener::bind(&address.path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let owner = own_uid()?;
        Ok(Self {
            socket,
            path,
            owner,
        })
    }

    /// Answers until the drain, and takes the socket away then.
    pub async fn run(self, admin: Admin, listening: SocketAddr, drain: Drain) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let next = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.socket.accept().await)
            };
            let (place, accepted) = tokio::select! {
                next = next => next,
                () = drain.reached(Phase::Draining) => break,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "could not accept at the control socket");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (admin, owner) = (admin.clone(), self.owner);
            drain.spawn("control", async move {
                let _place = place;
                if let Err(error) = one(stream, owner, &admin, listening).await {
                    tracing::debug!(%error, "a call at the control socket was given up");
                }
            });
        }
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(%error, "the control socket could not be removed");
        }
    }
}

async fn one(
    stream: UnixStream,
    owner: u32,
    admin: &Admin,
    listening: SocketAddr,
) -> io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let mut stream = BufReader::new(stream);
    let answer = if uid != owner && uid != 0 {
        refused(format!(
            "this appliance runs as user {owner}; ask as that user or as root"
        ))
    } else {
        let line = tokio::time::timeout(SLOW, line(&mut stream)).await??;
        match serde_json::from_str::<Request>(&line) {
            Ok(request) => {
                let now = clock::wall();
                control::answer(admin, request, uid, Some(listening), now).await
            }
            // Without what was sent: it may hold a password.
            Err(_) => refused(format!(
                "the server is emflow {} and does not know this call; is it another version than this command?",
                env!("CARGO_PKG_VERSION")
            )),
        }
    };
    let line = said(&answer)?;
    tokio::time::timeout(SLOW, stream.write_all(line.as_bytes())).await?
}

fn refused(why: String) -> Answer {
    Answer::Refused { why }
}

/// Asks the appliance that serves this data directory. None where none does: no socket, or one
/// that a killed process left behind.
///
/// # Errors
/// What the system says; no answer in time, or one of another version.
pub async fn ask(dir: &Path, request: &Request) -> io::Result<Option<Answer>> {
    let exchange = async {
        let address = match Address::of(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            address => address?,
        };
        let stream = match UnixStream::connect(&address.path).await {
            Err(error) if nobody_there(error.kind()) => return Ok(None),
            stream => stream?,
        };
        let mut stream = BufReader::new(stream);
        // Who is refused unheard may find the other end closed: the answer says why.
        let sent = stream.write_all(said(request)?.as_bytes()).await;
        let answer = match line(&mut stream).await {
            Ok(line) => serde_json::from_str(&line)?,
            Err(error) => return Err(sent.err().unwrap_or(error)),
        };
        Ok(Some(answer))
    };
    tokio::time::timeout(PATIENCE, exchange).await?
}

fn nobody_there(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}

/// One line, within [`LINE_MAX`].
async fn line(stream: &mut BufReader<UnixStream>) -> io::Result<String> {
    let mut line = String::new();
    let limit = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
    stream.take(limit).read_line(&mut line).await?;
    if line.ends_with('\n') {
        return Ok(line);
    }
    let text = if line.len() < LINE_MAX {
        "the other end hung up"
    } else {
        "the other end said more than a line may hold"
    };
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
}

fn said(value: &impl serde::Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(value)? + "\n")
}

/// The user that this process acts as.
///
/// # Errors
/// What the system says.
pub fn own_uid() -> io::Result<u32> {
    // A process is its own peer; the standard library tells it in no other safe way.
    let (one, _other) = UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}

/// A path under which the socket can be reached, however deep the data directory lies.
struct Address {
    path: PathBuf,
    /// Open as long as the path is used.
    _dir: Option<fs::File>,
}

impl Address {
    fn of(dir: &Path) -> io::Result<Self> {
        let path = dir.join(SOCKET);
        if path.as_os_str().len() <= PATH_MAX {
            return Ok(Self { path, _dir: None });
        }
        let dir = fs::File::open(dir)?;
        let short = format!("/proc/self/fd/{}", dir.as_raw_fd());
        Ok(Self {
            path: Path::new(&short).join(SOCKET),
            _dir: Some(dir),
        })
    }
}

#[cfg(test)]
mod tests;
