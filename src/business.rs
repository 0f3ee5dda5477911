//! What a demo achieved, counted from what happened and never asserted: who came, which messages
//! were taken in, how they ended, how long their results took, what visitors did with them; each
//! by category and by what the example is worth.
//!
//! A counter is one entry of the store, written in the same step as what it counts, so it is
//! right after a crash too. There are as many as there are words: 5 categories by 3 values. They
//! count acts, not persons: a visitor who sends two messages counts twice.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::Wall;
use crate::id::{BusinessValue, Category, SessionId, UserId};
use crate::protocol::request::{Track, TrackEvent};
use crate::store::commit::setting;
use crate::store::{Op, SessionRecord, Store, StoreError};

/// Since when is counted.
const SINCE: &str = "business_since";
/// Acts of visitors that are remembered, so that they count once.
const SEEN: usize = 8_192;

type Topic = (Category, BusinessValue);

fn count(what: &str, (category, value): Topic, by: u64) -> Op {
    Op::Count(format!("{what}.{category}.{value}"), by)
}

fn topic(record: &SessionRecord) -> Topic {
    (record.category, record.business_value)
}

/// Somebody came who had not been here.
pub fn visit() -> Op {
    Op::Count("visits".into(), 1)
}

/// A message was taken in.
pub fn accepted(record: &SessionRecord) -> Op {
    count("accepted", topic(record), 1)
}

/// A session has ended, in a word; a result counts the time that it took since the message was
/// accepted.
pub fn ended(record: &SessionRecord, word: &str, took: Duration) -> Vec<Op> {
    let mut ops = vec![count(word, topic(record), 1)];
    if word == "completed" {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        ops.push(count("time_to_value_ms", topic(record), ms));
    }
    ops
}

/// A visitor did something; with which session, where it is known.
pub fn tracked(track: &Track, record: Option<&SessionRecord>) -> Op {
    let what = format!("track.{}", track.event.as_str());
    match record.map(topic).or(track.topic) {
        Some(topic) => count(&what, topic, 1),
        None => Op::Count(what, 1),
    }
}

/// The beginning of the counting, where nothing is counted yet.
///
/// # Errors
/// Where the store cannot be read.
pub fn begin(store: &Store, now: Wall) -> Result<Option<Op>, StoreError> {
    let begun = store.setting::<Wall>(SINCE)?.is_some();
    let counted = store.counter("visits")? > 0 || Funnel::read(store)?.messages() > 0;
    Ok((!begun && !counted).then(|| setting(SINCE, &now)))
}

/// Acts that were counted lately: a reloaded page shows its result again, and that is no new act.
#[derive(Default)]
pub struct Seen {
    known: HashSet<Act>,
    order: VecDeque<Act>,
}

type Act = (UserId, TrackEvent, Option<SessionId>);

impl Seen {
    /// Whether an act is to be counted: the first of its kind of a session, or of a visitor
    /// where it belongs to none. An example may be opened again and again.
    pub fn first(&mut self, user: &UserId, track: &Track) -> bool {
        if track.event == TrackEvent::ExampleOpened {
            return true;
        }
        let act = (user.clone(), track.event, track.session_id);
        let first = self.known.insert(act.clone());
        if first {
            self.order.push_back(act);
            if self.order.len() > SEEN
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
        first
    }
}

/// A step of the funnel: its word, and the counter behind it.
const STEPS: [(&str, &str); 6] = [
    ("example_opened", "track.example_opened"),
    ("message", "accepted"),
    ("result", "completed"),
    ("result_viewed", "track.result_viewed"),
    ("report_exported", "track.report_exported"),
    ("call_to_action", "track.call_to_action"),
];
/// What else is counted by topic.
const MORE: [&str; 7] = [
    "failed",
    "timed_out",
    "refused",
    "cancelled",
    "expired",
    "time_to_value_ms",
    "track.upgrade_clicked",
];

/// From a visit to the call to action.
#[derive(Debug, Default)]
pub struct Funnel {
    since: Option<Wall>,
    visits: u64,
    /// By counter; without a topic where it is not known.
    counts: BTreeMap<(&'static str, Option<Topic>), u64>,
}

impl Funnel {
    /// Reads every counter: some 200 entries.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn read(store: &Store) -> Result<Self, StoreError> {
        let names = STEPS.iter().map(|(_, counter)| *counter).chain(MORE);
        let mut counts = BTreeMap::new();
        for name in names {
            counts.insert((name, None), store.counter(name)?);
            for category in Category::ALL {
                for value in BusinessValue::ALL {
                    let number = store.counter(&format!("{name}.{category}.{value}"))?;
                    counts.insert((name, Some((*category, *value))), number);
                }
            }
        }
        Ok(Self {
            since: store.setting(SINCE)?,
            visits: store.counter("visits")?,
            counts,
        })
    }

    /// Of one counter, of all topics.
    fn all(&self, name: &str) -> u64 {
        let of_name = self.counts.iter().filter(|((n, _), _)| *n == name);
        of_name.map(|(_, number)| number).sum()
    }

    fn one(&self, name: &'static str, topic: Topic) -> u64 {
        self.counts.get(&(name, Some(topic))).copied().unwrap_or(0)
    }

    /// Messages taken in.
    pub fn messages(&self) -> u64 {
        self.all("accepted")
    }

    /// The steps with their numbers, from the visit on.
    pub fn steps(&self) -> Vec<(&'static str, u64)> {
        let visits = std::iter::once(("visits", self.visits));
        let others = STEPS.iter().map(|(step, name)| (*step, self.all(name)));
        visits.chain(others).collect()
    }

    /// For the administrator. Shares are none where there is nothing to take a share of.
    pub fn json(&self) -> Value {
        let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let all = |name| self.all(name);
        let results = all("completed");
        let errors = all("failed") + all("timed_out");
        let steps = self.steps().into_iter();
        json!({
            "since": self.since.map(Wall::rfc3339),
            "funnel": steps.map(|(step, count)| json!({"step": step, "count": count})).collect::<Vec<_>>(),
            "upgrade_clicked": all("track.upgrade_clicked"),
            "by": self.by_topic(),
            "conversion": share(all("track.call_to_action"), self.visits),
            "engagement": share(all("track.result_viewed"), results),
            "completion": share(results, self.messages()),
            "success": share(results, results + errors),
            "time_to_value_ms": {"mean": share(all("time_to_value_ms"), results)},
        })
    }

    fn by_topic(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        for category in Category::ALL {
            for value in BusinessValue::ALL {
                let topic = (*category, *value);
                let steps = STEPS.iter().map(|(step, name)| (*step, *name));
                let ends = MORE[..5].iter().map(|name| (*name, *name));
                let counts: serde_json::Map<String, Value> = steps
                    .chain(ends)
                    .map(|(word, name)| (word.to_owned(), self.one(name, topic).into()))
                    .collect();
                let results = self.one("completed", topic);
                let took = self.one("time_to_value_ms", topic);
                let mean = (results > 0).then(|| took as f64 / results as f64);
                rows.push(json!({
                    "category": category, "business_value": value, "counts": counts,
                    "time_to_value_ms": {"mean": mean},
                }));
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(event: TrackEvent, session: Option<u128>) -> Track {
        Track {
            event,
            session_id: session.map(SessionId),
            topic: None,
        }
    }

    #[test]
    fn an_act_counts_once_and_what_is_forgotten_counts_again() {
        // req: A7
        use TrackEvent::{CallToAction, ExampleOpened, ResultViewed};
        let mut seen = Seen::default();
        let user = |name: &str| UserId::parse(name).unwrap();
        let (ann, bob) = (user("ann"), user("bob"));
        assert!(seen.first(&ann, &track(ResultViewed, Some(1))));
        assert!(!seen.first(&ann, &track(ResultViewed, Some(1))));
        assert!(seen.first(&ann, &track(ResultViewed, Some(2))));
        assert!(seen.first(&ann, &track(CallToAction, Some(1))));
        assert!(seen.first(&bob, &track(ResultViewed, Some(1))));
        for _ in 0..2 {
            assert!(seen.first(&ann, &track(ExampleOpened, None)));
        }
        for n in 0..SEEN as u128 {
            assert!(seen.first(&bob, &track(CallToAction, Some(100 + n))));
        }
        assert_eq!((seen.known.len(), seen.order.len()), (SEEN, SEEN));
        assert!(seen.first(&ann, &track(ResultViewed, Some(1))));
    }
}
