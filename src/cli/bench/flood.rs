//! Filler instead of an agent's work: delivery at full speed. Serves `bench --spawn --work frames` alone.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc;

use crate::agents::answer::Answer;
use crate::agents::backend::{Backend, Outcome};
use crate::agents::catalog::Catalog;
use crate::agents::{self, Event, Task};

/// Bytes of text in a frame of filler: with its envelope about 600, as in the published comparisons.
const TEXT: usize = 380;

struct Flood {
    frames: u32,
    text: String,
    catalog: Arc<Catalog>,
    /// All messages of a run are the same: computed once.
    answer: Arc<OnceLock<Answer>>,
}

/// Emits `frames` frames of filler, then the summary of an answer. What an attempt has room for is
/// the limit; the rest of a larger number would be dropped.
pub(super) fn backend(frames: u32) -> Arc<dyn Backend> {
    Arc::new(Flood {
        frames,
        text: "filler ".chars().cycle().take(TEXT).collect(),
        catalog: Arc::new(Catalog::builtin()),
        answer: Arc::default(),
    })
}

/// The arithmetic is left out: what it weighs is measured with `--work answers`.
fn summary(answer: Answer) -> Answer {
    Answer {
        quantities: Vec::new(),
        findings: Vec::new(),
        recommendations: Vec::new(),
        tables: Vec::new(),
        charts: Vec::new(),
        implementation_guidance: Vec::new(),
        success_metrics: Vec::new(),
        provenance: Vec::new(),
        ..answer
    }
}

impl Backend for Flood {
    fn name(&self) -> &str {
        "bench filler"
    }

    fn run(
        &self,
        task: Task,
        events: mpsc::Sender<Event>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        let (frames, text) = (self.frames, self.text.clone());
        let (catalog, kept) = (Arc::clone(&self.catalog), Arc::clone(&self.answer));
        Box::pin(async move {
            for _ in 0..frames {
                let event = Event::Partial {
                    message: String::new(),
                    text_delta: Some(text.clone()),
                    table: None,
                };
                // Nobody listens any more: the attempt was cancelled, and its answer is not needed.
                if events.send(event).await.is_err() {
                    break;
                }
            }
            if let Some(answer) = kept.get() {
                return Ok(answer.clone());
            }
            let answer = summary(agents::answer(&task, &catalog, &mut |_| {})?);
            Ok(kept.get_or_init(|| answer).clone())
        })
    }
}
