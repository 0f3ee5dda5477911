//! Runs attempts: breaker, time limit, cancellation, panic boundary, fallback.
//!
//! One task a session that is processing. Whatever happens to the agent, the
//! session has exactly one end, and its place in the queue is given back.

mod attempt;
mod breakers;
pub mod rehearsal;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};

pub use breakers::{Breakers, ByHand, Snapshot};

use crate::agents::answer::Answer;
use crate::agents::backend::{BUILTIN, Backend};
use crate::agents::{Refusal, Task};
use crate::business;
use crate::clock::{self, Wall};
use crate::intake::Queue;
use crate::machine::breaker::{self, Outcome};
use crate::machine::session::State;
use crate::meter::{Draft, EventKind};
use crate::protocol::frame::Kind;
use crate::sessions::{End, Session, Sessions, Stop};
use crate::shutdown::{Drain, Phase};
use crate::store::{SessionRecord, StoreError};
use attempt::{Attempt, Ran, Said};

/// How attempts are run.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// The agent's limit.
    pub agent_timeout: Duration,
    /// The pause between two events, for reading; zero for none.
    pub pace: Duration,
    /// The session's own limit, counted from its acceptance.
    pub session_timeout: Duration,
    /// The day whose prices count; none is the day of the request.
    pub as_of: Option<time::Date>,
}

/// Runs what the queue lets through.
#[derive(Clone)]
pub struct Supervisor(Arc<Shared>);

struct Shared {
    policy: Policy,
    sessions: Sessions,
    queue: Arc<Queue>,
    drain: Drain,
    primary: Arc<dyn Backend>,
    /// Answers where `primary` fails; none where `primary` is the built-in engine itself.
    fallback: Option<Arc<dyn Backend>>,
    breakers: Breakers,
}

impl Supervisor {
    /// `fallback` answers where `primary` fails.
    pub fn new(
        policy: Policy,
        sessions: Sessions,
        queue: Arc<Queue>,
        drain: Drain,
        primary: Arc<dyn Backend>,
        fallback: Option<Arc<dyn Backend>>,
        breakers: Breakers,
    ) -> Self {
        breakers.announce(primary.name(), "primary");
        if let Some(fallback) = &fallback {
            breakers.announce(fallback.name(), "fallback");
        }
        Self(Arc::new(Shared {
            policy,
            sessions,
            queue,
            drain,
            primary,
            fallback,
            breakers,
        }))
    }

    /// Starts sessions as places become free, until the drain.
    pub async fn run(self) {
        loop {
            while self.0.drain.phase() == Phase::Running
                && let Some(id) = self.0.queue.with(|a| a.next_ready(clock::now()))
            {
                let Some(session) = self.0.sessions.get(id) else {
                    self.0.queue.with(|a| a.cancel(id));
                    continue;
                };
                let this = self.clone();
                self.0
                    .drain
                    .spawn("session", async move { this.process(session).await });
            }
            tokio::select! {
                () = self.0.queue.ready.notified() => {}
                () = self.0.drain.reached(Phase::Draining) => return,
            }
        }
    }

    async fn process(&self, session: Arc<Session>) {
        let record = session.record();
        let answer = AssertUnwindSafe(self.answer(&session, &record));
        let answered = match answer.catch_unwind().await {
            Ok(answered) => answered,
            // A bug of ours, not the agent's; the session has an end all the same.
            Err(_) => self.end(&session, &record, broken()).await,
        };
        // Where the store has stopped, whoever watches it ends the process.
        let finished = answered.unwrap_or_else(|error| {
            tracing::error!(session = %record.id, %error, "a session could not go on");
            false
        });
        if finished {
            self.0.queue.with(|a| a.finish(record.id, clock::now()));
            self.0.sessions.leave(record.id);
            self.0.queue.ready.notify_one();
        }
    }

    /// True where the session has ended; false where it is left for the next start.
    async fn answer(&self, session: &Session, record: &SessionRecord) -> Result<bool, StoreError> {
        if !session.begin().await? {
            return Ok(true);
        }
        let task = self.task(record);
        let mut attempt = self.attempt(session, record);

        let mut reason = None;
        for backend in std::iter::once(&self.0.primary).chain(&self.0.fallback) {
            match self.try_backend(backend, &mut attempt, &task).await? {
                Tried::Ended(end) => return self.end(session, record, end).await,
                Tried::Answered(answer) => {
                    let fallbacks = &self.0.sessions.meters().work.fallbacks;
                    fallbacks.add(u64::from(reason.is_some()));
                    let end = completed(record, &answer, &attempt, reason);
                    return self.end(session, record, end).await;
                }
                Tried::Draining => return Ok(false),
                Tried::Failed(failed) => reason = Some(failed),
            }
        }
        let failed = reason.unwrap_or_else(Failed::agent);
        self.end(session, record, failed.end()).await
    }

    /// Asks one backend, if its breaker lets us.
    async fn try_backend(
        &self,
        backend: &Arc<dyn Backend>,
        attempt: &mut Attempt<'_>,
        task: &Task,
    ) -> Result<Tried, StoreError> {
        let name = backend.name();
        let pass = match self.0.breakers.admit(name) {
            Ok(pass) => pass,
            Err(refusal) => {
                self.count(name, "breaker_open");
                return Ok(Tried::Failed(Failed::breaker(&refusal)));
            }
        };
        let breaker_state = self.0.breakers.state(name);
        let agent = crate::agents::name_of(task.category);
        let started = json!({"agent_name": agent, "backend": name});
        let session = attempt.session;
        session
            .say(vec![(Kind::AgentStarted, started.to_string())])
            .await?;
        let limit = self.0.policy.agent_timeout;
        let ran = attempt.run(backend, task.clone(), limit).await?;
        let outcome = match &ran {
            Ran::Answered(_) | Ran::Refused(_) => Outcome::Success,
            Ran::Failed(_) | Ran::TimedOut => Outcome::Failure,
            Ran::Stopped(_) | Ran::Draining => Outcome::Abandoned,
        };
        let failure = match &ran {
            Ran::Failed(text) => Some(text.clone()),
            Ran::TimedOut => Some(Failed::timeout(limit).text),
            _ => None,
        };
        if let Some(error) = failure {
            let record = session.record();
            self.0
                .breakers
                .remember(name, record.id, &record.user, &error);
        }
        self.0.breakers.settle(name, pass, outcome);
        self.count(name, ran.word());
        Ok(match ran {
            Ran::Answered(answer) => {
                Tried::Answered(Box::new(with_execution(*answer, name, breaker_state)))
            }
            Ran::Refused(Refusal { code, message }) => {
                let recovery = "Add the numbers that are missing and send it as a new message.";
                let end = End::error(State::Failed, &code, &message, false, recovery);
                Tried::Ended(End {
                    fault: false,
                    ..end
                })
            }
            Ran::Stopped(why) => Tried::Ended(End::stopped(why)),
            Ran::Draining => Tried::Draining,
            Ran::TimedOut => {
                self.tell_failure(name, session, "the agent took too long and was stopped");
                Tried::Failed(Failed::timeout(limit))
            }
            Ran::Failed(text) => {
                tracing::warn!(backend = name, error = %text, "an agent failed");
                self.tell_failure(name, session, &text);
                Tried::Failed(Failed::agent())
            }
        })
    }

    fn count(&self, backend: &str, outcome: &'static str) {
        let attempts = &self.0.sessions.meters().work.attempts;
        attempts.one((backend.to_owned(), outcome));
    }

    fn tell_failure(&self, backend: &str, session: &Session, text: &str) {
        let record = session.record();
        let mut event = Draft::new(EventKind::AgentFailed, format!("{backend}: {text}"));
        event.session = Some(record.id);
        event.user = Some(record.user);
        event.category = Some(record.category);
        event.breaker = Some(backend.to_owned());
        self.0.sessions.meters().feed.tell(event, clock::wall());
    }

    fn attempt<'a>(&'a self, session: &'a Session, record: &SessionRecord) -> Attempt<'a> {
        let started = clock::now();
        let policy = &self.0.policy;
        let deadline = record.created.plus(policy.session_timeout);
        // Who gets a turn gets the time of an agent: a wall clock that leapt ahead while the session
        // waited, or while the process was down, must not end it at once.
        let turn = policy.agent_timeout.min(policy.session_timeout);
        Attempt {
            session,
            pace: self.pace(session),
            drain: &self.0.drain,
            ends: started + deadline.since(clock::wall()).max(turn),
            started,
            said: Said::default(),
        }
    }

    async fn end(
        &self,
        session: &Session,
        record: &SessionRecord,
        end: End,
    ) -> Result<bool, StoreError> {
        let took = clock::wall().since(record.created);
        let counts = business::ended(record, end.word(), took);
        session.end(end, counts).await?;
        Ok(true)
    }

    /// A changed number is followed at once: its reader has read the answer before and waits for
    /// the new one.
    fn pace(&self, session: &Session) -> Duration {
        match session.record().parent {
            Some(_) => Duration::ZERO,
            None => self.0.policy.pace,
        }
    }

    fn task(&self, record: &SessionRecord) -> Task {
        let as_of = self.0.policy.as_of.unwrap_or_else(|| record.created.date());
        Task {
            content: record.content.clone(),
            category: record.category,
            complexity: record.complexity,
            assumptions: serde_json::from_str(&record.assumptions).unwrap_or_default(),
            as_of: as_of.to_string(),
        }
    }

    /// Ends what takes too long at `now`: called by the cleanup.
    ///
    /// # Errors
    /// [`StoreError::Stopped`].
    pub async fn expire(&self, now: Wall) -> Result<usize, StoreError> {
        let mut expired = 0;
        for session in self.0.sessions.all() {
            let record = session.record();
            if now < record.created.plus(self.0.policy.session_timeout) {
                continue;
            }
            // Asked and taken out in one step: it is started, or ended here.
            let is_processing = self.0.queue.with(|a| {
                let is_processing = a.position(record.id) == Some(0);
                if !is_processing {
                    a.cancel(record.id);
                }
                is_processing
            });
            if is_processing {
                session.stop(Stop::Expired);
                continue;
            }
            self.end(&session, &record, End::stopped(Stop::Expired))
                .await?;
            self.0.sessions.leave(record.id);
            expired += 1;
        }
        Ok(expired)
    }
}

/// The end of a session whose processing panicked.
fn broken() -> End {
    End::error(
        State::Failed,
        "internal",
        "something of ours broke while this was answered",
        true,
        "Send it again as a new message.",
    )
}

/// The end that a result is.
fn completed(
    record: &SessionRecord,
    answer: &Answer,
    attempt: &Attempt<'_>,
    fallback: Option<Failed>,
) -> End {
    let payload = json!({
        "result": serde_json::to_value(answer).unwrap_or(Value::Null),
        "processing_time_ms": attempt.elapsed_ms(),
        // True: the backend named in `agent_started` computed this just now.
        "real_agent_execution": true,
        "fallback_reason": fallback.map(|f| f.reason()),
    });
    let size = payload.to_string().len();
    // Room for the envelope; a larger frame would be refused by clients.
    if size > crate::protocol::MAX_SERVER_FRAME - 1024 {
        tracing::error!(session = %record.id, size, "a result is too large to send");
        let text = "the result is larger than a frame may be";
        let recovery = "Ask for less at once.";
        return End::error(State::Failed, "result_too_large", text, false, recovery);
    }
    End {
        state: State::Completed,
        kind: Kind::AgentCompleted,
        payload,
        fault: false,
    }
}

/// What asking one backend came to.
enum Tried {
    Answered(Box<Answer>),
    Ended(End),
    Failed(Failed),
    Draining,
}

fn with_execution(mut answer: Answer, backend: &str, breaker: &str) -> Answer {
    answer.execution.breaker_state = breaker.to_owned();
    if backend != BUILTIN {
        answer.execution.backend = backend.to_owned();
    }
    answer
}

/// Why a backend gave no answer.
struct Failed {
    code: &'static str,
    text: String,
    retry_after_s: Option<u64>,
}

impl Failed {
    fn agent() -> Self {
        Self {
            code: "agent_failed",
            text: "the agent failed".into(),
            retry_after_s: None,
        }
    }

    fn breaker(refusal: &breaker::Refusal) -> Self {
        Self {
            code: "breaker_open",
            text: refusal.to_string(),
            retry_after_s: Some(refusal.retry_after.as_secs().max(1)),
        }
    }

    fn timeout(limit: Duration) -> Self {
        let text = format!(
            "the agent took longer than {} s and was stopped",
            limit.as_secs_f64()
        );
        Self {
            code: "timeout",
            text,
            retry_after_s: Some(limit.as_secs().max(1)),
        }
    }

    fn reason(&self) -> String {
        format!("{}: {}", self.code, self.text)
    }

    fn end(self) -> End {
        let state = if self.code == "timeout" {
            State::TimedOut
        } else {
            State::Failed
        };
        let recovery = match self.retry_after_s {
            Some(seconds) => format!("Send it again as a new message, best after {seconds} s."),
            None => "Send it again as a new message.".to_owned(),
        };
        let mut end = End::error(state, self.code, &self.text, true, &recovery);
        if let Some(seconds) = self.retry_after_s {
            end.payload["retry_after_ms"] = json!(seconds * 1000);
        }
        end
    }
}

#[cfg(test)]
pub(crate) mod tests;
