//! A backend that a presenter makes fail, so that breaker and fallback are seen at work.
//!
//! What happens then is what happens to any backend that fails: nothing beyond this file knows
//! that it was on purpose.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use crate::agents::backend::{Backend, Failure, Outcome};
use crate::agents::{Event, Task};

/// The name of the same engine, asked where the first instance fails.
pub const STANDBY: &str = "builtin-standby";

/// Whether the backend fails; a restart forgets it.
#[derive(Debug, Clone, Default)]
pub struct Switch(Arc<AtomicBool>);

impl Switch {
    /// From now on, for attempts that begin.
    pub fn set(&self, failing: bool) {
        self.0.store(failing, Ordering::SeqCst);
    }

    /// Whether it is made to fail.
    pub fn failing(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A backend behind a switch.
pub struct Switched {
    /// Who answers while the switch is off.
    pub inner: Arc<dyn Backend>,
    /// The switch.
    pub switch: Switch,
}

impl Backend for Switched {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn run(
        &self,
        task: Task,
        events: mpsc::Sender<Event>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        if self.switch.failing() {
            let why = "the presenter makes it fail".to_owned();
            return Box::pin(std::future::ready(Err(Failure::Broken(why))));
        }
        self.inner.run(task, events)
    }
}

/// A second instance of an engine, with a breaker of its own.
pub struct Standby(pub Arc<dyn Backend>);

impl Backend for Standby {
    fn name(&self) -> &str {
        STANDBY
    }

    fn run(
        &self,
        task: Task,
        events: mpsc::Sender<Event>,
    ) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        self.0.run(task, events)
    }
}
