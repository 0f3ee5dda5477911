//! Visitors who are forgotten, and come back.

use super::*;
use crate::store::record::MessageRecord;

const IDLE: Idle = Idle {
    since: Wall(1000),
    keep_revoked: false,
};

/// A visitor who had one frame, which is acknowledged and gone.
async fn idle_visitor(house: &House, name: &str, at: u64) -> Arc<Stream> {
    let stream = house.stream(name);
    say(&stream, at, "x").await;
    sent(&stream, 1..=1);
    stream.ack(1, None).await.unwrap().unwrap();
    stream.cleanup(Wall(0), |_| false).await.unwrap();
    stream
}

#[tokio::test]
async fn who_comes_back_has_a_new_epoch_and_never_a_number_twice() {
    // req: D1, D8
    let mut house = House::new(LIMITS);
    let mut told = std::collections::BTreeSet::new();
    for round in 0..6 {
        let stream = idle_visitor(&house, "ann", 10).await;
        assert!(told.insert((stream.marks().epoch, 1)), "round {round}");
        let other = idle_visitor(&house, "bob", 10).await;
        assert!(house.outboxes.forget(&stream, IDLE).await.unwrap());
        assert!(
            !house.outboxes.forget(&stream, IDLE).await.unwrap(),
            "once is enough"
        );
        // Back before the removal is on disk, after it, and after a restart.
        if round % 3 == 0 {
            assert_eq!(say(&stream, 10, "again").await, 1);
            assert!(told.insert((stream.marks().epoch, 1)), "round {round}");
            sent(&stream, 1..=1);
            stream.ack(1, None).await.unwrap().unwrap();
            stream.cleanup(Wall(0), |_| false).await.unwrap();
            assert!(house.outboxes.forget(&stream, IDLE).await.unwrap());
        }
        assert!(house.outboxes.forget(&other, IDLE).await.unwrap());
        house.settled().await;
        assert_eq!(
            house.outboxes.visitors_after(None, 10).unwrap(),
            [],
            "round {round}"
        );
        drop((stream, other));
        if round % 3 == 1 {
            assert_eq!(house.outboxes.release_idle(), 0);
        }
        if round % 3 == 2 {
            house = house.restart().await;
        }
    }
}

#[tokio::test]
async fn who_has_anything_or_was_seen_stays() {
    let house = House::new(LIMITS);
    let check = async |name: &str, stream: &Arc<Stream>, idle: Idle, goes: bool| {
        let gone = house.outboxes.forget(stream, idle).await.unwrap();
        assert_eq!(gone, goes, "{name}");
    };
    check("never written", &house.stream("new"), IDLE, false).await;
    let seen = idle_visitor(&house, "seen", 1000).await;
    check("seen", &seen, IDLE, false).await;
    let pending = house.stream("pending");
    say(&pending, 10, "x").await;
    check("pending", &pending, IDLE, false).await;
    let held = house.stream("held");
    say(&held, 10, "x").await;
    sent(&held, 1..=1);
    held.ack(1, None).await.unwrap().unwrap();
    check("held for a page that is drawn again", &held, IDLE, false).await;

    let ann = idle_visitor(&house, "ann", 10).await;
    let socket = ann.attach(ConnectionId(1), false, &Resume::Pending);
    check("connected", &ann, IDLE, false).await;
    drop(socket);
    let room = ann.reserve();
    check("a session runs", &ann, IDLE, false).await;
    drop(room);
    let id = crate::id::MessageId::parse("m1").unwrap();
    let message = MessageRecord {
        session: SessionId(1),
        digest: [0; 32],
    };
    let put = Op::PutMessage(user("ann"), id.clone(), message);
    house.outboxes.0.committer.commit(vec![put]).await.unwrap();
    check("a session is kept", &ann, IDLE, false).await;
    let remove = Op::RemoveSession(SessionId(1), user("ann"), id);
    house
        .outboxes
        .0
        .committer
        .commit(vec![remove])
        .await
        .unwrap();
    check("nothing at all", &ann, IDLE, true).await;

    // Revoked at 500: gone when its tokens are, unless nobody knows when that is.
    let record = VisitorRecord {
        generation: 1,
        revoked_at: Wall(500),
        ..VisitorRecord::new(user("bob"), 1000, Wall(10))
    };
    let put = Op::PutVisitor(record);
    house.outboxes.0.committer.commit(vec![put]).await.unwrap();
    let bob = house.stream("bob");
    let since = |since| Idle {
        since: Wall(since),
        ..IDLE
    };
    check("revoked just now", &bob, since(500), false).await;
    let keep_revoked = Idle {
        keep_revoked: true,
        ..IDLE
    };
    check("revoked, tokens of unknown age", &bob, keep_revoked, false).await;
    check("revoked long ago", &bob, IDLE, true).await;
}
