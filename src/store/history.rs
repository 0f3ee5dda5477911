//! Figures over time as they are stored: a block of slots an entry, in places that do not grow.

use super::{Store, StoreError, key, record};
use crate::machine::history::Block;

impl Store {
    /// All blocks that are held, in no order of time, and how many could not be read: charts with
    /// a gap are no reason not to start.
    ///
    /// # Errors
    /// Where sled fails.
    pub fn history(&self) -> Result<(Vec<Block>, usize), StoreError> {
        let (mut blocks, mut unreadable) = (Vec::new(), 0);
        for entry in self.db.scan_prefix([key::HISTORY]) {
            let (k, value) = entry?;
            match record::decode(&k, &value) {
                Ok(block) => blocks.push(block),
                Err(_) => unreadable += 1,
            }
        }
        Ok((blocks, unreadable))
    }
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::Snapshot;
    use super::super::tests::house::{options, reopen};
    use super::super::{Op, backup, open};
    use super::*;
    use crate::clock::{self, Wall};
    use crate::machine::history::{History, LEVELS};

    /// A block of each ring that began at `at`.
    fn blocks(at: u64) -> Vec<Block> {
        let mut history = History::default();
        history.on_sample(at, [(1, Some(0.5)), (2, Some(7.0))].into_iter());
        history.open_blocks()
    }

    fn ops(blocks: &[Block]) -> Vec<Op> {
        let put = |block: &Block| Op::PutHistory(Box::new(block.clone()));
        blocks.iter().map(put).collect()
    }

    #[tokio::test]
    async fn a_block_takes_the_place_of_the_one_before_and_goes_along_in_a_backup() {
        let dir = tempfile::tempdir().unwrap();
        let opened = open(&options(dir.path()), Wall(1)).unwrap();
        let committer = &opened.committer;
        let (old, new) = (blocks(0), blocks(LEVELS[2].length()));
        committer.commit(ops(&old)).await.unwrap();
        committer.commit(ops(&new)).await.unwrap();
        // The rings are of different lengths, but all of them have come round.
        assert_eq!(opened.store.history().unwrap(), (new.clone(), 0));

        let file = dir.path().join("one.emflow-backup");
        let snapshot = Snapshot::begin(&opened.store, committer).await.unwrap();
        backup::write(snapshot, &file, clock::wall(), &backup::to_the_end).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let options = options(elsewhere.path());
        backup::restore(&file, &options, false, Wall(9)).unwrap();
        let restored = reopen(&options).unwrap();
        assert_eq!(restored.store.history().unwrap(), (new, 0));
    }

    #[tokio::test]
    async fn a_block_that_cannot_be_read_is_counted_and_hides_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let opened = open(&options(dir.path()), Wall(1)).unwrap();
        let kept = blocks(900_000);
        opened.committer.commit(ops(&kept)).await.unwrap();
        opened
            .store
            .db
            .insert(b"H\x00\x07\x07", b"\x01garbage")
            .unwrap();
        assert_eq!(opened.store.history().unwrap(), (kept, 1));
    }
}
