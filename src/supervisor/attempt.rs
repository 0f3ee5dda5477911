//! One try by one backend: its events become frames, until it ends or is stopped.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::agents::answer::Answer;
use crate::agents::backend::{Backend, Failure};
use crate::agents::{Event, Refusal, Task};
use crate::clock::{self, Instant};
use crate::outbox::ANSWER_BYTES;
use crate::protocol::MAX_SERVER_FRAME;
use crate::protocol::frame::Kind;
use crate::sessions::{Session, Stop};
use crate::shutdown::{Drain, Phase};
use crate::store::StoreError;

/// Events that may wait between the agent and the outbox; more makes the agent wait.
const EVENTS: usize = 64;
/// The most of them that become durable in one step.
const AT_ONCE: usize = 16;
/// Events of a session that become frames; what comes after is dropped, and the log says so.
/// The room that was reserved holds these, three beginnings and the end.
const MAX_EVENTS: usize = 56;
/// Bytes of their payloads; the rest of the reserved room is the result's.
const MAX_EVENT_BYTES: usize = ANSWER_BYTES as usize - MAX_SERVER_FRAME;
/// Bytes of one, with room for the envelope: a larger frame would be refused by clients.
const MAX_EVENT: usize = 64 * 1024;

/// How a try ended.
pub(super) enum Ran {
    Answered(Box<Answer>),
    Refused(Refusal),
    Failed(String),
    TimedOut,
    Stopped(Stop),
    /// The process goes; the session is resumed by the next start.
    Draining,
}

impl Ran {
    /// The word by which it is counted.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Answered(_) => "answered",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::TimedOut => "timed_out",
            Self::Stopped(_) => "stopped",
            Self::Draining => "draining",
        }
    }
}

/// The tries of a session: what they share.
pub(super) struct Attempt<'a> {
    pub(super) session: &'a Session,
    pub(super) pace: Duration,
    pub(super) drain: &'a Drain,
    /// When the session's own limit passes.
    pub(super) ends: Instant,
    pub(super) started: Instant,
    pub(super) said: Said,
}

/// What became frames so far, whichever backend said it.
#[derive(Default)]
pub(super) struct Said {
    events: usize,
    bytes: usize,
    dropped: bool,
}

impl Said {
    /// Whether there is room for one more.
    fn admit(&mut self, bytes: usize) -> bool {
        let room =
            self.events < MAX_EVENTS && bytes <= MAX_EVENT && self.bytes + bytes <= MAX_EVENT_BYTES;
        if room {
            self.events += 1;
            self.bytes += bytes;
        } else if !std::mem::replace(&mut self.dropped, true) {
            tracing::warn!("an agent said too much; what has no room is dropped");
        }
        room
    }
}

impl Attempt<'_> {
    pub(super) fn elapsed_ms(&self) -> u64 {
        u64::try_from(clock::now().duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) async fn run(
        &mut self,
        backend: &Arc<dyn Backend>,
        task: Task,
        limit: Duration,
    ) -> Result<Ran, StoreError> {
        let (drain, ends) = (self.drain, self.ends);
        let mut stopped = self.session.stopped();
        let told = async {
            let why = stopped
                .wait_for(Option::is_some)
                .await
                .ok()
                .and_then(|why| *why);
            match why {
                Some(why) => why,
                // The sender lives in the session, which outlives us.
                None => std::future::pending().await,
            }
        };
        // Dropping the play drops the agent's future and its events: that stops it.
        tokio::select! {
            biased;
            why = told => Ok(Ran::Stopped(why)),
            () = drain.reached(Phase::Closing) => Ok(Ran::Draining),
            () = tokio::time::sleep_until(ends.into()) => Ok(Ran::Stopped(Stop::Expired)),
            ran = self.play(backend, task, limit) => ran,
        }
    }

    /// The agent runs in a task of its own, so that a panic is an outcome and its events are
    /// taken at the pace of reading while it goes on.
    async fn play(
        &mut self,
        backend: &Arc<dyn Backend>,
        task: Task,
        limit: Duration,
    ) -> Result<Ran, StoreError> {
        let (sink, mut events) = mpsc::channel(EVENTS);
        let backend = Arc::clone(backend);
        let work = async move { backend.run(task, sink).await };
        let mut agent = AbortOnDrop(self.drain.spawn("agent", work));
        // The limit is the agent's: time spent pacing what it has said is not counted against it.
        let mut computing = std::pin::pin!(tokio::time::timeout(limit, &mut agent.0));
        let mut outcome = None;
        loop {
            match &outcome {
                // It still runs and holds its sink: the events would never end.
                Some(Err(_)) => return Ok(Ran::TimedOut),
                // All it said is in the channel; a sink it left with somebody must not keep us.
                Some(Ok(_)) => events.close(),
                None => {}
            }
            tokio::select! {
                biased;
                event = events.recv() => match event {
                    Some(event) => {
                        let mut said = vec![event];
                        // Nobody reads in between where there is no pause: what is there by now
                        // becomes durable together, and a slider is answered sooner.
                        while self.pace.is_zero()
                            && said.len() < AT_ONCE
                            && let Ok(more) = events.try_recv()
                        {
                            said.push(more);
                        }
                        if !self.say(&said).await? {
                            return Ok(Ran::Stopped(Stop::Cancelled));
                        }
                        self.pause(&mut computing, &mut outcome).await;
                    }
                    None if outcome.is_some() => break,
                    None => outcome = Some((&mut computing).await),
                },
                ended = &mut computing, if outcome.is_none() => outcome = Some(ended),
            }
        }
        Ok(match outcome {
            Some(Ok(Ok(Ok(answer)))) => Ran::Answered(Box::new(answer)),
            Some(Ok(Ok(Err(Failure::Refused(refusal))))) => Ran::Refused(refusal),
            Some(Ok(Ok(Err(Failure::Broken(text))))) => Ran::Failed(text),
            Some(Ok(Err(panic))) => Ran::Failed(format!("the agent's task ended: {panic}")),
            Some(Err(_)) | None => Ran::TimedOut,
        })
    }

    /// False where the session has ended.
    async fn say(&mut self, events: &[Event]) -> Result<bool, StoreError> {
        let frames = events.iter().map(frame_of);
        let frames = frames.map(|(kind, payload)| (kind, payload.to_string()));
        let admitted = frames.filter(|(_, payload)| self.said.admit(payload.len()));
        let admitted = admitted.collect();
        self.session.say(admitted).await
    }

    async fn pause<F, T>(&self, computing: &mut std::pin::Pin<&mut F>, outcome: &mut Option<T>)
    where
        F: Future<Output = T>,
    {
        if self.pace.is_zero() {
            return;
        }
        let mut pause = std::pin::pin!(tokio::time::sleep(self.pace));
        tokio::select! {
            () = &mut pause => {}
            ended = computing, if outcome.is_none() => {
                *outcome = Some(ended);
                pause.await;
            }
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn frame_of(event: &Event) -> (Kind, Value) {
    match event {
        Event::Thinking {
            message,
            assumptions,
        } if assumptions.is_empty() => (Kind::AgentThinking, json!({"message": message})),
        Event::Thinking {
            message,
            assumptions,
        } => (
            Kind::AgentThinking,
            json!({"message": message, "assumptions": assumptions}),
        ),
        Event::Tool {
            tool_name,
            message,
            progress,
        } => (
            Kind::ToolExecuting,
            json!({"tool_name": tool_name, "message": message, "progress": progress}),
        ),
        Event::Partial {
            message,
            text_delta,
            table,
        } => {
            let mut payload = json!({"message": message});
            if let Some(text) = text_delta {
                payload["text_delta"] = json!(text);
            }
            if let Some(table) = table {
                payload["table"] = json!(table);
            }
            (Kind::PartialResult, payload)
        }
    }
}
