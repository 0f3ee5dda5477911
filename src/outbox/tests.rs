//! Streams over a real store. Frames are made as sessions make them, one at a time.

mod retire;

mod bounds;
mod care;

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;

use super::*;
use crate::id::{ConnectionId, SessionId};
use crate::machine::outbox::Resume;
use crate::meter::Meters;
use crate::protocol::close::Close;
use crate::protocol::frame::Kind;
use crate::store::tests::house::{hold_back, options, reopen};
use crate::store::{Frame, Op};

const LIMITS: Limits = Limits {
    max_pending: 10_000,
    max_pending_bytes: 16 << 20,
    sockets: 2,
    followers: 2,
};

struct House {
    dir: tempfile::TempDir,
    limits: Limits,
    outboxes: Outboxes,
}

impl House {
    fn new(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let outboxes = Self::open(dir.path(), limits);
        Self {
            dir,
            limits,
            outboxes,
        }
    }

    fn open(dir: &std::path::Path, limits: Limits) -> Outboxes {
        let opened = reopen(&options(dir)).unwrap();
        assert_eq!(opened.recovered.loss, None);
        Outboxes::new(
            opened.store,
            opened.committer,
            limits,
            &opened.recovered,
            Meters::default(),
        )
    }

    /// The process ends and starts again; what was queued is on disk.
    async fn restart(self) -> Self {
        self.settled().await;
        drop(self.outboxes);
        Self {
            outboxes: Self::open(self.dir.path(), self.limits),
            dir: self.dir,
            limits: self.limits,
        }
    }

    /// Everything queued before this is durable.
    async fn settled(&self) {
        self.outboxes.0.committer.commit(Vec::new()).await.unwrap();
    }

    fn stream(&self, name: &str) -> Arc<Stream> {
        self.outboxes.stream(&user(name)).unwrap()
    }
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn frame(session: u128, at: u64, text: &str) -> Frame {
    Frame {
        kind: Kind::AgentThinking,
        session: SessionId(session),
        at: Wall(at),
        payload: format!("{{\"message\":\"{text}\"}}"),
    }
}

/// The next frame of session 1, written at `at`.
async fn say(stream: &Arc<Stream>, at: u64, text: &str) -> u64 {
    let first = stream.first_record(Wall(at));
    let make = |_| Some((vec![frame(1, at, text)], first.into_iter().collect()));
    stream.append(make).await.unwrap().unwrap()
}

fn sent(stream: &Stream, range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    let mut all = Vec::new();
    let mut next = *range.start();
    while next <= *range.end() {
        let epoch = stream.marks().epoch;
        let batch = stream.take(epoch, next..=*range.end()).unwrap().unwrap();
        assert!(!batch.texts.is_empty(), "nothing from {next} on");
        next = batch.last + 1;
        all.extend(
            batch
                .texts
                .iter()
                .map(|t| String::from_utf8(t.to_vec()).unwrap()),
        );
    }
    all
}

fn sequence(text: &str) -> u64 {
    let frame: serde_json::Value = serde_json::from_str(text).unwrap();
    frame["sequence"].as_u64().unwrap()
}

#[tokio::test]
async fn many_at_once_get_numbers_without_a_gap_in_the_order_of_the_disk() {
    // req: D1
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    let tasks = (0..50u128).map(|task| {
        let stream = Arc::clone(&stream);
        tokio::spawn(async move {
            let mut own = Vec::new();
            for n in 0..6 {
                let first = stream.first_record(Wall(1));
                let text = format!("{task}.{n}");
                let make = move |_| {
                    let ops = first.into_iter().collect();
                    Some((vec![frame(task, 1, &text)], ops))
                };
                let last = stream.append(make).await.unwrap().unwrap();
                assert!(stream.marks().stable >= last, "told before it is stable");
                own.push(last);
            }
            own
        })
    });
    let mut all = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        let own = task.await.unwrap();
        assert!(own.is_sorted(), "a task's frames are in its order");
        all.extend(own);
    }
    all.sort_unstable();
    assert_eq!(all, (1..=300).collect::<Vec<_>>());
    let stored = house
        .outboxes
        .0
        .store
        .frames(&user("ann"), 1, 1000, 1 << 30);
    let stored = stored.unwrap();
    let texts = sent(&stream, 1..=300);
    for ((n, frame), text) in stored.iter().zip(&texts) {
        assert_eq!(*n, sequence(text));
        assert!(text.ends_with(&format!("\"payload\":{}}}", frame.payload)));
    }
    assert_eq!((stored.len(), texts.len()), (300, 300));
}

#[tokio::test]
async fn what_is_refused_takes_no_number() {
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    assert_eq!(say(&stream, 1, "one").await, 1);
    assert_eq!(stream.append(|_| None).await.unwrap(), None);
    assert_eq!(say(&stream, 1, "two").await, 2);
}

#[tokio::test]
async fn a_frame_is_the_same_to_the_byte_from_the_tail_the_store_and_after_a_restart() {
    // req: D6
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    let long = "ä\\\"\\n".repeat(300);
    for n in 0..200 {
        say(&stream, 1_760_000_000_000 + n, &long).await;
    }
    let newest = sent(&stream, 180..=200);
    let all = sent(&stream, 1..=200);
    assert_eq!(all[179..], newest, "from the store and from the tail");
    let order: Vec<u64> = all.iter().map(|t| sequence(t)).collect();
    assert_eq!(order, (1..=200).collect::<Vec<_>>(), "beyond the tail");
    drop(stream);
    let house = house.restart().await;
    let stream = house.stream("ann");
    assert_eq!(sent(&stream, 1..=200), all);
    assert_eq!(say(&stream, 5, "more").await, 201, "no number twice");
}

#[tokio::test]
async fn an_acknowledgement_survives_and_never_goes_back() {
    // req: D2
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    for _ in 0..10 {
        say(&stream, 1, "x").await;
    }
    sent(&stream, 1..=8);
    assert_eq!(
        stream.ack(9, None).await.unwrap(),
        Err(crate::machine::outbox::AckRefused::NeverSent)
    );
    for sequence in [7, 3, 7] {
        assert_eq!(stream.ack(sequence, None).await.unwrap(), Ok(()));
    }
    assert_eq!(stream.ack(8, Some("another")).await.unwrap(), Ok(()));
    stream.on_resend(2).await.unwrap();
    let before = stream.marks();
    assert_eq!((before.acked, before.pending()), (7, 3));
    drop(stream);
    let house = house.restart().await;
    let after = house.stream("ann").marks();
    assert_eq!(
        (after.acked, after.next, after.epoch),
        (7, 11, before.epoch)
    );
    assert_eq!(
        after.oldest, 1,
        "acknowledged frames are held until they are forgotten"
    );
    let start = after.start(&Resume::Pending);
    assert_eq!((start.after, start.not_recovered), (7, None));
}

#[tokio::test]
async fn room_is_reserved_counted_and_given_back() {
    // req: D8
    // req: D3
    let check = async |limits: Limits, texts: usize, length: usize, rooms: usize| {
        let house = House::new(limits);
        let stream = house.stream("ann");
        for _ in 0..texts {
            say(&stream, 1, &"x".repeat(length)).await;
        }
        let mut held: Vec<_> = std::iter::from_fn(|| stream.reserve()).collect();
        assert_eq!(held.len(), rooms);
        held.pop();
        held.extend(stream.reserve());
        assert!(held.len() == rooms && stream.reserve().is_none());
        let _accepted_before_a_restart = stream.reserve_again();
        drop(held);
        if texts > 0 {
            sent(&stream, 1..=texts as u64);
            stream.ack(texts as u64, None).await.unwrap().unwrap();
        }
        assert!(stream.reserve().is_some(), "acknowledging makes room");
    };
    let frames = Limits {
        max_pending: 3 * ANSWER_FRAMES,
        ..LIMITS
    };
    check(frames, 0, 0, 3).await;
    check(frames, 1, 1, 2).await;
    check(frames, 64, 1, 2).await;
    let bytes = Limits {
        max_pending_bytes: 3 * ANSWER_BYTES,
        ..LIMITS
    };
    check(bytes, 0, 0, 3).await;
    check(bytes, 6, 100_000, 1).await;
}

#[tokio::test]
async fn one_socket_too_many_closes_the_oldest() {
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    let attach = |n| stream.attach(ConnectionId(n), false, &Resume::Pending).0;
    let (mut first, mut second) = (attach(1), attach(2));
    let mut third = attach(3);
    assert_eq!(first.close.recv().await, Some(Close::Replaced));
    assert!(second.close.try_recv().is_err() && stream.sockets() == 2);
    drop(first);
    assert_eq!(stream.sockets(), 2, "leaving twice frees nothing");
    drop(second);
    let mut fourth = attach(4);
    assert!(third.close.try_recv().is_err());
    stream.close_all(Close::ByAdministrator);
    for socket in [&mut third, &mut fourth] {
        assert_eq!(socket.close.recv().await, Some(Close::ByAdministrator));
    }
    drop((third, fourth));
    assert_eq!(stream.sockets(), 0);
}

#[tokio::test]
async fn whoever_follows_pushes_out_other_followers_and_never_the_visitor() {
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    let attach = |n, follows| stream.attach(ConnectionId(n), follows, &Resume::Pending).0;
    let (mut own, mut first) = (attach(1, false), attach(2, true));
    let (mut second, mut third) = (attach(3, true), attach(4, true));
    assert_eq!(first.close.recv().await, Some(Close::Replaced));
    assert!(own.close.try_recv().is_err() && second.close.try_recv().is_err());
    assert_eq!((stream.sockets(), stream.followers()), (3, 2));
    assert_eq!(stream.close_followers(Close::CredentialEnded), 2);
    for socket in [&mut second, &mut third] {
        assert_eq!(socket.close.recv().await, Some(Close::CredentialEnded));
    }
    assert!(own.close.try_recv().is_err());
    drop((first, second, third));
    assert_eq!((stream.sockets(), stream.followers()), (1, 0));
}

#[tokio::test]
async fn what_is_old_expires_and_what_nobody_holds_is_forgotten() {
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    // One chunk each: an append is waited for before the next.
    for at in [10, 20, 30, 40] {
        say(&stream, at, "x").await;
    }
    sent(&stream, 1..=1);
    stream.ack(1, None).await.unwrap().unwrap();
    let (held, free) = (|_: &Frame| true, |_: &Frame| false);
    assert_eq!(stream.cleanup(Wall(0), held).await.unwrap(), (0, 0));
    // 1 is acknowledged, 2 is too old: both go unless their session is held.
    let (mut socket, ..) = stream.attach(ConnectionId(1), false, &Resume::Pending);
    socket.changed.mark_unchanged();
    assert_eq!(stream.cleanup(Wall(25), held).await.unwrap(), (1, 0));
    assert!(
        socket.changed.has_changed().unwrap(),
        "the sockets are told"
    );
    assert_eq!((stream.marks().acked, stream.marks().oldest), (2, 1));
    assert_eq!(stream.cleanup(Wall(25), free).await.unwrap(), (0, 2));
    assert_eq!((stream.marks().acked, stream.marks().oldest), (2, 3));
    let start = stream.marks().start(&Resume::After {
        after: 1,
        epoch: None,
    });
    assert_eq!(start.not_recovered, Some("frames_expired"));
    drop((socket, stream));
    let house = house.restart().await;
    let stream = house.stream("ann");
    let marks = stream.marks();
    assert_eq!((marks.oldest, marks.acked, marks.next), (3, 2, 5));
    assert_eq!(sent(&stream, 3..=4).len(), 2);
    assert_eq!(stream.cleanup(Wall(99), free).await.unwrap(), (2, 2));
    drop(stream);
    let house = house.restart().await;
    let stream = house.stream("ann");
    assert_eq!(
        say(&stream, 50, "x").await,
        5,
        "numbers go on where nothing is held"
    );
}

#[tokio::test]
async fn held_frames_go_where_they_are_more_than_a_visitor_may_have() {
    // req: D8
    // req: D3
    let house = House::new(Limits {
        max_pending_bytes: 1000,
        ..LIMITS
    });
    let stream = house.stream("ann");
    for _ in 0..5 {
        say(&stream, 1, &"x".repeat(400)).await;
    }
    sent(&stream, 1..=4);
    stream.ack(4, None).await.unwrap().unwrap();
    let (expired, forgotten) = stream.cleanup(Wall(0), |_| true).await.unwrap();
    assert_eq!(
        (expired, forgotten),
        (0, 3),
        "as few as bring it under the limit"
    );
    assert_eq!(stream.marks().oldest, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_never_two_and_never_behind_itself() {
    // req: D1
    let house = House::new(LIMITS);
    let outboxes = house.outboxes.clone();
    let done = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&done);
    let releasing = std::thread::spawn(move || {
        while !stop.load(Ordering::SeqCst) {
            outboxes.release_idle();
        }
    });
    let tasks = (0..4).map(|_| {
        let outboxes = house.outboxes.clone();
        tokio::spawn(async move {
            for _ in 0..100 {
                let stream = outboxes.stream(&user("ann")).unwrap();
                let last = say(&stream, 1, "x").await;
                let epoch = stream.marks().epoch;
                stream.take(epoch, last..=last).unwrap().unwrap();
                stream.ack(last, None).await.unwrap().unwrap();
                // Let go of while the acknowledgement is on its way to the disk.
                drop(stream);
                let again = outboxes.stream(&user("ann")).unwrap();
                assert!(again.marks().acked >= last, "behind itself");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    releasing.join().unwrap();
    assert_eq!(house.stream("ann").marks().next, 401);
    house.settled().await;
    let house = house.restart().await;
    assert_eq!(house.stream("ann").marks().acked, 400);
}

#[tokio::test]
async fn a_stream_stays_until_what_was_queued_is_on_disk() {
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    say(&stream, 1, "x").await;
    sent(&stream, 1..=1);
    let gate = hold_back(&house.outboxes.0.committer).await;
    stream.ack(1, None).await.unwrap().unwrap();
    drop(stream);
    assert_eq!(house.outboxes.release_idle(), 1, "the acknowledgement");
    drop(gate);
    house.settled().await;
    assert_eq!(house.outboxes.release_idle(), 0);
    assert_eq!(house.stream("ann").marks().acked, 1);
}

#[tokio::test]
async fn what_was_read_before_a_release_is_not_entered_after_it() {
    let house = House::new(LIMITS);
    let (outboxes, ann) = (&house.outboxes, user("ann"));
    let (releases, stale) = (outboxes.lock().releases, outboxes.load(&ann).unwrap());
    say(&house.stream("ann"), 1, "x").await;
    house.settled().await;
    assert_eq!(outboxes.release_idle(), 0);
    assert!(outboxes.enter(&ann, stale, releases).is_none());
    assert_eq!(say(&house.stream("ann"), 1, "y").await, 2);
}

#[tokio::test]
async fn a_caller_that_is_dropped_leaves_all_of_it_or_nothing() {
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    say(&stream, 1, "first").await;
    let make = |_| Some((vec![frame(1, 1, "x")], vec![Op::Count("said".into(), 1)]));
    let mut appending = Box::pin(stream.append(make));
    // Queued at the first look; nobody waits for it any more.
    assert!((&mut appending).now_or_never().is_none());
    drop(appending);
    house.settled().await;
    assert_eq!(stream.marks().stable, 2);
    assert_eq!(house.outboxes.0.store.counter("said").unwrap(), 1);
    drop(stream.append(|_| unreachable!("never looked at")));
    assert_eq!(say(&stream, 1, "third").await, 3);
}
