//! Visitors with several pages: they apply n after n - 1, acknowledge as they please, reload,
//! lose the network, and send again what they were not answered.

use std::collections::BTreeMap;
use std::time::Duration;

use super::server::Server;
use super::{Env, Hello, Kind, Mid, Ms, Sid, ToClient, ToServer, User};
use crate::machine::backoff::full_jitter;
use crate::machine::outbox::Resume;

/// One page.
#[derive(Default)]
struct Tab {
    wire: Option<u64>,
    /// None: it knows nothing and starts over.
    epoch: Option<u64>,
    last: u64,
    greeted: bool,
    asked_pending: bool,
    dial_at: Ms,
    attempts: u32,
}

struct Wish {
    digest: u64,
    session: Option<Sid>,
    /// The socket on which it was sent and not answered yet.
    sent_on: Option<u64>,
}

pub(super) struct Person {
    user: User,
    tabs: Vec<Tab>,
    wishes: BTreeMap<Mid, Wish>,
    live: Vec<Sid>,
    /// Hardly ever acknowledges.
    lazy: bool,
}

impl Person {
    pub(super) fn new(user: User, tabs: usize, lazy: bool) -> Self {
        Self {
            user,
            tabs: (0..tabs).map(|_| Tab::default()).collect(),
            wishes: BTreeMap::new(),
            live: Vec::new(),
            lazy,
        }
    }

    pub(super) fn settled(&self) -> bool {
        self.wishes.values().all(|w| w.session.is_some())
    }

    pub(super) fn act(&mut self, server: &mut Server, env: &mut Env) {
        let number = env.dice.below(self.tabs.len() as u64) as usize;
        let Some(wire) = self.tabs[number].wire else {
            return self.dial(number, server, env);
        };
        while let Some(frame) = env.read(wire) {
            self.on_frame(number, wire, frame, env);
            if self.tabs[number].wire.is_none() {
                return;
            }
        }
        if env.is_over(wire) {
            return self.lose(number, env);
        }
        if !self.tabs[number].greeted {
            return;
        }
        match env.dice.below(40) {
            _ if env.quiet => self.be_good(number, wire, env),
            0..4 if self.open() < 4 => self.wish(wire, env),
            4..7 => self.ask_again(wire, env),
            7 => self.repeat(wire, env),
            8 => {
                if let Some(session) = self.live.last().copied() {
                    env.send(wire, ToServer::Cancel(session));
                }
            }
            9..26 if !self.lazy || env.dice.below(64) == 0 => self.acknowledge(number, wire, env),
            26 => {
                env.count("cut networks");
                env.cut(wire);
                self.lose(number, env);
            }
            27 => {
                env.count("reloads");
                env.cut(wire);
                self.lose(number, env);
                // The page keeps what it has applied, or has lost everything.
                if env.dice.below(2) == 0 {
                    self.tabs[number].epoch = None;
                    self.tabs[number].last = 0;
                }
            }
            28 => self.acknowledge_wildly(number, wire, env),
            _ => {}
        }
    }

    fn be_good(&mut self, number: usize, wire: u64, env: &mut Env) {
        if env.dice.below(8) == 0 {
            self.ask_again(wire, env);
        }
        self.acknowledge(number, wire, env);
    }

    /// Messages without an answer yet.
    fn open(&self) -> usize {
        self.wishes.values().filter(|w| w.session.is_none()).count()
    }

    fn dial(&mut self, number: usize, server: &mut Server, env: &mut Env) {
        let tab = &mut self.tabs[number];
        if env.now < tab.dial_at {
            return;
        }
        tab.asked_pending = tab.epoch.is_none() && env.dice.below(2) == 0;
        let resume = match tab.epoch {
            None if tab.asked_pending => Resume::Pending,
            epoch => Resume::After {
                after: tab.last,
                epoch: epoch.map(|epoch| epoch.to_string()),
            },
        };
        let wire = env.connect();
        if server.attach(self.user, wire, &resume, env) {
            tab.wire = Some(wire);
            tab.greeted = false;
        } else {
            self.lose(number, env);
        }
    }

    fn lose(&mut self, number: usize, env: &mut Env) {
        let tab = &mut self.tabs[number];
        if let Some(wire) = tab.wire.take() {
            let wishes = self.wishes.values_mut();
            wishes
                .filter(|w| w.sent_on == Some(wire))
                .for_each(|w| w.sent_on = None);
        }
        let (base, cap) = (Duration::from_millis(500), Duration::from_secs(8));
        let pause = full_jitter(base, cap, tab.attempts, env.dice.next());
        tab.attempts += 1;
        tab.dial_at = env.now + pause.as_millis() as u64;
    }

    fn on_frame(&mut self, number: usize, wire: u64, frame: ToClient, env: &mut Env) {
        let tab = &mut self.tabs[number];
        match frame {
            ToClient::Hello(hello) => Self::greet(tab, self.user, wire, &hello, env),
            ToClient::Replaced => {
                self.lose(number, env);
                self.tabs[number].dial_at = env.now + 60_000;
            }
            ToClient::Ping => env.send(wire, ToServer::Pong),
            ToClient::Accepted(mid, session) => {
                env.judge.on_told_accepted(self.user, mid, session);
                if let Some(wish) = self.wishes.get_mut(&mid) {
                    (wish.session, wish.sent_on) = (Some(session), None);
                    self.live.push(session);
                }
            }
            ToClient::Refused(mid) => {
                if let Some(wish) = self.wishes.get_mut(&mid) {
                    wish.sent_on = None;
                }
            }
            ToClient::Conflict(mid) => {
                let known = self.wishes.get(&mid).is_some_and(|w| w.session.is_some());
                if !known {
                    env.judge.blame(
                        "G6",
                        format!("message {mid} is a conflict, and was sent with one content"),
                    );
                }
            }
            ToClient::Frame(epoch, sequence, frame) => {
                env.log(&[self.user as u64, epoch, sequence, frame.content]);
                if tab.epoch != Some(epoch) {
                    env.judge.blame(
                        "G8",
                        format!("a frame of {epoch} on a page of {:?}", tab.epoch),
                    );
                }
                env.judge.on_frame(self.user, wire, epoch, sequence, &frame);
                if sequence > tab.last {
                    env.judge.on_applied(self.user, tab.last, sequence);
                    tab.last = sequence;
                    if let Kind::Ended(_) = frame.kind {
                        self.live.retain(|session| *session != frame.session);
                    }
                }
            }
        }
    }

    fn greet(tab: &mut Tab, user: User, wire: u64, hello: &Hello, env: &mut Env) {
        let asked = if tab.asked_pending {
            (0, None)
        } else {
            (tab.last, tab.epoch)
        };
        env.judge.on_hello(user, wire, hello, asked);
        env.log(&[user as u64, hello.epoch, hello.after, hello.last]);
        if hello.not_recovered.is_some() {
            env.count("told of a loss");
        }
        tab.last = hello.after;
        tab.epoch = Some(hello.epoch);
        (tab.greeted, tab.attempts) = (true, 0);
    }

    fn wish(&mut self, wire: u64, env: &mut Env) {
        let (mid, digest) = (env.fresh(), env.dice.next());
        let wish = Wish {
            digest,
            session: None,
            sent_on: Some(wire),
        };
        self.wishes.insert(mid, wish);
        env.send(wire, ToServer::Submit(mid, digest));
    }

    fn ask_again(&mut self, wire: u64, env: &mut Env) {
        for (mid, wish) in &mut self.wishes {
            if wish.session.is_none() && wish.sent_on.is_none() {
                wish.sent_on = Some(wire);
                env.send(wire, ToServer::Submit(*mid, wish.digest));
            }
        }
    }

    /// The same id again, as it was or with another content.
    fn repeat(&mut self, wire: u64, env: &mut Env) {
        let known: Vec<Mid> = self
            .wishes
            .iter()
            .filter(|(_, w)| w.session.is_some())
            .map(|(m, _)| *m)
            .collect();
        if let Some(mid) = known.get(env.dice.below(known.len().max(1) as u64) as usize) {
            let other = u64::from(env.dice.below(4) == 0);
            env.send(
                wire,
                ToServer::Submit(*mid, self.wishes[mid].digest + other),
            );
        }
    }

    fn acknowledge(&mut self, number: usize, wire: u64, env: &mut Env) {
        let tab = &self.tabs[number];
        let Some(epoch) = tab.epoch else { return };
        env.judge.on_ack(self.user, epoch, tab.last);
        let named = (env.dice.below(2) == 0).then_some(epoch);
        env.send(wire, ToServer::Ack(tab.last, named));
        if env.dice.below(4) == 0 {
            env.send(wire, ToServer::Ack(tab.last / 2, named));
        }
    }

    /// What was never sent, or of another epoch: changes nothing.
    fn acknowledge_wildly(&mut self, number: usize, wire: u64, env: &mut Env) {
        let tab = &self.tabs[number];
        let Some(epoch) = tab.epoch else { return };
        let sequence = [1 << 53, u64::MAX, tab.last + 500][env.dice.below(3) as usize];
        env.send(wire, ToServer::Ack(sequence, None));
        env.send(wire, ToServer::Ack(tab.last + 1, Some(epoch ^ 1)));
    }
}
