use std::collections::BTreeMap;

use super::*;
use crate::id::{SessionId, UserId};
use crate::protocol::frame::Kind;
use crate::store::tests::house::{options, reopen};
use crate::store::{Append, Frame, Op, Opened, VisitorRecord, open};

/// The format that never was: the checksum does not cover the key.
pub(super) const FROM_ZERO: Step = Step {
    from: 0,
    convert: |key, value| {
        let damaged = || StoreError::Record("a record of format 0 is damaged".into());
        let (head, body) = value.split_at_checked(5).ok_or_else(damaged)?;
        if head[0] != 0 || head[1..] != crc32c::crc32c(body).to_le_bytes() {
            return Err(damaged());
        }
        let sum = crc32c::crc32c_append(crc32c::crc32c(key), body);
        Ok([&[1][..], &sum.to_le_bytes(), body].concat())
    },
};

fn to_zero(value: &[u8]) -> Vec<u8> {
    let body = &value[5..];
    [&[0][..], &crc32c::crc32c(body).to_le_bytes(), body].concat()
}

fn user(n: u64) -> UserId {
    UserId::parse(&format!("visitor-{n}")).unwrap()
}

fn fill(opened: &Opened) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for n in 0..700 {
        let frame = Frame {
            kind: Kind::AgentThinking,
            session: SessionId(7),
            at: Wall(1),
            payload: format!("\"frame {n}\""),
        };
        let append = Append {
            user: user(n),
            epoch: 1000,
            first: 1,
            frames: vec![frame],
        };
        let record = VisitorRecord {
            next: 2,
            ..VisitorRecord::new(user(n), 1000, Wall(1))
        };
        let permit = runtime.block_on(opened.committer.reserve()).unwrap();
        let ops = vec![Op::Append(append), Op::PutVisitor(record)];
        permit.send(ops, Box::new(|done| done.unwrap()));
    }
    runtime
        .block_on(opened.committer.commit(Vec::new()))
        .unwrap();
}

fn raw(dir: &Path) -> sled::Db {
    recover::open_free(&dir.join("sled"), &options(dir)).unwrap()
}

pub(crate) type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

fn contents(dir: &Path) -> Contents {
    let entries = raw(dir).iter().map(|e| e.unwrap()).collect::<Vec<_>>();
    let entries = entries.into_iter();
    entries.map(|(k, v)| (k.to_vec(), v.to_vec())).collect()
}

fn entries(opened: &Opened) -> Contents {
    let all = opened.store.db.iter().map(|e| e.unwrap());
    let ours = all.filter(|(k, _)| **k != *Totals::key());
    ours.map(|(k, v)| (k.to_vec(), v.to_vec())).collect()
}

pub(crate) fn wait(dir: &Path) {
    while files::lock(dir).is_err() {
        std::thread::yield_now();
    }
    // sled lets go of its files a moment after our lock; another process would be gone.
    drop(raw(dir));
}

/// A store of format 0 in `dir`; what it holds as this version writes it, and as it is.
pub(crate) fn old_store(dir: &Path) -> (Contents, Contents) {
    let opened = open(&options(dir), Wall(1000)).unwrap();
    fill(&opened);
    let now = entries(&opened);
    drop(opened);
    wait(dir);
    let db = raw(dir);
    let account = Totals::key();
    let mut totals = Totals::new(0);
    for entry in db.iter() {
        let (key, value) = entry.unwrap();
        if *key == *account {
            continue;
        }
        let value = to_zero(&value);
        totals.add(&key, &value);
        db.insert(key, value).unwrap();
    }
    let stored: Totals = record::decode(&account, &db.get(&account).unwrap().unwrap()).unwrap();
    (totals.epoch, totals.commits) = (stored.epoch, stored.commits);
    let value = to_zero(&record::encode(&account, &totals));
    db.insert(&*account, value).unwrap();
    db.flush().unwrap();
    drop(db);
    let stamp = Stamp {
        app_version: "0.0.9".into(),
        record_format: 0,
    };
    write_json(&dir.join(STAMP), &stamp).unwrap();
    (now, contents(dir))
}

fn names(dir: &Path, first: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let ours = |path: &PathBuf| {
        path.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with(first)
    };
    entries.filter(ours).collect()
}

/// The story has these steps, and each says from which version.
fn told(dir: &Path, steps: &[Done]) {
    let story = story(dir).unwrap();
    let found: Vec<Done> = story.iter().map(|chapter| chapter.step).collect();
    assert_eq!(found, steps, "{story:#?}");
    assert!(story.iter().all(|chapter| chapter.from.starts_with("0.0.")));
}

#[test]
fn an_older_store_is_converted_and_the_old_one_kept() {
    // req: D6
    let dir = tempfile::tempdir().unwrap();
    let (expected, old) = old_store(dir.path());
    // Nobody else converts, and rubbish of a start that was killed is no obstacle.
    let refused = crate::store::check::check(&options(dir.path()), &std::env::temp_dir());
    assert!(matches!(refused, Err(StoreError::Older { found: 0 })));
    fs::create_dir_all(dir.path().join("restoring/new/sled")).unwrap();
    fs::write(dir.path().join("restoring/new/sled/db"), "half").unwrap();

    let opened = reopen(&options(dir.path())).unwrap();
    assert_eq!(entries(&opened), expected);
    assert_eq!(
        (opened.recovered.epoch, opened.recovered.visitors),
        (1000, 700)
    );
    assert_eq!(Stamp::read(dir.path()).unwrap(), Stamp::ours());
    let kept = names(dir.path(), "before-upgrade-0.0.9-");
    assert_eq!(kept.len(), 1);
    assert_eq!(contents(&kept[0]), old);
    assert!(names(dir.path(), "restor").is_empty());
    settled(dir.path(), Wall(9)).unwrap();
    told(dir.path(), &[Done::Converted, Done::Settled]);
    drop(opened);
    // Settled: never rolled back, whatever becomes of later starts.
    for _ in 0..=TRIALS + 1 {
        wait(dir.path());
        assert_eq!(entries(&reopen(&options(dir.path())).unwrap()), expected);
    }
}

#[test]
fn an_upgrade_that_never_becomes_ready_is_rolled_back() {
    let dir = tempfile::tempdir().unwrap();
    let (expected, old) = old_store(dir.path());
    for start in 1..=TRIALS {
        let opened = reopen(&options(dir.path()));
        assert!(opened.is_ok(), "start {start}");
        drop(opened);
        wait(dir.path());
    }
    let refused = reopen(&options(dir.path())).err().unwrap();
    let StoreError::RolledBack { from, failed, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(from, "0.0.9");
    assert!(dir.path().join(failed).join("sled/db").exists());
    assert_eq!(Stamp::read(dir.path()).unwrap().record_format, 0);
    assert_eq!(
        contents(dir.path()),
        old,
        "the old version finds what it left"
    );
    // Another start of the new version tries anew.
    let opened = reopen(&options(dir.path())).unwrap();
    assert_eq!(entries(&opened), expected);
    settled(dir.path(), Wall(9)).unwrap();
    let again = [Done::Converted, Done::Settled];
    let story = [Done::Converted, Done::Tried, Done::Tried, Done::RolledBack];
    told(dir.path(), &[&story[..], &again].concat());
}

#[test]
fn what_cannot_be_converted_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    old_store(dir.path());
    let db = raw(dir.path());
    let (key, value) = db.first().unwrap().unwrap();
    let mut value = value.to_vec();
    *value.last_mut().unwrap() ^= 1;
    db.insert(key, value).unwrap();
    db.flush().unwrap();
    drop(db);
    let before = contents(dir.path());
    let refused = reopen(&options(dir.path())).err().unwrap();
    assert!(matches!(refused, StoreError::Record(_)), "{refused}");
    assert_eq!(contents(dir.path()), before);
    for first in ["restor", "before-", TRIAL] {
        assert!(names(dir.path(), first).is_empty(), "{first}");
    }
    told(dir.path(), &[Done::Failed]);
}

#[test]
fn another_version_of_the_same_format_keeps_a_copy_and_converts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(&options(dir.path()), Wall(1000)).unwrap();
    fill(&opened);
    let expected = entries(&opened);
    drop(opened);
    wait(dir.path());
    for version in ["0.0.7", "0.0.8"] {
        let stamp = Stamp {
            app_version: version.into(),
            record_format: FORMAT,
        };
        write_json(&dir.path().join(STAMP), &stamp).unwrap();
        let opened = reopen(&options(dir.path())).unwrap();
        assert_eq!(entries(&opened), expected);
        drop(opened);
        wait(dir.path());
    }
    let kept = names(dir.path(), KEPT);
    assert_eq!(kept.len(), 1, "only the newest: {kept:?}");
    assert!(kept[0].display().to_string().contains("0.0.8"));
    told(dir.path(), &[Done::Kept, Done::Kept]);
    let copy: Contents = contents(&kept[0]);
    assert!(
        expected
            .iter()
            .all(|(key, value)| copy.get(key) == Some(value))
    );
    assert!(!dir.path().join(TRIAL).exists());
}

#[test]
fn a_newer_store_is_not_even_opened() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&options(dir.path()), Wall(1000)).unwrap());
    wait(dir.path());
    let stamp = Stamp {
        app_version: "9.0.0".into(),
        record_format: FORMAT + 1,
    };
    write_json(&dir.path().join(STAMP), &stamp).unwrap();
    let bytes = |name: &str| fs::read(dir.path().join("sled").join(name)).unwrap();
    let before = (bytes("db"), bytes("conf"));
    let refused = reopen(&options(dir.path())).err().unwrap();
    assert!(
        matches!(refused, StoreError::Newer { found: 2 }),
        "{refused}"
    );
    assert_eq!((bytes("db"), bytes("conf")), before);
}
