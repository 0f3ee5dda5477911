//! What is assumed where the message says nothing, and what to ask.
//!
//! None of these numbers has a source: they are placeholders, shown as such,
//! editable, and asked about in the order of their effect.

use super::{Kind, Metric, Understanding};

/// What the message is about, guessed from its words; each has its token placeholders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UseCase {
    /// Questions of customers.
    #[default]
    SupportChat,
    /// Answers from retrieved documents.
    Rag,
    /// Labels, moderation, extraction of a few fields.
    Classification,
    /// Long text to short text.
    Summarisation,
    /// Programming.
    Coding,
    /// A turn of an agent that uses tools.
    AgentTurn,
}

impl UseCase {
    /// Its stable word, as in the constraint `use_case:...`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SupportChat => "support_chat",
            Self::Rag => "rag",
            Self::Classification => "classification",
            Self::Summarisation => "summarisation",
            Self::Coding => "coding",
            Self::AgentTurn => "agent_turn",
        }
    }

    /// Placeholder tokens in and out of a request.
    pub fn tokens(self) -> (f64, f64) {
        match self {
            Self::SupportChat => (900.0, 250.0),
            Self::Rag => (4000.0, 300.0),
            Self::Classification => (500.0, 20.0),
            Self::Summarisation => (3000.0, 400.0),
            Self::Coding => (4000.0, 500.0),
            Self::AgentTurn => (6000.0, 400.0),
        }
    }

    /// The use case that the words of a message point to; support chat where they point nowhere.
    pub fn of(understanding: &Understanding) -> Self {
        const ALL: [UseCase; 6] = [
            UseCase::Rag,
            UseCase::Summarisation,
            UseCase::Classification,
            UseCase::Coding,
            UseCase::AgentTurn,
            UseCase::SupportChat,
        ];
        let stated = |case: &UseCase| understanding.wants(&format!("use_case:{}", case.as_str()));
        ALL.into_iter().find(stated).unwrap_or_default()
    }
}

/// A value that stands in for what the message does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Assumption {
    /// The key by which the visitor edits it.
    pub name: &'static str,
    /// In `unit`.
    pub value: f64,
    /// For example `tokens/request`, `fraction`.
    pub unit: &'static str,
    /// Sensible limits for an editor.
    pub range: (f64, f64),
    /// Why this value.
    pub why: &'static str,
}

const fn assume(
    name: &'static str,
    value: f64,
    unit: &'static str,
    range: (f64, f64),
    why: &'static str,
) -> Assumption {
    Assumption {
        name,
        value,
        unit,
        range,
        why,
    }
}

/// Everything the message leaves open, with its placeholder.
pub fn defaults(u: &Understanding) -> Vec<Assumption> {
    let mut list = volume(u);
    list.extend(behaviour(u));
    list
}

fn volume(u: &Understanding) -> Vec<Assumption> {
    let mut list = Vec::new();
    let (n_in, n_out) = UseCase::of(u).tokens();
    if u.first(Kind::RequestsPerUser).is_none() && u.requests_per_month().is_none() {
        let why =
            "Nothing in the message says how often a user asks; a placeholder without a source.";
        list.push(assume(
            "requests_per_user_day",
            10.0,
            "requests/user/day",
            (0.1, 1000.0),
            why,
        ));
    }
    if u.tokens_in().is_none() {
        let why = "A placeholder for this kind of use; the message states no input length.";
        list.push(assume("tokens_in", n_in, "tokens/request", (1.0, 1e6), why));
    }
    if u.tokens_out().is_none() {
        let why = "A placeholder for this kind of use; the message states no output length.";
        list.push(assume(
            "tokens_out",
            n_out,
            "tokens/request",
            (1.0, 1e5),
            why,
        ));
    }
    if u.peak_rps().is_none() {
        let why = "A placeholder without a source; read the busiest minute off your own logs.";
        list.push(assume("peak_to_average", 3.0, "x", (1.0, 50.0), why));
    }
    list
}

fn behaviour(u: &Understanding) -> Vec<Assumption> {
    let mut list = Vec::new();
    if u.share("cached").is_none() {
        let stable = u.first(Kind::TokensPrefix).is_some();
        let (value, why) = if stable {
            (
                0.5,
                "A stable beginning is stated, its hit rate is not; half is a cautious placeholder.",
            )
        } else {
            (
                0.0,
                "No stable beginning of the input is stated, so none is counted on.",
            )
        };
        list.push(assume("cache_hit_rate", value, "fraction", (0.0, 1.0), why));
    }
    if u.share("batch").is_none() {
        let patient = u
            .constraints
            .iter()
            .any(|c| c.name.starts_with("batchable"));
        let (value, why) = if patient {
            (1.0, "The message says that this work can wait.")
        } else {
            (0.0, "The message does not say that any work can wait.")
        };
        list.push(assume("batch_share", value, "fraction", (0.0, 1.0), why));
    }
    if u.share("escalation").is_none() {
        let why = "A placeholder inside the range of 10 to 60 % that is worth testing.";
        list.push(assume("escalation_rate", 0.3, "fraction", (0.0, 1.0), why));
    }
    if u.first(Kind::DiscountRate).is_none() {
        let why = "A customary rate; your finance department has its own.";
        list.push(assume(
            "discount_rate",
            0.1,
            "fraction/year",
            (0.0, 1.0),
            why,
        ));
    }
    if u.first(Kind::Horizon).is_none() {
        let why = "One year, where the message names no horizon.";
        list.push(assume("horizon_months", 12.0, "months", (1.0, 120.0), why));
    }
    if u.all(Kind::Latency).any(|q| q.q.is_none()) {
        let why = "The message names no percentile; the 95th is what service levels usually name.";
        list.push(assume(
            "latency_percentile",
            0.95,
            "fraction",
            (0.5, 0.999),
            why,
        ));
    }
    list
}

/// Something to ask, and the assumption its answer replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The assumption or quantity it is about.
    pub name: &'static str,
    /// The question.
    pub text: &'static str,
}

/// At most three questions, the most telling first where nothing was computed
/// yet; whoever has computed orders them by their effect.
pub fn questions(u: &Understanding) -> Vec<Ask> {
    let mut list = Vec::new();
    let mut ask = |open: bool, name, text| {
        if open {
            list.push(Ask { name, text });
        }
    };
    let contradiction = u.flagged("contradiction:spend_vs_list_price");
    ask(
        contradiction,
        "spend_per_month",
        "Which calls, retries, hidden tokens or other services are in the bill beside the requests you describe?",
    );
    let users = u.first(Kind::Users).is_some();
    let volume = u.requests_per_month().is_none() && u.first(Kind::TokensTotal).is_none();
    ask(
        volume && users,
        "requests_per_user_day",
        "How many requests does a user send a day?",
    );
    ask(
        volume && !users,
        "requests_per_month",
        "How many requests do you send a day or month?",
    );
    let vague = u
        .all(Kind::Latency)
        .any(|q| q.metric == Some(Metric::Unspecified));
    ask(
        vague,
        "latency_metric",
        "Is the latency meant until the first word or until the whole answer stands?",
    );
    ask(
        u.tokens_in().is_none(),
        "tokens_in",
        "How many tokens does a request send, instructions and history included?",
    );
    ask(
        u.tokens_out().is_none(),
        "tokens_out",
        "How many tokens does an answer have?",
    );
    ask(u.models.is_empty(), "model", "Which model answers today?");
    list.truncate(3);
    list
}
