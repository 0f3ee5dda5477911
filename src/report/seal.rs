//! The appliance's signature under a report: whoever holds the file can tell whether a byte of it
//! has changed, without the appliance.
//!
//! The seal is the last line of HTML and Markdown (a comment) and the last member of JSON. It
//! covers every byte before itself, and its own form leaves nothing open, so no byte of the file
//! can change unseen. It carries the key: that says "unchanged"; only the fingerprint, compared
//! with the appliance's, says "from whom".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// Signed before the report, so that no other thing the key might ever sign passes for one.
const DOMAIN: &[u8] = b"emflow report 1\n";
/// How the seal is framed: in HTML and Markdown, and in JSON.
const FRAMES: [(&str, &str); 2] = [
    ("<!-- emflow-seal ed25519 ", " -->\n"),
    (",\n  \"seal\": \"ed25519 ", "\"\n}\n"),
];

/// `KEY SIGNATURE` in base64: 32 and 64 bytes.
const SEAL_LENGTH: usize = 44 + 1 + 88;

/// Signs reports with the appliance's key.
pub struct Signer(Ed25519KeyPair);

/// Why a file is not the report that was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotGenuine {
    /// There is no seal at its end.
    #[error(
        "there is no seal at its end: it is no report of emflow, or its end was changed or cut"
    )]
    NoSeal,
    /// The seal does not fit what stands before it.
    #[error("it was changed after it was signed: the seal does not fit its content")]
    Changed,
}

/// A report whose seal fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genuine {
    /// Of the key that signed it; see [`Signer::fingerprint`].
    pub fingerprint: String,
}

impl Signer {
    /// From the secret of the store.
    ///
    /// # Errors
    /// Where the library refuses the key, which no 32 bytes make it do.
    pub fn new(seed: &[u8; 32]) -> Result<Self, ring::error::KeyRejected> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self)
    }

    /// The public key in base64.
    pub fn public_key(&self) -> String {
        STANDARD.encode(self.0.public_key())
    }

    /// SHA-256 of the public key, in hexadecimal pairs with colons: what people compare.
    pub fn fingerprint(&self) -> String {
        fingerprint(self.0.public_key().as_ref())
    }

    /// HTML or Markdown with its seal.
    pub fn seal_text(&self, text: &str) -> String {
        let text = format!("{}\n", text.trim_end());
        self.framed(&text, FRAMES[0])
    }

    /// A pretty-printed JSON object with its seal as the last member.
    pub fn seal_json(&self, text: &str) -> String {
        let text = text.trim_end();
        let inside = text.strip_suffix("\n}").unwrap_or(text);
        self.framed(inside, FRAMES[1])
    }

    fn framed(&self, text: &str, (before, after): (&str, &str)) -> String {
        let signature = self.0.sign(&covered(text.as_bytes()));
        let (key, signature) = (self.public_key(), STANDARD.encode(signature));
        format!("{text}{before}{key} {signature}{after}")
    }
}

/// Whether `file` is as it was signed, and by which key.
///
/// # Errors
/// [`NotGenuine`].
pub fn verify(file: &[u8]) -> Result<Genuine, NotGenuine> {
    let found = FRAMES.iter().find_map(|(before, after)| {
        let rest = file.strip_suffix(after.as_bytes())?;
        let at = rest.len().checked_sub(SEAL_LENGTH)?;
        let (text, seal) = rest.split_at(at);
        let text = text.strip_suffix(before.as_bytes())?;
        let (key, signature) = std::str::from_utf8(seal).ok()?.split_once(' ')?;
        // Strict: another spelling of the same bytes is another file.
        let decode = |text: &str| STANDARD.decode(text).ok();
        Some((text, decode(key)?, decode(signature)?))
    });
    let (text, key, signature) = found.ok_or(NotGenuine::NoSeal)?;
    UnparsedPublicKey::new(&ED25519, &key)
        .verify(&covered(text), &signature)
        .map_err(|_| NotGenuine::Changed)?;
    Ok(Genuine {
        fingerprint: fingerprint(&key),
    })
}

fn covered(text: &[u8]) -> Vec<u8> {
    [DOMAIN, text].concat()
}

fn fingerprint(key: &[u8]) -> String {
    let pairs = digest::digest(&digest::SHA256, key);
    let pairs: Vec<String> = pairs.as_ref().iter().map(|b| format!("{b:02X}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(seed: u8) -> Signer {
        Signer::new(&[seed; 32]).unwrap()
    }

    #[test]
    fn every_changed_byte_shows_and_nothing_else_does() {
        let signer = signer(7);
        let json = serde_json::json!({"a": [1, 2], "session": {"id": "s"}});
        let files = [
            signer.seal_text("<!DOCTYPE html>\n<p>5,700</p>\n"),
            signer.seal_text("# 5,700\n\n"),
            signer.seal_json(&format!("{json:#}\n")),
        ];
        serde_json::from_str::<serde_json::Value>(&files[2]).unwrap();
        for file in files {
            let genuine = verify(file.as_bytes()).unwrap();
            assert_eq!(genuine.fingerprint, signer.fingerprint());
            for at in 0..file.len() {
                for flip in [1, 0x20, 0x80] {
                    let mut changed = file.clone().into_bytes();
                    changed[at] ^= flip;
                    assert!(verify(&changed).is_err(), "byte {at} of {file}");
                }
            }
            for cut in 1..file.len() {
                assert!(verify(&file.as_bytes()[..file.len() - cut]).is_err());
                assert!(verify(&file.as_bytes()[cut..]).is_err());
            }
            for more in ["\n", " ", "<p>x</p>"] {
                assert!(verify(format!("{file}{more}").as_bytes()).is_err());
                assert!(verify(format!("{more}{file}").as_bytes()).is_err());
            }
        }
    }

    #[test]
    fn another_key_is_another_fingerprint_and_a_seal_does_not_move() {
        let (ours, theirs) = (signer(1), signer(2));
        assert_ne!(ours.fingerprint(), theirs.fingerprint());
        let forged = theirs.seal_text("report");
        assert_eq!(
            verify(forged.as_bytes()).unwrap().fingerprint,
            theirs.fingerprint()
        );
        let seal = ours.seal_text("report").split_off("report\n".len());
        assert_eq!(
            verify(format!("another\n{seal}").as_bytes()),
            Err(NotGenuine::Changed)
        );
        assert_eq!(verify(b""), Err(NotGenuine::NoSeal));
        assert_eq!(verify(b"plain text"), Err(NotGenuine::NoSeal));
    }
}
