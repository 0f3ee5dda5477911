//! A full check of a stopped store that changes nothing.
//!
//! sled writes while it opens, even where it finds damage. So the check works on a
//! copy: what is looked at stays as it is, for whoever wants to save more of it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::audit::Audit;
use super::fault::{Fault, Loss};
use super::watermark::Watermark;
use super::{Options, StoreError, backup, files, panics, recover, upgrade};

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The data directory.
    pub dir: PathBuf,
    /// Nothing is wrong.
    pub sound: bool,
    /// The store's epoch.
    pub epoch: u64,
    /// Groups committed.
    pub commits: u64,
    /// Groups committed, as the watermark has it.
    pub watermark: Option<u64>,
    /// Entries read.
    pub entries: u64,
    /// Visitors known.
    pub visitors: u64,
    /// Sessions stored.
    pub sessions: u64,
    /// Sessions that had not ended; the next start takes them up.
    pub unfinished: u64,
    /// Frames held.
    pub frames: u64,
    /// Bytes of keys and values.
    pub live_bytes: u64,
    /// Bytes of the store's files.
    pub disk_bytes: u64,
    /// What is wrong, in words.
    pub faults: Vec<String>,
    /// What `--accept-loss` would give up.
    pub loss: Loss,
}

/// Checks the store of `options.dir` on a copy in `scratch`, which is removed again.
///
/// # Errors
/// [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::Absent`], or what the system refused.
pub fn check(options: &Options, scratch: &Path) -> Result<Report, StoreError> {
    let dir = &options.dir;
    if !backup::holds_store(dir) {
        return Err(StoreError::Absent(dir.clone()));
    }
    let _lock = files::lock(dir)?;
    upgrade::of_this_format(dir)?;
    let room = tempfile::Builder::new()
        .prefix("emflow-check-")
        .tempdir_in(scratch);
    let room = files::io("could not write in", scratch, room)?;
    let copy = room.path().join("sled");
    let disk_bytes = files::copy_tree(&backup::current(dir, "sled"), &copy)?;
    let watermark = backup::current(dir, "watermark");
    let mark = Watermark::read(&watermark);
    let mut faults = Vec::new();
    if mark.is_none() && fs::metadata(&watermark).is_ok_and(|m| m.len() > 0) {
        faults.push(Fault::Watermark);
    }
    let options = Options {
        dir: room.path().to_owned(),
        ..options.clone()
    };
    let look = || {
        let db = recover::open_at(&options.dir.join("sled"), &options)?;
        Audit::run(&db, mark)
    };
    // sled panics over some damage when it is read, not when it is opened.
    let looked = panics::caught(look).unwrap_or_else(|why| Err(StoreError::Record(why)));
    let audit = match looked {
        Ok(audit) => Some(audit),
        Err(newer @ StoreError::Newer { .. }) => return Err(newer),
        Err(refused @ (StoreError::Io { .. } | StoreError::OtherSettings { .. })) => {
            return Err(refused);
        }
        Err(error) => {
            faults.push(Fault::Files(reason(error)));
            None
        }
    };
    faults.extend(audit.iter().flat_map(|audit| audit.faults.iter().cloned()));
    let mut report = Report {
        dir: dir.clone(),
        sound: faults.is_empty(),
        epoch: 0,
        commits: 0,
        watermark: mark.map(|mark| mark.commits),
        entries: 0,
        visitors: 0,
        sessions: 0,
        unfinished: 0,
        frames: 0,
        live_bytes: 0,
        disk_bytes,
        faults: faults.iter().map(Fault::to_string).collect(),
        loss: Loss::of(&faults),
    };
    if let Some(audit) = audit {
        report.count(&audit);
    }
    Ok(report)
}

impl Report {
    fn count(&mut self, audit: &Audit) {
        self.epoch = audit.totals.epoch;
        self.commits = audit.totals.commits;
        self.entries = audit.totals.entries;
        self.visitors = audit.visitors.len() as u64;
        self.sessions = audit.sessions;
        self.unfinished = audit.unfinished.len() as u64;
        self.frames = audit.frames;
        self.live_bytes = audit.live_bytes;
    }
}

/// Without the advice of an opening: the copy is nobody's business.
fn reason(error: StoreError) -> String {
    match error {
        StoreError::Damaged { what, .. } => what,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::house::{self, reopen};
    use super::super::{Append, Frame, Op, VisitorRecord, audit::Totals, key, open, record};
    use super::*;
    use crate::clock::Wall;
    use crate::id::{SessionId, UserId};
    use crate::protocol::frame::Kind;

    fn ops(name: &str, first: u64, count: usize) -> Vec<Op> {
        let user = UserId::parse(name).unwrap();
        let frame = Frame {
            kind: Kind::AgentThinking,
            session: SessionId(7),
            at: Wall(1),
            payload: "\"some text\"".into(),
        };
        let append = Append {
            user: user.clone(),
            epoch: 1,
            first,
            frames: vec![frame; count],
        };
        vec![
            Op::PutVisitor(VisitorRecord::new(user, 1, Wall(1))),
            Op::Append(append),
        ]
    }

    /// Two visitors with ten frames each in two chunks; then `harm`.
    fn harmed(dir: &Path, harm: impl Fn(&sled::Db)) -> Options {
        let options = house::options(dir);
        let opened = open(&options, Wall(1000)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for (first, count) in [(1, 4), (5, 6)] {
            for name in ["a", "b"] {
                runtime
                    .block_on(opened.committer.commit(ops(name, first, count)))
                    .unwrap();
            }
        }
        harm(&opened.store.db);
        opened.store.db.flush().unwrap();
        drop(opened);
        while files::lock(dir).is_err() {
            std::thread::yield_now();
        }
        options
    }

    fn files_of(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all: Vec<_> = ["sled/db", "sled/conf", "watermark"]
            .map(|name| (name.into(), fs::read(dir.join(name)).unwrap_or_default()))
            .into();
        all.sort();
        all
    }

    #[test]
    fn says_what_is_wrong_and_what_going_on_would_cost_and_touches_nothing() {
        let check_with = |harm: &dyn Fn(&sled::Db), fault: Option<&str>, loss: Loss| {
            let dir = tempfile::tempdir().unwrap();
            let scratch = tempfile::tempdir().unwrap();
            let options = harmed(dir.path(), harm);
            let before = files_of(dir.path());
            let report = check(&options, scratch.path()).unwrap();
            assert!(
                files_of(dir.path()) == before,
                "{fault:?}: the store was changed"
            );
            assert_eq!(
                fs::read_dir(scratch.path()).unwrap().count(),
                0,
                "{fault:?}"
            );
            assert_eq!(report.sound, fault.is_none(), "{:?}", report.faults);
            let said = report.faults.join("; ");
            assert!(said.contains(fault.unwrap_or("")), "{said}");
            assert_eq!(report.loss, loss, "{said}");
            report
        };
        let lost = |visitors, frames, entries, commits| Loss {
            visitors,
            frames,
            entries,
            commits,
        };
        let user = |name| UserId::parse(name).unwrap();

        let sound = check_with(&|_| {}, None, Loss::default());
        let counted = (sound.visitors, sound.frames, sound.entries, sound.watermark);
        assert_eq!(counted, (2, 20, 6, Some(sound.commits)));
        assert!(sound.live_bytes > 20 * 11 && sound.disk_bytes > sound.live_bytes);

        let gone =
            |name, first| move |db: &sled::Db| drop(db.remove(key::chunk(&user(name), first)));
        check_with(
            &gone("a", 1),
            Some("a misses the frames 1 to 4"),
            lost(1, 4, 0, 0),
        );
        let garbage = |db: &sled::Db| drop(db.insert(key::chunk(&user("b"), 1), b"\x01garbage"));
        check_with(&garbage, Some("wrong checksum"), lost(1, 4, 1, 0));
        let unowned = |db: &sled::Db| drop(db.remove(key::visitor(&user("a"))));
        check_with(
            &unowned,
            Some("a has frames but no record"),
            Loss::default(),
        );
        let older = |db: &sled::Db| {
            let account = db.get(Totals::key()).unwrap().unwrap();
            let mut totals: Totals = record::decode(&Totals::key(), &account).unwrap();
            totals.commits -= 2;
            let value = record::encode(&Totals::key(), &totals);
            drop(db.insert(Totals::key(), value));
        };
        check_with(
            &older,
            Some("2 of 4 durable commits are missing"),
            lost(0, 0, 0, 2),
        );
    }

    #[test]
    fn says_that_there_is_none_or_that_it_is_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let options = house::options(dir.path());
        assert!(matches!(
            check(&options, dir.path()),
            Err(StoreError::Absent(_))
        ));
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            0,
            "nothing is made"
        );
        let opened = open(&options, Wall(1)).unwrap();
        assert!(matches!(
            check(&options, dir.path()),
            Err(StoreError::InUse(_))
        ));
        drop(opened);
        drop(reopen(&options).unwrap());
    }

    #[test]
    fn a_newer_store_is_refused_untouched_by_check_and_start() {
        let dir = tempfile::tempdir().unwrap();
        let options = harmed(dir.path(), |db| {
            let k = Totals::key();
            let mut newer = db.get(&k).unwrap().unwrap().to_vec();
            newer[0] = record::FORMAT + 1;
            let sum = crc32c::crc32c(&[&k[..], &newer[..1], &newer[5..]].concat());
            newer[1..5].copy_from_slice(&sum.to_le_bytes());
            drop(db.insert(k, newer));
        });
        let scratch = tempfile::tempdir().unwrap();
        let refused = check(&options, scratch.path()).unwrap_err().to_string();
        assert!(
            refused.contains("a newer version of emflow wrote this store"),
            "{refused}"
        );
        // Not even one who accepts a loss loses it.
        for accept_loss in [false, true] {
            let options = Options {
                accept_loss,
                ..options.clone()
            };
            assert!(matches!(
                reopen(&options),
                Err(StoreError::Newer { found: 2 })
            ));
        }
        let flipped = harmed(&dir.path().join("flipped"), |db| {
            let mut value = db.get(Totals::key()).unwrap().unwrap().to_vec();
            value[0] = record::FORMAT + 1;
            drop(db.insert(Totals::key(), value));
        });
        let report = check(&flipped, scratch.path()).unwrap();
        assert!(!report.sound, "a flipped version is damage");
    }
}
