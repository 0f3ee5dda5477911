use std::fs;
use std::path::Path;

use super::*;
use crate::id::{SessionId, UserId};
use crate::machine::dice::Dice;
use crate::protocol::frame::Kind;
use crate::store::tests::house::{options, reopen};
use crate::store::{Append, Frame, Op, Opened, VisitorRecord, open as open_store};

fn user(n: u64) -> UserId {
    UserId::parse(&format!("visitor-{n}")).unwrap()
}

fn frame(text: String) -> Frame {
    Frame {
        kind: Kind::AgentThinking,
        session: SessionId(7),
        at: Wall(1),
        payload: format!("\"{text}\""),
    }
}

/// Frames for `n`, the first of them `first`, and a record that acknowledges up to `acked`.
fn ops(n: u64, first: u64, count: u64, acked: u64) -> Vec<Op> {
    let frames = (first..first + count).map(|s| frame(format!("{n}-{s} {}", "x".repeat(200))));
    let append = Op::Append(Append {
        user: user(n),
        epoch: 1,
        first,
        frames: frames.collect(),
    });
    let record = VisitorRecord {
        acked,
        next: first + count,
        ..VisitorRecord::new(user(n), 1, Wall(1))
    };
    vec![append, Op::PutVisitor(record)]
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(work)
}

/// Some visitors with some frames, in some groups.
fn fill(opened: &Opened, dice: &mut Dice, visitors: u64, rounds: u64) {
    let mut next = vec![1; visitors as usize];
    for _ in 0..rounds {
        let n = dice.below(visitors);
        let (first, count) = (next[n as usize], 1 + dice.below(4));
        next[n as usize] += count;
        block(opened.committer.commit(ops(n, first, count, 0))).unwrap();
    }
}

fn contents(opened: &Opened) -> Vec<(Vec<u8>, Vec<u8>)> {
    let all = opened.store.db.iter().map(|e| e.unwrap());
    let all = all.map(|(k, v)| (k.to_vec(), v.to_vec()));
    all.filter(|(k, _)| *k != Totals::key()).collect()
}

fn back_up(opened: &Opened, path: &Path) -> Result<Summary, BackupError> {
    let snapshot = block(Snapshot::begin(&opened.store, &opened.committer))?;
    write(snapshot, path, Wall(5000), &to_the_end)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_backup_restores_what_was_there_and_begins_an_epoch() {
    // req: D8
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let opened = open_store(&options(&dir.path().join("a")), Wall(1000)).unwrap();
    fill(&opened, &mut Dice::new(1), 5, 40);
    let file = dir.path().join("one.emflow-backup");
    let summary = back_up(&opened, &file).unwrap();
    assert_eq!(summary, inspect(&file).unwrap());
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&file).unwrap().len(), summary.bytes);
    assert!(matches!(
        back_up(&opened, &file),
        Err(BackupError::Exists(_))
    ));
    assert_eq!(
        names(dir.path()),
        ["a", "one.emflow-backup"],
        "nothing unfinished stays"
    );

    let verified = verify(&file, dir.path(), &options(dir.path()), &to_the_end).unwrap();
    let target = options(&dir.path().join("b"));
    // A clock that went back does not bring an epoch that clients have seen.
    let restored = restore(&file, &target, false, Wall(7)).unwrap();
    assert_eq!((restored.epoch, restored.aside.clone()), (1001, None));
    assert_eq!(
        (restored.visitors, restored.frames),
        (verified.visitors, verified.frames)
    );
    let again = reopen(&target).unwrap();
    assert_eq!(contents(&again), contents(&opened));
    assert_eq!(
        (again.recovered.epoch, again.recovered.loss.clone()),
        (1001, None)
    );
    block(again.committer.commit(ops(9, 1, 1, 0))).unwrap();
}

#[test]
fn a_backup_is_one_moment_although_commits_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open_store(&options(&dir.path().join("a")), Wall(1000)).unwrap();
    for n in 0..400 {
        block(opened.committer.commit(ops(n, 1, 5, 0))).unwrap();
    }
    let before = contents(&opened);
    let mut snapshot = block(Snapshot::begin(&opened.store, &opened.committer)).unwrap();
    // Part of it is read, then everything is written over: old keys, new keys, removed ones.
    let mut read = snapshot.next().unwrap().unwrap();
    assert!(
        read.len() < before.len(),
        "several steps, or this tests nothing"
    );
    for n in 0..400 {
        let mut all = ops(n, 6, 1, 5);
        all.push(Op::RemoveChunk(user(n), 1));
        all.extend(ops(1000 + n, 1, 1, 0));
        block(opened.committer.commit(all)).unwrap();
    }
    assert!(matches!(
        block(Snapshot::begin(&opened.store, &opened.committer)),
        Err(SnapshotError::Busy)
    ));
    while let Some(more) = snapshot.next().unwrap() {
        read.extend(more);
    }
    assert!(read == before, "not what was there when it began");
    drop(snapshot);
    drop(block(Snapshot::begin(&opened.store, &opened.committer)).unwrap());
}

#[test]
fn backups_made_under_load_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open_store(&options(&dir.path().join("a")), Wall(1000)).unwrap();
    fill(&opened, &mut Dice::new(2), 50, 300);
    let committer = opened.committer.clone();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let load = std::thread::spawn(move || {
        let mut n = 0;
        while !*stopped.borrow() {
            n += 1;
            block(committer.commit(ops(1000 + n % 200, 1 + n / 200, 1, n / 200))).unwrap();
        }
        n
    });
    for round in 0..5 {
        let file = dir.path().join(format!("{round}.emflow-backup"));
        // Writing compares its own account with that of the commit.
        back_up(&opened, &file).unwrap();
        verify(&file, dir.path(), &options(dir.path()), &to_the_end).unwrap();
    }
    stop.send(true).unwrap();
    assert!(load.join().unwrap() > 0, "there was no load");
}

#[test]
fn a_damaged_backup_is_never_taken_for_a_whole_one() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open_store(&options(&dir.path().join("a")), Wall(1000)).unwrap();
    fill(&opened, &mut Dice::new(3), 3, 12);
    let file = dir.path().join("whole.emflow-backup");
    back_up(&opened, &file).unwrap();
    let whole = fs::read(&file).unwrap();
    let harmed = dir.path().join("harmed.emflow-backup");
    let target = options(&dir.path().join("b"));
    let check = |bytes: &[u8], what: &str| {
        fs::write(&harmed, bytes).unwrap();
        assert!(inspect(&harmed).is_err(), "{what}");
    };
    for end in (0..whole.len())
        .step_by(7)
        .chain(whole.len() - 60..whole.len())
    {
        check(&whole[..end], &format!("cut at {end}"));
    }
    check(&[&whole[..], b"x"].concat(), "a byte more");
    for seed in 0..400 {
        let mut dice = Dice::new(seed);
        let mut bytes = whole.clone();
        bytes[dice.below(whole.len() as u64) as usize] ^= 1 << dice.below(8);
        check(&bytes, &format!("flip, seed {seed}"));
        if seed % 40 == 0 {
            assert!(restore(&harmed, &target, false, Wall(1)).is_err());
            assert!(verify(&harmed, dir.path(), &target, &to_the_end).is_err());
        }
    }
    let left = names(&target.dir);
    assert!(!left.iter().any(|n| n != "lock"), "{left:?}");
}

#[test]
fn what_is_no_backup_or_a_newer_one_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let check = |bytes: &[u8], expected: &str| {
        let file = dir.path().join("some-file");
        fs::write(&file, bytes).unwrap();
        let error = inspect(&file).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(b"", "is not a backup");
    check(
        b"PK\x03\x04 something else of some length",
        "is not a backup",
    );
    let head = |version: u16, json: &str| {
        let mut bytes = b"EMFLOWBK".to_vec();
        bytes.extend(version.to_le_bytes());
        bytes.extend((json.len() as u32).to_le_bytes());
        bytes.extend(json.as_bytes());
        let crc = crc32c::crc32c(&bytes);
        bytes.extend(crc.to_le_bytes());
        bytes
    };
    check(
        &head(2, r#"{"app_version":"2.5.0","record_format":1,"new":true}"#),
        "written by emflow 2.5.0 in a newer format",
    );
    check(
        &head(1, r#"{"app_version":"2.5.0","record_format":9}"#),
        "written by emflow 2.5.0 in a newer format",
    );
    check(
        &head(1, r#"{"record_format":1}"#),
        "its head: missing field",
    );
}

#[test]
fn a_store_is_moved_aside_only_when_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open_store(&options(&dir.path().join("a")), Wall(1000)).unwrap();
    fill(&opened, &mut Dice::new(4), 3, 12);
    let file = dir.path().join("one.emflow-backup");
    back_up(&opened, &file).unwrap();
    let expected = contents(&opened);

    let target = options(&dir.path().join("b"));
    let other = open_store(&target, Wall(2000)).unwrap();
    block(other.committer.commit(ops(77, 1, 1, 0))).unwrap();
    assert!(matches!(
        restore(&file, &target, true, Wall(3000)),
        Err(BackupError::Store(StoreError::InUse(_)))
    ));
    let old = contents(&other);
    drop(other);
    let refused = until_free(|| restore(&file, &target, false, Wall(3000)));
    assert!(matches!(refused, Err(BackupError::NotEmpty(_))));
    drop(reopen(&target).unwrap());
    let restored = until_free(|| restore(&file, &target, true, Wall(3000))).unwrap();
    let aside = restored.aside.unwrap();
    assert_eq!(aside.file_name().unwrap(), "before-restore-3000");
    assert_eq!(contents(&reopen(&target).unwrap()), expected);
    let kept = reopen(&options(&aside)).unwrap();
    assert_eq!(
        contents(&kept),
        old,
        "the old store can be opened where it lies"
    );
}

fn until_free<T>(mut work: impl FnMut() -> Result<T, BackupError>) -> Result<T, BackupError> {
    loop {
        match work() {
            Err(BackupError::Store(StoreError::InUse(_))) => std::thread::yield_now(),
            other => return other,
        }
    }
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_store_or_the_new_one() {
    // The steps of the exchange, in their order; after each of them somebody opens the directory.
    type Step = (&'static str, &'static str);
    let steps: [Step; 5] = [
        ("restoring", "restored"),
        ("sled", "restored/sled"),
        ("restored/new/sled", "sled"),
        ("watermark", "restored/watermark"),
        ("restored/new/watermark", "watermark"),
    ];
    for done in 0..=steps.len() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (
            options(dir.path()),
            options(&dir.path().join("restoring/new")),
        );
        for (each, n) in [(&old, 1), (&new, 2)] {
            let opened = open_store(each, Wall(1000 * n)).unwrap();
            block(opened.committer.commit(ops(n, 1, 1, 0))).unwrap();
            drop(opened);
            drop(reopen(each).unwrap());
        }
        while files::lock(dir.path()).is_err() {
            std::thread::yield_now();
        }
        fs::write(dir.path().join("restoring/aside"), "before-restore-2000").unwrap();
        for (from, to) in &steps[..done] {
            fs::rename(dir.path().join(from), dir.path().join(to)).unwrap();
        }
        let opened = reopen(&old).unwrap();
        let expected = if done == 0 { 1000 } else { 2000 };
        assert_eq!(opened.recovered.epoch, expected, "after {done} steps");
        drop(opened);
        let aside = names(dir.path()).contains(&"before-restore-2000".to_owned());
        assert_eq!(aside, done > 0, "after {done} steps");
        assert!(!dir.path().join("restoring").exists() && !dir.path().join("restored").exists());
    }
}

#[test]
fn an_error_of_the_system_says_what_to_do() {
    use std::io::ErrorKind;
    let told = |kind: ErrorKind| {
        let path = Path::new("a/backup");
        let error = io("could not write", path, Err::<(), _>(kind.into()));
        error.unwrap_err().to_string()
    };
    assert!(told(ErrorKind::StorageFull).contains("The store is untouched"));
    assert!(told(ErrorKind::PermissionDenied).contains("name a place"));
    assert!(told(ErrorKind::NotFound).contains("make the directory"));
    assert!(!told(ErrorKind::Interrupted).contains(';'));
}
