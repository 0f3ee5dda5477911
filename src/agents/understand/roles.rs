//! Where a model stands in the visitor's world, by the words before it.

use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::ModelRole;

/// The role of each model token, in the order of the text: index of the found
/// model and role.
pub(super) fn roles(tokens: &[Token]) -> Vec<(usize, ModelRole)> {
    let mut list: Vec<(usize, usize, ModelRole)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Shape::Model(model) = token.shape else {
            continue;
        };
        let before = list.last().copied();
        let role = before
            .filter(|(last, _, _)| is_list(&tokens[last + 1..at]))
            .map(|(_, _, role)| role)
            .unwrap_or_else(|| role(tokens, at, before.map(|b| b.0)));
        list.push((at, model, role));
    }
    list.into_iter()
        .map(|(_, model, role)| (model, role))
        .collect()
}

/// Only commas and conjunctions stand between two names.
fn is_list(gap: &[Token]) -> bool {
    let links = |t: &Token| {
        matches!(t.shape, Shape::Symbol(',' | '/' | '&' | '|'))
            || matches!(t.meaning.lemma, "and" | "or")
            || matches!(
                t.word.as_str(),
                "than" | "the" | "on" | "for" | "with" | "&"
            )
    };
    let joins = |t: &Token| {
        t.shape != Shape::Word || matches!(t.meaning.lemma, "and" | "or") || t.word == "than"
    };
    gap.len() <= 3 && gap.iter().all(links) && gap.first().is_some_and(joins)
}

/// What stands around one mention, inside of its sentence.
struct Mention<'a> {
    /// From the start of the sentence, at most 24 tokens.
    left: &'a [Token],
    /// The part of it that no earlier mention claims.
    own: &'a [Token],
    /// The tokens after it.
    right: &'a [Token],
    /// The first word of the sentence; none where the mention is it.
    opening: Option<&'a Token>,
    question: bool,
}

impl<'a> Mention<'a> {
    fn at(tokens: &'a [Token], at: usize, last: Option<usize>) -> Self {
        const REACH: usize = 24;
        let breaks = |t: &Token| t.shape == Shape::Break;
        let back = at.saturating_sub(4 * REACH);
        let sentence = tokens[back..at]
            .iter()
            .rposition(breaks)
            .map_or(back, |i| back + i + 1);
        let start = at.saturating_sub(REACH).max(sentence);
        let own = start.max(last.map_or(0, |last| last + 1)).min(at);
        let after = tokens[at..].iter().take(REACH).position(breaks);
        let end = after
            .map_or(tokens.len().min(at + REACH), |i| at + i)
            .max(at + 1);
        Self {
            left: &tokens[start..at],
            own: &tokens[own..at],
            right: &tokens[at + 1..end],
            opening: tokens[sentence..at].first(),
            question: tokens.get(end).is_some_and(|t| t.word == "?"),
        }
    }

    /// The word before the name, articles and its maker aside.
    fn led_by(&self, words: &[&str]) -> bool {
        let skip = |t: &&Token| !matches!(t.word.as_str(), "the" | "our" | "openai's" | "openai");
        let word = self.own.iter().rev().find(skip);
        word.is_some_and(|t| words.contains(&t.word.as_str()))
    }

    fn opens_with(&self, words: &[&str]) -> bool {
        self.opening
            .is_some_and(|t| words.contains(&t.word.as_str()))
    }
}

fn said(words: &[&str], window: &[Token]) -> bool {
    window.iter().any(|t| words.contains(&t.word.as_str()))
}

const MOVES: &[&str] = &[
    "move",
    "moving",
    "switch",
    "switching",
    "migrate",
    "migrating",
    "migration",
    "replace",
    "replacing",
    "swap",
    "swapping",
    "upgrade",
    "downgrade",
    "going",
    "change",
    "changing",
    "wechseln",
    "umsteigen",
    "umstellen",
    "passer",
    "basculer",
    "cambiar",
    "pasar",
    "перейти",
];

fn role(tokens: &[Token], at: usize, last: Option<usize>) -> ModelRole {
    let m = Mention::at(tokens, at, last);
    if is_floor(m.own) {
        ModelRole::QualityFloor
    } else if is_self_hosted(&m) {
        ModelRole::SelfHost
    } else if let Some(role) = moved(&m) {
        role
    } else if said(
        &["stay", "stays", "staying", "remain", "remains", "bleibt"],
        m.own,
    ) {
        ModelRole::Current
    } else if is_candidate(&m) {
        ModelRole::Candidate
    } else {
        ModelRole::Current
    }
}

fn is_self_hosted(m: &Mention) -> bool {
    let near = m.own.iter().rev().take(4).any(|t| t.is(SELF_HOST));
    near && !said(&["instead", "than", "vs", "versus"], m.own)
        || said(&["self"], m.own) && said(&["host"], m.own)
}

/// "from X to Y", "replace X with Y".
fn moved(m: &Mention) -> Option<ModelRole> {
    const AWAY: &[&str] = &["from", "off", "von", "de", "с"];
    const TOWARDS: &[&str] = &[
        "to", "with", "by", "auf", "zu", "à", "a", "durch", "на", "into", "onto", "for",
    ];
    let moving = said(MOVES, m.left);
    let left = said(&["replace", "replacing", "leave", "leaving"], m.own) && !m.led_by(TOWARDS);
    if moving && m.led_by(AWAY) || left {
        return Some(ModelRole::Current);
    }
    (moving && m.led_by(TOWARDS)).then_some(ModelRole::Candidate)
}

fn is_candidate(m: &Mention) -> bool {
    const LISTS: &[&str] = &[
        "candidates",
        "candidate",
        "options",
        "compare",
        "alternatives",
        "shortlist",
    ];
    let next_is_model = m
        .right
        .get(1)
        .is_some_and(|t| matches!(t.shape, Shape::Model(_)));
    let chosen = next_is_model && m.right.first().is_some_and(|t| t.is(COMPARE));
    if chosen || said(LISTS, m.own) {
        return true;
    }
    if is_hypothetical(m) {
        return true;
    }
    // Weak words of the present ("is", "have") stand in questions about a model too.
    let weak = |t: &Token| {
        matches!(
            t.word.as_str(),
            "is" | "are" | "was" | "have" | "has" | "use" | "takes" | "take"
        )
    };
    let used = m.own.iter().any(|t| t.lemma("now") && !weak(t));
    if used || said(&["we", "wir", "nous", "our", "мы"], m.own) {
        return false;
    }
    let asked_about = m.question && is_asked_about(m);
    asked_about || m.own.iter().any(|t| t.is(EASY))
}

/// "would", "could", "compare": nothing that runs today.
fn is_hypothetical(m: &Mention) -> bool {
    const IFS: &[&str] = &[
        "would", "could", "should", "if", "instead", "versus", "vs", "than", "würde", "könnte",
        "serait", "sería",
    ];
    const ORDERS: &[&str] = &[
        "tell",
        "show",
        "calculate",
        "estimate",
        "give",
        "price",
        "find",
        "rank",
        "recommend",
        "suggest",
        "zeig",
        "zeige",
    ];
    let asked = m.opens_with(ORDERS) && !said(&["we", "our", "my"], m.left);
    let possible = m.question && m.opens_with(&["can", "kann", "können", "peut-on"]);
    let wondered = m.question
        && m.opens_with(&["how", "wie", "combien", "cuánto", "сколько"])
        && !said(
            &[
                "we", "our", "my", "i", "us", "wir", "unser", "nous", "notre",
            ],
            m.left,
        );
    asked
        || possible
        || wondered
        || said(IFS, m.left)
        || m.left.iter().any(|t| t.lemma("compare"))
        || m.own.iter().any(|t| t.is(COMPARE) && !t.lemma("or"))
}

/// "Is X ...", "Which ...", "X or ...": the question is about the model.
fn is_asked_about(m: &Mention) -> bool {
    const OPENINGS: &[&str] = &[
        "is", "are", "can", "could", "would", "should", "will", "does", "do", "which", "what",
        "reicht", "genügt", "schafft", "suffit", "basta", "ist", "kann", "est-ce", "es",
    ];
    let opened = m.opening.is_none() || m.opens_with(OPENINGS);
    opened && !m.left.iter().any(|t| t.is(PAY) || t.word == "on")
}

/// "at least the level of", "as good as", "no worse than", "quality floor:".
fn is_floor(own: &[Token]) -> bool {
    let said = |words: &[&str]| own.iter().any(|t| words.contains(&t.word.as_str()));
    let lossless = own.iter().any(|t| t.is(QUALITY))
        && said(&["no", "without", "not"])
        && said(&[
            "loss",
            "losing",
            "drop",
            "worse",
            "degradation",
            "versus",
            "vs",
            "against",
            "compared",
        ]);
    let never_below = said(&["below", "beneath", "under", "less"]) && said(&["never", "not", "no"]);
    lossless
        || never_below
        || own.iter().any(|t| t.is(FLOOR))
        || said(&[
            "least",
            "good",
            "worse",
            "equal",
            "comparable",
            "mindestens",
            "moins",
        ]) && said(&["as", "level", "quality", "of", "than", "to", "wie", "que"])
            && !said(&["compare", "costs", "cheaper"])
}
