use super::*;
use crate::machine::dice::{Dice, seeds};

const SECOND: Duration = Duration::from_secs(1);

impl Admission {
    /// Room, and into the queue at once.
    fn offer(&mut self, visitor: &UserId, id: SessionId, now: Instant) -> Result<Place, Refused> {
        self.hold(visitor, id, now)?;
        Ok(self.enter(visitor, id))
    }
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn limits(max_concurrent: usize, max_processing: usize, max_per_visitor: usize) -> Limits {
    Limits {
        max_concurrent,
        max_processing,
        max_per_visitor,
        expected_processing: SECOND * 8,
    }
}

/// Offers the sessions (`"a1 b1"`: visitor a's first, b's first), numbered by their order.
fn offered(limits: Limits, now: Instant, names: &str) -> (Admission, Vec<String>) {
    let mut admission = Admission::new(limits);
    let names: Vec<_> = names.split_whitespace().map(str::to_owned).collect();
    for (n, name) in names.iter().enumerate() {
        let id = SessionId(n as u128);
        admission.offer(&user(&name[..1]), id, now).unwrap();
    }
    (admission, names)
}

#[test]
fn visitors_take_turns_and_each_is_served_in_order() {
    // req: S5
    let check = |offers: &str, order: &str| {
        let now = Instant::now();
        let (mut admission, names) = offered(limits(100, 1, 16), now, offers);
        let name = |id: SessionId| names[id.0 as usize].clone();
        let foretold: Vec<_> = admission.queue().into_iter().map(name).collect();
        let mut served = Vec::new();
        while let Some(id) = admission.next_ready(now) {
            assert_eq!(admission.next_ready(now), None, "one at a time");
            served.push(name(id));
            assert!(admission.finish(id, now));
        }
        assert_eq!(served.join(" "), order, "for {offers}");
        assert_eq!(foretold, served, "the queue tells the order");
    };
    check("a1 a2 a3", "a1 a2 a3");
    check("a1 a2 a3 a4 b1", "a1 b1 a2 a3 a4");
    check("a1 a2 b1 b2 b3 c1", "a1 b1 c1 a2 b2 b3");
    check("a1 b1 a2 b2 a3", "a1 b1 a2 b2 a3");
}

#[test]
fn a_newcomer_waits_for_one_message_of_the_busy_visitor() {
    let now = Instant::now();
    let busy = (1..=16).map(|_| "a").collect::<Vec<_>>().join(" ");
    let (mut admission, _) = offered(limits(1000, 1, 16), now, &busy);
    let running = admission.next_ready(now).unwrap();
    let place = admission.offer(&user("b"), SessionId(99), now).unwrap();
    assert_eq!(place.position, 2);
    admission.finish(running, now);
    admission.next_ready(now).unwrap();
    assert_eq!(admission.position(SessionId(99)), Some(1));
    admission.cancel(SessionId(1));
    assert_eq!(admission.next_ready(now), Some(SessionId(99)));
    assert_eq!(admission.position(SessionId(99)), Some(0));
}

#[test]
fn refuses_beyond_the_limits_with_an_estimate() {
    // req: S5
    let start = Instant::now();
    let (mut admission, _) = offered(limits(4, 2, 3), start, "a a a b");
    let refused = |admission: &mut Admission, name: &str, at: Instant| {
        admission.offer(&user(name), SessionId(50), at).unwrap_err()
    };
    // Nothing runs: one round of waiting and one of processing, of 8 s each.
    let retry_after = SECOND * 16;
    assert_eq!(
        refused(&mut admission, "a", start),
        Refused::VisitorBusy { retry_after }
    );
    let first = admission.next_ready(start).unwrap();
    admission.next_ready(start).unwrap();
    assert_eq!(admission.next_ready(start), None, "two at once");
    // Two run: one is done every 4 s; a's own has 5 of 8 s left.
    let later = start + SECOND * 3;
    assert_eq!(
        refused(&mut admission, "c", later),
        Refused::Overloaded {
            retry_after: SECOND * 4
        }
    );
    assert_eq!(
        refused(&mut admission, "a", later).retry_after(),
        SECOND * 5
    );
    assert_eq!(
        refused(&mut admission, "a", start + SECOND * 60).retry_after(),
        SECOND
    );
    // The measured time replaces the expectation, then moves by an eighth.
    assert!(admission.finish(first, start + SECOND * 16));
    assert_eq!(admission.average_processing(), SECOND * 16);
    assert!(admission.offer(&user("c"), SessionId(51), later).is_ok());
    let second = admission.next_ready(start).unwrap();
    admission.finish(second, start + SECOND * 8);
    assert_eq!(admission.average_processing(), SECOND * 15);
}

#[test]
fn a_session_enters_once_and_ends_once() {
    let now = Instant::now();
    let (mut admission, _) = offered(limits(2, 1, 2), now, "a a");
    let again = admission.offer(&user("a"), SessionId(1), now);
    assert_eq!(again, Ok(Place { position: 2 }), "known although full");
    assert_eq!((admission.waiting(), admission.processing()), (2, 0));
    assert!(
        !admission.finish(SessionId(0), now),
        "it does not process yet"
    );
    let id = admission.next_ready(now).unwrap();
    assert!(admission.finish(id, now));
    assert!(!admission.finish(id, now) && !admission.cancel(id));
    assert_eq!(admission.position(id), None);
    assert!(admission.cancel(SessionId(1)));
    assert_eq!((admission.waiting(), admission.processing()), (0, 0));
    assert_eq!(admission.next_ready(now), None);
}

#[test]
fn what_was_accepted_is_kept_whatever_the_limits() {
    let now = Instant::now();
    let (mut admission, _) = offered(limits(10, 3, 10), now, "a a a");
    while admission.next_ready(now).is_some() {}
    admission.set_limits(limits(1, 1, 1));
    for n in 10..15 {
        admission.enter(&user("a"), SessionId(n));
    }
    assert_eq!((admission.waiting(), admission.processing()), (5, 3));
    assert_eq!(admission.next_ready(now), None);
    assert!(admission.offer(&user("z"), SessionId(20), now).is_err());
    for n in (0..3).chain(10..15) {
        let expected = if n < 3 { 0 } else { n as usize - 9 };
        assert_eq!(admission.position(SessionId(n)), Some(expected));
    }
    for n in 0..3 {
        assert!(admission.finish(SessionId(n), now));
    }
    for n in 10..15 {
        assert_eq!(admission.next_ready(now), Some(SessionId(n)));
        assert_eq!(
            admission.next_ready(now),
            None,
            "the lower limit holds for new starts"
        );
        assert!(admission.finish(SessionId(n), now));
    }
}

/// One seed: random visitors come, leave and are served; the promises hold after each step.
fn model(seed: u64) {
    let mut dice = Dice::new(seed);
    let pick = |dice: &mut Dice, n: u64| 1 + dice.below(n) as usize;
    let limits = limits(pick(&mut dice, 20), pick(&mut dice, 4), pick(&mut dice, 6));
    let start = Instant::now();
    let (mut admission, mut now, mut next_id) = (Admission::new(limits), start, 0u128);
    // The naive reference: who is in, and in which order each visitor's sessions came.
    let mut waiting: Vec<(UserId, SessionId)> = Vec::new();
    let mut processing: Vec<(UserId, SessionId)> = Vec::new();
    let mut told: BTreeMap<SessionId, usize> = BTreeMap::new();
    for step in 0..150 {
        now += Duration::from_millis(dice.below(400));
        match dice.below(10) {
            0..5 => {
                let visitor = user(["a", "b", "c", "d"][dice.below(4) as usize]);
                let of = |list: &[(UserId, SessionId)]| {
                    list.iter().filter(|(v, _)| *v == visitor).count()
                };
                let busy = of(&waiting) + of(&processing) >= limits.max_per_visitor;
                let full = waiting.len() + processing.len() >= limits.max_concurrent;
                let id = SessionId(next_id);
                next_id += 1;
                match admission.offer(&visitor, id, now) {
                    Ok(place) => {
                        assert!(!busy && !full, "step {step}: over the limit");
                        waiting.push((visitor, id));
                        assert_eq!(admission.queue()[place.position - 1], id, "step {step}");
                    }
                    Err(refused) => {
                        assert!(busy || full, "step {step}: refused without a reason");
                        assert_eq!(matches!(refused, Refused::VisitorBusy { .. }), busy);
                        assert!(
                            refused.retry_after() > Duration::ZERO
                                || admission.average_processing().is_zero()
                        );
                    }
                }
            }
            5..8 => {
                let ahead = admission.queue();
                match admission.next_ready(now) {
                    Some(id) => {
                        assert_eq!(ahead[0], id, "step {step}: the queue foretold another");
                        let at = waiting.iter().position(|(_, w)| *w == id).unwrap();
                        let entry = waiting.remove(at);
                        let overtaken = waiting[..at].iter().any(|(v, _)| *v == entry.0);
                        assert!(!overtaken, "step {step}: not first come, first served");
                        processing.push(entry);
                    }
                    None => assert!(
                        waiting.is_empty() || processing.len() == limits.max_processing,
                        "step {step}: idle"
                    ),
                }
            }
            8 if !processing.is_empty() => {
                let (_, id) = processing.swap_remove(dice.below(processing.len() as u64) as usize);
                assert!(admission.finish(id, now));
            }
            9 if !waiting.is_empty() && dice.below(2) == 0 => {
                let (_, id) = waiting.remove(dice.below(waiting.len() as u64) as usize);
                assert!(admission.cancel(id));
                assert_eq!(admission.position(id), None);
            }
            _ => {}
        }
        assert!(processing.len() <= limits.max_processing);
        assert!(waiting.len() + processing.len() <= limits.max_concurrent);
        assert_eq!(
            (admission.waiting(), admission.processing()),
            (waiting.len(), processing.len()),
            "step {step}"
        );
        let mut queue = admission.queue();
        queue.sort();
        let mut expected: Vec<_> = waiting.iter().map(|(_, id)| *id).collect();
        expected.sort();
        assert_eq!(queue, expected, "step {step}: somebody is lost");
        for (_, id) in waiting.iter().chain(&processing) {
            let position = admission.position(*id).unwrap();
            let before = told.insert(*id, position).unwrap_or(usize::MAX);
            assert!(
                position <= before,
                "step {step}: {id} rose from {before} to {position}"
            );
            assert_eq!(
                position == 0,
                processing.iter().any(|(_, p)| p == id),
                "step {step}"
            );
        }
    }
    for (_, id) in waiting.iter().chain(&processing) {
        assert!(admission.cancel(*id));
    }
    let left = (admission.visitors.len(), admission.turns.len());
    assert_eq!(left, (0, 0), "who has left costs nothing");
}

#[test]
fn keeps_its_promises_over_seeds() {
    seeds(3_000, model);
}

/// A round: between two sessions of one visitor, every other visitor who waits gets one.
#[test]
fn nobody_starves() {
    seeds(500, |seed| {
        let mut dice = Dice::new(seed);
        let now = Instant::now();
        let mut admission = Admission::new(limits(1000, 1, 1000));
        let mut owner = BTreeMap::new();
        let mut passed_over = BTreeMap::new();
        for n in 0..200u128 {
            let visitor = user(["a", "a", "a", "a", "b", "c"][dice.below(6) as usize]);
            admission.offer(&visitor, SessionId(n), now).unwrap();
            owner.insert(SessionId(n), visitor);
            if dice.below(2) == 0 {
                continue;
            }
            let id = admission.next_ready(now).unwrap();
            admission.finish(id, now);
            let served = owner.remove(&id).unwrap();
            passed_over.remove(&served);
            let others: std::collections::BTreeSet<_> =
                owner.values().filter(|v| **v != served).cloned().collect();
            for other in others {
                let turns: &mut usize = passed_over.entry(other).or_default();
                *turns += 1;
                assert!(*turns <= 2, "passed over {turns} times beside two others");
            }
        }
    });
}

#[test]
fn a_session_that_is_not_durable_takes_room_and_is_never_started() {
    let now = Instant::now();
    let (mut admission, _) = offered(limits(3, 9, 2), now, "b");
    let id = SessionId(70);
    admission.hold(&user("a"), id, now).unwrap();
    assert_eq!(admission.position(id), None);
    assert_eq!(admission.waiting(), 1);
    assert_eq!(admission.next_ready(now), Some(SessionId(0)));
    assert_eq!(
        admission.next_ready(now),
        None,
        "it is on its way to the disk"
    );
    admission.hold(&user("a"), id, now).unwrap();
    admission.hold(&user("a"), SessionId(71), now).unwrap();
    assert!(matches!(
        admission.hold(&user("a"), SessionId(72), now),
        Err(Refused::VisitorBusy { .. })
    ));
    assert!(matches!(
        admission.hold(&user("c"), SessionId(73), now),
        Err(Refused::Overloaded { .. })
    ));
    assert!(admission.cancel(SessionId(71)), "it could not be written");
    assert_eq!(admission.enter(&user("a"), id).position, 1);
    assert_eq!(admission.next_ready(now), Some(id));
    assert!(admission.finish(id, now));
    assert_eq!(admission.visitors.len(), 1, "only b is left");
}

#[test]
fn limits_change_while_sessions_are_in() {
    let now = Instant::now();
    let (mut admission, _) = offered(limits(9, 3, 9), now, "a b c");
    assert_eq!(admission.limits(), limits(9, 3, 9));
    assert_eq!(admission.next_ready(now), Some(SessionId(0)));
    assert_eq!((admission.free(), admission.processing()), (2, 1));
    admission.set_limits(limits(1, 1, 1));
    assert_eq!((admission.free(), admission.waiting()), (0, 2), "all stay");
    assert_eq!(admission.next_ready(now), None);
    admission.set_limits(limits(0, 0, 0));
    assert_eq!(admission.limits(), limits(1, 1, 1), "a zero counts as one");
    admission.set_limits(limits(9, 5, 9));
    assert_eq!((admission.free(), admission.waiting()), (4, 2));
}

#[test]
fn the_estimate_for_a_busy_visitor_is_of_its_own_sessions() {
    let start = Instant::now();
    let (mut admission, _) = offered(limits(9, 1, 1), start, "a b");
    assert_eq!(admission.next_ready(start), Some(SessionId(0)));
    let later = start + SECOND * 3;
    let mut wait = |name: &str| {
        let refused = admission.offer(&user(name), SessionId(50), later);
        refused.unwrap_err().retry_after()
    };
    assert_eq!(wait("a"), SECOND * 5, "what is left of its own");
    assert_eq!(wait("b"), SECOND * 16, "its turn, and its own");
}
