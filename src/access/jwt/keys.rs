//! The keys with which the operator's platform signs, as secret, PEM or JWKS (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::{hmac, signature};
use serde::Deserialize;

/// How a JWT is signed. Each key has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA256 with a shared secret.
    Hs256,
    /// RSA with PKCS #1 v1.5 padding and SHA-256.
    Rs256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Whether a header's `alg` means this one. `Ed25519` is EdDSA's newer name (RFC 9864).
    fn is(self, alg: &str) -> bool {
        match self {
            Self::Hs256 => alg == "HS256",
            Self::Rs256 => alg == "RS256",
            Self::EdDsa => alg == "EdDSA" || alg == "Ed25519",
        }
    }
}

/// Why a configured key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Shorter than the hash it is for (RFC 7518, section 3.2).
    #[error("a secret for HS256 needs at least 32 bytes")]
    ShortSecret,
    /// A PEM text where a secret was to be: public keys are no secrets, and anybody could sign.
    #[error("this is a PEM text, not a secret: choose RS256 or EdDSA")]
    PemAsSecret,
    /// Not a public key in PEM.
    #[error("expected `-----BEGIN PUBLIC KEY-----` with a key of the configured algorithm")]
    Pem,
    /// An RSA modulus outside 2048 to 8192 bits.
    #[error("an RSA key needs 2048 to 8192 bits")]
    RsaSize,
    /// Not a JWKS document.
    #[error("not a JWKS document: {0}")]
    Jwks(String),
    /// No key of HS256, RS256 or EdDSA among them.
    #[error("no key for HS256, RS256 or EdDSA signatures in the JWKS document")]
    NoKey,
    /// More keys than anybody rotates through.
    #[error("more than 32 keys in the JWKS document")]
    TooMany,
}

/// Keys in a JWKS document; each may cost a signature verification a token.
const KEYS_MAX: usize = 32;

/// One key, with its algorithm.
pub(super) enum Key {
    Hmac(hmac::Key),
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ed25519([u8; 32]),
}

/// The keys of the platform.
pub struct Keys(Vec<(Option<String>, Key)>);

/// Shows how many and which kinds, never a secret.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds = self.0.iter().map(|(id, key)| (id, key.algorithm()));
        f.debug_list().entries(kinds).finish()
    }
}

impl Keys {
    /// One key: the secret itself for HS256, else a public key in PEM.
    pub fn single(algorithm: Algorithm, text: &str) -> Result<Self, KeyError> {
        let key = match algorithm {
            Algorithm::Hs256 if text.contains("-----BEGIN") => return Err(KeyError::PemAsSecret),
            Algorithm::Hs256 => Key::hmac(text.as_bytes())?,
            Algorithm::Rs256 => Key::rsa_from_spki(&pem(text)?)?,
            Algorithm::EdDsa => Key::ed25519_from_spki(&pem(text)?)?,
        };
        Ok(Self(vec![(None, key)]))
    }

    /// The usable keys of a JWKS document; those for other uses and algorithms are passed over,
    /// a broken one is an error.
    pub fn jwks(text: &str) -> Result<Self, KeyError> {
        let set: JwkSet = serde_json::from_str(text).map_err(|e| KeyError::Jwks(e.to_string()))?;
        let mut keys = Vec::new();
        for jwk in set.keys {
            let id = jwk.kid.clone();
            if let Some(key) = jwk.usable()? {
                keys.push((id, key));
            }
        }
        match keys.len() {
            0 => Err(KeyError::NoKey),
            1..=KEYS_MAX => Ok(Self(keys)),
            _ => Err(KeyError::TooMany),
        }
    }

    /// The keys of this algorithm and id; a key or a token without an id fits any.
    pub(super) fn fitting(&self, alg: &str, kid: Option<&str>) -> impl Iterator<Item = &Key> {
        self.0.iter().filter_map(move |(id, key)| {
            let same_id = match (id, kid) {
                (Some(id), Some(kid)) => id == kid,
                _ => true,
            };
            (same_id && key.algorithm().is(alg)).then_some(key)
        })
    }
}

impl Key {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hmac(_) => Algorithm::Hs256,
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    pub(super) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        let verified = match self {
            Self::Hmac(key) => hmac::verify(key, message, tag),
            Self::Rsa { n, e } => signature::RsaPublicKeyComponents { n, e }.verify(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                message,
                tag,
            ),
            Self::Ed25519(key) => {
                signature::UnparsedPublicKey::new(&signature::ED25519, key).verify(message, tag)
            }
        };
        verified.is_ok()
    }

    fn hmac(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < 32 {
            return Err(KeyError::ShortSecret);
        }
        Ok(Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let number = |bytes: &[u8]| {
            let zeros = bytes.iter().take_while(|b| **b == 0).count();
            bytes[zeros..].to_vec()
        };
        let (n, e) = (number(n), number(e));
        let bits = n.len() * 8 - n.first().map_or(0, |b| b.leading_zeros() as usize);
        if !(2048..=8192).contains(&bits) || e.is_empty() {
            return Err(KeyError::RsaSize);
        }
        Ok(Self::Rsa { n, e })
    }

    fn ed25519(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::Ed25519)
    }

    fn rsa_from_spki(der: &[u8]) -> Result<Self, KeyError> {
        // AlgorithmIdentifier: the OID 1.2.840.113549.1.1.1 (rsaEncryption) and NULL.
        const RSA: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01\x05\x00";
        let parts = || {
            let (sequence, end) = tlv(0x30, spki(der, RSA)?)?;
            let (n, rest) = tlv(0x02, sequence)?;
            let (e, rest) = tlv(0x02, rest)?;
            (end.is_empty() && rest.is_empty()).then_some((n, e))
        };
        let (n, e) = parts().ok_or(KeyError::Pem)?;
        Self::rsa(n, e)
    }

    fn ed25519_from_spki(der: &[u8]) -> Result<Self, KeyError> {
        // The OID 1.3.101.112 (id-Ed25519, RFC 8410), without parameters.
        const ED25519: &[u8] = b"\x06\x03\x2B\x65\x70";
        let key = spki(der, ED25519).and_then(Self::ed25519);
        key.ok_or(KeyError::Pem)
    }
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// The members that matter; `key` members by the names of RFC 7518, section 6.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    k: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
}

impl Jwk {
    fn usable(self) -> Result<Option<Key>, KeyError> {
        let algorithm = match (self.kty.as_str(), self.crv.as_deref()) {
            ("oct", _) => Algorithm::Hs256,
            ("RSA", _) => Algorithm::Rs256,
            ("OKP", Some("Ed25519")) => Algorithm::EdDsa,
            _ => return Ok(None),
        };
        let verifies = |ops: &Vec<String>| ops.iter().any(|op| op == "verify" || op == "sign");
        if self.alg.is_some_and(|alg| !algorithm.is(&alg))
            || self.purpose.is_some_and(|purpose| purpose != "sig")
            || self.key_ops.is_some_and(|ops| !verifies(&ops))
        {
            return Ok(None);
        }
        let member = |name: &str, value: Option<String>| {
            let text = value.ok_or_else(|| KeyError::Jwks(format!("a key without `{name}`")))?;
            let decoded = URL_SAFE_NO_PAD.decode(text);
            decoded.map_err(|_| KeyError::Jwks(format!("`{name}` is not base64url")))
        };
        let key = match algorithm {
            Algorithm::Hs256 => Key::hmac(&member("k", self.k)?)?,
            Algorithm::Rs256 => Key::rsa(&member("n", self.n)?, &member("e", self.e)?)?,
            Algorithm::EdDsa => Key::ed25519(&member("x", self.x)?)
                .ok_or_else(|| KeyError::Jwks("`x` has not 32 bytes".to_owned()))?,
        };
        Ok(Some(key))
    }
}

/// The DER inside `-----BEGIN PUBLIC KEY-----` (RFC 7468).
fn pem(text: &str) -> Result<Vec<u8>, KeyError> {
    let body = text
        .trim()
        .strip_prefix("-----BEGIN PUBLIC KEY-----")
        .and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"))
        .ok_or(KeyError::Pem)?;
    let base64: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(base64).map_err(|_| KeyError::Pem)
}

/// The key bits of a SubjectPublicKeyInfo (RFC 5280, section 4.1) of this algorithm.
fn spki<'a>(der: &'a [u8], algorithm: &[u8]) -> Option<&'a [u8]> {
    let (sequence, end) = tlv(0x30, der)?;
    let (found, rest) = tlv(0x30, sequence)?;
    let (bits, rest) = tlv(0x03, rest)?;
    let (unused, key) = bits.split_first()?;
    let whole = end.is_empty() && rest.is_empty() && *unused == 0;
    (whole && found == algorithm).then_some(key)
}

/// The content of the DER element with this tag at the front, and what follows it.
/// Lengths up to 65 535 suffice: the largest key here has about 1 100 bytes.
fn tlv(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = match (first, rest) {
        (0..=0x7F, _) => (usize::from(*first), rest),
        (0x81, [a, rest @ ..]) => (usize::from(*a), rest),
        (0x82, [a, b, rest @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), rest),
        _ => return None,
    };
    let split = rest.split_at_checked(len)?;
    (*found == tag).then_some(split)
}
