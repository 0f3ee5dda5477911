//! The committer: one named thread that makes things durable for everybody who waits.
//!
//! Group commit needs no timer: while one group is synced the next one gathers.
//! All writes go through here, acknowledgements too. The frames that one visitor
//! gets in one group become one entry, because sled's cost is an entry's.
//!
//! **Fail-stop.** After a failed write or sync nobody knows what is on disk, and
//! trying again may only hide it. The committer answers everybody with
//! [`StoreError::Stopped`], says why on [`Committer::failed`], and does nothing more.

use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};

use super::audit::Totals;
use super::audit_log::{AuditRecord, Ring};
use super::blobs::Blobs;
use super::purge::{Purge, PutBack};
use super::record::{self, Chunk, Frame, MessageRecord, SessionRecord, VisitorRecord};
use super::snapshot::{self, Slot};
use super::stuck::Watcher;
use super::watermark::{Mark, Watermark};
use super::{StoreError, key, panics};
use crate::clock;
use crate::id::{MessageId, SessionId, UserId};
use crate::machine::history::Block;
use crate::meter::{Counter, Recorder};

/// Jobs that may wait; more makes the senders wait.
const QUEUE: usize = 8192;
/// Jobs in one group.
const GROUP: usize = 2048;
/// Frames in one chunk, so that reading one stays cheap.
const CHUNK_FRAMES: usize = 256;
/// Payload bytes in one chunk (about: the last frame may go over).
const CHUNK_BYTES: usize = 256 * 1024;

/// Frames for a visitor's stream; their sequences are given already.
#[derive(Debug, Clone)]
pub struct Append {
    /// Whose.
    pub user: UserId,
    /// In which epoch the sequences were given.
    pub epoch: u64,
    /// Of the first frame.
    pub first: u64,
    /// At least one.
    pub frames: Vec<Frame>,
}

/// One change. The changes of a job are applied together or not at all.
#[derive(Debug, Clone)]
pub enum Op {
    /// Frames of a visitor.
    Append(Append),
    /// A visitor's record, replaced.
    PutVisitor(VisitorRecord),
    /// A session's record, replaced.
    PutSession(Box<SessionRecord>),
    /// Which session answers a message.
    PutMessage(UserId, MessageId, MessageRecord),
    /// A chunk whose frames are no longer held.
    RemoveChunk(UserId, u64),
    /// A visitor without frames and sessions goes. No other will have `epoch` or an older one.
    ForgetVisitor {
        /// Who.
        user: UserId,
        /// In which epoch the numbers were.
        epoch: u64,
    },
    /// A session and its message.
    RemoveSession(SessionId, UserId, MessageId),
    /// All that is held of a visitor, in one step; kept for a while.
    Purge(Box<Purge>),
    /// What a clean-up removed, put back.
    PutBack(Box<PutBack>),
    /// What a clean-up removed is gone for good.
    ForgetPurged(UserId),
    /// Raises a counter.
    Count(String, u64),
    /// A setting, encoded by [`setting`].
    PutSetting(String, Vec<u8>),
    /// An entry of the administrators' log.
    PutAudit(Box<AuditRecord>),
    /// The oldest entry of a ring that is full.
    RemoveAudit(Ring, u64),
    /// A block of figures over time, in the place of an older one.
    PutHistory(Box<Block>),
    /// What the health probe writes and reads back.
    Probe(u64),
}

/// The setting with the highest epoch of a visitor who was forgotten.
pub(super) const FORGOTTEN: &str = "forgotten_epoch";

/// Encodes a setting for [`Op::PutSetting`].
pub fn setting<T: serde::Serialize>(name: &str, value: &T) -> Op {
    Op::PutSetting(name.to_owned(), record::encode(&key::setting(name), value))
}

/// Called once, in the order of the commits, when the job is durable or never will be.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

struct Job {
    ops: Vec<Op>,
    done: Done,
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Committer {
    jobs: mpsc::Sender<Job>,
    failed: watch::Receiver<Option<String>>,
    counts: Arc<Counts>,
}

/// What the committer has done.
#[derive(Default)]
pub struct Counts {
    /// Groups made durable.
    pub groups: Counter,
    /// Jobs made durable.
    pub jobs: Counter,
    /// Microseconds of a group, apply to watermark.
    pub latency: Recorder,
    /// Jobs in a group.
    pub size: Recorder,
}

/// A place in the queue: what is sent with it cannot be refused any more.
pub struct Permit<'a>(mpsc::Permit<'a, Job>);

impl Permit<'_> {
    /// Queues a job; `done` runs on the committer's thread and must not block.
    pub fn send(self, ops: Vec<Op>, done: Done) {
        self.0.send(Job { ops, done });
    }
}

impl Committer {
    /// Waits for a place in the queue.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub async fn reserve(&self) -> Result<Permit<'_>, StoreError> {
        self.jobs
            .reserve()
            .await
            .map(Permit)
            .map_err(|_| StoreError::Stopped)
    }

    /// Makes `ops` durable.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub async fn commit(&self, ops: Vec<Op>) -> Result<(), StoreError> {
        let (tell, told) = oneshot::channel();
        self.reserve()
            .await?
            .send(ops, Box::new(move |result| drop(tell.send(result))));
        told.await.unwrap_or(Err(StoreError::Stopped))
    }

    /// Holds the reason once the store has failed for good.
    pub fn failed(&self) -> watch::Receiver<Option<String>> {
        self.failed.clone()
    }

    /// The reason, once the store has failed for good.
    pub fn why(&self) -> Option<String> {
        self.failed.borrow().clone()
    }

    /// What was done so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Jobs waiting for the next group.
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Starts the thread. It ends when the last handle is dropped and everything queued is durable.
    pub(super) fn start(disk: Disk) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (fail, failed) = watch::channel(None);
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let fail = Arc::new(fail);
        let watcher = Watcher::start(disk.db.clone(), Arc::clone(&fail))?;
        let thread = std::thread::Builder::new()
            .name("committer".into())
            .spawn(move || run(disk, queue, &fail, &watcher, &shared))?;
        Ok((
            Self {
                jobs,
                failed,
                counts,
            },
            thread,
        ))
    }
}

/// Everything a group touches.
pub(super) struct Disk {
    pub(super) db: sled::Db,
    /// The backup that is being read, which needs what is overwritten.
    pub(super) cut: Slot,
    /// A second handle of sled's file: sled calls `sync_file_range`, never `fsync`.
    pub(super) file: File,
    /// What sled keeps outside that file.
    pub(super) blobs: Blobs,
    pub(super) watermark: Watermark,
    pub(super) totals: Totals,
    pub(super) sync: bool,
}

fn run(
    mut disk: Disk,
    mut queue: mpsc::Receiver<Job>,
    fail: &watch::Sender<Option<String>>,
    watcher: &Watcher,
    counts: &Counts,
) {
    let mut jobs = Vec::new();
    while queue.blocking_recv_many(&mut jobs, GROUP) > 0 {
        let started = clock::now();
        watcher.set(Some(started));
        let (ops, done): (Vec<Vec<Op>>, Vec<Done>) =
            jobs.drain(..).map(|job| (job.ops, job.done)).unzip();
        let result = panics::caught(|| disk.commit(ops))
            .unwrap_or_else(|why| Err(StoreError::Record(format!("writing failed: {why}"))));
        watcher.set(None);
        if let Err(error) = result {
            fail.send_replace(Some(error.to_string()));
            done.into_iter()
                .for_each(|done| done(Err(StoreError::Stopped)));
            break;
        }
        counts
            .latency
            .record_span(clock::now().duration_since(started));
        counts.size.record(done.len() as u64);
        counts.groups.one();
        counts.jobs.add(done.len() as u64);
        done.into_iter().for_each(|done| done(Ok(())));
    }
    queue.close();
    while let Ok(job) = queue.try_recv() {
        (job.done)(Err(StoreError::Stopped));
    }
}

impl Disk {
    fn commit(&mut self, jobs: Vec<Vec<Op>>) -> Result<(), StoreError> {
        let mut group = Group {
            db: &self.db,
            totals: self.totals.clone(),
            writes: HashMap::new(),
            open: HashMap::new(),
        };
        for op in jobs.into_iter().flatten() {
            group.apply(op)?;
        }
        let (writes, mut totals) = group.finish()?;
        totals.commits += 1;
        {
            let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(cut) = cut.as_mut() {
                snapshot::before_writing(cut, &self.db, writes.keys())?;
            }
            self.db.apply_batch(batch(writes, &totals))?;
        }
        self.db.flush()?;
        if self.sync {
            self.file.sync_data().map_err(sled::Error::Io)?;
            self.blobs.sync()?;
        }
        let mark = Mark {
            epoch: totals.epoch,
            commits: totals.commits,
        };
        self.watermark
            .write(mark, self.sync)
            .map_err(sled::Error::Io)?;
        self.totals = totals;
        Ok(())
    }
}

/// What each key will hold; none where it goes.
type Writes = HashMap<Vec<u8>, Option<Vec<u8>>>;

/// A group being gathered: the last write of a key counts.
pub(super) struct Group<'a> {
    pub(super) db: &'a sled::Db,
    totals: Totals,
    pub(super) writes: Writes,
    /// A visitor's chunk that may still grow in this group.
    open: HashMap<UserId, (Chunk, usize)>,
}

impl Group<'_> {
    fn apply(&mut self, op: Op) -> Result<(), StoreError> {
        match op {
            Op::Append(append) => self.append(append)?,
            Op::PutVisitor(visitor) => {
                let k = key::visitor(&visitor.user);
                let value = record::encode(&k, &visitor);
                self.write(k, Some(value))?;
            }
            Op::PutSession(session) => {
                self.put(key::session(session.id), &*session)?;
            }
            Op::PutMessage(user, id, message) => {
                let k = key::message(&user, &id);
                let value = record::encode(&k, &message);
                self.write(k, Some(value))?;
            }
            Op::RemoveChunk(user, first) => {
                self.close_chunk(&user)?;
                self.write(key::chunk(&user, first), None)?;
            }
            Op::ForgetVisitor { user, epoch } => {
                self.write(key::visitor(&user), None)?;
                let k = key::setting(FORGOTTEN);
                let before: u64 = match self.current(&k)? {
                    Some(value) => record::decode(&k, &value)?,
                    None => 0,
                };
                let value = record::encode(&k, &before.max(epoch));
                self.write(k, Some(value))?;
            }
            Op::RemoveSession(session, user, message) => {
                self.write(key::session(session), None)?;
                // After a clean-up the same message may be another session's.
                let k = key::message(&user, &message);
                let known = self.current(&k)?;
                let known = known.map(|value| record::decode::<MessageRecord>(&k, &value));
                if known.transpose()?.is_some_and(|m| m.session == session) {
                    self.write(k, None)?;
                }
            }
            Op::Purge(order) => self.purge(&order)?,
            Op::PutBack(order) => self.put_back(&order)?,
            Op::ForgetPurged(user) => self.forget_purged(&user)?,
            Op::Count(name, by) => {
                let k = key::counter(&name);
                let before: u64 = match self.current(&k)? {
                    Some(value) => record::decode(&k, &value)?,
                    None => 0,
                };
                let value = record::encode(&k, &before.saturating_add(by));
                self.write(k, Some(value))?;
            }
            Op::PutSetting(name, value) => self.write(key::setting(&name), Some(value))?,
            Op::PutAudit(entry) => {
                self.put(key::audit(entry.ring(), entry.number), &*entry)?;
            }
            Op::RemoveAudit(ring, number) => self.write(key::audit(ring, number), None)?,
            Op::PutHistory(block) => {
                self.put(key::history(&block), &*block)?;
            }
            Op::Probe(number) => self.write(
                key::PROBE.to_vec(),
                Some(record::encode(key::PROBE, &number)),
            )?,
        }
        Ok(())
    }

    /// A record in the place of what was there.
    fn put<T: serde::Serialize>(&mut self, k: Vec<u8>, value: &T) -> Result<(), StoreError> {
        let value = record::encode(&k, value);
        self.write(k, Some(value))
    }

    fn append(&mut self, append: Append) -> Result<(), StoreError> {
        let bytes = append.frames.iter().map(|f| f.payload.len()).sum::<usize>();
        if let Some((chunk, size)) = self.open.get_mut(&append.user)
            && chunk.epoch == append.epoch
            && chunk.last() + 1 == append.first
            && chunk.frames.len() + append.frames.len() <= CHUNK_FRAMES
            && *size + bytes <= CHUNK_BYTES
        {
            chunk.frames.extend(append.frames);
            *size += bytes;
            return Ok(());
        }
        self.close_chunk(&append.user)?;
        let Append {
            user,
            epoch,
            first,
            frames,
        } = append;
        self.open.insert(
            user.clone(),
            (
                Chunk {
                    user,
                    first,
                    epoch,
                    frames,
                },
                bytes,
            ),
        );
        Ok(())
    }

    pub(super) fn close_chunk(&mut self, user: &UserId) -> Result<(), StoreError> {
        let Some((chunk, _)) = self.open.remove(user) else {
            return Ok(());
        };
        let k = key::chunk(user, chunk.first);
        let value = record::encode(&k, &chunk);
        self.write(k, Some(value))
    }

    pub(super) fn current(&self, k: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(k) {
            Some(value) => Ok(value.clone()),
            None => Ok(self.db.get(k)?.map(|v| v.to_vec())),
        }
    }

    pub(super) fn write(&mut self, k: Vec<u8>, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        if let Some(old) = self.current(&k)? {
            self.totals.remove(&k, &old);
        }
        if let Some(new) = &value {
            self.totals.add(&k, new);
        }
        self.writes.insert(k, value);
        Ok(())
    }

    /// What is written where, and the account afterwards.
    fn finish(mut self) -> Result<(Writes, Totals), StoreError> {
        for user in self.open.keys().cloned().collect::<Vec<_>>() {
            self.close_chunk(&user)?;
        }
        Ok((self.writes, self.totals))
    }
}

/// Everything in one step, the account too.
fn batch(writes: Writes, totals: &Totals) -> sled::Batch {
    let mut batch = sled::Batch::default();
    for (k, value) in writes {
        match value {
            Some(value) => batch.insert(k, value),
            None => batch.remove(k),
        }
    }
    batch.insert(Totals::key(), record::encode(&Totals::key(), totals));
    batch
}
