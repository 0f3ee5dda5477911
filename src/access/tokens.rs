//! The visitor's token: opaque to clients, signed by this server.
//!
//! Nothing is stored for a token. Whoever holds the key can check it after any
//! restart, and all tokens of a visitor are revoked at once by raising the
//! visitor's generation, with which the caller compares [`Claims::generation`].
//!
//! ```text
//! base64url( kind 1 | issued 8 | expires 8 | generation 8 | user_id 1..64 | HMAC-SHA256 32 )
//! ```
//!
//! The kind is the visitor's own token, or one of the two that let another device
//! [follow](super::follow); it is signed with the rest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::clock::Wall;
use crate::id::{USER_ID_MAX, UserId};

/// The first byte of each kind of token.
const OWN: u8 = 1;
const CONTROL: u8 = 2;
const READ: u8 = 3;
const HEAD: usize = 1 + 3 * 8;
const TAG: usize = 32;

/// The longest token, in characters; longer texts are not even decoded.
pub const TOKEN_MAX: usize = (HEAD + USER_ID_MAX + TAG).div_ceil(3) * 4;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The visitor's own.
    Own,
    /// Another device follows the visitor; it may ask and stop where it has control.
    Follow {
        /// Whether it may.
        control: bool,
    },
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Own => OWN,
            Self::Follow { control: true } => CONTROL,
            Self::Follow { control: false } => READ,
        }
    }

    fn of(byte: u8) -> Option<Self> {
        match byte {
            OWN => Some(Self::Own),
            CONTROL => Some(Self::Follow { control: true }),
            READ => Some(Self::Follow { control: false }),
            _ => None,
        }
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// What it is for.
    pub kind: Kind,
    /// Whose it is.
    pub user_id: UserId,
    /// When it was made.
    pub issued: Wall,
    /// From when on it is worth nothing.
    pub expires: Wall,
    /// The visitor's generation when it was made.
    pub generation: u64,
}

/// Why a text is not a valid token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It has not the form of a token of this version.
    #[error("not a token")]
    Malformed,
    /// It was not made with this key.
    #[error("a token with a wrong signature")]
    Forged,
    /// Its time is over.
    #[error("an expired token")]
    Expired,
}

/// Makes and checks tokens.
#[derive(Debug)]
pub struct Tokens {
    key: hmac::Key,
}

impl Tokens {
    /// `key`: 32 random bytes that outlive the process. `realm`: what else a token depends
    /// on; with another realm all tokens made before are forged.
    ///
    /// The signing key is derived, so that the same 32 bytes can serve other purposes.
    pub fn new(key: &[u8; 32], realm: &[u8]) -> Self {
        let mut purpose = b"emflow visitor token\0".to_vec();
        purpose.extend_from_slice(realm);
        let root = hmac::Key::new(hmac::HMAC_SHA256, key);
        let derived = hmac::sign(&root, &purpose);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()),
        }
    }

    /// The token that says these claims.
    pub fn mint(&self, claims: &Claims) -> String {
        let mut bytes = Vec::with_capacity(HEAD + USER_ID_MAX + TAG);
        bytes.push(claims.kind.byte());
        for number in [claims.issued.0, claims.expires.0, claims.generation] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(claims.user_id.as_str().as_bytes());
        let tag = hmac::sign(&self.key, &bytes);
        bytes.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Checks form, signature (in constant time) and expiry, in this order: nothing of
    /// an unsigned text is believed.
    pub fn verify(&self, text: &str, now: Wall) -> Result<Claims, TokenError> {
        if text.len() > TOKEN_MAX {
            return Err(TokenError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| TokenError::Malformed)?;
        let body_len = bytes.len().checked_sub(TAG).filter(|len| *len > HEAD);
        let (body, tag) = bytes.split_at(body_len.ok_or(TokenError::Malformed)?);
        let kind = Kind::of(body[0]).ok_or(TokenError::Malformed)?;
        hmac::verify(&self.key, body, tag).map_err(|_| TokenError::Forged)?;
        let claims = Self::read(kind, body).ok_or(TokenError::Malformed)?;
        if now >= claims.expires {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    fn read(kind: Kind, body: &[u8]) -> Option<Claims> {
        let (numbers, user) = body.get(1..)?.split_at_checked(HEAD - 1)?;
        let number = |at: usize| {
            let bytes = numbers.get(at * 8..at * 8 + 8)?;
            Some(u64::from_be_bytes(bytes.try_into().ok()?))
        };
        Some(Claims {
            kind,
            user_id: UserId::parse(std::str::from_utf8(user).ok()?).ok()?,
            issued: Wall(number(0)?),
            expires: Wall(number(1)?),
            generation: number(2)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(&[7; 32], b"open")
    }

    fn claims(user: &str) -> Claims {
        Claims {
            kind: Kind::Own,
            user_id: UserId::parse(user).unwrap(),
            issued: Wall(1_000),
            expires: Wall(5_000),
            generation: 3,
        }
    }

    #[test]
    fn says_what_was_minted_until_it_expires() {
        for user in ["a", "v-abc", &"x".repeat(USER_ID_MAX)] {
            let text = tokens().mint(&claims(user));
            assert!(text.len() <= TOKEN_MAX);
            // Another instance with the same key: a restart.
            assert_eq!(tokens().verify(&text, Wall(4_999)), Ok(claims(user)));
            assert_eq!(
                tokens().verify(&text, Wall(5_000)),
                Err(TokenError::Expired)
            );
            assert_eq!(
                tokens().verify(&text, Wall(0)),
                Ok(claims(user)),
                "the clock went back"
            );
        }
    }

    #[test]
    fn each_kind_is_what_was_minted() {
        for kind in [
            Kind::Own,
            Kind::Follow { control: true },
            Kind::Follow { control: false },
        ] {
            let said = Claims {
                kind,
                ..claims("a")
            };
            let read = tokens().verify(&tokens().mint(&said), Wall(2_000));
            assert_eq!(read, Ok(said));
        }
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let text = tokens().mint(&claims("v-abc"));
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let error = tokens().verify(&URL_SAFE_NO_PAD.encode(&changed), Wall(2_000));
            // One bit makes an own token say that it is one with which a device follows: forged.
            let expected = if bit < 8 && Kind::of(changed[0]).is_none() {
                TokenError::Malformed
            } else {
                TokenError::Forged
            };
            assert_eq!(error, Err(expected), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(
                tokens()
                    .verify(&URL_SAFE_NO_PAD.encode(&bytes[..len]), Wall(2_000))
                    .is_err()
            );
        }
    }

    #[test]
    fn only_the_same_key_and_realm_verify() {
        let text = tokens().mint(&claims("v-abc"));
        let others = [
            Tokens::new(&[8; 32], b"open"),
            Tokens::new(&[7; 32], b"code"),
        ];
        for other in others {
            assert_eq!(other.verify(&text, Wall(2_000)), Err(TokenError::Forged));
        }
    }

    #[test]
    fn a_token_has_one_spelling() {
        let text = tokens().mint(&claims("v-abc"));
        let check = |wrong: String| {
            assert_eq!(
                tokens().verify(&wrong, Wall(2_000)),
                Err(TokenError::Malformed),
                "{wrong}"
            );
        };
        check(format!("{text}="));
        check(format!(" {text}"));
        check(format!("{text}\n"));
        check(String::new());
        check("A".repeat(TOKEN_MAX + 1));
        check("é".repeat(20));
        // Bits of the last character that carry nothing must be zero.
        let mut loose = text.clone().into_bytes();
        assert_eq!(
            62 % 3,
            2,
            "the last character of 62 bytes carries two unused bits"
        );
        assert_eq!(URL_SAFE_NO_PAD.decode(&text).unwrap().len(), 62);
        *loose.last_mut().unwrap() += 1;
        check(String::from_utf8(loose).unwrap());
    }

    #[test]
    fn the_key_is_not_printed() {
        let shown = format!("{:?}", tokens());
        assert!(
            !shown.contains("7, 7") && !shown.contains("0707"),
            "{shown}"
        );
    }
}
