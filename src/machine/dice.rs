//! A small seeded generator for the model tests, so that a failure is its seed.

/// SplitMix64 (Steele, Lea, Flood 2014): every seed, zero too, gives a full-period sequence.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to `n - 1`; the modulo bias does not matter to a test.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// Runs `body` for every seed and names the seed that failed.
pub(crate) fn seeds(count: u64, body: impl Fn(u64) + std::panic::RefUnwindSafe) {
    for seed in 0..count {
        let outcome = std::panic::catch_unwind(|| body(seed));
        assert!(outcome.is_ok(), "failed with seed {seed}");
    }
}
