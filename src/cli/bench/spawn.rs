//! A server for the time of a run.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::{BenchArgs, Work};
use crate::intake::random_u128;

/// Frames of filler a message: what an attempt has room for.
const FILLER: u32 = 50;

/// Stopped, and its directory removed, when dropped.
pub(super) struct Spawned {
    pub(super) url: String,
    pub(super) authority: PathBuf,
    child: Child,
    dir: PathBuf,
    system: Mutex<System>,
}

/// Only what would keep one machine from playing many visitors is out of the way; every limit that
/// protects the server's memory and disk stands.
fn config(args: &BenchArgs) -> String {
    format!(
        "[limits]\nattempts_per_minute = 1000000\nmessages_per_minute = 1000000\n\
         bytes_per_minute = \"1GiB\"\nconnections_per_address = 12000\n\
         [agents]\npace = \"0s\"\n[delivery]\nwindow = {}\n[sessions]\nmax_concurrent = 100000\n[log]\nlevel = \"warn\"\n",
        args.window
    )
}

impl Spawned {
    pub(super) fn start(args: &BenchArgs) -> Result<Self, String> {
        let dir = std::env::temp_dir().join(format!("emflow-bench-{:032x}", random_u128()));
        let failed = |what: &str, e: std::io::Error| format!("{what} {}: {e}", dir.display());
        std::fs::create_dir(&dir).map_err(|e| failed("could not make", e))?;
        let file = dir.join("config.toml");
        std::fs::write(&file, config(args)).map_err(|e| failed("could not write in", e))?;
        let frames = if args.work == Work::Frames { FILLER } else { 0 };
        let binary = std::env::current_exe().map_err(|e| e.to_string())?;
        let child = Command::new(binary)
            .args(["bench-server", "--no-open", "--listen", "127.0.0.1:0"])
            .args(["--frames", &frames.to_string()])
            .arg("--config")
            .arg(&file)
            .arg("--data-dir")
            .arg(dir.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("could not start it: {e}"))?;
        let mut spawned = Self {
            url: String::new(),
            authority: dir.join("data/tls/authority.pem"),
            child,
            dir,
            system: Mutex::default(),
        };
        spawned.url = spawned.address()?;
        Ok(spawned)
    }

    /// From the welcome on its standard output, which ends without it where the start failed. Read
    /// to its last line: the pipe is closed then, and a server that wrote more would be cut off.
    fn address(&mut self) -> Result<String, String> {
        let output = self.child.stdout.take().ok_or("it has no output")?;
        let mut address = None;
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(found) = line.trim().strip_prefix("demo") {
                address = Some(found.trim().to_owned());
            }
            if line.contains("Ctrl-C") {
                break;
            }
        }
        address.ok_or_else(|| "it did not start; what it said stands above".to_owned())
    }

    /// Resident bytes now.
    pub(super) fn memory(&self) -> Option<u64> {
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = Pid::from_u32(self.child.id());
        let what = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
        system.process(pid).map(sysinfo::Process::memory)
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
