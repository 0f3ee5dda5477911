//! Figures over time at falling resolution, in a size that does not grow.
//!
//! Each sample goes into three rings at once: slots of 10 s for two hours, of a minute for a day,
//! of a quarter of an hour for thirty days. A slot keeps of each figure how often it was measured,
//! its mean and its highest value. Slots lie in blocks: a block is what is stored at once, and the
//! place of a block in its ring follows from the time alone. So a clock that leaps writes over
//! what the places hold and nothing else, and nothing has to be moved or removed.
//!
//! A block is stored when the next one begins, and all open ones at the end. What a crash takes of
//! the coarse rings is made again from the finer ones, which are stored more often: only what
//! happened since the last block of the finest ring is lost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A ring: how long a slot is, how many make a block, how many blocks there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Milliseconds of a slot.
    pub step: u64,
    /// Slots of a block.
    pub block: u64,
    /// Blocks of the ring.
    pub blocks: u64,
}

impl Level {
    /// How far back it goes, in milliseconds.
    pub const fn length(self) -> u64 {
        self.step * self.block * self.blocks
    }
}

/// The rings, the finest first: two hours, a day, thirty days. Each step is a multiple of the one
/// before, and each block of a ring is shorter than the whole ring before it.
pub const LEVELS: [Level; 3] = [
    Level {
        step: 10_000,
        block: 6,
        blocks: 120,
    },
    Level {
        step: 60_000,
        block: 15,
        blocks: 96,
    },
    Level {
        step: 900_000,
        block: 16,
        blocks: 180,
    },
];

/// What is kept of a figure in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// How often it was measured.
    pub count: u32,
    /// The mean.
    pub mean: f32,
    /// The highest.
    pub max: f32,
}

impl Point {
    fn of(value: f64) -> Self {
        Self {
            count: 1,
            mean: value as f32,
            max: value as f32,
        }
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        let count = self.count.saturating_add(other.count);
        let (a, b) = (f64::from(self.count), f64::from(other.count));
        let sum = a * f64::from(self.mean) + b * f64::from(other.mean);
        Self {
            count,
            mean: (sum / (a + b)) as f32,
            max: self.max.max(other.max),
        }
    }
}

/// The stable number of a figure. Numbers are stored: they are never given again.
pub type Figure = u8;

/// What is stored at once: some slots, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// In which of [`LEVELS`].
    pub level: u8,
    /// Which one since 1970.
    pub number: u64,
    /// Of each figure a place for each slot.
    pub figures: BTreeMap<Figure, Vec<Option<Point>>>,
}

impl Block {
    fn new(level: usize, number: u64) -> Self {
        Self {
            level: level as u8,
            number,
            figures: BTreeMap::new(),
        }
    }

    /// Its place in its ring.
    pub fn place(&self) -> u64 {
        let level = LEVELS.get(usize::from(self.level));
        level.map_or(0, |level| self.number % level.blocks)
    }

    /// Whether it is as long as this version has it; another is not read.
    fn fits(&self) -> bool {
        LEVELS.get(usize::from(self.level)).is_some_and(|level| {
            let slots = self.figures.values();
            slots.into_iter().all(|s| s.len() as u64 == level.block)
        })
    }
}

/// See the [module](self).
#[derive(Debug, Clone)]
pub struct History {
    rings: [Ring; LEVELS.len()],
}

#[derive(Debug, Clone)]
struct Ring {
    level: Level,
    blocks: Vec<Option<Block>>,
    /// The place that was written last.
    open: Option<usize>,
}

impl Default for History {
    fn default() -> Self {
        let ring = |level: Level| Ring {
            level,
            blocks: vec![None; level.blocks as usize],
            open: None,
        };
        Self {
            rings: LEVELS.map(ring),
        }
    }
}

impl History {
    /// With what was stored, in whatever order. Blocks of a form that this version does not have
    /// are left out.
    pub fn restored(blocks: impl IntoIterator<Item = Block>) -> Self {
        let mut history = Self::default();
        for block in blocks.into_iter().filter(Block::fits) {
            let ring = &mut history.rings[usize::from(block.level)];
            let place = block.place() as usize;
            ring.blocks[place] = Some(block);
        }
        for coarse in 1..LEVELS.len() {
            history.rebuild(coarse);
        }
        history
    }

    /// Makes slots again of which the finer ring knows more: a crash took the block.
    fn rebuild(&mut self, coarse: usize) {
        let (finer, rest) = self.rings.split_at_mut(coarse);
        let (fine, ring) = (&finer[coarse - 1], &mut rest[0]);
        let mut made: BTreeMap<(u64, Figure), Point> = BTreeMap::new();
        for block in fine.blocks.iter().flatten() {
            let first = block.number * fine.level.block;
            for (figure, slots) in &block.figures {
                for (slot, point) in (first..).zip(slots) {
                    let Some(point) = point else { continue };
                    let at = slot * fine.level.step / ring.level.step;
                    let known = made.entry((at, *figure));
                    known.and_modify(|p| *p = p.and(*point)).or_insert(*point);
                }
            }
        }
        for ((slot, figure), point) in made {
            let known = ring.point(slot, figure);
            if known.is_none_or(|known| known.count < point.count) && ring.may_write(slot) {
                *ring.slot(coarse, slot, figure) = Some(point);
            }
        }
    }

    /// What was measured at `at` milliseconds since 1970; none for what is not known, which is not
    /// kept. Gives the blocks that are complete now, to be stored.
    pub fn on_sample(
        &mut self,
        at: u64,
        values: impl Iterator<Item = (Figure, Option<f64>)>,
    ) -> Vec<Block> {
        let mut complete = Vec::new();
        for ring in &mut self.rings {
            let place = ring.place(at / ring.level.step);
            if let Some(before) = ring.open.replace(place)
                && before != place
            {
                complete.extend(ring.blocks[before].clone());
            }
        }
        for (figure, value) in values {
            let Some(value) = value.filter(|value| value.is_finite()) else {
                continue;
            };
            let point = Point::of(value);
            for (level, ring) in self.rings.iter_mut().enumerate() {
                let kept = ring.slot(level, at / ring.level.step, figure);
                *kept = Some(kept.map_or(point, |known| known.and(point)));
            }
        }
        complete
    }

    /// The blocks that are not complete, to be stored at the end.
    pub fn open_blocks(&self) -> Vec<Block> {
        let open = |ring: &Ring| ring.blocks[ring.open?].clone();
        self.rings.iter().filter_map(open).collect()
    }

    /// A figure from `from` to before `to`, in milliseconds since 1970, by the finest ring that
    /// goes back so far from `to`: when each slot began, and what was measured in it. `merge`
    /// slots become one. Slots without a measurement are left out.
    pub fn read(&self, figure: Figure, from: u64, to: u64, merge: u64) -> Vec<(u64, Point)> {
        let ring = &self.rings[level_for(to.saturating_sub(from))];
        let (step, merge) = (ring.level.step, merge.max(1));
        let mut found: Vec<(u64, Point)> = Vec::new();
        // Of a span longer than the ring there is nothing to be found before its beginning.
        let oldest = to.saturating_sub(ring.level.length());
        for slot in from.max(oldest) / step..to.div_ceil(step) {
            let Some(point) = ring.point(slot, figure) else {
                continue;
            };
            let at = slot / merge * merge * step;
            match found.last_mut() {
                Some((last, known)) if *last == at => *known = known.and(point),
                _ => found.push((at, point)),
            }
        }
        found
    }
}

/// The finest ring that holds a span of so many milliseconds; the coarsest where none does.
pub fn level_for(span: u64) -> usize {
    let found = LEVELS.iter().position(|level| span <= level.length());
    found.unwrap_or(LEVELS.len() - 1)
}

impl Ring {
    fn place(&self, slot: u64) -> usize {
        (slot / self.level.block % self.level.blocks) as usize
    }

    fn point(&self, slot: u64, figure: Figure) -> Option<Point> {
        let block = self.blocks[self.place(slot)].as_ref()?;
        let there = block.number == slot / self.level.block;
        let slots = block.figures.get(&figure).filter(|_| there)?;
        *slots.get((slot % self.level.block) as usize)?
    }

    /// Whether nothing newer is in the place of this slot.
    fn may_write(&self, slot: u64) -> bool {
        let there = self.blocks[self.place(slot)].as_ref();
        there.is_none_or(|block| block.number <= slot / self.level.block)
    }

    /// The place of a figure in a slot. What another time has left in its block goes.
    fn slot(&mut self, level: usize, slot: u64, figure: Figure) -> &mut Option<Point> {
        let (place, number) = (self.place(slot), slot / self.level.block);
        let block = &mut self.blocks[place];
        if block.as_ref().is_some_and(|block| block.number != number) {
            *block = None;
        }
        let block = block.get_or_insert_with(|| Block::new(level, number));
        let slots = block.figures.entry(figure);
        let slots = slots.or_insert_with(|| vec![None; self.level.block as usize]);
        &mut slots[(slot % self.level.block) as usize]
    }
}

#[cfg(test)]
mod tests;
