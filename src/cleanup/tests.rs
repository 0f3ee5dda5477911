//! Clean-ups over a real store, with a scripted backend that runs while they happen.

use futures_util::FutureExt;

use super::*;
use crate::id::{ConnectionId, SessionId};
use crate::machine::outbox::Resume;
use crate::protocol::frame::Kind;
use crate::store::tests::house::hold_back;
use crate::supervisor::tests::house::{
    Act, House, PLAN, Plan, Script, chat, kinds, patient, the_end, visitor,
};

const LIMITS: Limits = Limits {
    window: Duration::from_secs(600),
    each: 1 << 20,
    all: 2 << 20,
};

fn cleanup(house: &House, limits: Limits) -> Cleanup {
    Cleanup::new(
        house.store.clone(),
        house.committer.clone(),
        house.outboxes.clone(),
        house.sessions.clone(),
        house.intake.clone(),
        house.drain.clone(),
        limits,
    )
}

fn script(acts: &[Act]) -> Arc<Script> {
    Script::new("primary", acts)
}

fn held(house: &House, user: &str) -> Vec<(u64, String)> {
    let frames = house.store.frames(&visitor(user), 1, 1000, usize::MAX);
    let frames = frames.unwrap().into_iter();
    frames.map(|(n, f)| (n, f.payload)).collect()
}

/// One session that has ended and one whose agent hangs.
async fn busy(house: &House, primary: &Script) -> (SessionId, SessionId) {
    let ended = house.send("ann", "ended").await;
    house.frames("ann", ended).await;
    let hangs = house.send("ann", "hangs").await;
    primary.alive(1).await;
    (ended, hangs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_a_visitor_goes_and_the_numbering_begins_again() {
    // req: D4, S3
    let dir = tempfile::tempdir().unwrap();
    let primary = script(&[Act::Answer(2), Act::Hang]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    busy(&house, &primary).await;
    let other = house.send("bob", "m").await;
    house.frames("bob", other).await;
    let stream = house.outboxes.stream(&visitor("ann")).unwrap();
    let (mut socket, ..) = stream.attach(ConnectionId(7), &Resume::Pending);
    let cleanup = cleanup(&house, LIMITS);
    let preview = cleanup.preview(&visitor("ann")).unwrap();
    assert!(preview.may_be_undone && preview.undo.is_none() && preview.sockets == 1);

    let done = cleanup.clean(visitor("ann"), Vec::new).await.unwrap();
    assert_eq!(
        (done.removed.sessions, done.removed.running_sessions),
        (2, 1)
    );
    assert_eq!(done.removed.frames, held_before(&preview));
    assert_eq!(done.removed.pending_frames, done.removed.frames);
    assert!(done.epoch > done.epoch_before && done.sockets == 1);
    assert_eq!(
        patient(socket.close.recv()).await,
        Some(Close::ByAdministrator)
    );
    primary.alive(0).await;
    assert!(held(&house, "ann").is_empty());
    assert!(house.sessions.of(&visitor("ann")).is_empty());
    assert!(!held(&house, "bob").is_empty(), "nobody else's");
    assert_eq!(house.store.counter("cleanup.visitors").unwrap(), 1);

    let again = cleanup.clean(visitor("ann"), Vec::new).await.unwrap();
    assert!(again.removed.is_nothing() && again.epoch == done.epoch);
    assert!(
        again.undo.is_some(),
        "the first one may still be taken back"
    );

    // The same message again is a new one, numbered from 1 in the new epoch.
    let fresh = house.send("ann", "ended").await;
    let frames = house.frames("ann", fresh).await;
    assert_eq!(the_end(&frames).0, Kind::AgentCompleted);
    assert_eq!(held(&house, "ann")[0].0, 1);
    assert_eq!(stream.marks().epoch, done.epoch);
    house.idle().await;
    house.close().await;
    drop((stream, socket, cleanup));
    // The audit of the start finds all as it must be.
    let house = House::open(dir.path(), PLAN, &primary, None);
    assert!(house.unfinished.is_empty());
    let marks = house.outboxes.stream(&visitor("ann")).unwrap().marks();
    assert_eq!((marks.epoch, marks.oldest), (done.epoch, 1));
}

fn held_before(preview: &Preview) -> u64 {
    preview.holdings.frames
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_it_is_seen_before_it_is_durable() {
    // req: D4, D6
    let dir = tempfile::tempdir().unwrap();
    let primary = script(&[Act::Answer(2), Act::Hang]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    busy(&house, &primary).await;
    let stream = house.outboxes.stream(&visitor("ann")).unwrap();
    let before = stream.marks();
    let frames = held(&house, "ann");
    let gate = hold_back(&house.committer).await;
    let cleanup = cleanup(&house, LIMITS);
    let mut cleaning = Box::pin(cleanup.clean(visitor("ann"), Vec::new));
    for _ in 0..100 {
        assert!((&mut cleaning).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    assert_eq!(stream.marks(), before);
    assert_eq!(held(&house, "ann"), frames);
    drop(gate);
    let done = patient(cleaning).await.unwrap();
    assert_eq!(done.removed.frames, frames.len() as u64);
    assert_eq!(stream.marks().epoch, done.epoch);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_removed_comes_back_as_after_a_restart() {
    // req: D4
    let dir = tempfile::tempdir().unwrap();
    let primary = script(&[Act::Answer(2), Act::Hang]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    let (ended, hangs) = busy(&house, &primary).await;
    let before = held(&house, "ann");
    let cleanup = cleanup(&house, LIMITS);
    let done = cleanup.clean(visitor("ann"), Vec::new).await.unwrap();
    let undone = cleanup.undo(visitor("ann"), Vec::new).await.unwrap();
    assert_eq!(undone.restored, done.removed);
    assert!(undone.epoch > done.epoch && undone.resumed == 1);
    let frames = house.frames("ann", hangs).await;
    assert_eq!(the_end(&frames).0, Kind::AgentCompleted);
    assert_eq!(
        kinds(&frames)
            .iter()
            .filter(|k| **k == "processing_started")
            .count(),
        2,
        "resumed"
    );
    let after = held(&house, "ann");
    assert_eq!(after[..before.len()], before[..], "with their numbers");
    let record = house.store.session(ended).unwrap().unwrap();
    assert!(house.sessions.last_frame(&record).unwrap().is_some());
    let again = house
        .intake
        .submit(visitor("ann"), chat("ended"))
        .await
        .unwrap();
    assert!(again.duplicate && again.session == ended);
    assert!(matches!(
        cleanup.undo(visitor("ann"), Vec::new).await,
        Err(NotUndone::Nothing(_))
    ));
    assert!(house.store.all_purged().unwrap().is_empty());
    house.idle().await;
    house.close().await;
    drop(cleanup);
    let house = House::open(dir.path(), PLAN, &primary, None);
    assert_eq!(held(&house, "ann"), after);
    assert_eq!(
        house
            .outboxes
            .stream(&visitor("ann"))
            .unwrap()
            .marks()
            .epoch,
        undone.epoch
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_up_is_taken_back_only_while_that_is_safe() {
    let dir = tempfile::tempdir().unwrap();
    let primary = script(&[]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    let answered = async |user: &str, message: &str| {
        let session = house.send(user, message).await;
        house.frames(user, session).await;
        house.idle().await;
    };
    let refused = async |cleanup: &Cleanup, user: &str| {
        let error = cleanup.undo(visitor(user), Vec::new).await.unwrap_err();
        error.to_string()
    };
    let careful = cleanup(&house, LIMITS);
    assert!(refused(&careful, "ann").await.contains("no clean-up"));
    answered("ann", "m1").await;
    careful.clean(visitor("ann"), Vec::new).await.unwrap();
    answered("ann", "m2").await;
    assert!(refused(&careful, "ann").await.contains("sent something"));

    let never = cleanup(
        &house,
        Limits {
            window: Duration::ZERO,
            ..LIMITS
        },
    );
    let done = never.clean(visitor("ann"), Vec::new).await.unwrap();
    assert!(done.undo.is_none() && done.removed.frames > 0);
    assert!(refused(&never, "ann").await.contains("its time is over"));
    assert_eq!(never.forget(clock::wall()).await.unwrap(), 1);

    answered("bob", "m1").await;
    let small = cleanup(
        &house,
        Limits {
            each: 100,
            ..LIMITS
        },
    );
    assert!(!small.preview(&visitor("bob")).unwrap().may_be_undone);
    let done = small.clean(visitor("bob"), Vec::new).await.unwrap();
    assert!(done.undo.is_none());
    assert!(refused(&small, "bob").await.contains("too large"));

    // Beyond what is kept of all, the oldest goes.
    let few = cleanup(
        &house,
        Limits {
            all: done.removed.bytes * 3 / 2,
            ..LIMITS
        },
    );
    for user in ["cat", "dan"] {
        answered(user, "m1").await;
        few.clean(visitor(user), Vec::new).await.unwrap();
    }
    assert!(refused(&few, "cat").await.contains("no clean-up"));
    few.undo(visitor("dan"), Vec::new).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_session_goes_too() {
    let dir = tempfile::tempdir().unwrap();
    let primary = script(&[Act::Hang]);
    let plan = Plan {
        max_processing: 1,
        ..PLAN
    };
    let house = House::open(dir.path(), plan, &primary, None);
    house.send("bob", "hangs").await;
    primary.alive(1).await;
    house.send("ann", "waits").await;
    let cleanup = cleanup(&house, LIMITS);
    let done = cleanup.clean(visitor("ann"), Vec::new).await.unwrap();
    assert_eq!(
        (done.removed.sessions, done.removed.running_sessions),
        (1, 1)
    );
    assert_eq!(house.queue.with(|a| (a.waiting(), a.processing())), (0, 1));
    let undone = cleanup.undo(visitor("ann"), Vec::new).await.unwrap();
    assert_eq!(undone.resumed, 1);
    assert_eq!(house.queue.with(|a| a.waiting()), 1);
}
