//! What an administrator does to a stream.

use super::*;

#[tokio::test]
async fn given_up_frames_are_a_gap_that_a_restart_knows() {
    // req: D2
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    for n in 1..=6 {
        say(&stream, n, "x").await;
    }
    // One chunk of three, to be cut in the middle.
    let three = (7..10).map(|at| frame(1, at, "y")).collect();
    stream.append(|_| Some((three, Vec::new()))).await.unwrap();
    sent(&stream, 1..=9);
    stream.ack(2, None).await.unwrap().unwrap();
    let lost = stream.give_up(8, vec![Op::Count("with".into(), 1)]).await;
    assert_eq!(lost.unwrap(), 6);
    let check = |stream: &Arc<Stream>| {
        let pending = stream.pending();
        assert_eq!(
            (
                pending.marks.oldest,
                pending.marks.acked,
                pending.marks.next
            ),
            (9, 8, 10)
        );
        assert_eq!((pending.expired, pending.bytes), (6, 15));
        assert_eq!(sent(stream, 9..=9).len(), 1);
        let behind = Resume::After {
            after: 3,
            epoch: None,
        };
        let start = stream.marks().start(&behind);
        assert_eq!(
            (start.after, start.not_recovered),
            (8, Some("frames_expired"))
        );
    };
    check(&stream);
    assert_eq!(stream.give_up(8, Vec::new()).await.unwrap(), 0);
    drop(stream);
    let house = house.restart().await;
    check(&house.stream("ann"));
    assert_eq!(house.outboxes.0.store.counter("with").unwrap(), 1);
    // The numbering goes on.
    assert_eq!(say(&house.stream("ann"), 10, "z").await, 10);
}

#[tokio::test]
async fn a_revocation_is_durable_before_it_is_told_and_outlives_acknowledgements() {
    // req: V2
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    say(&stream, 1, "x").await;
    sent(&stream, 1..=1);
    let gate = hold_back(&house.outboxes.0.committer).await;
    let mut revoking = Box::pin(stream.revoke(Wall(5), Vec::new()));
    assert!((&mut revoking).now_or_never().is_none());
    assert_eq!(stream.generation(), 0);
    stream.ack(1, None).await.unwrap().unwrap();
    drop(gate);
    revoking.await.unwrap();
    stream.ack(1, None).await.unwrap().unwrap();
    drop(stream);
    let house = house.restart().await;
    assert_eq!(house.outboxes.generation(&user("ann")), 1);
    assert_eq!(house.outboxes.revoked_at(&user("ann")), Some(Wall(5)));
}

#[tokio::test]
async fn what_is_appended_while_the_stream_is_held_still_waits_and_is_not_lost() {
    // req: D1
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    say(&stream, 1, "x").await;
    let still = stream.hold_still(|| ());
    let mut waits = Box::pin(say(&stream, 2, "y"));
    for _ in 0..10 {
        assert!((&mut waits).now_or_never().is_none());
    }
    assert_eq!(
        stream
            .take(stream.marks().epoch, 1..=1)
            .unwrap()
            .map(|b| b.last),
        None
    );
    drop(still);
    assert_eq!(waits.await, 2);
}

#[tokio::test]
async fn an_administrator_closes_one_socket_and_has_the_others_send_again() {
    let house = House::new(LIMITS);
    let stream = house.stream("ann");
    let (mut one, ..) = stream.attach(ConnectionId(1), &Resume::Pending);
    let (mut two, ..) = stream.attach(ConnectionId(2), &Resume::Pending);
    assert!(stream.close(ConnectionId(1), Close::ByAdministrator));
    assert!(!stream.close(ConnectionId(3), Close::ByAdministrator));
    assert_eq!(one.close.recv().await, Some(Close::ByAdministrator));
    assert!(two.close.try_recv().is_err());
    drop(one);
    assert_eq!((stream.rounds(), stream.send_again()), (0, 1));
    assert_eq!(stream.rounds(), 1);
}
