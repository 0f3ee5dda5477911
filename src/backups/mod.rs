//! The backups of a serving appliance: made by hand or by plan, listed, verified, removed.
//!
//! One at a time, whatever is asked for. A backup never takes the room that the store lives on:
//! it looks at the disk before each step and gives up. Scheduled ones are verified when they are
//! made, and the oldest of them go; what a person has made, a person removes.

mod folder;
mod schedule;
#[cfg(test)]
mod tests;
mod verifier;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::TryLockError;

pub use folder::Entry;
use schedule::Schedule;
pub use verifier::Verifier;

use crate::clock::{self, Duration, Wall};
use crate::shutdown::{Drain, Phase};
use crate::store::backup::{self, BackupError};
use crate::store::snapshot::{Snapshot, SnapshotError};
use crate::store::{Committer, Options, Store, StoreError, commit};

/// Made by hand and not removed; one more is refused.
pub const BY_HAND_MAX: usize = 100;
/// Between two looks at the plan.
const TICK: Duration = Duration::from_secs(60);
/// Verdicts kept; of older ones only the files are.
const VERDICTS: usize = 200;
/// The setting that keeps the verdicts.
const VERDICTS_KEY: &str = "backup_verdicts";
/// What a scratch store takes: several times the backup, and its first segments.
const SCRATCH_TIMES: u64 = 3;
const SCRATCH_MORE: u64 = 64 << 20;

/// Where, when, how many.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The directory; made where it does not exist.
    pub directory: PathBuf,
    /// Between two scheduled ones; zero for none.
    pub every: Duration,
    /// Scheduled ones kept.
    pub keep: usize,
    /// Bytes that stay free on the disk, whatever is asked for.
    pub min_free: u64,
    /// How a scratch store is opened.
    pub scratch: Options,
    /// Where one is verified.
    pub verifier: Verifier,
}

/// Who wanted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person, who also removes it.
    ByHand,
    /// The plan, which removes the oldest.
    Scheduled,
}

impl Kind {
    /// What its name begins with.
    fn first(self) -> &'static str {
        match self {
            Self::ByHand => "emflow",
            Self::Scheduled => "scheduled",
        }
    }
}

/// What verifying a backup gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// When.
    pub at: Wall,
    /// The length of the file then: another file of the name has no verdict.
    pub bytes: u64,
    /// What is wrong; none where it restores.
    pub fault: Option<String>,
}

/// A backup and what is known of it.
#[derive(Debug, Clone)]
pub struct Held {
    /// The file.
    pub entry: Entry,
    /// Whether it restores, where that was tried.
    pub verdict: Option<Verdict>,
}

/// How the backups of this appliance stand.
#[derive(Debug, Clone)]
pub struct Status {
    /// When the newest one was made, by whomever.
    pub last_success: Option<Wall>,
    /// When the next scheduled one is due; none without a plan.
    pub next: Option<Wall>,
    /// Made since the start.
    pub made: u64,
    /// Failed since the start.
    pub failures: u64,
    /// When the last failure was and why; none once one was made after it.
    pub failure: Option<(Wall, String)>,
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Backups(Arc<Shared>);

struct Shared {
    store: Store,
    committer: Committer,
    drain: Drain,
    settings: Settings,
    /// Held while one is made or verified.
    busy: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    schedule: Schedule,
    last: Option<Wall>,
    made: u64,
    failures: u64,
    failure: Option<(Wall, String)>,
    verdicts: BTreeMap<String, Verdict>,
}

impl Backups {
    /// Looks at what there is. Blocks for as long as that takes.
    ///
    /// # Errors
    /// Where the store cannot be read. A directory that cannot be read is told when it is needed.
    pub fn new(
        store: Store,
        committer: Committer,
        drain: Drain,
        settings: Settings,
    ) -> Result<Self, StoreError> {
        let there = folder::list(&settings.directory).unwrap_or_else(|error| {
            tracing::warn!(%error, "the backups cannot be looked at");
            Vec::new()
        });
        let newest = |of: &dyn Fn(&&Entry) -> bool| there.iter().filter(of).find_map(Entry::made);
        let scheduled = |e: &&Entry| e.name.starts_with(Kind::Scheduled.first());
        let state = State {
            schedule: Schedule::new(settings.every, newest(&scheduled)),
            last: newest(&|_| true),
            made: 0,
            failures: 0,
            failure: None,
            verdicts: store.setting(VERDICTS_KEY)?.unwrap_or_default(),
        };
        Ok(Self(Arc::new(Shared {
            store,
            committer,
            drain,
            settings,
            busy: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
        })))
    }

    /// Where, when, how many.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// When the newest backup was made; none where there is none.
    pub fn last_success(&self) -> Option<Wall> {
        self.lock().last
    }

    /// How they stand at `now`.
    pub fn status(&self, now: Wall) -> Status {
        let state = self.lock();
        Status {
            last_success: state.last,
            next: state.schedule.next(now),
            made: state.made,
            failures: state.failures,
            failure: state.failure.clone(),
        }
    }

    /// What there is, newest first.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub async fn list(&self) -> Result<Vec<Held>, BackupError> {
        let dir = self.0.settings.directory.clone();
        let entries = blocking(move || folder::list(&dir)).await?;
        Ok(entries.into_iter().map(|entry| self.held(entry)).collect())
    }

    /// Makes one.
    ///
    /// # Errors
    /// [`BackupError`]; counted, logged, and shown until one succeeds, unless it was only refused.
    pub async fn make(&self, kind: Kind) -> Result<Held, BackupError> {
        let made = self.make_one(kind).await;
        let mut state = self.lock();
        match &made {
            Ok(held) => {
                state.made += 1;
                state.failure = None;
                state.last = held.entry.made();
                if let (Kind::Scheduled, Some(at)) = (kind, state.last) {
                    state.schedule.on_made(at);
                }
                tracing::info!(name = %held.entry.name, bytes = held.entry.bytes, "a backup was made");
            }
            Err(BackupError::TooMany(..) | BackupError::Stopping) => {}
            Err(error) if is_busy(error) => {}
            Err(error) => {
                state.failures += 1;
                state.failure = Some((clock::wall(), error.to_string()));
                if kind == Kind::Scheduled {
                    state.schedule.on_failed(clock::now());
                }
                tracing::error!(%error, "a backup could not be made");
            }
        }
        drop(state);
        made
    }

    async fn make_one(&self, kind: Kind) -> Result<Held, BackupError> {
        let _one = self.0.busy.try_lock().map_err(busy)?;
        let work = self.clone();
        let dir = self.0.settings.directory.clone();
        let expected = blocking(move || {
            folder::prepare(&dir, clock::wall())?;
            if kind == Kind::ByHand && folder::count(&dir, kind)? >= BY_HAND_MAX {
                return Err(BackupError::TooMany(dir, BY_HAND_MAX));
            }
            let newest = folder::list(&dir)?.first().map_or(0, |entry| entry.bytes);
            work.room(newest).map(|()| newest)
        });
        let expected = expected.await?;
        tracing::debug!(expected, "a backup begins");
        let snapshot = Snapshot::begin(&self.0.store, &self.0.committer).await?;
        let work = self.clone();
        let entry = blocking(move || {
            let now = clock::wall();
            let name = backup::name(kind.first(), now);
            let path = work.0.settings.directory.join(&name);
            let made = backup::write(snapshot, &path, now, &|| work.go_on())?;
            Ok(Entry {
                name,
                bytes: made.bytes,
                head: Ok(made.header),
            })
        });
        Ok(self.held(entry.await?))
    }

    /// Restores one into a scratch directory beside it and compares every entry. A damaged one is
    /// no error: its verdict says so.
    ///
    /// # Errors
    /// [`BackupError`], where that could not be done.
    pub async fn verify(&self, name: &str) -> Result<Held, BackupError> {
        let _one = self.0.busy.try_lock().map_err(busy)?;
        let (work, wanted) = (self.clone(), name.to_owned());
        let bytes = blocking(move || {
            let Settings {
                directory,
                scratch,
                verifier,
                ..
            } = &work.0.settings;
            let path = folder::find(directory, &wanted)?;
            let bytes = std::fs::metadata(&path).map_or(0, |about| about.len());
            work.room(bytes.saturating_mul(SCRATCH_TIMES) + SCRATCH_MORE)?;
            let fault = verifier.fault(&path, directory, scratch, &|| work.go_on())?;
            Ok((bytes, fault))
        });
        let (bytes, fault) = bytes.await?;
        match &fault {
            None => tracing::info!(name, "the backup restores"),
            Some(fault) => tracing::error!(name, %fault, "the backup does not restore"),
        }
        let verdict = Verdict {
            at: clock::wall(),
            bytes,
            fault,
        };
        self.keep(name, verdict).await?;
        let held = self.list().await?;
        let mut found = held.into_iter().filter(|held| held.entry.name == name);
        found
            .next()
            .ok_or_else(|| BackupError::Unknown(name.to_owned()))
    }

    /// Removes one.
    ///
    /// # Errors
    /// [`BackupError`].
    pub async fn delete(&self, name: &str) -> Result<(), BackupError> {
        let (dir, name) = (self.0.settings.directory.clone(), name.to_owned());
        let last = blocking(move || {
            folder::remove(&dir, &name)?;
            Ok(folder::list(&dir)?.iter().find_map(Entry::made))
        });
        let last = last.await?;
        self.lock().last = last;
        Ok(())
    }

    /// One to be read, with its length.
    ///
    /// # Errors
    /// [`BackupError`].
    pub async fn open(&self, name: &str) -> Result<(tokio::fs::File, u64), BackupError> {
        let path = folder::find(&self.0.settings.directory, name)?;
        let opened = async {
            let file = tokio::fs::File::open(&path).await?;
            let bytes = file.metadata().await?.len();
            Ok((file, bytes))
        };
        opened.await.map_err(|source| BackupError::Io {
            what: "could not open",
            path: path.clone(),
            source,
        })
    }

    /// Follows the plan until the process ends.
    pub async fn run(self) {
        let every = self.0.settings.every;
        if every.is_zero() {
            return;
        }
        loop {
            tokio::select! {
                () = tokio::time::sleep(TICK.min(every)) => {}
                () = self.0.drain.reached(Phase::Draining) => return,
            }
            let due = self.lock().schedule.due(clock::wall(), clock::now());
            if due {
                self.scheduled().await;
            }
        }
    }

    /// One by plan: made, proven, and the oldest goes. What fails is logged where it fails.
    async fn scheduled(&self) {
        let Ok(made) = self.make(Kind::Scheduled).await else {
            return;
        };
        let name = made.entry.name;
        if let Err(error) = self.verify(&name).await {
            tracing::warn!(%name, %error, "the backup could not be verified");
        }
        let (dir, keep) = (self.0.settings.directory.clone(), self.0.settings.keep);
        match blocking(move || folder::prune(&dir, keep, &name)).await {
            Ok(old) => tracing::debug!(count = old.len(), "old backups removed"),
            Err(error) => tracing::warn!(%error, "old backups could not be removed"),
        }
    }

    /// Whether a work that writes beside the store may go on.
    fn go_on(&self) -> Result<(), BackupError> {
        if self.0.drain.phase() > Phase::Running {
            return Err(BackupError::Stopping);
        }
        self.room(0)
    }

    /// Whether `needs` more bytes leave the store what it needs.
    fn room(&self, needs: u64) -> Result<(), BackupError> {
        let Settings {
            directory,
            min_free,
            ..
        } = &self.0.settings;
        let (free, total) = folder::space(directory)?;
        let least = least_free(*min_free, total);
        if free >= least.saturating_add(needs) {
            return Ok(());
        }
        Err(BackupError::NoRoom {
            dir: directory.clone(),
            free,
            needs,
            least,
        })
    }

    fn held(&self, entry: Entry) -> Held {
        let state = self.lock();
        let verdict = state.verdicts.get(&entry.name);
        let verdict = verdict.filter(|v| v.bytes == entry.bytes).cloned();
        Held { entry, verdict }
    }

    /// Makes a verdict durable, and forgets those of files that are gone.
    async fn keep(&self, name: &str, verdict: Verdict) -> Result<(), BackupError> {
        let there = self.list().await?;
        let newest = there.iter().take(VERDICTS).map(|held| &held.entry.name);
        let newest: Vec<&String> = newest.collect();
        let setting = {
            let mut state = self.lock();
            state.verdicts.insert(name.to_owned(), verdict);
            state.verdicts.retain(|name, _| newest.contains(&name));
            commit::setting(VERDICTS_KEY, &state.verdicts)
        };
        Ok(self.0.committer.commit(vec![setting]).await?)
    }

    /// The state is whole after each statement.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of a disk that a backup leaves free: twice those below which the appliance refuses work,
/// so that it is not the backup that stops it; of a small disk a half.
fn least_free(min_free: u64, total: u64) -> u64 {
    min_free.saturating_mul(2).min(total / 2)
}

fn busy(_: TryLockError) -> BackupError {
    SnapshotError::Busy.into()
}

/// Whether another one was the reason.
pub fn is_busy(error: &BackupError) -> bool {
    matches!(error, BackupError::Snapshot(SnapshotError::Busy))
}

/// Work on files, waited for.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        let what = format!("the work on a backup ended early: {error}");
        Err(StoreError::Record(what).into())
    })
}
