//! The JWT of the operator's own platform (RFC 7519), where visitors come with one.
//!
//! Verified here, on `ring`, rather than by the `jsonwebtoken` crate: its releases on ring
//! end with 9.3, which takes an `exp` of the wrong type for an absent one (GHSA-h395-gr6q-cpjc),
//! and its later ones bring a second cryptography library along. What is needed is little and strict:
//!
//! - The algorithm follows from the key, never from the token: a token that names
//!   another one finds no key. `none` is no algorithm of any key.
//! - `exp` is required, and a claim of the wrong type is an error, not an absence.
//! - Nothing of the payload is read before the signature is verified.
//! - `crit` is refused (we understand no extension), as are duplicate members.

mod keys;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

pub use keys::{Algorithm, KeyError, Keys};

use crate::clock::Wall;
use crate::id::UserId;

/// The longest JWT, in bytes; longer ones are not looked at.
pub const JWT_MAX: usize = 8 * 1024;

/// How far the platform's clock may be from ours.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Why a text is not a valid JWT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// It has not the form of a signed JWT, or a claim has not the form it must have.
    #[error("not a JWT, or a claim of the wrong type")]
    Malformed,
    /// No configured key has the algorithm and the key id it names.
    #[error("no configured key fits the algorithm and key id")]
    NoKey,
    /// None of the fitting keys made the signature.
    #[error("a wrong signature")]
    Forged,
    /// It has no `exp`, or its time is over.
    #[error("expired, or without an expiry")]
    Expired,
    /// Its time has not come (`nbf`).
    #[error("not valid yet")]
    TooEarly,
    /// `iss` is not the configured one.
    #[error("of another issuer")]
    Issuer,
    /// `aud` does not name us. Where no audience is configured no token that has one is
    /// for us (RFC 7519, section 4.1.3).
    #[error("for another audience")]
    Audience,
    /// `sub` is missing or not a `user_id`.
    #[error("its subject is not a user_id")]
    Subject,
}

/// What a verified JWT says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtClaims {
    /// `sub`.
    pub user_id: UserId,
    /// `exp` and the leeway: when [`Verifier::verify`] starts to refuse it.
    pub expires: Wall,
    /// `iat`, where it has one.
    pub issued: Option<Wall>,
}

/// What to check.
#[derive(Debug)]
pub struct Verifier {
    /// Who may sign.
    pub keys: Keys,
    /// What `iss` must be, where it matters.
    pub issuer: Option<String>,
    /// What `aud` must contain.
    pub audience: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

/// A claim of the wrong type fails to parse, and so does the token.
#[derive(Deserialize)]
struct Payload {
    sub: Option<String>,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
    iss: Option<String>,
    aud: Option<Audience>,
}

/// Seconds since 1970, possibly with a fraction.
#[derive(Deserialize, Clone, Copy)]
#[serde(try_from = "f64")]
struct NumericDate(Wall);

impl TryFrom<f64> for NumericDate {
    type Error = &'static str;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        if !seconds.is_finite() || seconds < 0.0 {
            return Err("a time before 1970");
        }
        // Saturating, like every cast from a float.
        Ok(Self(Wall((seconds * 1000.0) as u64)))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, us: &str) -> bool {
        match self {
            Self::One(name) => name == us,
            Self::Many(names) => names.iter().any(|name| name == us),
        }
    }
}

impl Verifier {
    /// Checks signature, times, issuer, audience and subject, in this order.
    pub fn verify(&self, text: &str, now: Wall) -> Result<JwtClaims, JwtError> {
        let payload = self.signed_payload(text)?;
        let payload: Payload = parse(payload)?;
        let NumericDate(exp) = payload.exp.ok_or(JwtError::Expired)?;
        let expires = exp.plus(LEEWAY);
        if now >= expires {
            return Err(JwtError::Expired);
        }
        if payload.nbf.is_some_and(|nbf| now.plus(LEEWAY) < nbf.0) {
            return Err(JwtError::TooEarly);
        }
        if self.issuer.is_some() && self.issuer != payload.iss {
            return Err(JwtError::Issuer);
        }
        let for_us = match (&self.audience, &payload.aud) {
            (None, None) => true,
            (Some(us), Some(audience)) => audience.names(us),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !for_us {
            return Err(JwtError::Audience);
        }
        let subject = payload.sub.as_deref().ok_or(JwtError::Subject)?;
        Ok(JwtClaims {
            user_id: UserId::parse(subject).map_err(|_| JwtError::Subject)?,
            expires,
            issued: payload.iat.map(|iat| iat.0),
        })
    }

    /// The part between the dots, still encoded, once a key has verified it.
    fn signed_payload<'a>(&self, text: &'a str) -> Result<&'a str, JwtError> {
        if text.len() > JWT_MAX {
            return Err(JwtError::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwtError::Malformed)?;
        let signature = decode(signature)?;
        let header: Header = parse(header)?;
        if header.crit.is_some() {
            return Err(JwtError::Malformed);
        }
        let mut fitting = self.keys.fitting(&header.alg, header.kid.as_deref());
        let mut any = false;
        let verified = fitting.any(|key| {
            any = true;
            key.verify(signed.as_bytes(), &signature)
        });
        match (verified, any) {
            (true, _) => Ok(payload),
            (false, true) => Err(JwtError::Forged),
            (false, false) => Err(JwtError::NoKey),
        }
    }
}

fn decode(part: &str) -> Result<Vec<u8>, JwtError> {
    let decoded = URL_SAFE_NO_PAD.decode(part);
    decoded.map_err(|_| JwtError::Malformed)
}

fn parse<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, JwtError> {
    serde_json::from_slice(&decode(part)?).map_err(|_| JwtError::Malformed)
}

#[cfg(test)]
mod tests;
