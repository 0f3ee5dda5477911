//! What the appliance must know of a certificate: from when until when it is
//! good, the name of its subject, its fingerprint.
//!
//! rustls checks chains but does not tell these, and an X.509 crate with its
//! ASN.1 family would be a dozen dependencies for three fields at fixed places:
//! so they are read here, bounded and without recursion (RFC 5280, 4.1).

use std::time::Duration;

use ring::digest;
use time::{Date, Month, OffsetDateTime, Time};

use crate::clock::Wall;

/// The facts of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) not_before: Wall,
    pub(super) not_after: Wall,
    /// The first common name of the subject.
    pub(super) common_name: Option<String>,
    /// The names of who signed it and of whom it is for, as they were signed.
    pub(super) issuer: Vec<u8>,
    pub(super) subject: Vec<u8>,
}

impl Facts {
    /// Reads them; nothing where `der` is not a certificate.
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let mut certificate = element(&mut &*der, SEQUENCE)?;
        let mut fields = element(&mut certificate, SEQUENCE)?;
        if fields.first() == Some(&VERSION) {
            any(&mut fields)?;
        }
        element(&mut fields, INTEGER)?; // the serial number
        element(&mut fields, SEQUENCE)?; // the algorithm of the signature
        let issuer = element(&mut fields, SEQUENCE)?;
        let mut validity = element(&mut fields, SEQUENCE)?;
        let subject = element(&mut fields, SEQUENCE)?;
        Some(Self {
            not_before: moment(&mut validity)?,
            not_after: moment(&mut validity)?,
            common_name: common_name(subject),
            issuer: issuer.to_vec(),
            subject: subject.to_vec(),
        })
    }

    /// The first common name of who signed it.
    pub(super) fn issuer_name(&self) -> Option<String> {
        common_name(&self.issuer)
    }

    /// Whether it is still good this much later.
    pub(super) fn good_for(&self, now: Wall, span: Duration) -> bool {
        self.not_before <= now && now.plus(span) < self.not_after
    }
}

/// SHA-256 of the certificate, as browsers and `openssl x509 -fingerprint` show it.
pub(super) fn fingerprint(der: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, der);
    let pairs: Vec<String> = digest.as_ref().iter().map(|b| format!("{b:02X}")).collect();
    pairs.join(":")
}

// Tags of DER.
const INTEGER: u8 = 0x02;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// The next element: its tag and its contents.
fn any<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let length = match first {
        0..=0x7f => usize::from(first),
        // Up to three bytes of length: no certificate has 16 MiB.
        0x81..=0x83 => {
            let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = after;
            bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b))
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    *input = rest;
    Some((tag, contents))
}

fn element<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    any(input)
        .filter(|(found, _)| *found == tag)
        .map(|(_, contents)| contents)
}

/// `YYMMDDhhmmssZ` for the years 1950 to 2049, `YYYYMMDDhhmmssZ` beyond (RFC 5280, 4.1.2.5).
fn moment(input: &mut &[u8]) -> Option<Wall> {
    let (tag, text) = any(input)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year_digits, total) = match tag {
        UTC_TIME => (2, 12),
        GENERALIZED_TIME => (4, 14),
        _ => return None,
    };
    if text.len() != total || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = text.split_at(year_digits);
    let year: i32 = match year.parse().ok()? {
        short @ 0..=49 if tag == UTC_TIME => 2000 + short,
        short if tag == UTC_TIME => 1900 + short,
        full => full,
    };
    let part = |i: usize| rest[2 * i..2 * i + 2].parse::<u8>().ok();
    let date = Date::from_calendar_date(year, Month::try_from(part(0)?).ok()?, part(1)?).ok()?;
    let time = Time::from_hms(part(2)?, part(3)?, part(4)?).ok()?;
    let seconds = OffsetDateTime::new_utc(date, time).unix_timestamp();
    // Before 1970 is as good as 1970: long past.
    Some(Wall(seconds.max(0) as u64 * 1000))
}

fn common_name(mut subject: &[u8]) -> Option<String> {
    while !subject.is_empty() {
        let mut set = element(&mut subject, SET)?;
        let mut pair = element(&mut set, SEQUENCE)?;
        if element(&mut pair, OBJECT)? == COMMON_NAME {
            let (_, text) = any(&mut pair)?;
            return std::str::from_utf8(text).ok().map(str::to_owned);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(not_before: OffsetDateTime, not_after: OffsetDateTime, name: &str) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["x.example".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (not_before, not_after);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::OrganizationName, "emflow");
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_facts_are_those_that_were_signed() {
        // Both forms of a time: 2049 is the last year of the short one.
        let years = [
            (1969, 1970),
            (1999, 2000),
            (2026, 2049),
            (2049, 2050),
            (2050, 2126),
        ];
        for (from, to) in years {
            let day = |year| rcgen::date_time_ymd(year, 2, 28);
            let wall = |year| Wall((day(year).unix_timestamp().max(0) as u64) * 1000);
            let facts = Facts::of(&made(day(from), day(to), "höst 1")).expect("readable");
            assert_eq!(facts.not_before, wall(from));
            assert_eq!(facts.not_after, wall(to));
            assert_eq!(facts.common_name.as_deref(), Some("höst 1"));
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let good = made(
            rcgen::date_time_ymd(2026, 1, 1),
            rcgen::date_time_ymd(2027, 1, 1),
            "x",
        );
        for end in 0..good.len() {
            assert_eq!(Facts::of(&good[..end]), None, "cut at {end}");
        }
        // Every single byte of the part that is read, replaced by the values that steer.
        for at in 0..good.len().min(256) {
            for value in [0, 1, 0x17, 0x18, 0x30, 0x7f, 0x80, 0x81, 0x83, 0x84, 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                let _ = Facts::of(&bad);
            }
        }
    }
}
