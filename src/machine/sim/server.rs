//! The shell that the product has around its machines, in the words of the simulator.

mod work;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::disk::{Done, Image, Op, Record, Session};
use super::{
    Bug, Env, Frame, Hello, MAX_PENDING, Mid, SOCKETS, Sid, ToClient, ToServer, User, WINDOW,
};
use crate::clock::{AgeClock, Wall};
use crate::id::{SessionId, UserId};
use crate::machine::admission::{Admission, Limits};
use crate::machine::breaker::{self, Breaker, Pass};
use crate::machine::connection::{self, Connection, Output, Verdict};
use crate::machine::outbox::{Cursor, Marks, Order, Resume, SendPolicy};
use crate::machine::session::State;

pub(super) struct Stream {
    pub(super) marks: Marks,
    frames: BTreeMap<u64, Frame>,
    attempts: u32,
    sockets: Vec<u64>,
    reserved: u64,
    /// Messages that wait until the one before is durable: wire, message, digest.
    intake: VecDeque<(u64, Mid, u64)>,
    /// The socket whose message is on its way to the disk.
    taking: Option<u64>,
    cleaning: bool,
}

struct Live {
    record: Session,
    pass: Option<Pass>,
    began: bool,
    /// A frame of it is on its way to the disk.
    busy: bool,
    processing: bool,
    cancelled: bool,
    said: u64,
}

struct Socket {
    user: User,
    cursor: Cursor,
    machine: Connection,
    epoch: u64,
}

pub(super) struct Server {
    pub(super) streams: BTreeMap<User, Stream>,
    sessions: BTreeMap<Sid, Live>,
    admission: Admission,
    breaker: Breaker,
    sockets: BTreeMap<u64, Socket>,
    epoch: u64,
    ages: AgeClock,
}

/// As `store/recover.rs` does.
const EPOCH_LEAP: u64 = 1_000_000;

const ADMISSION: Limits = Limits {
    max_concurrent: 6,
    max_processing: 3,
    max_per_visitor: 4,
    expected_processing: Duration::from_secs(1),
};

fn send_policy() -> SendPolicy {
    SendPolicy {
        window: WINDOW,
        ack_timeout: Duration::from_secs(5),
        retries: crate::machine::backoff::Policy::default(),
    }
}

const CONNECTION: connection::Policy = connection::Policy {
    heartbeat: Duration::from_secs(20),
    idle_timeout: Duration::from_secs(60),
    max_age: Duration::from_secs(3600),
    error_threshold: 10,
    max_cost_per_second: 10_000,
};

fn name(user: User) -> UserId {
    UserId::parse(&format!("u{user}")).expect("a letter and a digit")
}

fn id(session: Sid) -> SessionId {
    SessionId(u128::from(session))
}

impl Stream {
    fn load(image: &Image, user: User, store_epoch: u64, bug: Option<Bug>) -> Self {
        let found = image.visitors.get(&user).cloned().unwrap_or_default();
        let record = found.record;
        let mut frames: BTreeMap<u64, Frame> =
            found.frames.into_iter().map(|(n, (_, f))| (n, f)).collect();
        let last = frames.last_key_value().map_or(0, |(n, _)| *n);
        let mut next = record.next.max(last + 1).max(1);
        if bug == Some(Bug::SequenceReuse) {
            frames.split_off(&(record.acked + 1));
            next = record.acked + 1;
        }
        let oldest = frames.first_key_value().map_or(next, |(n, _)| *n);
        Self {
            marks: Marks::recovered(
                record.epoch.max(store_epoch),
                oldest.min(record.acked + 1),
                record.acked,
                next,
            ),
            frames,
            attempts: record.attempts,
            sockets: Vec::new(),
            reserved: 0,
            intake: VecDeque::new(),
            taking: None,
            cleaning: false,
        }
    }

    fn record(&self) -> Record {
        Record {
            epoch: self.marks.epoch,
            acked: self.marks.acked,
            next: self.marks.stable + 1,
            attempts: self.attempts,
        }
    }
}

impl Server {
    /// Starts on what a crash has left.
    pub(super) fn recover(image: &Image, env: &mut Env) -> Self {
        let mut epoch = image.epoch;
        if (image.epoch, image.commits) < env.disk.watermark {
            env.count("losses seen and accepted");
            // Beyond every visitor's own, and beyond those that the lost part may have given: a
            // clean-up while the clock was behind counts on by one.
            let own = image.visitors.values().map(|v| v.record.epoch).max();
            let newest = env.disk.watermark.0.max(env.wall()).max(own.unwrap_or(0));
            epoch = newest + EPOCH_LEAP;
            let op = Op::Epoch(epoch);
            // Written and synced before anything is served.
            env.disk.live.apply(&op);
            env.disk.durable.apply(&op);
            env.disk.watermark.0 = epoch;
            for user in 0..env.users {
                let record = image.visitors.get(&user).map(|v| v.record);
                let acked = record.map_or(0, |r| r.acked);
                env.judge.loss(user, epoch, acked);
            }
        } else {
            env.judge.on_recovered(image);
        }
        let mut server = Self {
            streams: BTreeMap::new(),
            sessions: BTreeMap::new(),
            admission: Admission::new(ADMISSION),
            breaker: Breaker::new(breaker::Policy {
                failure_threshold: 3,
                recovery_timeout: Duration::from_secs(2),
                ..breaker::Policy::default()
            }),
            sockets: BTreeMap::new(),
            epoch,
            ages: AgeClock::new(Wall(image.told), env.instant()),
        };
        for (sid, record) in image.sessions.iter().filter(|(_, s)| !s.state.ended()) {
            server.stream(record.user, env).reserved += 1;
            server.admission.enter(&name(record.user), id(*sid));
            server.sessions.insert(*sid, Live::new(*record));
        }
        server
    }

    pub(super) fn stream(&mut self, user: User, env: &Env) -> &mut Stream {
        let (epoch, live) = (self.epoch, &env.disk.live);
        let fresh = || Stream::load(live, user, epoch, env.bug);
        self.streams.entry(user).or_insert_with(fresh)
    }

    /// Lets go of streams that nobody needs.
    pub(super) fn release_idle(&mut self, env: &Env) {
        self.streams.retain(|user, stream| {
            !stream.sockets.is_empty()
                || stream.reserved > 0
                || stream.taking.is_some()
                || !stream.intake.is_empty()
                || env.disk.holds(*user)
        });
    }

    pub(super) fn attach(&mut self, user: User, wire: u64, resume: &Resume, env: &mut Env) -> bool {
        let now = env.instant();
        let stream = self.stream(user, env);
        if stream.cleaning {
            return false;
        }
        stream.sockets.push(wire);
        let too_many = (stream.sockets.len() > SOCKETS).then(|| stream.sockets[0]);
        let (start, marks) = (stream.marks.start(resume), stream.marks);
        let hello = Hello {
            epoch: marks.epoch,
            not_recovered: start.not_recovered,
            after: start.after,
            last: marks.stable,
        };
        self.sockets.insert(
            wire,
            Socket {
                user,
                cursor: Cursor::new(send_policy(), start.after, marks.acked),
                machine: Connection::new(CONNECTION, now, 0.5),
                epoch: marks.epoch,
            },
        );
        env.judge.on_attached(user, &hello);
        env.write(wire, ToClient::Hello(hello));
        if let Some(oldest) = too_many
            && env.bug != Some(Bug::OldSocketLives)
        {
            env.count("takeovers");
            env.write(oldest, ToClient::Replaced);
            self.close(oldest, env);
        }
        true
    }

    fn close(&mut self, wire: u64, env: &mut Env) {
        if let Some(socket) = self.sockets.remove(&wire)
            && let Some(stream) = self.streams.get_mut(&socket.user)
        {
            stream.sockets.retain(|other| *other != wire);
        }
        env.close(wire);
    }

    pub(super) fn on_frame(&mut self, wire: u64, frame: ToServer, env: &mut Env) {
        let now = env.instant();
        let Some(socket) = self.sockets.get_mut(&wire) else {
            return;
        };
        let user = socket.user;
        if socket.machine.on_frame(now, 1) == Verdict::TooFast {
            return self.close(wire, env);
        }
        match frame {
            ToServer::Pong => {}
            ToServer::Submit(mid, digest) => {
                self.stream(user, env).intake.push_back((wire, mid, digest));
                self.take_in(user, env);
            }
            ToServer::Cancel(session) => self.cancel(user, session, env),
            ToServer::Ack(sequence, epoch) => self.on_ack(wire, user, sequence, epoch, env),
        }
    }

    fn on_ack(&mut self, wire: u64, user: User, sequence: u64, epoch: Option<u64>, env: &mut Env) {
        let stream = self.stream(user, env);
        if stream.cleaning || epoch.is_some_and(|epoch| epoch != stream.marks.epoch) {
            return;
        }
        match stream.marks.on_ack(sequence) {
            Ok(false) => {}
            Ok(true) => {
                stream.attempts = 0;
                let record = stream.record();
                env.disk
                    .queue(vec![Op::PutVisitor(user, record)], Done::Written(user));
            }
            Err(_) => {
                env.count("acknowledgements refused");
                let socket = self.sockets.get_mut(&wire);
                if socket.is_some_and(|socket| socket.machine.on_error()) {
                    self.close(wire, env);
                }
            }
        }
    }

    pub(super) fn on_done(&mut self, done: Done, env: &mut Env) {
        match done {
            Done::Written(_) => {}
            Done::Accepted { user, mid, session } => {
                env.judge.on_accepted(&env.disk, user, session);
                let record = Session {
                    user,
                    mid,
                    state: State::Created,
                    attempts: 0,
                };
                self.sessions.insert(session, Live::new(record));
                if let Some(wire) = self.stream(user, env).taking.take() {
                    env.write(wire, ToClient::Accepted(mid, session));
                }
                self.admission.enter(&name(user), id(session));
                self.take_in(user, env);
            }
            Done::Stable {
                user,
                epoch,
                last,
                session,
            } => {
                let stream = self.stream(user, env);
                if stream.marks.epoch == epoch {
                    stream.marks.on_stable(last);
                    self.on_said(session, env);
                }
            }
            Done::Cleaned { user, epoch } => {
                env.judge.new_epoch(user, epoch);
                self.streams.remove(&user);
            }
        }
    }

    fn on_said(&mut self, session: Sid, env: &Env) {
        let Some(live) = self.sessions.get_mut(&session) else {
            return;
        };
        live.busy = false;
        if live.record.state.ended() {
            let user = live.record.user;
            self.admission.finish(id(session), env.instant());
            self.admission.cancel(id(session));
            self.sessions.remove(&session);
            self.stream(user, env).reserved -= 1;
        }
    }

    /// Timers and sending of every socket.
    pub(super) fn pump(&mut self, env: &mut Env) {
        self.breaker.handle_timeout(env.instant());
        for wire in self.sockets.keys().copied().collect::<Vec<_>>() {
            let noticed = env.is_cut(wire) && env.dice.below(8) == 0;
            if noticed || !self.pump_one(wire, env) {
                self.close(wire, env);
            }
        }
    }

    /// False where the socket is to be closed.
    fn pump_one(&mut self, wire: u64, env: &mut Env) -> bool {
        let now = env.instant();
        let random = env.dice.next();
        let socket = self.sockets.get_mut(&wire).expect("listed just now");
        let user = socket.user;
        let Some(stream) = self.streams.get_mut(&user) else {
            return false;
        };
        if stream.cleaning || stream.marks.epoch != socket.epoch {
            return false;
        }
        socket.cursor.on_acked(stream.marks.acked, now);
        while let Some(output) = socket.machine.handle_timeout(now) {
            match output {
                Output::Ping => env.write(wire, ToClient::Ping),
                Output::CloseIdle | Output::CloseMaxAge => return false,
            }
        }
        match socket.cursor.handle_timeout(now, random) {
            Order::Wait => {}
            Order::Resend { retry } => {
                env.count("resends");
                stream.attempts = stream.attempts.max(retry);
                let record = stream.record();
                env.disk
                    .queue(vec![Op::PutVisitor(user, record)], Done::Written(user));
            }
            Order::GiveUp => {
                env.count("given up");
                return false;
            }
        }
        if socket.cursor.is_left_behind(&stream.marks) {
            return false;
        }
        let range = socket.cursor.sendable(&stream.marks);
        if range.is_empty() {
            return true;
        }
        let upto = range.start() + env.dice.below(range.end() - range.start() + 1);
        let mut due: Vec<u64> = (*range.start()..=upto).collect();
        if env.bug == Some(Bug::WindowBackwards) {
            due.reverse();
        }
        for sequence in due {
            let Some(frame) = stream.frames.get(&sequence) else {
                continue;
            };
            let epoch = stream.marks.epoch;
            env.judge.on_written(&env.disk, user, epoch, sequence);
            env.write(wire, ToClient::Frame(epoch, sequence, *frame));
        }
        stream.marks.on_sent(upto);
        socket.cursor.on_sent(upto, now);
        if socket.cursor.in_flight() > WINDOW {
            env.judge.blame(
                "G9",
                format!("{} frames in flight", socket.cursor.in_flight()),
            );
        }
        if env.bug == Some(Bug::DeleteBeforeAck) {
            stream.marks.on_expired(upto);
            stream.marks.on_forgotten(upto);
            stream.frames = stream.frames.split_off(&(upto + 1));
        }
        true
    }

    /// What holds after every step.
    pub(super) fn check(&self, env: &mut Env) {
        for (user, stream) in &self.streams {
            env.judge
                .on_marks(*user, stream.marks.epoch, stream.marks.acked);
            if stream.marks.pending() > MAX_PENDING {
                env.judge.blame(
                    "G9",
                    format!("{} frames pending of {user}", stream.marks.pending()),
                );
            }
            let live = self.sockets.values().filter(|s| s.user == *user).count();
            if live > SOCKETS {
                env.judge
                    .blame("G9", format!("{live} live sockets of {user}"));
            }
        }
        if self.admission.processing() > ADMISSION.max_processing {
            env.judge.blame(
                "G9",
                format!("{} sessions are processed", self.admission.processing()),
            );
        }
    }

    pub(super) fn settled(&self, users: usize) -> bool {
        let streams = (0..users).filter_map(|user| self.streams.get(&user));
        self.sessions.is_empty()
            && streams
                .clone()
                .all(|s| s.marks.pending() == 0 && s.taking.is_none())
    }
}

impl Live {
    fn new(record: Session) -> Self {
        Self {
            record,
            pass: None,
            began: false,
            busy: false,
            processing: false,
            cancelled: false,
            said: 0,
        }
    }
}
