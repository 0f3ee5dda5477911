//! The administrator's password: Argon2id, and never more than two hashings at once.
//!
//! A hashing costs 19 MiB and tens of milliseconds by intent. Two at once bound what a flood
//! of logins can take; a few more wait, and beyond that one is told to come back.
//!
//! Their memory is kept for the next ones. Taken and given back each time it stayed with the
//! allocator, once for each thread that ever hashed: 153 MiB after forty logins, where now it is 38.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::{Output, ParamsString, PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization;

use super::secret::{NoRandomness, random};

/// Of a password, in Unicode scalar values.
pub const MIN: usize = 12;
/// Of a password, in bytes.
pub const MAX: usize = 1024;

/// OWASP's first choice for Argon2id: memory in KiB, passes, lanes.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashings at once.
const AT_ONCE: usize = 2;
/// Hashings that wait besides.
const WAITING: usize = 8;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a password has at least {MIN} characters and at most {MAX} bytes, without control characters"
)]
pub struct Unfit;

/// Whether it may be set.
///
/// # Errors
/// [`Unfit`], with the rule.
pub fn check(password: &str) -> Result<(), Unfit> {
    let length = password.chars().take(MIN).count();
    let fits = length >= MIN && password.len() <= MAX && !password.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(Unfit) }
}

/// A password that nobody has to think of: 25 characters in five groups, 125 random bits, in
/// Crockford's letters, of which no two look alike.
///
/// # Errors
/// Where the system gives no random numbers.
pub fn generate() -> Result<String, NoRandomness> {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bytes = random::<25>()?;
    let groups = bytes.chunks(5).map(|group| {
        let letters = group.iter().map(|b| LETTERS[usize::from(b & 31)]);
        letters.map(char::from).collect::<String>()
    });
    Ok(groups.collect::<Vec<_>>().join("-"))
}

/// Hashes and verifies.
#[derive(Clone)]
pub struct Hasher {
    places: Arc<Semaphore>,
    working: Arc<Semaphore>,
    memory: Memory,
}

/// A place among those who hash or wait for it.
pub struct Place {
    _place: OwnedSemaphorePermit,
    working: Arc<Semaphore>,
    memory: Memory,
}

/// What hashings work in: at most [`AT_ONCE`] pieces, because no more are at work.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<Vec<Block>>>>);

impl Memory {
    /// Hashes, and leaves nothing of the password in the memory.
    fn hash(&self, password: &str, salt: &[u8], params: Params) -> Option<Output> {
        let mut piece = self.lock().pop().unwrap_or_default();
        piece.resize(params.block_count(), Block::new());
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let output = Output::init_with(length, |out| {
            let password = normal(password);
            let hashed = argon2.hash_password_into_with_memory(
                password.as_bytes(),
                salt,
                out,
                piece.as_mut_slice(),
            );
            Ok(hashed?)
        });
        piece.fill(Block::new());
        self.lock().push(piece);
        output.ok()
    }

    /// The pieces are whole after each statement.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            working: Arc::new(Semaphore::new(AT_ONCE)),
            memory: Memory::default(),
        }
    }
}

impl Hasher {
    /// A place, where there is one.
    pub fn place(&self) -> Option<Place> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place {
            _place: place,
            working: Arc::clone(&self.working),
            memory: self.memory.clone(),
        })
    }
}

impl Place {
    /// Whether `password` is the one of this hash.
    pub async fn verify(self, password: String, hash: String) -> bool {
        let verified = self.run(move |memory| verify(memory, &password, &hash));
        verified.await.unwrap_or(false)
    }

    /// The hash of a new password, in the PHC form.
    pub async fn hash(self, password: String) -> Option<String> {
        let hashed = self.run(move |memory| hash(memory, &password));
        hashed.await.flatten()
    }

    /// The permits go with the work: who stops waiting for it does not make room for more.
    async fn run<R: Send + 'static>(
        self,
        work: impl FnOnce(&Memory) -> R + Send + 'static,
    ) -> Option<R> {
        let turn = Arc::clone(&self.working).acquire_owned().await.ok()?;
        let work = move || {
            let result = work(&self.memory);
            drop((self, turn));
            result
        };
        tokio::task::spawn_blocking(work).await.ok()
    }
}

/// The same text typed on another keyboard has the same bytes.
fn normal(password: &str) -> String {
    password.nfkc().collect()
}

fn hash(memory: &Memory, password: &str) -> Option<String> {
    let params = Params::new(MEMORY, PASSES, LANES, None)
        .expect("the parameters are constants within the ranges of Argon2");
    let salt = random::<16>().ok()?;
    let encoded = SaltString::encode_b64(&salt).ok()?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).ok()?,
        salt: Some(encoded.as_salt()),
        hash: Some(memory.hash(password, &salt, params)?),
    };
    Some(hash.to_string())
}

/// The parameters are those of the hash, so that an older one still counts after they change.
fn verify(memory: &Memory, password: &str, hash: &str) -> bool {
    let right = || {
        let hash = PasswordHash::new(hash).ok()?;
        let known = hash.algorithm == Algorithm::Argon2id.ident()
            && hash.version == Some(Version::V0x13.into());
        let params = Params::try_from(&hash).ok().filter(|_| known)?;
        let mut salt = [0; 64];
        let salt = hash.salt?.decode_b64(&mut salt).ok()?;
        // In constant time.
        Some(memory.hash(password, salt, params)? == hash.hash?)
    };
    right().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_salted_costly_and_found_again() {
        let memory = Memory::default();
        let hash = |password| hash(&memory, password).unwrap();
        let verify = |password, against| verify(&memory, password, against);
        let (one, two) = (hash("correct horse"), hash("correct horse"));
        assert_ne!(one, two);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert!(verify("correct horse", &one));
        for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
            assert!(!verify(wrong, &one), "{wrong}");
        }
        assert!(!verify("correct horse", "not a hash"));
        // Made by the reference implementation, through argon2-cffi 25.1.
        let known = "$argon2id$v=19$m=8192,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$YfES6gmFWUBw8nYN6Lgw0jwmh/uBn5mFlt/ctr60VqQ";
        assert!(verify("correct horse", known));
        assert!(!verify("correct hors", known));
        let other = "$argon2i$v=19$m=8192,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$TZuAN7fKzDKI0sOdAsy3nULYWiFxXnsjoQZ8rKS2HKI";
        assert!(!verify("correct horse", other), "another function");
        let composed = hash("M\u{fc}nchen 2026");
        assert!(
            verify("Mu\u{308}nchen 2026", &composed),
            "the same, typed elsewhere"
        );
    }

    #[test]
    fn what_may_be_a_password() {
        let check =
            |password: &str, fits| assert_eq!(check(password).is_ok(), fits, "{password:?}");
        check("elf zeichen", false);
        check("zwölfZeichen", true);
        check("zwölf Zeichen\n", false);
        check(&"x".repeat(MAX), true);
        check(&"x".repeat(MAX + 1), false);
        for _ in 0..100 {
            let made = generate().unwrap();
            check(&made, true);
            assert_eq!(made.len(), 29);
        }
    }

    #[tokio::test]
    async fn beyond_two_at_work_and_eight_waiting_there_is_no_place() {
        let hasher = Hasher::default();
        let mut places: Vec<Place> = (0..AT_ONCE + WAITING)
            .map(|_| hasher.place().unwrap())
            .collect();
        assert!(hasher.place().is_none());
        let hash = places.pop().unwrap().hash("correct horse".into()).await;
        let place = hasher.place().unwrap();
        assert!(hasher.place().is_none());
        assert!(place.verify("correct horse".into(), hash.unwrap()).await);
        assert!(hasher.place().is_some());
    }
}
