//! What is counted of a store, and said of it.

use super::*;
use crate::store::audit::Totals;

#[test]
fn only_what_is_not_acknowledged_is_pending() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(&options(dir.path()), Wall(1000)).unwrap();
    let texts = ["one", "two", "three", "four", "five"];
    write(&opened, vec![visitor("a", 2, 6), append("a", 1, &texts)]);
    assert!(opened.store.bytes_on_disk().unwrap() > 0);
    drop(opened);
    let found = reopen(&options(dir.path())).unwrap().recovered;
    assert_eq!((found.frames, found.pending, found.visitors), (5, 3, 1));
    let bytes: usize = texts[2..].iter().map(|t| frame(t).payload.len()).sum();
    assert_eq!(found.pending_bytes, bytes as u64);
}

/// The account of a store notices one entry in another's place.
#[test]
fn a_sum_knows_which_entries_it_is_of() {
    let sum = |entries: &[(&str, &str)]| {
        let mut totals = Totals::new(1);
        for (key, value) in entries {
            totals.add(key.as_bytes(), value.as_bytes());
        }
        totals.sum
    };
    let (ab, cd) = (("a", "b"), ("c", "d"));
    assert_eq!(sum(&[ab, cd]), sum(&[cd, ab]), "in any order");
    let others = [[("a", "d"), ("c", "b")], [ab, ("c", "b")], [("a", "d"), cd]];
    for other in others {
        assert_ne!(sum(&[ab, cd]), sum(&other), "{other:?}");
    }
    let mut totals = Totals::new(1);
    totals.add(b"a", b"b");
    totals.remove(b"a", b"b");
    assert_eq!((totals.sum, totals.entries), (0, 0));
}

#[test]
fn an_error_of_the_system_says_what_to_do() {
    use std::io::ErrorKind;
    let told = |kind: ErrorKind| {
        let error = StoreError::from(sled::Error::Io(std::io::Error::from(kind)));
        error.to_string()
    };
    assert!(told(ErrorKind::StorageFull).contains("free some space"));
    assert!(told(ErrorKind::PermissionDenied).contains("--data-dir"));
    assert!(told(ErrorKind::NotFound).contains("server.data_dir"));
    assert!(!told(ErrorKind::Interrupted).contains(';'));
}

#[test]
fn what_is_not_there_need_not_be_synced_and_other_errors_are_told() {
    let dir = tempfile::tempdir().unwrap();
    assert!(files::sync_all(dir.path()).is_ok(), "nothing of sled's yet");
    std::fs::write(dir.path().join("sled"), "a file").unwrap();
    assert!(files::sync_all(dir.path()).is_err());
}
