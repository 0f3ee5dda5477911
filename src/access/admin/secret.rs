//! The secrets of an administrator's session, token and link: 256 random bits in base64url.
//! Only their SHA-256 is kept; it needs no salt, because nobody guesses 256 bits.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// What API tokens begin with, so that scanners for leaked secrets know one.
pub const TOKEN_PREFIX: &str = "emflow_";

/// The hash of a secret; what is stored and compared.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a secret as it was brought.
    pub fn of(secret: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
        Self(hash)
    }

    /// A short name of what the secret belongs to: 12 hexadecimal digits, of no use to a thief.
    pub fn id(&self) -> String {
        self.0[..6].iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// In constant time.
impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Fingerprint {}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", self.id())
    }
}

/// The system gives no random numbers, and without them nothing is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandomness;

/// Fresh random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// A new secret.
pub(super) fn mint() -> Result<String, NoRandomness> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// The value that a page of ours repeats in `X-CSRF-Token`: derived from the session's secret,
/// so that nothing is stored and a new session has a new one.
pub fn csrf(session: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, session.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"emflow csrf"))
}

/// Whether `given` is the session's; in constant time.
pub(super) fn csrf_matches(session: &str, given: &str) -> bool {
    csrf(session).as_bytes().ct_eq(given.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_csrf_value_belongs_to_one_session_and_does_not_tell_it() {
        let (a, b) = (mint().unwrap(), mint().unwrap());
        assert_ne!(a, b);
        assert!(csrf_matches(&a, &csrf(&a)));
        for wrong in ["", "x", &csrf(&b), &csrf(&a)[1..], &a] {
            assert!(!csrf_matches(&a, wrong), "{wrong}");
        }
        assert!(!csrf(&a).contains(&a));
    }
}
