//! A limit on the fragments of one message, below the WebSocket library.
//!
//! The library bounds the bytes of a message; empty continuations have none and would keep
//! it gathering for ever, unseen by anybody above. So the heads of the frames that arrive
//! are counted here; their payloads are skipped, whatever they hold.

/// Frames that one message may come in.
const MOST: u32 = 1024;

/// One message came in more than [`MOST`] frames.
#[derive(Debug, thiserror::Error)]
#[error("a message in more than {MOST} fragments")]
pub(super) struct TooMany;

/// Finds the heads of frames in a stream of bytes (RFC 6455, 5.2).
#[derive(Default)]
pub(super) struct Heads {
    head: [u8; 14],
    have: usize,
    skip: u64,
    fragments: u32,
}

impl Heads {
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), TooMany> {
        while !bytes.is_empty() {
            let skipped = usize::try_from(self.skip).map_or(bytes.len(), |n| n.min(bytes.len()));
            self.skip -= skipped as u64;
            bytes = &bytes[skipped..];
            let Some((&byte, rest)) = bytes.split_first() else {
                break;
            };
            bytes = rest;
            self.head[self.have] = byte;
            self.have += 1;
            if self.have == self.size() {
                self.finish()?;
            }
        }
        Ok(())
    }

    /// Bytes of the head, as far as it is known.
    fn size(&self) -> usize {
        if self.have < 2 {
            return 2;
        }
        let extended = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + extended + mask
    }

    fn finish(&mut self) -> Result<(), TooMany> {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, b| (n << 8) | u64::from(*b));
        self.skip = match self.head[1] & 0x7f {
            126 => number(&self.head[2..4]),
            127 => number(&self.head[2..10]),
            short => u64::from(short),
        };
        self.have = 0;
        let control = self.head[0] & 0x08 != 0;
        let last = self.head[0] & 0x80 != 0;
        if !control {
            self.fragments = if last { 0 } else { self.fragments + 1 };
        }
        if self.fragments > MOST {
            return Err(TooMany);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match length {
            0..=125 => bytes.push(0x80 | length as u8),
            126..=0xffff => bytes.extend([0xfe, (length >> 8) as u8, length as u8]),
            _ => {
                bytes.push(0xff);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        bytes.extend(std::iter::repeat_n(0, length));
        bytes
    }

    #[test]
    fn counts_fragments_however_the_bytes_are_cut() {
        let check = |name: &str, frames: &[Vec<u8>], fine: bool| {
            for cut in [1, 7, 4096, usize::MAX] {
                let bytes = frames.concat();
                let mut heads = Heads::default();
                let result = bytes
                    .chunks(cut.min(bytes.len()))
                    .try_for_each(|b| heads.feed(b));
                assert_eq!(result.is_ok(), fine, "{name}, cut at {cut}");
            }
        };
        let begin = frame(0x01, 3);
        let empty = || std::iter::repeat_n(frame(0x00, 0), 1100);
        let whole: Vec<_> = [0, 125, 126, 70_000].map(|n| frame(0x81, n)).to_vec();
        check("whole messages", &whole, true);
        check("many whole messages", &vec![frame(0x81, 5); 3000], true);
        check(
            "a few fragments, again and again",
            &std::iter::repeat_n([begin.clone(), frame(0x80, 200)], 900)
                .flatten()
                .collect::<Vec<_>>(),
            true,
        );
        check("pings between", &vec![frame(0x89, 0); 3000], true);
        check(
            "empty continuations",
            &[begin.clone()]
                .into_iter()
                .chain(empty())
                .collect::<Vec<_>>(),
            false,
        );
        let long: Vec<_> = std::iter::once(begin)
            .chain(std::iter::repeat_n(frame(0x00, 130), 1100))
            .collect();
        check("long continuations", &long, false);
    }
}
