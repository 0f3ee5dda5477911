//! What is done beside the sockets: agents at work, the housekeeping, an administrator's clean-up.

use super::{Live, Server, id, name};
use crate::clock::Wall;
use crate::machine::breaker::Outcome;
use crate::machine::session::{Fact, State};
use crate::machine::sim::disk::{Done, Op, Session};
use crate::machine::sim::{
    ANSWER_FRAMES, Bug, Env, Frame, Kind, MAX_PENDING, PENDING_TTL, Sid, ToClient, User,
};

impl Server {
    pub(super) fn take_in(&mut self, user: User, env: &mut Env) {
        let now = env.instant();
        loop {
            let stream = self.stream(user, env);
            if stream.taking.is_some() || stream.cleaning {
                return;
            }
            let Some((wire, mid, digest)) = stream.intake.pop_front() else {
                return;
            };
            if let Some((session, known)) = env.disk.live.messages.get(&(user, mid)).copied() {
                if known == digest {
                    env.judge.on_accepted(&env.disk, user, session);
                    env.write(wire, ToClient::Accepted(mid, session));
                } else {
                    env.write(wire, ToClient::Conflict(mid));
                }
                continue;
            }
            let session = env.fresh();
            let promised = (stream.reserved + 1) * ANSWER_FRAMES;
            let room = stream.marks.pending() + promised <= MAX_PENDING;
            if !room || self.admission.hold(&name(user), id(session), now).is_err() {
                env.count("refused for want of room");
                env.write(wire, ToClient::Refused(mid));
                continue;
            }
            let stream = self.stream(user, env);
            stream.reserved += 1;
            stream.taking = Some(wire);
            let record = Session {
                user,
                mid,
                state: State::Created,
                attempts: 0,
            };
            let mut ops = vec![
                Op::PutVisitor(user, stream.record()),
                Op::PutSession(session, record),
            ];
            if env.bug != Some(Bug::DedupNotPersisted) {
                ops.push(Op::PutMessage(user, mid, session, digest));
            }
            env.disk.queue(ops, Done::Accepted { user, mid, session });
        }
    }

    pub(super) fn cancel(&mut self, user: User, session: Sid, env: &mut Env) {
        let Some(live) = self.sessions.get_mut(&session) else {
            return;
        };
        if live.record.user != user || live.record.state.ended() {
            return;
        }
        live.cancelled = true;
        let waits = self.admission.position(id(session)).is_some_and(|p| p > 0);
        if waits && self.admission.cancel(id(session)) {
            env.count("cancelled while waiting");
            self.say(session, Fact::Ended(State::Cancelled), env);
        }
    }

    /// One step of one agent.
    pub(in super::super) fn work(&mut self, env: &mut Env) {
        let now = env.instant();
        while let Some(ready) = self.admission.next_ready(now) {
            let live = self.sessions.get_mut(&(ready.0 as u64));
            live.expect("what waits is entered before").processing = true;
        }
        let able = |live: &Live| live.processing && !live.busy && !live.record.state.ended();
        let all: Vec<Sid> = self
            .sessions
            .iter()
            .filter(|(_, l)| able(l))
            .map(|(s, _)| *s)
            .collect();
        if all.is_empty() {
            return;
        }
        let session = all[env.dice.below(all.len() as u64) as usize];
        let roll = env.dice.below(20);
        let breaker = &mut self.breaker;
        let live = self
            .sessions
            .get_mut(&session)
            .expect("chosen from those that are");
        let fact = if !live.began {
            live.began = true;
            live.pass = breaker.admit(now).ok();
            Fact::Began
        } else {
            let Some(pass) = live.pass.take() else {
                env.count("refused by the breaker");
                return self.say(session, Fact::Ended(State::Failed), env);
            };
            let end = match roll {
                _ if live.cancelled => Some((State::Cancelled, Outcome::Abandoned)),
                0..4 => Some((State::Completed, Outcome::Success)),
                4..6 => Some((State::Failed, Outcome::Failure)),
                6 => Some((State::TimedOut, Outcome::Failure)),
                _ if live.said + 2 >= ANSWER_FRAMES => Some((State::Completed, Outcome::Success)),
                _ => None,
            };
            match end {
                Some((state, outcome)) => {
                    breaker.settle(pass, outcome, now);
                    Fact::Ended(state)
                }
                None => {
                    live.pass = Some(pass);
                    if roll < 14 {
                        Fact::Thought
                    } else {
                        Fact::GavePart
                    }
                }
            }
        };
        self.say(session, fact, env);
    }

    /// A frame and the session's record in one step.
    fn say(&mut self, session: Sid, fact: Fact, env: &mut Env) {
        let content = env.fresh();
        let (born, at) = (env.now, env.wall());
        let live = self.sessions.get_mut(&session).expect("it has not ended");
        live.record.state = live.record.state.after(fact).expect("it has not ended");
        live.busy = true;
        live.said += 1;
        let kind = match fact {
            Fact::Began => {
                live.record.attempts += 1;
                Kind::Started {
                    resumed: live.record.attempts > 1,
                }
            }
            Fact::Thought | Fact::GavePart => Kind::Thought,
            Fact::Ended(state) => Kind::Ended(state),
        };
        let frame = Frame {
            session,
            kind,
            content,
            at,
            born,
        };
        let record = live.record;
        let user = record.user;
        let bug = env.bug;
        let stream = self.stream(user, env);
        let sequence = stream.marks.assign(1);
        stream.frames.insert(sequence, frame);
        if bug == Some(Bug::QueueDropsOldest) && stream.marks.pending() > 5 {
            let dropped = stream.marks.acked + 1;
            stream.marks.on_expired(dropped);
            stream.marks.on_forgotten(dropped);
            stream.frames.remove(&dropped);
        }
        let epoch = stream.marks.epoch;
        env.disk.queue(
            vec![
                Op::Append(user, epoch, sequence, frame),
                Op::PutSession(session, record),
            ],
            Done::Stable {
                user,
                epoch,
                last: sequence,
                session,
            },
        );
    }

    /// What is done every minute.
    pub(in super::super) fn housekeeping(&mut self, env: &mut Env) {
        let told = self.ages.tell(Wall(env.wall()), env.instant()).0;
        (env.told, env.cleaned) = (told, env.now);
        let horizon = told.saturating_sub(PENDING_TTL);
        for user in 0..env.users {
            let stream = self.stream(user, env);
            if stream.cleaning {
                continue;
            }
            let marks = stream.marks;
            let overdue: Vec<(u64, Frame)> = stream
                .frames
                .range(marks.acked + 1..marks.stable + 1)
                .map(|(n, f)| (*n, *f))
                .take_while(|(_, f)| f.at < horizon)
                .collect();
            let mut ops = vec![Op::Told(told)];
            if let Some((last, youngest)) = overdue.last() {
                stream.marks.on_expired(*last);
                env.count("expiries");
                let age = env.now - youngest.born;
                env.judge.on_expired(user, marks.epoch, &overdue, age);
            }
            if env.dice.below(3) == 0 {
                let stream = self.stream(user, env);
                let upto = stream.marks.acked;
                stream.marks.on_forgotten(upto);
                stream.frames = stream.frames.split_off(&(upto + 1));
                env.judge.on_forgotten(user, marks.epoch, upto);
                ops.push(Op::Forget(user, upto));
            }
            ops.push(Op::PutVisitor(user, self.stream(user, env).record()));
            env.disk.queue(ops, Done::Written(user));
        }
        self.release_idle(env);
    }

    /// An administrator cleans a visitor up; not while a message of theirs is being taken in.
    pub(in super::super) fn clean(&mut self, user: User, env: &mut Env) {
        let now = env.instant();
        let wall = env.wall();
        let stream = self.stream(user, env);
        if stream.taking.is_some() || stream.cleaning {
            return;
        }
        let epoch = (stream.marks.epoch + 1).max(wall);
        stream.cleaning = true;
        stream.intake.clear();
        for wire in stream.sockets.clone() {
            self.close(wire, env);
        }
        let of_user = |l: &Live| l.record.user == user;
        let gone: Vec<Sid> = self
            .sessions
            .iter()
            .filter(|(_, l)| of_user(l))
            .map(|(s, _)| *s)
            .collect();
        for session in gone {
            let live = self.sessions.remove(&session);
            self.admission.cancel(id(session));
            if let Some(pass) = live.and_then(|live| live.pass) {
                self.breaker.settle(pass, Outcome::Abandoned, now);
            }
        }
        env.count("clean-ups");
        env.judge.cleaning(user, epoch);
        env.disk
            .queue(vec![Op::Clean(user, epoch)], Done::Cleaned { user, epoch });
    }
}
