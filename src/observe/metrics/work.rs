//! Sessions, agents and their breakers.

use super::{of_word, rows};
use crate::id::{BusinessValue, Category, Complexity};
use crate::machine::breaker::State as BreakerState;
use crate::machine::session::State;
use crate::observe::Observer;
use crate::observe::families::Families;
use crate::observe::readings::Readings;

fn topic(topic: (Category, Complexity, BusinessValue)) -> [(&'static str, String); 3] {
    [
        ("category", topic.0.to_string()),
        ("complexity", topic.1.to_string()),
        ("business_value", topic.2.to_string()),
    ]
}

impl Observer {
    pub(super) fn work(&self, f: &mut Families) {
        let w = &self.0.rooms.meters.work;
        rows(
            f,
            "emflow_messages_total",
            "Messages by how they were answered.",
            of_word("outcome", w.admissions.all()),
        );
        let accepted = w.accepted.all().into_iter();
        rows(
            f,
            "emflow_sessions_accepted_total",
            "Sessions accepted.",
            accepted.map(|(t, n)| (topic(t), n)).collect(),
        );
        let ended = w.ended.all().into_iter().map(|((t, word), n)| {
            let [a, b, c] = topic(t);
            ([("state", word.to_owned()), a, b, c], n)
        });
        rows(
            f,
            "emflow_sessions_ended_total",
            "Sessions ended, by how; refused means the message could not be answered as it was.",
            ended.collect(),
        );
        f.counter(
            "emflow_sessions_resumed_total",
            "Sessions taken up again at a start.",
            w.resumed.get(),
        );
    }

    pub(super) fn live(&self, f: &mut Families, r: &Readings) {
        let w = &self.0.rooms.meters.work;
        let live: Vec<[(&str, &str); 1]> = State::ALL
            .iter()
            .filter(|state| !state.ended())
            .map(|state| [("state", state.as_str())])
            .collect();
        let count = |i: usize| r.states.get(&State::ALL[i]).copied().unwrap_or(0) as f64;
        f.gauges(
            "emflow_sessions_live",
            "Sessions that have not ended.",
            live.iter()
                .enumerate()
                .map(|(i, labels)| (&labels[..], count(i))),
        );
        f.gauge(
            "emflow_sessions_queued",
            "Sessions that wait for a place.",
            Some(r.queued as f64),
        );
        f.gauge(
            "emflow_sessions_processing",
            "Sessions being processed.",
            Some(r.processing as f64),
        );
        f.gauge(
            "emflow_sessions_memory_bytes",
            "Memory of the records of live sessions.",
            Some(r.session_bytes as f64),
        );
        f.seconds(
            "emflow_session_processing_seconds",
            "From the beginning of an attempt to the end of its session, pacing included.",
            &w.processing,
        );
        f.seconds(
            "emflow_session_queue_seconds",
            "From acceptance to the beginning of the attempt.",
            &w.queue,
        );
        f.seconds(
            "emflow_session_time_to_value_seconds",
            "From acceptance to the result.",
            &w.time_to_value,
        );
    }

    pub(super) fn backends(&self, f: &mut Families, r: &Readings) {
        let w = &self.0.rooms.meters.work;
        let pair = |label: &'static str| {
            move |((backend, word), n): ((String, &'static str), u64)| {
                ([("backend", backend), (label, word.to_owned())], n)
            }
        };
        rows(
            f,
            "emflow_agent_attempts_total",
            "What asking a backend came to.",
            w.attempts.all().into_iter().map(pair("outcome")).collect(),
        );
        f.counter(
            "emflow_agent_fallbacks_total",
            "Results that a fallback gave.",
            w.fallbacks.get(),
        );
        rows(
            f,
            "emflow_breaker_transitions_total",
            "Changes of a breaker, by the state it went to.",
            w.breaker_changes
                .all()
                .into_iter()
                .map(pair("to"))
                .collect(),
        );
        let words = [
            BreakerState::Closed,
            BreakerState::Open,
            BreakerState::HalfOpen,
        ];
        let mut states = Vec::new();
        for breaker in &r.breakers {
            for word in words.map(BreakerState::as_str) {
                let is = f64::from(u8::from(breaker.state == word));
                states.push(([("backend", breaker.name.as_str()), ("state", word)], is));
            }
        }
        f.gauges(
            "emflow_breaker_state",
            "1 for the state that a breaker is in.",
            states.iter().map(|(labels, is)| (&labels[..], *is)),
        );
        let open: Vec<([(&str, &str); 1], f64)> = r
            .breakers
            .iter()
            .map(|b| {
                let seconds = b.open_for.map_or(0.0, |open| open.as_secs_f64());
                ([("backend", b.name.as_str())], seconds)
            })
            .collect();
        f.gauges(
            "emflow_breaker_open_seconds",
            "How long a breaker has not been closed; 0 while it is.",
            open.iter().map(|(labels, seconds)| (&labels[..], *seconds)),
        );
    }
}
