//! Places in what is numbered anew with every start: events, lines of the log.
//!
//! An id says in which run it was given, so that nobody takes number 12 of this run for number 12
//! of the one before. `e1760000000000-12` is the twelfth event of the process that began to count
//! at that millisecond.

use crate::protocol::problem::{Code, Problem};

/// One numbering.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// What its ids begin with.
    pub(super) letter: char,
    /// When it began.
    pub(super) epoch: u64,
}

/// Where an id stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In this run, at this number.
    Here(u64),
    /// In the run of another process, of which nothing is held.
    Elsewhere,
}

impl Run {
    /// The id of a number.
    pub(super) fn id(self, number: u64) -> String {
        format!("{}{}-{number}", self.letter, self.epoch)
    }

    /// Where an id stands that we gave, or a process before us.
    ///
    /// # Errors
    /// 400, which names `name`.
    pub(super) fn place(self, name: &str, given: Option<&str>) -> Result<Option<Place>, Problem> {
        let Some(given) = given else { return Ok(None) };
        let parts = given.strip_prefix(self.letter);
        let parts = parts.and_then(|rest| rest.split_once('-'));
        let numbers = parts.and_then(|(epoch, n)| Some((digits(epoch)?, digits(n)?)));
        let Some((epoch, number)) = numbers else {
            let text = format!("{name} must be an id of this list, such as {}", self.id(12));
            return Err(Problem::new(Code::BadRequest, text));
        };
        Ok(Some(if epoch == self.epoch {
            Place::Here(number)
        } else {
            Place::Elsewhere
        }))
    }

    /// The bounds of a page: only numbers after the first and before the second. Nothing is held
    /// of another run: all of this one came after it.
    ///
    /// # Errors
    /// 400.
    pub(super) fn bounds(
        self,
        after: Option<&str>,
        before: Option<&str>,
    ) -> Result<(u64, u64), Problem> {
        let after = match self.place("after", after)? {
            Some(Place::Here(number)) => number,
            Some(Place::Elsewhere) | None => 0,
        };
        let before = match self.place("before", before)? {
            Some(Place::Here(number)) => number,
            Some(Place::Elsewhere) => 0,
            None => u64::MAX,
        };
        Ok((after, before))
    }
}

/// A number as we write it: no sign, nothing before it.
fn digits(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_given_and_one_of_another_run_is_known_as_such() {
        let run = Run {
            letter: 'e',
            epoch: 1_760_000_000_000,
        };
        let place = |given: &str| run.place("after", Some(given));
        assert_eq!(place(&run.id(12)).unwrap(), Some(Place::Here(12)));
        let before = Run { epoch: 7, ..run };
        assert_eq!(place(&before.id(12)).unwrap(), Some(Place::Elsewhere));
        assert_eq!(run.place("after", None).unwrap(), None);
        for odd in [
            "", "e", "12", "e12", "e1-", "e-1", "l1-1", "e1-+1", "e1-x", "e1-1-1",
        ] {
            let refused = place(odd).unwrap_err();
            assert!(refused.detail.contains("after must be an id"), "{odd}");
        }
        let bounds =
            |after: &Run, before: &Run| run.bounds(Some(&after.id(3)), Some(&before.id(9)));
        assert_eq!(bounds(&run, &run).unwrap(), (3, 9));
        assert_eq!(bounds(&before, &run).unwrap(), (0, 9), "all came after it");
        assert_eq!(bounds(&run, &before).unwrap(), (3, 0), "none is older");
        assert_eq!(run.bounds(None, None).unwrap(), (0, u64::MAX));
    }
}
