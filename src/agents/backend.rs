//! Who runs an agent: the built-in engine, or something remote.
//!
//! A backend is asked once an attempt and says what it does as it does it. It is
//! stopped by dropping the future and the receiver of its events.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};

use super::answer::Answer;
use super::catalog::Catalog;
use crate::clock;

use super::{Event, Preview, Refusal, Task};

/// Why an attempt gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing can be computed from this message; not the backend's fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The backend did not do what it is for. The text is for the log, not for visitors.
    #[error("{0}")]
    Broken(String),
}

/// What an attempt gives in the end.
pub type Outcome = Result<Answer, Failure>;

/// Something that runs agents.
pub trait Backend: Send + Sync + 'static {
    /// Its name, for example `builtin`.
    fn name(&self) -> &str;

    /// Runs one attempt.
    fn run(
        &self,
        task: Task,
        events: mpsc::Sender<Event>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;
}

/// The engine inside the binary.
pub struct Builtin {
    catalog: Arc<Catalog>,
}

/// The name of the built-in backend.
pub const BUILTIN: &str = "builtin";

impl Builtin {
    /// Computes with `catalog`.
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self { catalog }
    }
}

/// Reads messages while they are written, beside the answers: a bounded number at once, so that
/// typing never takes the machine from what was asked.
#[derive(Clone)]
pub struct Reader {
    catalog: Arc<Catalog>,
    as_of: Option<time::Date>,
    permits: Arc<Semaphore>,
}

/// Messages read at once.
const READ_AT_ONCE: usize = 2;
/// How long a reading waits for its turn and for its end. It takes milliseconds; later its answer
/// would be about words that nobody sees any more.
const READ_WITHIN: Duration = Duration::from_secs(2);

impl Reader {
    /// Reads with `catalog`, with the prices of `as_of` or else of today.
    pub fn new(catalog: Arc<Catalog>, as_of: Option<time::Date>) -> Self {
        Self {
            catalog,
            as_of,
            permits: Arc::new(Semaphore::new(READ_AT_ONCE)),
        }
    }

    /// The day whose prices count.
    pub fn as_of(&self) -> String {
        let day = self.as_of.unwrap_or_else(|| clock::wall().date());
        day.to_string()
    }

    /// What an agent would compute `task` with; `chosen` as for [`super::preview`]. None where
    /// it was not ready in time.
    ///
    /// # Errors
    /// [`Failure`]: the task's day is none, or the engine panicked.
    pub async fn preview(&self, task: Task, chosen: bool) -> Option<Result<Preview, Failure>> {
        let catalog = Arc::clone(&self.catalog);
        let permits = Arc::clone(&self.permits);
        let read = async {
            let permit = permits.acquire_owned().await.ok()?;
            let read = tokio::task::spawn_blocking(move || {
                // Held until the work is over, even where nobody waits for it any more.
                let _permit = permit;
                super::preview(task, chosen, &catalog)
            });
            Some(match read.await {
                Ok(result) => result.map_err(Failure::Refused),
                Err(error) => Err(Failure::Broken(panic_text(error))),
            })
        };
        tokio::time::timeout(READ_WITHIN, read).await.ok().flatten()
    }
}

/// Unwinds the engine when nobody listens any more.
struct Abandoned;

impl Backend for Builtin {
    fn name(&self) -> &str {
        BUILTIN
    }

    fn run(
        &self,
        task: Task,
        events: mpsc::Sender<Event>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        let catalog = Arc::clone(&self.catalog);
        let compute = move || {
            super::answer(&task, &catalog, &mut |event| {
                if events.blocking_send(event).is_err() {
                    std::panic::resume_unwind(Box::new(Abandoned));
                }
            })
        };
        Box::pin(async move {
            match tokio::task::spawn_blocking(compute).await {
                Ok(result) => result.map_err(Failure::Refused),
                Err(error) => Err(Failure::Broken(panic_text(error))),
            }
        })
    }
}

/// A panic in words.
fn panic_text(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => {
            let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            format!(
                "the agent panicked: {}",
                text.unwrap_or_else(|| "without a message".to_owned())
            )
        }
        Err(_) => "the agent was cancelled".to_owned(),
    }
}
