//! The watermark: how far the store has promised to be durable, kept outside sled.
//!
//! A store that comes back behind its watermark has lost data, whatever sled says.
//! Two slots of 64 bytes, written in turn, so that a torn write leaves the other one.
//! A slot is `magic (8) | epoch (8) | commits (8) | crc32c (4)`, little endian.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

const MAGIC: &[u8; 8] = b"EMFLOWM1";
const SLOT: u64 = 64;
const BODY: usize = 24;

/// What a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The store's epoch.
    pub epoch: u64,
    /// The number of commit groups that were durable.
    pub commits: u64,
}

/// The open file.
#[derive(Debug)]
pub struct Watermark {
    file: File,
}

impl Watermark {
    /// Opens or makes the file; the latest readable slot, none in a new file.
    ///
    /// # Errors
    /// What the system refused, or `InvalidData` where the file holds bytes but no readable slot.
    pub fn open(path: &Path) -> std::io::Result<(Self, Option<Mark>)> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let latest = latest(&file);
        if latest.is_none() && !is_blank(&file)? {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "no slot of the watermark is readable",
            ));
        }
        Ok((Self { file }, latest))
    }

    /// The latest readable slot of a file, where there is one. Makes and changes nothing.
    pub fn read(path: &Path) -> Option<Mark> {
        let file = File::open(path).ok()?;
        latest(&file)
    }

    /// Writes a mark and waits until it is on disk.
    ///
    /// # Errors
    /// What the system refused; never to be tried again.
    pub fn write(&self, mark: Mark, sync: bool) -> std::io::Result<()> {
        let mut slot = [0u8; BODY + 4];
        slot[..8].copy_from_slice(MAGIC);
        slot[8..16].copy_from_slice(&mark.epoch.to_le_bytes());
        slot[16..24].copy_from_slice(&mark.commits.to_le_bytes());
        let sum = crc32c::crc32c(&slot[..BODY]);
        slot[BODY..].copy_from_slice(&sum.to_le_bytes());
        self.file.write_all_at(&slot, (mark.commits % 2) * SLOT)?;
        if sync { self.file.sync_data() } else { Ok(()) }
    }
}

/// Nothing but zeros: a power cut can leave the first slot's length without its bytes.
fn is_blank(file: &File) -> std::io::Result<bool> {
    let mut bytes = [0u8; 2 * SLOT as usize];
    let read = file.read_at(&mut bytes, 0)?;
    Ok(bytes[..read].iter().all(|byte| *byte == 0))
}

fn latest(file: &File) -> Option<Mark> {
    let slots = [read(file, 0), read(file, SLOT)];
    slots
        .into_iter()
        .flatten()
        .max_by_key(|m| (m.epoch, m.commits))
}

fn read(file: &File, at: u64) -> Option<Mark> {
    let mut slot = [0u8; BODY + 4];
    file.read_exact_at(&mut slot, at).ok()?;
    let number = |from: usize| {
        u64::from_le_bytes(
            slot[from..from + 8]
                .try_into()
                .expect("a range of eight bytes"),
        )
    };
    let sum = u32::from_le_bytes(slot[BODY..].try_into().expect("a range of four bytes"));
    let good = &slot[..8] == MAGIC && sum == crc32c::crc32c(&slot[..BODY]);
    good.then(|| Mark {
        epoch: number(8),
        commits: number(16),
    })
}
