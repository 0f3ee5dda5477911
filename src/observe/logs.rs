//! The last lines of the log: a bounded ring to look back, and a channel to follow.
//!
//! A layer of the log itself, behind its filter: what is written is held here, nothing else, so
//! what the log never holds (contents, tokens, passwords) is not here either. Not durable: a
//! restart begins with an empty ring. Libraries are heard from `info` on: at `trace` the one that
//! writes to a socket would tell of every line that is being told, without an end.

use std::collections::VecDeque;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use tokio::sync::broadcast;
use tracing::Level;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::clock::{self, Wall};

/// Lines held to look back, at most.
const HELD: usize = 2_000;
/// Bytes of them, about.
const HELD_BYTES: usize = 1 << 20;
/// Lines that may wait for one follower; a slower one is told how many it missed.
const WAITING: usize = 256;
/// The longest message and the longest value of a field, in bytes.
const MESSAGE: usize = 1_000;
const VALUE: usize = 300;
/// Fields of a line.
const FIELDS: usize = 16;
/// What a line takes besides its texts, about.
const LINE_BYTES: usize = 128;
/// The crate whose lines are held at every level.
const OWN: &str = "emflow";

/// A line.
#[derive(Debug, Clone)]
pub struct Line {
    /// From 1, rising.
    pub id: u64,
    /// When.
    pub at: Wall,
    /// How bad.
    pub level: Level,
    /// The module that said it.
    pub target: &'static str,
    /// What it said.
    pub message: String,
    /// What it said it about.
    pub fields: Map<String, Value>,
}

impl Line {
    /// The word of its level, as `log.level` has it.
    pub fn level(&self) -> &'static str {
        word(self.level)
    }

    fn bytes(&self) -> usize {
        let field =
            |(name, value): (&String, &Value)| name.len() + value.as_str().map_or(8, str::len);
        LINE_BYTES + self.message.len() + self.fields.iter().map(field).sum::<usize>()
    }
}

/// The levels, the worst first.
const LEVELS: [Level; 5] = [
    Level::ERROR,
    Level::WARN,
    Level::INFO,
    Level::DEBUG,
    Level::TRACE,
];

fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Which lines are wanted; an absent condition holds for all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    level: Option<Level>,
    target: String,
    text: String,
}

impl Wanted {
    /// Lines of a level or worse (`error`, `warn`, `info`, `debug`, `trace`), of modules that
    /// begin with `target`, that hold `text` in whatever case. None where there is no such level.
    pub fn new(level: Option<&str>, target: &str, text: &str) -> Option<Self> {
        let named = |name: &str| LEVELS.into_iter().find(|level| word(*level) == name);
        let level = match level {
            None => None,
            Some(name) => Some(named(name)?),
        };
        Some(Self {
            level,
            target: target.to_owned(),
            text: text.to_lowercase(),
        })
    }

    /// Whether it is.
    pub fn fits(&self, line: &Line) -> bool {
        let holds = |text: &str| text.to_lowercase().contains(&self.text);
        let of_field = |(name, value): (&String, &Value)| match value {
            Value::String(text) => holds(name) || holds(text),
            other => holds(name) || holds(&other.to_string()),
        };
        self.level.is_none_or(|level| line.level <= level)
            && line.target.starts_with(&self.target)
            && (self.text.is_empty()
                || holds(&line.message)
                || holds(line.target)
                || line.fields.iter().any(of_field))
    }
}

/// A handle; cloned freely. It is the layer, and what is read.
#[derive(Clone)]
pub struct Logs(Arc<Shared>);

struct Shared {
    began: Wall,
    held: Mutex<Held>,
    follow: broadcast::Sender<Arc<Line>>,
}

#[derive(Default)]
struct Held {
    last: u64,
    bytes: usize,
    lines: VecDeque<Arc<Line>>,
}

impl Default for Logs {
    fn default() -> Self {
        Self(Arc::new(Shared {
            began: clock::wall(),
            held: Mutex::default(),
            follow: broadcast::Sender::new(WAITING),
        }))
    }
}

impl Logs {
    /// When numbering began: another process has another.
    pub fn epoch(&self) -> u64 {
        self.0.began.0
    }

    /// What is held and wanted, newest first, at most `max`.
    pub fn look_back(&self, wanted: impl Fn(&Line) -> bool, max: usize) -> Vec<Arc<Line>> {
        let held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.lines.iter().rev().filter(|line| wanted(line));
        found.take(max).cloned().collect()
    }

    /// The id of the oldest line held; none where nothing was said.
    pub fn oldest(&self) -> Option<u64> {
        let held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.lines.front().map(|line| line.id)
    }

    /// Hears every line from now on; one that is too slow is told how many it missed.
    pub fn follow(&self) -> broadcast::Receiver<Arc<Line>> {
        self.0.follow.subscribe()
    }

    fn push(&self, mut line: Line) {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.last += 1;
        line.id = held.last;
        held.bytes += line.bytes();
        let line = Arc::new(line);
        held.lines.push_back(Arc::clone(&line));
        while held.lines.len() > HELD || held.bytes > HELD_BYTES {
            let Some(gone) = held.lines.pop_front() else {
                break;
            };
            held.bytes -= gone.bytes();
        }
        // Sent under the lock: who follows gets them in their order. Nobody may follow.
        let _ = self.0.follow.send(line);
    }
}

impl<S: tracing::Subscriber> Layer<S> for Logs {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        let own = about.target().split("::").next() == Some(OWN);
        if !own && *about.level() > Level::INFO {
            return;
        }
        let mut said = Said::default();
        event.record(&mut said);
        self.push(Line {
            id: 0,
            at: clock::wall(),
            level: *about.level(),
            target: about.target(),
            message: said.message,
            fields: said.fields,
        });
    }
}

/// Takes the fields of an event, cut to what is held.
#[derive(Default)]
struct Said {
    message: String,
    fields: Map<String, Value>,
}

impl Said {
    fn take(&mut self, field: &Field, value: Value) {
        if self.fields.len() < FIELDS {
            self.fields.insert(field.name().to_owned(), value);
        }
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let is_message = field.name() == "message";
        let mut text = Short::new(if is_message { MESSAGE } else { VALUE });
        // It fails where the text is full; what fits is kept.
        let _ = write!(text, "{value:?}");
        if is_message {
            self.message = text.finish();
        } else {
            self.take(field, text.finish().into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, value.into());
    }
}

/// A text up to a length; what is beyond is never written out.
struct Short {
    text: String,
    most: usize,
    cut: bool,
}

impl Short {
    fn new(most: usize) -> Self {
        Self {
            text: String::new(),
            most,
            cut: false,
        }
    }

    fn finish(mut self) -> String {
        if self.cut {
            self.text.push('…');
        }
        self.text
    }
}

impl std::fmt::Write for Short {
    fn write_str(&mut self, more: &str) -> std::fmt::Result {
        let room = self.most - self.text.len();
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        self.text.push_str(&more[..more.floor_char_boundary(room)]);
        self.cut = true;
        Err(std::fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What is held after `say`, which logs.
    fn heard(say: impl FnOnce()) -> Logs {
        let logs = Logs::default();
        let subscriber = tracing_subscriber::registry().with(logs.clone());
        tracing::subscriber::with_default(subscriber, say);
        logs
    }

    fn messages(logs: &Logs, wanted: &Wanted) -> Vec<String> {
        let lines = logs.look_back(|line| wanted.fits(line), usize::MAX);
        lines.iter().map(|line| line.message.clone()).collect()
    }

    #[test]
    fn holds_what_was_said_with_its_fields() {
        let logs = heard(|| {
            let error = std::io::Error::other("broken");
            tracing::warn!(%error, port = 7, open = true, share = 0.5, who = "ann", "told {}", 1);
        });
        let line = logs.look_back(|_| true, 1).remove(0);
        assert_eq!(
            (line.id, line.level(), line.target),
            (1, "warn", module_path!())
        );
        assert_eq!(line.message, "told 1");
        let fields = serde_json::json!({"error": "broken", "port": 7, "open": true, "share": 0.5, "who": "ann"});
        assert_eq!(Value::Object(line.fields.clone()), fields);
    }

    #[test]
    fn filters_by_level_or_worse_module_and_text_in_whatever_case() {
        let logs = heard(|| {
            tracing::error!(target: "emflow::store", "Disk gone");
            tracing::info!(target: "emflow::serve", peer = "Ann", "came");
            tracing::debug!(target: "emflow::serve", n = 41, "went");
            tracing::debug!(target: "hyper::proto", "flushed");
            tracing::warn!(target: "emflowing", "of a library");
        });
        let check = |level, target, text, expected: &[&str]| {
            let wanted = Wanted::new(level, target, text).unwrap();
            assert_eq!(
                messages(&logs, &wanted),
                expected,
                "{level:?} {target} {text}"
            );
        };
        check(None, "", "", &["of a library", "went", "came", "Disk gone"]);
        check(Some("info"), "", "", &["of a library", "came", "Disk gone"]);
        check(Some("error"), "", "", &["Disk gone"]);
        check(None, "emflow::serve", "", &["went", "came"]);
        check(None, "", "dISK", &["Disk gone"]);
        check(None, "", "ann", &["came"]);
        check(None, "", "41", &["went"]);
        check(None, "emflow::serve", "disk", &[]);
        assert!(Wanted::new(Some("loud"), "", "").is_none());
    }

    #[test]
    fn is_bounded_in_lines_in_bytes_and_in_each_text() {
        let few = heard(|| (0..HELD + 10).for_each(|n| tracing::info!("{n}")));
        assert_eq!(few.oldest(), Some(11));
        assert_eq!(few.look_back(|_| true, usize::MAX).len(), HELD);
        let long = heard(|| {
            let text = "ü".repeat(5_000);
            (0..HELD).for_each(|_| tracing::info!(text, "{text}"));
        });
        let lines = long.look_back(|_| true, usize::MAX);
        assert!(lines.iter().map(|line| line.bytes()).sum::<usize>() <= HELD_BYTES);
        assert!(lines.len() > 500 && lines[0].id == HELD as u64);
        assert_eq!(lines[0].message, "ü".repeat(MESSAGE / 2) + "…");
        assert_eq!(lines[0].fields["text"], "ü".repeat(VALUE / 2) + "…");
    }

    #[test]
    fn one_who_follows_too_slowly_is_told() {
        let logs = Logs::default();
        let mut follower = logs.follow();
        let subscriber = tracing_subscriber::registry().with(logs.clone());
        tracing::subscriber::with_default(subscriber, || {
            (0..WAITING + 3).for_each(|n| tracing::info!("{n}"));
        });
        let missed = follower.try_recv();
        assert!(matches!(
            missed,
            Err(broadcast::error::TryRecvError::Lagged(3))
        ));
        assert_eq!(follower.try_recv().unwrap().message, "3");
    }
}
