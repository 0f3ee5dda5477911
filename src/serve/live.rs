//! What happens, as it happens: the administrator's event stream, and looking back.
//!
//! A stream hands over when its client takes more; until then what happens waits in the feed's
//! bounded channel. One that is slow is told how many events it missed, and one that takes nothing
//! for as long as a write may last loses its place. Lines of the log come along where they are
//! asked for: at `debug` they are too many for those who do not look at them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::unfold;
use http::HeaderName;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Interval, MissedTickBehavior, interval};
use warp::Reply as _;
use warp::reply::Response as Reply;
use warp::sse::Event as Message;

use super::door::text;
use super::mark::{Place, Run};
use super::routes::{Call, Route, Who, at_once};
use super::{Services, logs, operate};
use crate::id::UserId;
use crate::meter::{Event, EventKind, Severity};
use crate::observe::logs::{Line, Wanted as WantedLines};
use crate::protocol::problem::{Code, Problem};
use crate::shutdown::Phase;

/// These.
pub(super) const ROUTES: [Route; 2] = [
    Route::get("/api/v1/admin/events", Who::Read, |call| {
        at_once(events(&call))
    }),
    Route::get("/api/v1/admin/stream", Who::Read, |call| {
        at_once(stream(call))
    })
    .without_head(),
];

/// Between two snapshots.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(1);
/// Messages on their way to a client that takes them slowly.
const WAITING: usize = 16;
/// Where a browser says how far it has read before the connection broke.
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
/// Events that a stream is given to catch up with; older ones are told as missed.
const CATCH_UP: usize = 500;
/// Events of a page, where the query does not say; and the most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 500;

/// What the query of `events` may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    kind: Option<String>,
    severity: Option<String>,
    visitor: Option<String>,
    after: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/admin/events`: newest first.
fn events(call: &Call) -> Result<Reply, Problem> {
    let wanted: Wanted = operate::query(call, "kind, severity, visitor, after, before and limit")?;
    let severity = wanted.severity.as_deref().map(severity).transpose()?;
    let kind = wanted.kind.unwrap_or_default();
    if !EventKind::ALL.iter().any(|k| k.as_str().starts_with(&kind)) {
        let known: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let text = format!("kind must begin one of: {}", known.join(", "));
        return Err(Problem::new(Code::BadRequest, text));
    }
    let visitor = wanted.visitor.as_deref().map(visitor).transpose()?;
    let run = run(&call.services);
    let (after, before) = run.bounds(wanted.after.as_deref(), wanted.before.as_deref())?;
    let limit = operate::page_of(wanted.limit, PAGE, PAGE_MAX)?;
    let fits = |event: &Event| {
        event.id > after
            && event.id < before
            && event.what.kind.as_str().starts_with(&kind)
            && severity.is_none_or(|severity| event.what.kind.severity() == severity)
            && (visitor.is_none() || event.what.user == visitor)
    };
    let feed = &call.services.meters.feed;
    let mut found = feed.look_back(fits, limit + 1);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|event| run.id(event.id));
    let items: Vec<Value> = found.iter().map(|event| told(run, event)).collect();
    let oldest = feed.oldest().map(|number| run.id(number));
    let body = json!({"items": items, "next": next, "oldest": oldest});
    Ok(super::reply::json(http::StatusCode::OK, &body))
}

fn severity(word: &str) -> Result<Severity, Problem> {
    let all = [Severity::Info, Severity::Warning, Severity::Error];
    let found = all.into_iter().find(|severity| severity.as_str() == word);
    found.ok_or_else(|| Problem::new(Code::BadRequest, "severity must be info, warning or error"))
}

fn visitor(text: &str) -> Result<UserId, Problem> {
    UserId::parse(text)
        .map_err(|rule| Problem::new(Code::BadRequest, format!("visitor must be {rule}")))
}

/// The numbering of the events.
fn run(services: &Services) -> Run {
    Run {
        letter: 'e',
        epoch: services.meters.feed.epoch(),
    }
}

/// An event in answers.
fn told(run: Run, event: &Event) -> Value {
    let what = &event.what;
    json!({
        "id": run.id(event.id), "at": event.at.rfc3339(), "kind": what.kind.as_str(),
        "severity": what.kind.severity().as_str(), "message": what.message,
        "session_id": what.session.map(|id| id.to_string()),
        "user_id": what.user.as_ref().map(ToString::to_string),
        "connection_id": what.connection.map(|id| id.to_string()),
        "breaker": what.breaker, "alert": what.alert, "code": what.code,
        "category": what.category.map(|category| category.as_str()),
    })
}

/// What the query of `stream` may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Along {
    logs: Option<String>,
    #[serde(default)]
    target: String,
    #[serde(default)]
    text: String,
}

impl Along {
    /// The lines that are to come along, if any.
    fn lines(&self, services: &Services) -> Result<Option<Lines>, Problem> {
        let Some(level) = &self.logs else {
            if self.target.is_empty() && self.text.is_empty() {
                return Ok(None);
            }
            let text = "target and text choose lines of the log; ask for those with logs=LEVEL";
            return Err(Problem::new(Code::BadRequest, text));
        };
        let wanted = logs::wanted(Some(level), &self.target, &self.text)?;
        let follow = services.logs.follow();
        Ok(Some(Lines { follow, wanted }))
    }
}

/// `GET /api/v1/admin/stream`
fn stream(call: Call) -> Result<Reply, Problem> {
    let along: Along = operate::query(&call, "logs, target and text")?;
    let lines = along.lines(&call.services)?;
    let last = run(&call.services).place(LAST_EVENT.as_str(), text(&call.headers, &LAST_EVENT))?;
    let Some(principal) = call.principal else {
        return Err(Problem::new(Code::Unauthenticated, "log in first"));
    };
    let Some(place) = call.services.observer.watcher() else {
        let text = "too many look on already; close a page of the administration";
        return Err(Problem::new(Code::Overloaded, text).retry_after(5));
    };
    let services = Arc::clone(&call.services);
    let over = async move {
        tokio::select! {
            () = services.admin.ended(&principal) => "logged_out",
            () = services.drain.reached(Phase::Draining) => "draining",
        }
    };
    let drain = call.services.drain.clone();
    let mut watch = Watch::new(call.services, last, Box::pin(over), place);
    watch.lines = lines;
    let (hand, taken) = mpsc::channel(WAITING);
    drain.spawn("administrator's stream", watch.run(hand));
    let messages = unfold(taken, |mut taken| async move {
        let message = taken.recv().await?;
        Some((Ok::<_, Infallible>(message), taken))
    });
    Ok(warp::sse::reply(messages).into_response())
}

/// Lines of the log that one who looks on has asked for.
struct Lines {
    follow: Receiver<Arc<Line>>,
    wanted: WantedLines,
}

/// The next of them; never where none are asked for.
async fn next_line(lines: &mut Option<Lines>) -> Result<Arc<Line>, RecvError> {
    let Some(lines) = lines else {
        return std::future::pending().await;
    };
    loop {
        let line = lines.follow.recv().await?;
        if lines.wanted.fits(&line) {
            return Ok(line);
        }
    }
}

/// One who looks on.
struct Watch {
    services: Arc<Services>,
    run: Run,
    follow: Receiver<Arc<Event>>,
    lines: Option<Lines>,
    /// The last event that was told.
    last: u64,
    ready: VecDeque<Message>,
    snapshots: Interval,
    /// Ends with the reason why the stream does.
    over: BoxFuture<'static, &'static str>,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

impl Watch {
    fn new(
        services: Arc<Services>,
        last: Option<Place>,
        over: BoxFuture<'static, &'static str>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let feed = &services.meters.feed;
        // Followed first and looked back then: what happens in between is in both, and told once.
        let follow = feed.follow();
        let newest = feed.look_back(|_| true, 1).first().map_or(0, |e| e.id);
        let after = match last {
            None => newest,
            // Beyond the newest there is nothing to have been read.
            Some(Place::Here(number)) => number.min(newest),
            // Of the process before: all of this one's is new.
            Some(Place::Elsewhere) => 0,
        };
        let missed = feed.look_back(|event| event.id > after, CATCH_UP);
        let mut snapshots = interval(SNAPSHOT_EVERY);
        snapshots.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watch = Self {
            run: run(&services),
            follow,
            lines: None,
            last: after,
            ready: VecDeque::new(),
            snapshots,
            over,
            ended: false,
            _place: place,
            services,
        };
        let run = watch.run;
        let hello = json!({
            "epoch": run.epoch.to_string(), "newest": (newest > 0).then(|| run.id(newest)),
            "continues": matches!(last, Some(Place::Here(_))),
        });
        watch.push(Message::default().event("hello"), &hello);
        let oldest = missed.last().map_or(after + 1, |event| event.id);
        if oldest > after + 1 {
            watch.dropped("events", oldest - after - 1);
        }
        for event in missed.iter().rev() {
            watch.event(event);
        }
        watch
    }

    /// Until the administrator's session or the client is gone, or the process goes.
    async fn run(mut self, client: Sender<Message>) {
        let patience = self.services.settings.write_timeout;
        loop {
            while let Some(message) = self.ready.pop_front() {
                let taken = tokio::time::timeout(patience, client.send(message)).await;
                if !matches!(taken, Ok(Ok(()))) {
                    return;
                }
            }
            if self.ended {
                return;
            }
            tokio::select! {
                () = client.closed() => return,
                () = self.wait() => {}
            }
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            why = &mut self.over => {
                self.ended = true;
                while let Ok(event) = self.follow.try_recv() {
                    self.event(&event);
                }
                self.push(Message::default().event("bye"), &json!({"reason": why}));
            }
            heard = self.follow.recv() => match heard {
                Ok(event) => self.event(&event),
                Err(RecvError::Lagged(count)) => self.dropped("events", count),
                // The feed lives in the services.
                Err(RecvError::Closed) => self.ended = true,
            },
            heard = next_line(&mut self.lines) => match heard {
                Ok(line) => {
                    let line = logs::told(logs::run(&self.services), &line);
                    self.push(Message::default().event("log"), &line);
                }
                Err(RecvError::Lagged(count)) => self.dropped("lines", count),
                // The ring lives in the services too.
                Err(RecvError::Closed) => self.lines = None,
            },
            _ = self.snapshots.tick() => {
                let snapshot = self.services.observer.snapshot().await;
                self.push(Message::default().event("snapshot"), &snapshot);
            }
        }
    }

    fn event(&mut self, event: &Event) {
        if event.id <= self.last {
            return;
        }
        self.last = event.id;
        let message = Message::default().event("event").id(self.run.id(event.id));
        self.push(message, &told(self.run, event));
        if let Some(alert) = event
            .what
            .alert
            .and_then(|id| self.services.observer.alert(id))
        {
            self.push(Message::default().event("alert"), &alert);
        }
    }

    fn dropped(&mut self, of: &str, count: u64) {
        let message = Message::default().event("dropped");
        self.push(message, &json!({"of": of, "count": count}));
    }

    fn push(&mut self, message: Message, value: &Value) {
        // JSON has no line breaks of its own, so one `data:` line holds it.
        self.ready.push_back(message.data(value.to_string()));
    }
}
