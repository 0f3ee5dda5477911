use super::*;
use crate::machine::dice::{Dice, seeds};

const HOUR: u64 = 3_600_000;
/// A round time in all rings.
const START: u64 = 1_764_547_200_000 / 14_400_000 * 14_400_000;

/// A history and what its store holds, by level and place.
#[derive(Default)]
struct Check {
    history: History,
    stored: BTreeMap<(u8, u64), Block>,
}

impl Check {
    fn sample(&mut self, at: u64, value: impl Into<Option<f64>>) {
        let complete = self.history.on_sample(at, [(7, value.into())].into_iter());
        self.store(complete);
    }

    fn store(&mut self, blocks: Vec<Block>) {
        for block in blocks {
            self.stored.insert((block.level, block.place()), block);
        }
    }

    /// The process dies; with `drained` it had time to store what is open.
    fn restart(&mut self, drained: bool) {
        if drained {
            let open = self.history.open_blocks();
            self.store(open);
        }
        self.history = History::restored(self.stored.values().cloned());
    }

    fn read(&self, span: u64, to: u64) -> Vec<(u64, Point)> {
        self.history.read(7, to - span, to, 1)
    }
}

fn counted(points: &[(u64, Point)]) -> u64 {
    points.iter().map(|(_, point)| u64::from(point.count)).sum()
}

#[test]
fn each_ring_is_shorter_than_what_rebuilds_it() {
    let lengths = LEVELS.map(Level::length);
    assert_eq!(lengths, [2 * HOUR, 24 * HOUR, 30 * 24 * HOUR]);
    for pair in LEVELS.windows(2) {
        assert_eq!(pair[1].step % pair[0].step, 0);
        assert!(pair[1].step * pair[1].block < pair[0].length());
    }
}

#[test]
fn a_slot_keeps_count_mean_and_highest_and_what_is_not_known_is_not_kept() {
    let mut check = Check::default();
    for (after, value) in [
        (0, Some(1.0)),
        (5_000, Some(3.0)),
        (9_999, None),
        (10_000, Some(8.0)),
    ] {
        check.sample(START + after, value);
    }
    check.sample(START + 30_000, f64::NAN);
    check.sample(START + 30_000, 5.0);
    let point = |count, mean, max| Point { count, mean, max };
    let found = check.read(60_000, START + 60_000);
    let expected = [
        (START, point(2, 2.0, 3.0)),
        (START + 10_000, point(1, 8.0, 8.0)),
        (START + 30_000, point(1, 5.0, 5.0)),
    ];
    assert_eq!(found, expected);
    let merged = check.history.read(7, START, START + 60_000, 3);
    assert_eq!(
        merged,
        [
            (START, point(3, 4.0, 8.0)),
            (START + 30_000, point(1, 5.0, 5.0))
        ]
    );
    for span in [20 * HOUR, 700 * HOUR] {
        let coarse = check.read(span, START + 60_000);
        assert_eq!(coarse, [(START, point(4, 4.25, 8.0))], "{span}");
    }
    assert_eq!(
        check.history.read(8, START, START + 60_000, 1),
        [],
        "another figure"
    );
}

#[test]
fn thirty_days_are_kept_and_the_size_stays() {
    let mut check = Check::default();
    let days = 40;
    for n in 0..days * 24 * 60 {
        check.sample(START + n * 60_000, n as f64);
    }
    let now = START + days * 24 * HOUR;
    assert_eq!(check.read(30 * 24 * HOUR, now).len(), 30 * 24 * 4);
    assert_eq!(check.read(24 * HOUR, now).len(), 24 * 60);
    assert_eq!(
        check.read(2 * HOUR, now).len(),
        120,
        "one a minute was measured"
    );
    let oldest = check.read(90 * 24 * HOUR, now)[0].0;
    assert_eq!(oldest, now - 30 * 24 * HOUR, "nothing before the ring");
    let places: u64 = LEVELS.iter().map(|level| level.blocks).sum();
    assert!(check.stored.len() as u64 <= places);
    check.restart(true);
    assert_eq!(check.read(30 * 24 * HOUR, now).len(), 30 * 24 * 4);
}

#[test]
fn a_clock_that_leaps_takes_only_the_places_that_it_writes() {
    let mut check = Check::default();
    for n in 0..360 {
        check.sample(START + n * 10_000, 1.0);
    }
    let now = START + HOUR;
    let ahead = now + 365 * 24 * HOUR;
    check.sample(ahead, 99.0);
    check.sample(now, 1.0);
    check.sample(now - HOUR / 2, 1.0);
    let found = check.read(HOUR, now + 10_000);
    assert!(
        found.len() >= 360 - LEVELS[0].block as usize,
        "{}",
        found.len()
    );
    assert!(
        found.iter().all(|(_, point)| point.max < 2.0),
        "nothing of the leap is seen"
    );
    check.restart(false);
    assert!(
        check
            .read(HOUR, now)
            .iter()
            .all(|(_, point)| point.max < 2.0)
    );
}

#[test]
fn a_block_of_another_form_is_left_out() {
    let odd = [
        Block {
            level: 9,
            number: 1,
            figures: BTreeMap::new(),
        },
        Block {
            level: 0,
            number: 1,
            figures: BTreeMap::from([(7, vec![None; 3])]),
        },
    ];
    let history = History::restored(odd);
    assert!(
        history
            .rings
            .iter()
            .all(|ring| ring.blocks.iter().all(Option::is_none))
    );
}

/// Whatever the restarts, each ring says the same of the time that it shares with a finer one;
/// a drain loses nothing, a crash what came since the last block of the finest ring.
#[test]
fn restarts_lose_no_more_than_the_last_block_of_the_finest_ring() {
    seeds(60, |seed| {
        let mut dice = Dice::new(seed);
        let mut check = Check::default();
        let (mut now, mut samples, mut lost_most) = (START, 0u64, 0u64);
        let steps = 500 + dice.below(2_500);
        for _ in 0..steps {
            now += 1_000 + dice.below(9_000);
            check.sample(now, dice.below(100) as f64);
            samples += 1;
            if dice.below(150) == 0 {
                let drained = dice.below(2) == 0;
                check.restart(drained);
                // Samples are at least a second apart.
                lost_most += if drained { 0 } else { 60 };
            }
            // A machine that was off for a while.
            now += if dice.below(400) == 0 {
                dice.below(HOUR)
            } else {
                0
            };
        }
        let end = now + 1;
        let day = counted(&check.read(24 * HOUR, end));
        let month = counted(&check.read(30 * 24 * HOUR, end));
        assert_eq!(day, month, "both hold all of it");
        assert!(
            day <= samples && day + lost_most >= samples,
            "{day} of {samples}"
        );
        let shared = now / 900_000 * 900_000;
        let fine = check.history.read(7, shared - 900_000, shared, 90);
        let coarse: Vec<_> = check.read(30 * 24 * HOUR, shared).into_iter().collect();
        let coarse = coarse.into_iter().find(|(at, _)| *at == shared - 900_000);
        match (fine.first(), coarse) {
            (Some((_, fine)), Some((_, coarse))) => {
                assert_eq!((fine.count, fine.max), (coarse.count, coarse.max));
                assert!(
                    (fine.mean - coarse.mean).abs() < 0.01,
                    "{fine:?} {coarse:?}"
                );
            }
            (fine, coarse) => assert!(fine.is_none() && coarse.is_none()),
        }
    });
}
