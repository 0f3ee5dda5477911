use super::*;
use crate::machine::dice::{Dice, seeds};

const POLICY: SendPolicy = SendPolicy {
    window: 4,
    ack_timeout: Duration::from_secs(5),
    retries: backoff::Policy {
        base: Duration::from_secs(1),
        max_tries: 3,
        jitter: 0.0,
    },
};

#[test]
fn where_sending_starts() {
    let after = |after, epoch: &str| Resume::After {
        after,
        epoch: Some(epoch.to_owned()),
    };
    let held = Marks::recovered(7, 5, 8, 12);
    let empty = Marks::new(7);
    let check = |name: &str, marks: &Marks, resume: Resume, start: u64, reason: Option<&str>| {
        assert_eq!(
            marks.start(&resume),
            Start {
                after: start,
                not_recovered: marks.start(&resume).not_recovered
            },
            "{name}"
        );
        assert_eq!(marks.start(&resume).not_recovered, reason, "{name}");
    };
    check("what is pending", &held, Resume::Pending, 8, None);
    check("everything held", &held, after(0, "7"), 4, None);
    check(
        "everything held, epoch unknown",
        &held,
        Resume::After {
            after: 0,
            epoch: None,
        },
        4,
        None,
    );
    check("holds nothing of any epoch", &held, after(0, "6"), 4, None);
    check("after 9", &held, after(9, "7"), 9, None);
    check(
        "after an acknowledged one that is held",
        &held,
        after(4, "7"),
        4,
        None,
    );
    check(
        "the next was forgotten",
        &held,
        after(3, "7"),
        4,
        Some("frames_expired"),
    );
    check(
        "another epoch",
        &held,
        after(9, "6"),
        4,
        Some("epoch_changed"),
    );
    check(
        "a number never given",
        &held,
        after(12, "7"),
        4,
        Some("ahead_of_server"),
    );
    check("nothing was ever sent", &empty, Resume::Pending, 0, None);
    check(
        "nothing was ever sent, asked for all",
        &empty,
        after(0, "7"),
        0,
        None,
    );
    check(
        "a cleaned visitor",
        &empty,
        after(9, "6"),
        0,
        Some("epoch_changed"),
    );
}

#[test]
fn acknowledgements_are_cumulative_and_bounded() {
    let mut marks = Marks::new(1);
    marks.assign(5);
    marks.on_stable(5);
    marks.on_sent(3);
    assert_eq!(marks.on_ack(4), Err(AckRefused::NeverSent));
    assert_eq!(marks.on_ack(2), Ok(true));
    assert_eq!(marks.on_ack(1), Ok(false));
    assert_eq!((marks.acked, marks.pending()), (2, 3));
    assert_eq!(marks.on_expired(4), 2);
    marks.on_forgotten(10);
    assert_eq!(marks.oldest, 5);
}

#[test]
fn a_silent_client_is_sent_to_four_times() {
    // req: D3
    let start = Instant::now();
    let mut marks = Marks::new(1);
    marks.assign(6);
    marks.on_stable(6);
    let mut cursor = Cursor::new(POLICY, 0, 0);
    let mut log = Vec::new();
    let mut now = start;
    loop {
        let range = cursor.sendable(&marks);
        if !range.is_empty() {
            log.push((
                now.duration_since(start).as_secs(),
                *range.start(),
                *range.end(),
            ));
            cursor.on_sent(*range.end(), now);
            marks.on_sent(*range.end());
        }
        now = cursor.poll_timeout().expect("something is unacknowledged");
        if cursor.handle_timeout(now, 0) == Order::GiveUp {
            break;
        }
    }
    assert_eq!(log, [(0, 1, 4), (6, 1, 4), (13, 1, 4), (22, 1, 4)]);
    assert_eq!(now.duration_since(start).as_secs(), 27);
    assert_eq!(marks.pending(), 6, "what is not acknowledged stays pending");
}

/// A stream with sockets that come, go, lose what they were sent, and acknowledge late; the
/// clients apply n only after n-1. Whatever happens, each applies all frames in order once.
#[test]
fn every_client_applies_everything_once_in_order() {
    // req: D1, D2, D5
    seeds(2000, |seed| {
        let mut dice = Dice::new(seed);
        let mut now = Instant::now();
        let mut marks = Marks::new(1);
        let mut applied = 0u64;
        let mut socket: Option<(Cursor, Vec<u64>)> = None;
        let total = 30 + dice.below(40);
        let mut steps = 0;
        while marks.next <= total || marks.acked < marks.next - 1 {
            steps += 1;
            assert!(steps < 20_000, "no progress");
            now += Duration::from_millis(dice.below(2000));
            match dice.below(10) {
                0 | 1 if marks.next <= total => {
                    marks.assign(1 + dice.below(5));
                }
                2 | 3 => marks.on_stable(marks.stable + dice.below(marks.next - marks.stable)),
                4 if dice.below(4) == 0 => socket = None,
                5 if socket.is_none() => {
                    let resume = if dice.below(2) == 0 {
                        Resume::Pending
                    } else {
                        Resume::After {
                            after: applied,
                            epoch: None,
                        }
                    };
                    let start = marks.start(&resume);
                    assert_eq!(start.not_recovered, None);
                    assert!(
                        start.after <= applied,
                        "a gap of {} after {applied}",
                        start.after
                    );
                    socket = Some((Cursor::new(POLICY, start.after, marks.acked), Vec::new()));
                }
                6 => {
                    if dice.below(5) == 0 {
                        marks.on_forgotten(marks.acked);
                    }
                }
                _ => {}
            }
            marks.on_stable(marks.next - 1);
            let Some((cursor, wire)) = &mut socket else {
                continue;
            };
            cursor.on_acked(marks.acked, now);
            if cursor.handle_timeout(now, dice.next()) == Order::GiveUp {
                socket = None;
                continue;
            }
            let range = cursor.sendable(&marks);
            if !range.is_empty() {
                assert!(
                    *range.start() >= marks.oldest && *range.end() <= marks.stable,
                    "sent what is not on disk"
                );
                cursor.on_sent(*range.end(), now);
                marks.on_sent(*range.end());
                assert!(cursor.in_flight() <= POLICY.window, "window");
                wire.extend(range);
            }
            for sequence in wire.drain(..) {
                if dice.below(20) > 0 && sequence == applied + 1 {
                    applied += 1;
                }
            }
            if dice.below(2) == 0 && applied <= marks.sent {
                marks
                    .on_ack(applied)
                    .expect("only what was sent is acknowledged");
            }
        }
        assert_eq!(applied, marks.next - 1);
    });
}

/// Sockets of one visitor, one quick, one slow, one that began again from the oldest. Any of them
/// acknowledges for all; each is sent every frame, the first time in order and without a gap.
#[test]
fn every_socket_of_a_visitor_is_sent_everything() {
    // req: D1
    seeds(2000, |seed| {
        let mut dice = Dice::new(seed);
        let mut now = Instant::now();
        let mut marks = Marks::recovered(1, 3, 8, 9);
        let mut sockets = [8, 8, 2].map(|start| (Cursor::new(POLICY, start, 8), start));
        for _ in 0..200 {
            now += Duration::from_millis(dice.below(400));
            if dice.below(3) == 0 {
                let first = marks.assign(1 + dice.below(6));
                marks.on_stable(first);
                marks.on_stable(marks.next - 1);
            }
            let (cursor, reached) = &mut sockets[dice.below(3) as usize];
            cursor.on_acked(marks.acked, now);
            cursor.handle_timeout(now, dice.next());
            let range = cursor.sendable(&marks);
            if !range.is_empty() {
                assert!(*range.start() <= *reached + 1, "a gap after {reached}");
                let upto = range.start() + dice.below(range.end() - range.start() + 1);
                cursor.on_sent(upto, now);
                marks.on_sent(upto);
                *reached = upto.max(*reached);
                assert!(!cursor.is_left_behind(&marks));
            }
            if dice.below(2) == 0 {
                let reached = *reached;
                marks.on_ack(reached).expect("it was sent");
            }
        }
    });
}

#[test]
fn a_socket_is_left_behind_when_a_frame_it_never_got_is_gone() {
    let mut marks = Marks::recovered(1, 1, 9, 11);
    let slow = Cursor::new(POLICY, 5, 9);
    marks.on_forgotten(5);
    assert!(!slow.is_left_behind(&marks), "6 is held");
    marks.on_forgotten(6);
    assert!(slow.is_left_behind(&marks));
}

#[test]
fn a_cursor_tells_where_it_stands() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let told = |cursor: &Cursor| {
        (
            cursor.sent(),
            cursor.reached(),
            cursor.in_flight(),
            cursor.retries(),
        )
    };
    let mut cursor = Cursor::new(POLICY, 5, 3);
    assert_eq!(told(&cursor), (5, 5, 2, 0));
    cursor.on_sent(9, at(0));
    assert_eq!(told(&cursor), (9, 9, 6, 0));
    cursor.on_acked(4, at(1));
    assert_eq!(told(&cursor), (9, 9, 5, 0));
    assert_eq!(cursor.handle_timeout(at(6), 0), Order::Wait);
    assert_eq!(told(&cursor), (9, 9, 5, 1));
    assert_eq!(cursor.handle_timeout(at(7), 0), Order::Resend { retry: 1 });
    assert_eq!(told(&cursor), (4, 9, 0, 1));
    cursor.on_acked(9, at(8));
    assert_eq!(told(&cursor), (9, 9, 0, 0));
}

#[test]
fn a_timer_runs_only_while_something_waits_and_never_fires_early() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut cursor = Cursor::new(POLICY, 5, 5);
    cursor.on_sent(5, at(0));
    assert_eq!(cursor.poll_timeout(), None, "nothing waits");
    cursor.on_sent(7, at(0));
    assert_eq!(cursor.poll_timeout(), Some(at(5)));
    cursor.on_acked(6, at(1));
    assert_eq!(cursor.poll_timeout(), Some(at(6)), "one still waits");
    cursor.on_acked(7, at(1));
    assert_eq!(cursor.poll_timeout(), None);
    cursor.on_sent(9, at(2));
    assert_eq!(cursor.handle_timeout(at(6), 0), Order::Wait);
    assert_eq!(cursor.retries(), 0, "too early for a retry");
    assert_eq!(cursor.handle_timeout(at(7), 0), Order::Wait);
    assert_eq!((cursor.retries(), cursor.poll_timeout()), (1, Some(at(8))));
    assert_eq!(cursor.handle_timeout(at(7), 0), Order::Wait, "a pause");
    let again = Order::Resend { retry: 1 };
    assert_eq!(cursor.handle_timeout(at(8), 0), again);
}

#[test]
fn an_acknowledgement_is_timed_from_the_first_sending() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut cursor = Cursor::new(POLICY, 5, 5);
    cursor.on_sent(7, at(0));
    assert_eq!(cursor.on_acked(7, at(3)), Some(Duration::from_secs(3)));
    cursor.on_sent(7, at(4));
    cursor.on_sent(8, at(5));
    assert_eq!(cursor.on_acked(8, at(6)), Some(Duration::from_secs(1)));
}
