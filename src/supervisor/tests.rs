//! A scripted backend over a real store. What is waited for is what a visitor would see.

pub(crate) mod house;

use std::sync::atomic::Ordering;

use super::*;
use crate::outbox;
use crate::store::tests::house::hold_back;
use house::{Act, House, PLAN, Plan, Script, chat, kinds, patient, the_end, visitor};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_told_from_the_beginning_to_the_end() {
    // req: D6
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Answer(2), Act::LeakSink]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    let session = house.send("ann", "m1").await;
    let frames = house.frames("ann", session).await;
    assert_eq!(
        kinds(&frames),
        [
            "processing_started",
            "agent_started",
            "agent_thinking",
            "agent_thinking",
            "agent_completed"
        ]
    );
    let (_, end) = the_end(&frames);
    assert_eq!(end["real_agent_execution"], true);
    assert_eq!(end["fallback_reason"], Value::Null);
    assert_eq!(end["result"]["execution"]["backend"], "primary");
    let again = house.intake.submit(visitor("ann"), chat("m1")).await;
    let again = again.unwrap();
    assert!(again.duplicate && again.session == session);
    assert_eq!(primary.calls(), 1);
    assert_eq!(house.ask("leaked-sink").await.0, Kind::AgentCompleted);
    house.idle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_agent_is_replaced_and_the_reason_is_told() {
    // req: B3, B4
    let check = async |act: Act, reason: &str, code: &str| {
        let dir = tempfile::tempdir().unwrap();
        let plan = Plan {
            agent_timeout: Duration::from_millis(if matches!(act, Act::Hang) {
                20
            } else {
                60_000
            }),
            ..PLAN
        };
        let (primary, fallback) = (
            Script::new("primary", &[act, act]),
            Script::new("spare", &[]),
        );
        let house = House::open(dir.path(), plan, &primary, Some(&fallback));
        let (kind, end) = house.ask("with-a-fallback").await;
        assert_eq!(kind, Kind::AgentCompleted, "{end}");
        assert_eq!(end["real_agent_execution"], true);
        assert_eq!(end["result"]["execution"]["backend"], "spare");
        let told = end["fallback_reason"].as_str().unwrap();
        assert!(told.starts_with(reason), "{told}");
        assert_eq!((primary.calls(), fallback.calls()), (1, 1));
        primary.alive(0).await;
        house.close().await;

        let alone = House::open(dir.path(), plan, &primary, None);
        let (kind, end) = alone.ask("without-one").await;
        assert_eq!((kind, end["code"].as_str()), (Kind::Error, Some(code)));
        assert_eq!(end["retryable"], true);
        primary.alive(0).await;
        alone.idle().await;
    };
    check(Act::Fail, "agent_failed: ", "agent_failed").await;
    check(Act::Panic, "agent_failed: ", "agent_failed").await;
    check(Act::PanicAtOnce, "agent_failed: ", "agent_failed").await;
    check(Act::Hang, "timeout: ", "timeout").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_failures_open_the_breaker_and_the_agent_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Fail; 5]);
    let fallback = Script::new("spare", &[]);
    let house = House::open(dir.path(), PLAN, &primary, Some(&fallback));
    for n in 0..7 {
        let (_, end) = house.ask(&format!("m{n}")).await;
        let reason = end["fallback_reason"].as_str().unwrap();
        let expected = if n < 5 {
            "agent_failed"
        } else {
            "breaker_open"
        };
        assert!(reason.starts_with(expected), "message {n}: {reason}");
    }
    assert_eq!((primary.calls(), fallback.calls()), (5, 7));
    let hand = ByHand {
        who: "ann",
        reason: Some("mended"),
    };
    house.supervisor.0.breakers.reset("primary", hand);
    // req: B2
    let snapshots = house.supervisor.0.breakers.snapshots();
    let told: Vec<_> = snapshots.iter().map(|s| (&*s.name, s.role)).collect();
    assert_eq!(told, [("primary", "primary"), ("spare", "fallback")]);
    assert_eq!(snapshots[0].failures.len(), 5);
    assert_eq!(snapshots[0].failures[0].error, "scripted");
    let changes = &snapshots[0].changes;
    let causes: Vec<_> = changes.iter().map(|c| c.cause.as_str()).collect();
    assert_eq!(causes, ["reset", "failures"]);
    assert_eq!(changes[0].by.as_deref(), Some("ann"));
    assert_eq!(
        (&changes[0].reason, &changes[1].by),
        (&Some("mended".into()), &None)
    );
    assert_eq!(house.ask("m7").await.1["fallback_reason"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_session_is_cancelled_and_its_agent_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Hang]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    let session = house.send("ann", "m1").await;
    primary.alive(1).await;
    let foreign = house.intake.cancel(&visitor("bob"), session).await;
    assert!(foreign.is_err(), "another visitor's session");
    house.intake.cancel(&visitor("ann"), session).await.unwrap();
    let (kind, _) = the_end(&house.frames("ann", session).await);
    assert_eq!(kind, Kind::SessionCancelled);
    primary.alive(0).await;
    house.idle().await;
    assert!(house.intake.cancel(&visitor("ann"), session).await.is_err());
    assert_eq!(house.ask("m2").await.0, Kind::AgentCompleted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_session_is_cancelled_without_being_begun() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Hang]);
    let plan = Plan {
        max_processing: 1,
        ..PLAN
    };
    let house = House::open(dir.path(), plan, &primary, None);
    let first = house.send("ann", "m1").await;
    primary.alive(1).await;
    let second = house.send("ann", "m2").await;
    house.intake.cancel(&visitor("ann"), second).await.unwrap();
    let frames = house.frames("ann", second).await;
    assert_eq!(kinds(&frames), ["session_cancelled"]);
    house.intake.cancel(&visitor("ann"), first).await.unwrap();
    house.idle().await;
    assert_eq!(primary.calls(), 1, "the second was never begun");
    assert_eq!(house.ask("m3").await.0, Kind::AgentCompleted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_over_its_limit_expires_running_or_waiting() {
    // req: S3
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Hang; 2]);
    let plan = Plan {
        session_timeout: Duration::from_millis(20),
        max_processing: 1,
        ..PLAN
    };
    let house = House::open(dir.path(), plan, &primary, None);
    let running = house.send("ann", "m1").await;
    let waiting = house.send("ann", "m2").await;
    patient(async {
        while house.stored("ann", waiting).is_empty() {
            house.supervisor.expire(clock::wall()).await.unwrap();
            tokio::task::yield_now().await;
        }
    })
    .await;
    for session in [running, waiting] {
        let (kind, _) = the_end(&house.frames("ann", session).await);
        assert_eq!(kind, Kind::SessionExpired);
    }
    primary.alive(0).await;
    house.idle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_drain_leaves_is_resumed_and_ends_once() {
    // req: D7, S1
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Hang]);
    let plan = Plan {
        max_processing: 1,
        ..PLAN
    };
    let house = House::open(dir.path(), plan, &primary, None);
    let running = house.send("ann", "m1").await;
    primary.alive(1).await;
    let waiting = house.send("bob", "m1").await;
    house.drain.advance(Phase::Draining);
    let late = house.intake.submit(visitor("ann"), chat("late")).await;
    assert!(late.is_err(), "nothing new during a drain");
    house.close().await;
    primary.alive(0).await;

    let house = House::open(dir.path(), plan, &primary, None);
    let ids: Vec<_> = house.unfinished.iter().map(|s| s.id).collect();
    assert_eq!(ids, [running, waiting], "oldest first");
    let resumed = house.intake.resume(house.unfinished.clone()).unwrap();
    assert_eq!(resumed, 2);
    let frames = house.frames("ann", running).await;
    assert_eq!(the_end(&frames).0, Kind::AgentCompleted);
    let beginnings = frames.iter().filter(|f| f.kind == Kind::ProcessingStarted);
    let resumed: Vec<bool> = beginnings
        .map(|f| f.payload.contains("\"resumed\":true"))
        .collect();
    assert_eq!(resumed, [false, true]);
    let frames = house.frames("bob", waiting).await;
    assert_eq!(the_end(&frames).0, Kind::AgentCompleted);
    house.idle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_says_too_much_is_cut_to_the_reserved_room() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Answer(500)]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    let session = house.send("ann", "m1").await;
    let frames = house.frames("ann", session).await;
    assert_eq!(the_end(&frames).0, Kind::AgentCompleted);
    let thoughts = kinds(&frames)
        .iter()
        .filter(|k| **k == "agent_thinking")
        .count();
    assert_eq!(thoughts, 56);
    assert!(frames.len() as u64 <= outbox::ANSWER_FRAMES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_of_ours_ends_the_session_and_frees_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    primary.broken.store(true, Ordering::SeqCst);
    let (kind, end) = house.ask("m1").await;
    assert_eq!((kind, &end["code"]), (Kind::Error, &json!("internal")));
    house.idle().await;
    primary.broken.store(false, Ordering::SeqCst);
    assert_eq!(house.ask("m2").await.0, Kind::AgentCompleted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_not_found_in_the_queue_before_it_is_durable() {
    // req: D6
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    let gate = hold_back(&house.committer).await;
    let mut submit = Box::pin(house.send("ann", "m1"));
    assert!((&mut submit).now_or_never().is_none(), "on its way");
    house.queue.ready.notify_one();
    assert_eq!(house.queue.with(|a| a.next_ready(clock::now())), None);
    drop(gate);
    let session = submit.await;
    let (kind, _) = the_end(&house.frames("ann", session).await);
    assert_eq!(kind, Kind::AgentCompleted);
}

/// The supervisor looks for work all the time while messages are on their way to the disk: none
/// is begun before it is durable, and none is overlooked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_of_a_crowd_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[]);
    let house = Arc::new(House::open(dir.path(), PLAN, &primary, None));
    let crowd = (0..40).map(|n| {
        let house = Arc::clone(&house);
        tokio::spawn(async move {
            let user = format!("v{n}");
            for m in 0..4 {
                let session = house.send(&user, &format!("m{m}")).await;
                let (kind, _) = the_end(&house.frames(&user, session).await);
                assert_eq!(kind, Kind::AgentCompleted);
            }
        })
    });
    for visitor in crowd.collect::<Vec<_>>() {
        visitor.await.unwrap();
    }
    assert_eq!(primary.calls(), 160);
    house.idle().await;
}

#[tokio::test]
async fn what_happened_is_counted_by_category_and_value() {
    // req: A7
    let dir = tempfile::tempdir().unwrap();
    let primary = Script::new("primary", &[Act::Answer(1), Act::Answer(1), Act::Fail]);
    let house = House::open(dir.path(), PLAN, &primary, None);
    for message in ["m1", "m2", "m3"] {
        let session = house.send("ann", message).await;
        house.frames("ann", session).await;
    }
    let word = chat("m");
    let count = |what: &str| {
        let name = format!("{what}.{}.{}", word.category, word.business_value);
        house.store.counter(&name).unwrap()
    };
    assert_eq!(
        (count("accepted"), count("completed"), count("failed")),
        (3, 2, 1)
    );
    assert_eq!((count("cancelled"), count("timed_out")), (0, 0));
    let first = house
        .store
        .session(house.send("ann", "m1").await)
        .unwrap()
        .unwrap();
    let took = first.ended.unwrap().since(first.created);
    assert!(u128::from(count("time_to_value_ms")) >= took.as_millis());
    assert_eq!(count("accepted"), 3, "a repetition is not counted again");
}

/// Every way to misbehave at once, beside agents that do their work. `TRIALS=200` makes it as long
/// as that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_that_misbehave_harm_nobody_else() {
    // req: B3, B4
    const BAD: [Act; 6] = [
        Act::Fail,
        Act::Panic,
        Act::PanicAtOnce,
        Act::Hang,
        Act::Drip,
        Act::Flood,
    ];
    const GOOD: [Act; 5] = [
        Act::Answer(2),
        Act::Answer(500),
        Act::Huge(10 << 20),
        Act::LeakSink,
        Act::Answer(0),
    ];
    let asked = std::env::var("TRIALS").ok();
    let trials: usize = asked.map_or(8, |n| n.parse().expect("TRIALS is a number"));
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan {
        agent_timeout: Duration::from_secs(3),
        ..PLAN
    };
    let (primary, spare) = (Script::new("primary", &[]), Script::new("spare", &[]));
    let house = House::open(dir.path(), plan, &primary, Some(&spare));
    let waves = trials.div_ceil(BAD.len() + GOOD.len() - 1);
    for wave in 0..waves {
        let hand = ByHand {
            who: "ann",
            reason: None,
        };
        house.supervisor.0.breakers.reset("primary", hand);
        // Another order in each wave; no five of the bad ones in a row open the breaker.
        let mut acts: Vec<Act> = BAD.into_iter().chain(GOOD).collect();
        acts.rotate_left(wave % BAD.len());
        primary.acts.lock().unwrap().extend(acts);
        let users: Vec<String> = (0..BAD.len() + GOOD.len())
            .map(|n| format!("w{wave}.{n}"))
            .collect();
        let asking = users.iter().map(|user| async {
            let session = house.send(user, "m1").await;
            house.frames(user, session).await
        });
        let answers = futures_util::future::join_all(asking).await;
        let mut by_primary = 0;
        for frames in &answers {
            let (kind, end) = the_end(frames);
            assert_eq!(kind, Kind::AgentCompleted, "wave {wave}: {end}");
            let first = end["result"]["execution"]["backend"] == "primary";
            assert_eq!(first, end["fallback_reason"].is_null(), "{end}");
            by_primary += usize::from(first);
            assert!(frames.len() as u64 <= outbox::ANSWER_FRAMES);
            let longest = frames.iter().map(|f| f.payload.len()).max();
            assert!(longest < Some(crate::protocol::MAX_SERVER_FRAME));
        }
        assert!(by_primary > 0, "wave {wave}: nobody's own agent answered");
        assert!(by_primary <= GOOD.len(), "wave {wave}: {by_primary}");
    }
    assert_eq!(primary.acts.lock().unwrap().len(), 0, "all were tried");
    primary.alive(0).await;
    house.idle().await;
}
