use super::*;
use crate::store::tests::house::{options, reopen};

fn actor(who: &str) -> Actor {
    Actor {
        who: who.to_owned(),
        via: "session",
        from: "192.0.2.1".to_owned(),
    }
}

fn open(dir: &std::path::Path, kept: usize) -> Audit {
    let opened = reopen(&options(dir)).unwrap();
    Audit::new(opened.store, opened.committer, kept).unwrap()
}

fn numbers(audit: &Audit, filter: &Filter, max: usize) -> (Vec<u64>, Option<u64>) {
    let (entries, next) = audit.page(filter, max).unwrap();
    (entries.iter().map(|e| e.number).collect(), next)
}

#[tokio::test]
async fn entries_are_found_again_newest_first_and_by_what_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let audit = open(dir.path(), 100);
    let put = async |who: &str, action, why: Option<&str>| {
        let entry = Entry::new(&actor(who), action, "x").before(&1).after(&[2]);
        let entry = match why {
            Some(why) => entry.refused(why),
            None => entry,
        };
        audit.record(entry).await.unwrap();
    };
    put("admin", "login", None).await;
    put("anyone", "login", Some("wrong")).await;
    put("admin", "token.create", None).await;
    put("deploy", "token.revoke", Some("not there")).await;
    put("admin", "tokens", None).await;
    drop(audit);

    let audit = open(dir.path(), 100);
    let check = |filter: Filter, max, expected: &[u64], next: Option<u64>| {
        assert_eq!(
            numbers(&audit, &filter, max),
            (expected.to_vec(), next),
            "{filter:?}"
        );
    };
    let all = Filter::default;
    check(all(), 10, &[5, 4, 3, 2, 1], None);
    check(all(), 2, &[5, 4], Some(4));
    check(
        Filter {
            before: Some(4),
            ..all()
        },
        2,
        &[3, 2],
        Some(2),
    );
    check(
        Filter {
            before: Some(2),
            ..all()
        },
        2,
        &[1],
        None,
    );
    check(
        Filter {
            action: Some("token".into()),
            ..all()
        },
        9,
        &[4, 3],
        None,
    );
    check(
        Filter {
            who: Some("admin".into()),
            ..all()
        },
        9,
        &[5, 3, 1],
        None,
    );
    check(
        Filter {
            done: Some(false),
            ..all()
        },
        9,
        &[4, 2],
        None,
    );
    check(
        Filter {
            done: Some(true),
            ..all()
        },
        9,
        &[5, 3, 1],
        None,
    );
    let (entries, _) = audit.page(&all(), 1).unwrap();
    let entry = &entries[0];
    assert_eq!(
        (entry.before.as_deref(), entry.after.as_deref()),
        (Some("1"), Some("[2]"))
    );
    assert_eq!(
        (
            entry.who.as_str(),
            entry.from.as_str(),
            entry.target.as_str()
        ),
        ("admin", "192.0.2.1", "x")
    );
}

#[tokio::test]
async fn it_is_bounded_and_attempts_do_not_push_out_changes() {
    let dir = tempfile::tempdir().unwrap();
    let audit = open(dir.path(), 20);
    let actor = actor("admin");
    for _ in 0..30 {
        audit.record(Entry::new(&actor, "a", "")).await.unwrap();
    }
    let mut ops = Vec::new();
    for _ in 0..REFUSED_KEPT + 50 {
        ops.extend(audit.entry(Entry::new(&actor, "b", "").refused("no")));
    }
    audit.0.committer.commit(ops).await.unwrap();
    let held =
        |audit: &Audit| Ring::ALL.map(|ring| audit.0.store.audit_numbers(ring).unwrap().len());
    assert_eq!(held(&audit), [20, REFUSED_KEPT]);
    let done = Filter {
        done: Some(true),
        ..Filter::default()
    };
    assert_eq!(numbers(&audit, &done, 1), (vec![30], Some(30)));
    drop(audit);

    // A lower limit is reached step by step.
    let audit = open(dir.path(), 2);
    for expected in [5, 2, 2] {
        audit.record(Entry::new(&actor, "a", "")).await.unwrap();
        assert_eq!(held(&audit)[0], expected);
    }
}

#[tokio::test]
async fn what_is_too_long_is_kept_short() {
    let dir = tempfile::tempdir().unwrap();
    let audit = open(dir.path(), 20);
    let long = "ä".repeat(5000);
    let entry = Entry::new(&actor(&long), "a", &*long).before(&long);
    audit.record(entry).await.unwrap();
    let (entries, _) = audit.page(&Filter::default(), 1).unwrap();
    let entry = &entries[0];
    assert!(entry.who.len() <= TEXT_MAX && entry.target.ends_with('…'));
    assert_eq!(
        entry.before.as_deref(),
        Some("{\"too_long_to_keep\":10002}")
    );
}
