mod counted;
pub(crate) mod house;
mod purged;

use std::path::Path;

use super::*;
use crate::machine::dice::Dice;
use crate::protocol::frame::Kind;
use house::{options, reopen};

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn frame(text: &str) -> Frame {
    Frame {
        kind: Kind::AgentThinking,
        session: SessionId(7),
        at: Wall(1),
        payload: format!("\"{text}\""),
    }
}

fn append(name: &str, first: u64, texts: &[&str]) -> Op {
    let frames = texts.iter().map(|t| frame(t)).collect();
    Op::Append(Append {
        user: user(name),
        epoch: 1,
        first,
        frames,
    })
}

fn visitor(name: &str, acked: u64, next: u64) -> Op {
    Op::PutVisitor(VisitorRecord {
        acked,
        next,
        ..VisitorRecord::new(user(name), 1, Wall(1))
    })
}

fn write(opened: &Opened, ops: Vec<Op>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(opened.committer.commit(ops)).unwrap();
}

fn texts(opened: &Opened, name: &str, first: u64) -> Vec<(u64, String)> {
    let frames = opened
        .store
        .frames(&user(name), first, 100, 1 << 20)
        .unwrap();
    frames
        .into_iter()
        .map(|(n, f)| (n, f.payload.trim_matches('"').to_owned()))
        .collect()
}

#[test]
fn what_was_committed_is_found_again() {
    // req: D1, D6
    let dir = tempfile::tempdir().unwrap();
    let opened = open(&options(dir.path()), Wall(1000)).unwrap();
    assert!(matches!(
        open(&options(dir.path()), Wall(1)),
        Err(StoreError::InUse(_))
    ));
    write(&opened, vec![visitor("a", 0, 1), visitor("ab", 0, 1)]);
    // Two appends of one group become one chunk; another visitor's name begins the same.
    write(
        &opened,
        vec![
            append("a", 1, &["x", "y"]),
            append("a", 3, &["z"]),
            append("ab", 1, &["other"]),
        ],
    );
    write(
        &opened,
        vec![
            append("a", 4, &["w"]),
            Op::Count("visits".into(), 2),
            Op::Count("visits".into(), 3),
        ],
    );
    assert_eq!(opened.store.chunks(&user("a")).unwrap().len(), 2);
    drop(opened);
    let opened = reopen(&options(dir.path())).unwrap();
    assert_eq!((opened.recovered.frames, opened.recovered.visitors), (5, 2));
    assert_eq!(opened.recovered.epoch, 1000);
    let expected = ["x", "y", "z", "w"].map(str::to_owned);
    assert_eq!(
        texts(&opened, "a", 1)
            .into_iter()
            .map(|(_, t)| t)
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(
        texts(&opened, "a", 3),
        [(3, "z".to_owned()), (4, "w".to_owned())]
    );
    assert_eq!(texts(&opened, "a", 5), []);
    assert_eq!(opened.store.counter("visits").unwrap(), 5);
    write(
        &opened,
        vec![visitor("a", 3, 5), Op::RemoveChunk(user("a"), 1)],
    );
    assert_eq!(texts(&opened, "a", 1), [(4, "w".to_owned())]);
    assert_eq!(
        opened
            .store
            .visitors_after(Some(&user("a")), 10)
            .unwrap()
            .len(),
        1
    );
}

/// Found by killing the process in each call that writes: sled takes its own half-written snapshot,
/// and the settings of a store that was just being made, for damage.
#[test]
fn what_a_killed_start_leaves_half_written_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let sled = dir.path().join("sled");
    std::fs::create_dir(&sled).unwrap();
    std::fs::write(sled.join("conf"), [7; 59]).unwrap();
    std::fs::write(sled.join("db"), []).unwrap();
    let opened = open(&options(dir.path()), Wall(1000)).unwrap();
    write(&opened, vec![visitor("a", 0, 1), append("a", 1, &["x"])]);
    drop(opened);
    drop(reopen(&options(dir.path())).unwrap());
    while files::lock(dir.path()).is_err() {
        std::thread::yield_now();
    }
    let half = sled.join("snap.FFFFFFFFFFFFFFFF.generating");
    std::fs::write(&half, [7; 103]).unwrap();
    let opened = reopen(&options(dir.path())).unwrap();
    assert_eq!((opened.recovered.loss, opened.recovered.frames), (None, 1));
    assert!(!half.exists());
    drop((opened.store, opened.committer));

    // Killed between the first group and its watermark, or cut off in the middle of it.
    for blank in [0, 92] {
        let dir = tempfile::tempdir().unwrap();
        let opened = open(&options(dir.path()), Wall(1000)).unwrap();
        write(&opened, vec![visitor("a", 0, 1), append("a", 1, &["x"])]);
        drop(opened);
        while files::lock(dir.path()).is_err() {
            std::thread::yield_now();
        }
        std::fs::write(dir.path().join("watermark"), vec![0; blank]).unwrap();
        let opened = reopen(&options(dir.path())).unwrap();
        assert_eq!((opened.recovered.loss, opened.recovered.frames), (None, 1));
    }
}

#[test]
fn proven_loss_refuses_to_open_and_is_accepted_only_by_name() {
    let check = |name: &str, harm: &dyn Fn(&Path), expected: &str| {
        let dir = tempfile::tempdir().unwrap();
        let opened = open(&options(dir.path()), Wall(1000)).unwrap();
        write(&opened, vec![visitor("a", 0, 1), append("a", 1, &["x"])]);
        write(&opened, vec![append("a", 2, &["y"])]);
        drop(opened);
        drop(reopen(&options(dir.path())).unwrap());
        while files::lock(dir.path()).is_err() {
            std::thread::yield_now();
        }
        harm(dir.path());
        let error = match reopen(&options(dir.path())) {
            Err(StoreError::Damaged { what, .. }) => what,
            Err(other) => panic!("{name}: {other}"),
            Ok(_) => panic!("{name}: opened without a word"),
        };
        assert!(error.contains(expected), "{name}: {error}");
        let opened = reopen(&Options {
            accept_loss: true,
            ..options(dir.path())
        })
        .unwrap();
        assert!(
            opened.recovered.loss.is_some() && opened.recovered.epoch > 1000,
            "{name}"
        );
        write(
            &opened,
            vec![visitor("b", 0, 1), append("b", 1, &["after"])],
        );
        drop(opened);
        let opened = reopen(&options(dir.path())).unwrap();
        assert_eq!(
            (opened.recovered.loss.clone(), texts(&opened, "b", 1).len()),
            (None, 1),
            "{name}: clean afterwards"
        );
    };
    check(
        "the store is gone",
        &|dir| std::fs::remove_dir_all(dir.join("sled")).unwrap(),
        "nothing is left",
    );
    check(
        "the watermark is gone",
        &|dir| std::fs::remove_file(dir.join("watermark")).unwrap(),
        "watermark",
    );
    check(
        "the watermark is garbage",
        &|dir| std::fs::write(dir.join("watermark"), [9; 128]).unwrap(),
        "watermark",
    );
    check(
        "an older copy of the store",
        &|dir| rollback(dir),
        "commits are missing",
    );
    check(
        "an entry vanished behind our back",
        &|dir| {
            without_us(dir, |db| {
                drop(db.remove(key::chunk(&user("a"), 2)).unwrap())
            })
        },
        "entries",
    );
    check(
        "a value went bad",
        &|dir| {
            without_us(dir, |db| {
                drop(
                    db.insert(key::visitor(&user("a")), b"\x01junkjunk")
                        .unwrap(),
                )
            })
        },
        "checksum",
    );
    check(
        "a frame between is gone",
        &|dir| {
            without_us(dir, |db| {
                drop(db.remove(key::chunk(&user("a"), 1)).unwrap())
            });
        },
        "misses the frames 1 to 1",
    );
}

fn without_us(dir: &Path, change: impl Fn(&sled::Db)) {
    let config = sled::Config::new()
        .path(dir.join("sled"))
        .segment_size(512 << 10);
    let db = loop {
        match config.open() {
            Err(sled::Error::Io(e)) if e.to_string().contains("lock") => std::thread::yield_now(),
            other => break other.unwrap(),
        }
    };
    change(&db);
    db.flush().unwrap();
}

/// Puts the account back by one commit, as a store restored from an older copy would have it.
fn rollback(dir: &Path) {
    without_us(dir, |db| {
        let k = audit::Totals::key();
        let mut totals: audit::Totals = record::decode(&k, &db.get(&k).unwrap().unwrap()).unwrap();
        totals.commits -= 1;
        db.insert(&*k, record::encode(&k, &totals)).unwrap();
    });
}

#[test]
fn a_flipped_bit_or_a_short_file_is_never_silent() {
    // req: D6
    let dir = tempfile::tempdir().unwrap();
    let opened = open(&options(dir.path()), Wall(1000)).unwrap();
    write(&opened, vec![visitor("a", 0, 1)]);
    for n in 1..=60u64 {
        write(&opened, vec![append("a", n, &["some text to be damaged"])]);
    }
    let all = texts(&opened, "a", 1);
    drop(opened);
    while files::lock(dir.path()).is_err() {
        std::thread::yield_now();
    }
    let db = std::fs::read(dir.path().join("sled/db")).unwrap();
    let used = db.iter().rposition(|b| *b != 0).unwrap() + 1;
    let mut found = 0;
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let copy = tempfile::tempdir().unwrap();
        std::fs::create_dir(copy.path().join("sled")).unwrap();
        for name in ["sled/conf", "watermark"] {
            std::fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
        }
        let mut bytes = db.clone();
        if seed % 4 == 0 {
            bytes.truncate(dice.below(used as u64) as usize);
        } else {
            bytes[dice.below(used as u64) as usize] ^= 1 << dice.below(8);
        }
        std::fs::write(copy.path().join("sled/db"), bytes).unwrap();
        match reopen(&options(copy.path())) {
            Ok(opened) => assert_eq!(
                texts(&opened, "a", 1),
                all,
                "seed {seed}: opened, but not intact"
            ),
            Err(_) => found += 1,
        }
    }
    assert!(
        found > 10,
        "the damage must be real in some trials, it showed in {found}"
    );
}

/// sled only warns where the checksum of `conf` is wrong, and would then blame the settings.
#[test]
fn a_flipped_bit_in_the_settings_of_sled_is_damage() {
    // req: D6
    let dir = tempfile::tempdir().unwrap();
    let opened = open(&options(dir.path()), Wall(1000)).unwrap();
    write(&opened, vec![visitor("a", 0, 1), append("a", 1, &["kept"])]);
    drop(opened);
    let conf = dir.path().join("sled/conf");
    let sound = std::fs::read(&conf).unwrap();
    let mut refused = 0;
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&conf, bytes).unwrap();
        match reopen(&options(dir.path())) {
            Ok(opened) => assert_eq!(texts(&opened, "a", 1).len(), 1, "byte {at}"),
            Err(StoreError::Damaged { .. }) => refused += 1,
            Err(other) => panic!("byte {at}: {other}"),
        }
        std::fs::write(&conf, &sound).unwrap();
    }
    assert!(refused > 10, "{refused} of {} bytes showed", sound.len());
    assert!(reopen(&options(dir.path())).is_ok());
}

#[test]
fn another_segment_size_is_named_and_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let small = options(dir.path());
    let large = Options {
        segment_size: 1 << 20,
        ..small.clone()
    };
    let opened = open(&small, Wall(1000)).unwrap();
    write(&opened, vec![visitor("a", 0, 1), append("a", 1, &["kept"])]);
    drop(opened);
    let refused = reopen(&large).err().unwrap();
    let told = refused.to_string();
    assert!(
        matches!(refused, StoreError::OtherSettings { .. }),
        "{told}"
    );
    assert!(
        told.contains("`store.segment_size`") && told.contains("524288"),
        "{told}"
    );
    let opened = reopen(&small).unwrap();
    assert_eq!(texts(&opened, "a", 1).len(), 1);
}
