//! What a stream holds in memory, and what is counted of it.

use super::*;
use crate::clock::Duration;
use crate::outbox::Outboxes;

/// The frames and bytes in memory after frames of these lengths.
async fn tail_after(lengths: &[usize]) -> (usize, usize) {
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    for length in lengths {
        say(&stream, 1, &"x".repeat(*length)).await;
    }
    let state = stream.lock();
    let bytes: usize = state.tail.iter().map(bytes::Bytes::len).sum();
    assert_eq!(bytes, state.tail_bytes, "{lengths:?}");
    (state.tail.len(), bytes)
}

#[tokio::test]
async fn the_newest_frames_are_kept_up_to_both_bounds() {
    // req: D8
    assert_eq!(tail_after(&[10; 12]).await.0, 12);
    assert_eq!(tail_after(&[10; 140]).await.0, 128, "frames");
    let (frames, bytes) = tail_after(&[10_000; 12]).await;
    assert_eq!(frames, 4, "{bytes} bytes");
    assert!(bytes <= 48 * 1024);
    assert_eq!(tail_after(&[10, 10, 60_000]).await.0, 1, "one always");
}

#[tokio::test]
async fn what_waits_is_counted_and_taken_off_again() {
    let house = House::new(LIMITS);
    let (ann, bob) = (house.stream("ann"), house.stream("bob"));
    let told = || {
        let delivery = &ann.meters.delivery;
        let gauges = [
            &delivery.pending,
            &delivery.pending_bytes,
            &delivery.visitors,
        ];
        gauges.map(|gauge| gauge.get())
    };
    assert_eq!(told(), [0, 0, 0]);
    let length = frame(1, 1, "four").payload.len() as u64;
    for _ in 0..3 {
        say(&ann, 1, "four").await;
    }
    say(&bob, 1, "four").await;
    assert_eq!(told(), [4, 4 * length, 2]);
    sent(&ann, 1..=3);
    ann.ack(2, None).await.unwrap().unwrap();
    assert_eq!(told(), [2, 2 * length, 2]);
}

#[tokio::test]
async fn a_numbering_that_begins_again_keeps_sockets_and_rights() {
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    say(&stream, 1, "x").await;
    let (_socket, ..) = stream.attach(ConnectionId(7), false, &Resume::Pending);
    stream.revoke(Wall(9), Vec::new()).await.unwrap();
    let still = stream.hold_still(|| ());
    let mut record = still.record.clone();
    (record.epoch, record.next, record.acked) = (record.epoch + 1, 1, 0);
    // What was revoked meanwhile is not in a record from before.
    (record.generation, record.revoked_at) = (0, Wall(0));
    stream.begin_again(still, &record, &[]);
    assert_eq!(stream.sockets(), 1);
    assert_eq!((stream.generation(), stream.revoked_at()), (1, Wall(9)));
    assert_eq!(stream.marks().next, 1);
}

#[tokio::test]
async fn stored_frames_are_read_by_name() {
    let house = House::new(LIMITS);
    say(&house.stream("ann"), 1, "x").await;
    let frames = house.outboxes.frames(&user("ann"), 1, 10, 1 << 20);
    assert_eq!(frames.unwrap().len(), 1);
}

#[test]
fn the_horizon_is_the_time_to_live_ago() {
    let horizon = |now, ttl| Outboxes::horizon(Wall(now), Duration::from_secs(ttl));
    assert_eq!(horizon(10_000, 4), Wall(6_000));
    assert_eq!(horizon(10_000, 40), Wall(0));
}

#[tokio::test]
async fn a_round_with_nothing_to_do_writes_nothing() {
    let house = House::new(LIMITS);
    let done = house.stream("ann").cleanup(Wall(0), |_| false).await;
    assert_eq!(done.unwrap(), (0, 0));
    house.settled().await;
    assert_eq!(house.outboxes.visitors_after(None, 10).unwrap(), []);
}
