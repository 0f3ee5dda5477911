//! Who runs an agent: the built-in engine, or something remote.
//!
//! A backend is asked once an attempt and says what it does as it does it. It is
//! stopped by dropping the future and the receiver of its events.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::answer::Answer;
use super::catalog::Catalog;
use super::{Event, Refusal, Task};

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
