//! Files of the pages, compressed once. Only they: an answer that holds a secret beside what
//! somebody else chose would tell of it by its length.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Files kept in memory; all of them are fewer.
const KEPT: usize = 256;
/// Below this the headers weigh more than what is saved.
const LEAST: usize = 512;

/// Whether a file becomes smaller.
pub(super) fn is_worth_it(media: &str, bytes: usize) -> bool {
    bytes >= LEAST && !media.starts_with("image/png") && !media.starts_with("font/")
}

/// The file with this hash, compressed.
pub(super) fn gzip(hash: &str, bytes: &[u8]) -> Vec<u8> {
    static KNOWN: Mutex<BTreeMap<String, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(made) = known().get(hash) {
        return made.clone();
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let written = encoder.write_all(bytes);
    let made = written.and_then(|()| encoder.finish()).unwrap_or_default();
    let mut known = known();
    if known.len() >= KEPT {
        known.clear();
    }
    known.insert(hash.to_owned(), made.clone());
    made
}
