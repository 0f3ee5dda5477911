//! A clean-up at the level of the store: what goes, what is counted, what may come back.

use super::*;
use crate::id::{BusinessValue, Category, Complexity, MessageId, SessionId};
use crate::machine::session::State;
use crate::store::purge::{Purge, PutBack, Removed};
use crate::store::record::{MessageRecord, SessionRecord};

fn session(id: u128, state: State) -> Vec<Op> {
    let message = MessageId::parse(&format!("m{id}")).unwrap();
    let record = SessionRecord {
        id: SessionId(id),
        user: user("a"),
        message: message.clone(),
        content: "words".into(),
        title: "t".into(),
        category: Category::Cost,
        complexity: Complexity::Basic,
        business_value: BusinessValue::Conversion,
        estimated_time: "1 s".into(),
        parent: None,
        assumptions: String::new(),
        state,
        attempts: 1,
        created: Wall(1),
        ended: None,
        last_sequence: 0,
    };
    let about = MessageRecord {
        session: record.id,
        digest: [7; 32],
    };
    vec![
        Op::PutSession(Box::new(record)),
        Op::PutMessage(user("a"), message, about),
    ]
}

fn purge(kept_max: u64) -> Op {
    let before = VisitorRecord {
        acked: 2,
        next: 6,
        ..VisitorRecord::new(user("a"), 1, Wall(1))
    };
    Op::Purge(Box::new(Purge {
        after: VisitorRecord::new(user("a"), 2, Wall(9)),
        before,
        at: Wall(9),
        until: Wall(99),
        kept_max,
    }))
}

/// A visitor with two sessions and five frames, three of them pending.
fn furnished(opened: &Opened) -> Removed {
    let texts = ["one", "two", "three", "four", "five"];
    let mut ops = vec![visitor("a", 2, 6), append("a", 1, &texts)];
    ops.extend(session(1, State::Processing));
    ops.extend(session(2, State::Completed));
    write(opened, ops);
    opened.store.holdings(&user("a")).unwrap()
}

#[test]
fn all_of_a_visitor_goes_is_counted_and_comes_back() {
    // req: D4
    let dir = tempfile::tempdir().unwrap();
    let opened = open(&options(dir.path()), Wall(1000)).unwrap();
    let store = &opened.store;
    let held = furnished(&opened);
    assert_eq!((held.sessions, held.running_sessions), (2, 1));
    assert_eq!((held.messages, held.frames, held.pending_frames), (2, 5, 3));
    assert_eq!(store.message_count(&user("a")).unwrap(), 2);
    assert!(store.session(SessionId(1)).unwrap().is_some());
    assert!(store.session(SessionId(3)).unwrap().is_none());

    // At most as many bytes as there are may be kept: these just may.
    write(&opened, vec![purge(held.bytes)]);
    let record = store.purged(&user("a")).unwrap().unwrap();
    assert_eq!((record.removed, record.kept), (held, true));
    assert!(store.holdings(&user("a")).unwrap().is_nothing());
    assert_eq!(store.message_count(&user("a")).unwrap(), 0);

    let back = record.before.clone();
    write(
        &opened,
        vec![Op::PutBack(Box::new(PutBack { visitor: back }))],
    );
    assert_eq!(store.holdings(&user("a")).unwrap(), held);
    assert_eq!(store.purged(&user("a")).unwrap(), None);

    write(&opened, vec![purge(held.bytes - 1)]);
    let record = store.purged(&user("a")).unwrap().unwrap();
    assert!(!record.kept, "larger than what may be kept");
}

#[test]
fn counters_and_settings_have_keys_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(&options(dir.path()), Wall(1000)).unwrap();
    write(
        &opened,
        vec![
            Op::Count("x".into(), 2),
            Op::Count("y".into(), 5),
            crate::store::commit::setting("x", &7u8),
        ],
    );
    write(&opened, vec![Op::Count("x".into(), 1)]);
    let counter = |name: &str| opened.store.counter(name).unwrap();
    assert_eq!((counter("x"), counter("y"), counter("z")), (3, 5, 0));
    assert_eq!(opened.store.setting::<u8>("x").unwrap(), Some(7));
    assert_eq!(opened.committer.why(), None);
}
