//! `/metrics`: every figure by its Prometheus name.
//!
//! Conventional names: `emflow_`, the base unit, `_total` on what only rises; `process_` for what
//! every exporter calls so. Labels are words of our own enums.

use super::Observer;
use super::families::{Families, Labels};
use super::readings::Readings;
use crate::id::{BusinessValue, Category, Complexity};
use crate::machine::breaker::State as BreakerState;
use crate::machine::session::State;

/// A table of counters with its labels spelled out.
type Rows<const N: usize> = Vec<([(&'static str, String); N], u64)>;

fn rows<const N: usize>(families: &mut Families, name: &str, help: &str, rows: Rows<N>) {
    let spelled: Vec<(Vec<(&str, &str)>, u64)> = rows
        .iter()
        .map(|(labels, n)| (labels.iter().map(|(l, v)| (*l, v.as_str())).collect(), *n))
        .collect();
    let borrowed = spelled.iter().map(|(labels, n)| (labels.as_slice(), *n));
    families.counters(name, help, borrowed);
}

fn of_word<'a>(label: &'static str, tally: Vec<(&'a str, u64)>) -> Rows<1> {
    let row = |(word, n): (&str, u64)| ([(label, word.to_owned())], n);
    tally.into_iter().map(row).collect()
}

fn topic(topic: (Category, Complexity, BusinessValue)) -> [(&'static str, String); 3] {
    [
        ("category", topic.0.to_string()),
        ("complexity", topic.1.to_string()),
        ("business_value", topic.2.to_string()),
    ]
}

impl Observer {
    /// The Prometheus text.
    ///
    /// # Errors
    /// What the encoder says: a bug of ours.
    pub fn metrics(&self) -> Result<Vec<u8>, String> {
        let readings = self.readings();
        let mut families = Families::default();
        self.process(&mut families, &readings);
        self.delivery(&mut families, &readings);
        self.work(&mut families, &readings);
        self.backends(&mut families, &readings);
        self.door(&mut families);
        self.store(&mut families, &readings);
        self.upkeep(&mut families, &readings);
        families.encode().map_err(|error| error.to_string())
    }

    fn process(&self, f: &mut Families, r: &Readings) {
        let labels: Labels<'_> = &[("version", env!("CARGO_PKG_VERSION"))];
        f.gauges("emflow_build_info", "The running version.", [(labels, 1.0)]);
        let number = |n: Option<u64>| n.map(|n| n as f64);
        f.gauge(
            "process_start_time_seconds",
            "Start of the process, in seconds since 1970.",
            Some(r.started.0 as f64 / 1000.0),
        );
        f.gauge(
            "process_resident_memory_bytes",
            "Resident memory.",
            number(r.machine.memory),
        );
        f.gauge(
            "process_open_fds",
            "Open file descriptors.",
            number(r.machine.descriptors),
        );
        f.gauge(
            "process_max_fds",
            "Most file descriptors that may be open.",
            number(r.machine.descriptors_limit),
        );
        if let Some(seconds) = r.machine.cpu_seconds {
            f.counter(
                "process_cpu_seconds_total",
                "Processor time, in whole seconds.",
                seconds as u64,
            );
        }
        f.gauge(
            "emflow_memory_growth_bytes",
            "Resident memory beyond that of the first look after the start.",
            number(r.machine.memory_growth()),
        );
        f.seconds(
            "emflow_event_loop_lag_seconds",
            "How late timers of the runtime come.",
            &self.0.machine.lag,
        );
        f.gauge(
            "emflow_tasks",
            "Tasks that the drain waits for.",
            Some(self.0.rooms.drain.count() as f64),
        );
    }

    fn delivery(&self, f: &mut Families, r: &Readings) {
        let d = &self.0.rooms.meters.delivery;
        let counters = [
            ("emflow_frames_appended_total", "Frames made durable.", &d.appended),
            ("emflow_frames_sent_total", "Frames handed to sockets.", &d.sent),
            (
                "emflow_frames_redelivered_total",
                "Frames handed to a socket of a visitor who may have had them before.",
                &d.redelivered,
            ),
            ("emflow_frames_acknowledged_total", "Frames acknowledged.", &d.acknowledged),
            ("emflow_frames_expired_total", "Frames given up unacknowledged.", &d.expired),
        ];
        for (name, help, counter) in counters {
            f.counter(name, help, counter.get());
        }
        f.seconds(
            "emflow_acknowledgement_seconds",
            "From handing a frame to a socket to its acknowledgement; one at a time a socket.",
            &d.acknowledgement,
        );
        f.gauge(
            "emflow_frames_pending",
            "Frames not acknowledged, of all visitors.",
            Some(d.pending.get() as f64),
        );
        f.gauge(
            "emflow_frames_pending_bytes",
            "Payload bytes of the frames not acknowledged.",
            Some(d.pending_bytes.get() as f64),
        );
        f.gauge(
            "emflow_frames_oldest_pending_seconds",
            "Age of the oldest pending frame, as the last round of cleaning found it.",
            r.oldest_pending(self).map(|age| age.as_secs_f64()),
        );
    }

    fn work(&self, f: &mut Families, r: &Readings) {
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
        let live: Vec<[(&str, &str); 1]> = State::ALL
            .iter()
            .filter(|state| !state.ended())
            .map(|state| [("state", state.as_str())])
            .collect();
        let count = |i: usize| r.states.get(&State::ALL[i]).copied().unwrap_or(0) as f64;
        f.gauges(
            "emflow_sessions_live",
            "Sessions that have not ended.",
            live.iter().enumerate().map(|(i, labels)| (&labels[..], count(i))),
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

    fn backends(&self, f: &mut Families, r: &Readings) {
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
            w.breaker_changes.all().into_iter().map(pair("to")).collect(),
        );
        let words = [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen];
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

    fn door(&self, f: &mut Families) {
        let d = &self.0.rooms.meters.door;
        f.gauge(
            "emflow_connections",
            "Connections whose handshake is done.",
            Some(d.connections.get() as f64),
        );
        rows(
            f,
            "emflow_tls_handshakes_total",
            "TLS handshakes by how they ended.",
            of_word("outcome", d.handshakes.all()),
        );
        f.seconds(
            "emflow_tls_handshake_seconds",
            "How long handshakes took that were done.",
            &d.handshake,
        );
        rows(
            f,
            "emflow_connections_refused_total",
            "Connections without a place: too many of an address, in all, or too many to be told so.",
            of_word("limit", d.no_place.all()),
        );
        f.gauge(
            "emflow_websockets",
            "WebSockets open.",
            Some(d.sockets.get() as f64),
        );
        f.counter("emflow_websockets_opened_total", "WebSockets opened.", d.opened.get());
        let closed = d.closed.all().into_iter().map(|(code, n)| {
            let code = if code == 0 { "gone".to_owned() } else { code.to_string() };
            ([("code", code)], n)
        });
        rows(
            f,
            "emflow_websockets_closed_total",
            "WebSockets ended, by close code; gone means without a word.",
            closed.collect(),
        );
        f.counter(
            "emflow_websocket_received_bytes_total",
            "Bytes read from WebSockets.",
            d.bytes_in.get(),
        );
        f.counter(
            "emflow_websocket_sent_bytes_total",
            "Bytes written to WebSockets.",
            d.bytes_out.get(),
        );
        let requests = d.requests.all().into_iter();
        let requests = requests.map(|((method, route, status), n)| {
            let status = status.to_string();
            let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status)];
            (labels, n)
        });
        rows(
            f,
            "emflow_http_requests_total",
            "Requests by method, route and status.",
            requests.collect(),
        );
        f.seconds(
            "emflow_http_request_seconds",
            "How long requests took once their body was there.",
            &d.request,
        );
        rows(
            f,
            "emflow_frames_refused_total",
            "Frames of clients that were refused, by code.",
            of_word("code", d.refusals.all()),
        );
        rows(
            f,
            "emflow_rate_limited_total",
            "How often a rate limit held somebody up.",
            of_word("limit", d.rate_limited.all()),
        );
    }

    fn store(&self, f: &mut Families, r: &Readings) {
        let counts = self.0.rooms.committer.counts();
        f.seconds(
            "emflow_commit_seconds",
            "A commit group, from applying it to its watermark.",
            &counts.latency,
        );
        f.numbers("emflow_commit_jobs", "Jobs in a commit group.", &counts.size);
        f.gauge(
            "emflow_commit_queue",
            "Jobs that wait for the next commit group.",
            Some(r.commit_queue as f64),
        );
        let failed = self.0.rooms.committer.failed().borrow().is_some();
        f.gauge(
            "emflow_store_failed",
            "1 once a write or sync has failed for good.",
            Some(f64::from(u8::from(failed))),
        );
        f.gauge(
            "emflow_store_bytes",
            "Bytes of the store's files.",
            r.machine.store.map(|n| n as f64),
        );
        f.gauge(
            "emflow_disk_free_bytes",
            "Free bytes of the store's file system.",
            r.machine.disk.map(|(free, _)| free as f64),
        );
        f.gauge(
            "emflow_disk_size_bytes",
            "Bytes of the store's file system.",
            r.machine.disk.map(|(_, total)| total as f64),
        );
    }

    fn upkeep(&self, f: &mut Families, r: &Readings) {
        let c = &self.0.rooms.meters.cleanup;
        f.counter("emflow_cleanup_rounds_total", "Rounds of cleaning.", c.rounds.get());
        f.counter(
            "emflow_cleanup_failed_total",
            "Rounds of cleaning that could not be finished.",
            c.failed.get(),
        );
        let rooms = &self.0.rooms;
        f.gauge(
            "emflow_certificate_expiry_timestamp_seconds",
            "End of the certificate, in seconds since 1970.",
            Some((rooms.certificate_ends)().0 as f64 / 1000.0),
        );
        f.gauge(
            "emflow_catalog_age_seconds",
            "Age of the catalog's prices.",
            Some((rooms.catalog_age_days)() as f64 * 86_400.0),
        );
        let backup = (rooms.last_backup)().flatten();
        f.gauge(
            "emflow_backup_age_seconds",
            "Age of the last backup that succeeded; absent where there is none.",
            backup.map(|at| r.wall.since(at).as_secs_f64()),
        );
    }
}
