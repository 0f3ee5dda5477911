//! The life of a session: created → processing → thinking → generating → an end.
//!
//! Exactly one end; whoever comes second is told so. A session that a crash
//! interrupted begins to be processed again and keeps its place before the end.

use serde::{Deserialize, Serialize};

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Accepted and durable; waits for its turn.
    Created,
    /// An attempt has begun.
    Processing,
    /// The agent said its first thought.
    AgentThinking,
    /// The agent said its first part of a result.
    GeneratingResult,
    /// It has a result.
    Completed,
    /// It failed.
    Failed,
    /// The agent's time limit passed.
    TimedOut,
    /// The visitor stopped it.
    Cancelled,
    /// The session's own limit passed.
    Expired,
}

impl State {
    /// Every state, in the order of a session's life.
    pub const ALL: [State; 9] = [
        State::Created,
        State::Processing,
        State::AgentThinking,
        State::GeneratingResult,
        State::Completed,
        State::Failed,
        State::TimedOut,
        State::Cancelled,
        State::Expired,
    ];

    /// The word in REST answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Created => "created",
            State::Processing => "processing",
            State::AgentThinking => "agent_thinking",
            State::GeneratingResult => "generating_result",
            State::Completed => "completed",
            State::Failed => "failed",
            State::TimedOut => "timed_out",
            State::Cancelled => "cancelled",
            State::Expired => "expired",
        }
    }

    /// True for the five ends.
    pub fn ended(self) -> bool {
        self >= State::Completed
    }
}

/// What happened to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// An attempt begins; again after a crash.
    Began,
    /// The agent thinks or calls a tool.
    Thought,
    /// The agent gave a part of its result.
    GavePart,
    /// An end.
    Ended(State),
}

/// The fact came too late: the session has ended like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HasEnded(pub State);

impl State {
    /// The state after `fact`. Later facts of the same life never move it back,
    /// except that an attempt which begins again starts over.
    ///
    /// # Errors
    /// [`HasEnded`]: an end is final.
    ///
    /// # Panics
    /// On `Ended` with a state that is no end: a bug of the caller.
    pub fn after(self, fact: Fact) -> Result<State, HasEnded> {
        if self.ended() {
            return Err(HasEnded(self));
        }
        Ok(match fact {
            Fact::Began => State::Processing,
            Fact::Thought => self.max(State::AgentThinking),
            Fact::GavePart => self.max(State::GeneratingResult),
            Fact::Ended(end) => {
                assert!(end.ended(), "{end:?} is no end");
                end
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::dice::Dice;

    #[test]
    fn one_end_and_never_back() {
        // req: S1
        for seed in 0..2000 {
            let mut dice = Dice::new(seed);
            let mut state = State::Created;
            let mut ends = 0;
            for _ in 0..20 {
                let fact = match dice.below(6) {
                    0 => Fact::Began,
                    1 | 2 => Fact::Thought,
                    3 | 4 => Fact::GavePart,
                    _ => Fact::Ended(State::ALL[4 + dice.below(5) as usize]),
                };
                match state.after(fact) {
                    Ok(next) => {
                        assert!(
                            next >= state || fact == Fact::Began,
                            "seed {seed}: {state:?} to {next:?}"
                        );
                        ends += u32::from(next.ended());
                        state = next;
                    }
                    Err(HasEnded(end)) => assert!(end == state && ends == 1, "seed {seed}"),
                }
            }
            assert!(ends <= 1, "seed {seed}");
        }
    }

    #[test]
    fn the_words_are_those_of_the_protocol() {
        let words = State::ALL.map(State::as_str).join(" ");
        assert_eq!(
            words,
            "created processing agent_thinking generating_result completed failed timed_out cancelled expired"
        );
    }
}
