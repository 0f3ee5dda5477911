//! The file of a backup.
//!
//! ```text
//! head     "EMFLOWBK" | version u16 | length u32 | JSON of Header | crc32c u32
//! entry    key length u16 | value length u32 | key | value | crc32c u32     any number
//! end      0 u16 | 0 u32 | crc32c u32
//! tail     entries u64 | bytes of keys and values u64 | SHA-256 of all before it (32)
//! ```
//!
//! Numbers are little endian. A checksum covers its own part from the first byte
//! on. The head is JSON so that any later version, and a person, can read who wrote it.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use super::{BackupError, Summary};
use crate::clock::Wall;
use crate::store::audit::Totals;
use crate::store::record;

const MAGIC: &[u8; 8] = b"EMFLOWBK";
/// The version this writes, and the newest that it reads.
pub const VERSION: u16 = 1;
/// The longest head.
const HEAD_MAX: u32 = 64 * 1024;
/// The longest key; ours have at most 200 bytes.
const KEY_MAX: usize = 4096;
/// The longest value; a chunk has about 256 KiB.
const VALUE_MAX: usize = 64 << 20;

/// What the head says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the program that wrote it.
    pub app_version: String,
    /// The format of the records.
    pub record_format: u8,
    /// The store's epoch.
    pub epoch: u64,
    /// The commit after which the store stood so.
    pub commits: u64,
    /// When it was begun.
    pub created: Wall,
    /// How many entries follow.
    pub entries: u64,
    /// The store's sum over them.
    pub sum: u64,
}

impl Header {
    pub(super) fn new(totals: &Totals, created: Wall) -> Self {
        Self {
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            record_format: record::FORMAT,
            epoch: totals.epoch,
            commits: totals.commits,
            created,
            entries: totals.entries,
            sum: totals.sum,
        }
    }
}

/// Writes; the caller syncs.
pub(super) struct Writer<W> {
    to: W,
    hash: Context,
    written: u64,
    entries: u64,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn begin(to: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self {
            to,
            hash: Context::new(&SHA256),
            written: 0,
            entries: 0,
            bytes: 0,
        };
        let json = serde_json::to_vec(header)?;
        let length = u32::try_from(json.len()).map_err(io::Error::other)?;
        writer.part(&[MAGIC, &VERSION.to_le_bytes(), &length.to_le_bytes(), &json])?;
        Ok(writer)
    }

    pub(super) fn entry(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let lengths = lengths(key.len(), value.len())?;
        self.part(&[&lengths, key, value])?;
        self.entries += 1;
        self.bytes += (key.len() + value.len()) as u64;
        Ok(())
    }

    /// The length of the file and its SHA-256.
    pub(super) fn finish(mut self) -> io::Result<(u64, [u8; 32])> {
        self.part(&[&[0; 6]])?;
        self.raw(&self.entries.to_le_bytes())?;
        self.raw(&self.bytes.to_le_bytes())?;
        let sha256 = sum(self.hash);
        self.to.write_all(&sha256)?;
        self.to.flush()?;
        Ok((self.written + sha256.len() as u64, sha256))
    }

    /// Several pieces and their checksum.
    fn part(&mut self, pieces: &[&[u8]]) -> io::Result<()> {
        let mut crc = 0;
        for piece in pieces {
            crc = crc32c::crc32c_append(crc, piece);
            self.raw(piece)?;
        }
        self.raw(&crc.to_le_bytes())
    }

    fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.written += bytes.len() as u64;
        self.to.write_all(bytes)
    }
}

fn lengths(key: usize, value: usize) -> io::Result<[u8; 6]> {
    if key == 0 || key > KEY_MAX || value > VALUE_MAX {
        return Err(io::Error::other(format!(
            "an entry of {key} and {value} bytes is beyond what a backup holds"
        )));
    }
    let mut lengths = [0; 6];
    lengths[..2].copy_from_slice(&(key as u16).to_le_bytes());
    lengths[2..].copy_from_slice(&(value as u32).to_le_bytes());
    Ok(lengths)
}

fn sum(hash: Context) -> [u8; 32] {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(hash.finish().as_ref());
    sha256
}

/// A key and its value.
type Entry = (Vec<u8>, Vec<u8>);

/// Reads, and believes nothing.
pub(super) struct Reader<R> {
    from: R,
    path: PathBuf,
    header: Header,
    hash: Context,
    read: u64,
    totals: Totals,
    bytes: u64,
    sha256: Option<[u8; 32]>,
}

impl<R: Read> Reader<R> {
    /// Reads the head.
    pub(super) fn begin(from: R, path: &Path) -> Result<Self, BackupError> {
        let header = Header::new(&Totals::new(0), Wall(0));
        let mut reader = Self {
            from,
            path: path.to_owned(),
            header,
            hash: Context::new(&SHA256),
            read: 0,
            totals: Totals::new(0),
            bytes: 0,
            sha256: None,
        };
        let mut start = [0; 14];
        match reader.raw(&mut start) {
            Ok(()) if start.starts_with(MAGIC) => {}
            Ok(()) | Err(BackupError::Damaged { .. }) => {
                return Err(BackupError::NotABackup(path.to_owned()));
            }
            Err(other) => return Err(other),
        }
        let version = u16::from_le_bytes([start[8], start[9]]);
        let length = u32::from_le_bytes([start[10], start[11], start[12], start[13]]);
        if length > HEAD_MAX {
            return Err(reader.damaged("its head is too long"));
        }
        let mut json = vec![0; length as usize];
        reader.raw(&mut json)?;
        reader.checked(&[&start, &json])?;
        let head: serde_json::Value =
            serde_json::from_slice(&json).map_err(|_| reader.damaged("its head is not JSON"))?;
        let format = head["record_format"].as_u64().unwrap_or(u64::MAX);
        if version > VERSION || format > u64::from(record::FORMAT) {
            return Err(BackupError::Newer {
                path: path.to_owned(),
                by: head["app_version"].as_str().unwrap_or("?").to_owned(),
            });
        }
        reader.header =
            serde_json::from_value(head).map_err(|e| reader.damaged(&format!("its head: {e}")))?;
        Ok(reader)
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The next entry. None only after the end was read and everything agrees.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, BackupError> {
        if self.sha256.is_some() {
            return Ok(None);
        }
        let mut lengths = [0; 6];
        self.raw(&mut lengths)?;
        let key = usize::from(u16::from_le_bytes([lengths[0], lengths[1]]));
        let value = u32::from_le_bytes([lengths[2], lengths[3], lengths[4], lengths[5]]) as usize;
        if key > KEY_MAX || value > VALUE_MAX {
            return Err(self.damaged("an entry is too long"));
        }
        let mut entry = vec![0; key + value];
        self.raw(&mut entry)?;
        self.checked(&[&lengths, &entry])?;
        if key == 0 {
            self.end()?;
            return Ok(None);
        }
        let value = entry.split_off(key);
        self.totals.add(&entry, &value);
        self.bytes += (entry.len() + value.len()) as u64;
        Ok(Some((entry, value)))
    }

    fn end(&mut self) -> Result<(), BackupError> {
        let mut counts = [[0; 8]; 2];
        for count in &mut counts {
            self.raw(count)?;
        }
        let [entries, bytes] = counts.map(u64::from_le_bytes);
        let found = sum(self.hash.clone());
        let mut told = [0; 32];
        self.raw(&mut told)?;
        if told != found {
            return Err(self.damaged("its SHA-256 is not that of its contents"));
        }
        let header = (self.header.entries, self.header.sum);
        if (entries, bytes) != (self.totals.entries, self.bytes)
            || header != (self.totals.entries, self.totals.sum)
        {
            return Err(self.damaged("its counts are not those of its entries"));
        }
        match self.from.read(&mut [0]) {
            Ok(0) => {}
            Ok(_) => return Err(self.damaged("bytes follow its end")),
            Err(source) => return Err(self.failed(source)),
        }
        self.sha256 = Some(told);
        Ok(())
    }

    /// What was read. Of worth only after [`Reader::next`] has given none.
    pub(super) fn summary(&self) -> Summary {
        Summary {
            path: self.path.clone(),
            bytes: self.read,
            header: self.header.clone(),
            sha256: self.sha256.unwrap_or_default(),
        }
    }

    pub(super) fn damaged(&self, what: &str) -> BackupError {
        BackupError::Damaged {
            path: self.path.clone(),
            what: what.to_owned(),
        }
    }

    fn failed(&self, source: io::Error) -> BackupError {
        if source.kind() == io::ErrorKind::UnexpectedEof {
            return self.damaged(&format!("it ends after {} bytes", self.read));
        }
        BackupError::Io {
            what: "could not read",
            path: self.path.clone(),
            source,
        }
    }

    fn raw(&mut self, into: &mut [u8]) -> Result<(), BackupError> {
        self.from.read_exact(into).map_err(|e| self.failed(e))?;
        self.hash.update(into);
        self.read += into.len() as u64;
        Ok(())
    }

    fn checked(&mut self, pieces: &[&[u8]]) -> Result<(), BackupError> {
        let crc = pieces
            .iter()
            .fold(0, |crc, p| crc32c::crc32c_append(crc, p));
        let mut told = [0; 4];
        self.raw(&mut told)?;
        if told != crc.to_le_bytes() {
            return Err(self.damaged(&format!("a wrong checksum before byte {}", self.read)));
        }
        Ok(())
    }
}
