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

fn role(tokens: &[Token], at: usize, last: Option<usize>) -> ModelRole {
    let sentence = tokens[..at]
        .iter()
        .rposition(|t| t.shape == Shape::Break)
        .map_or(0, |i| i + 1);
    let reach = at.saturating_sub(24).max(sentence);
    let left = &tokens[reach..at];
    let own = &tokens[reach.max(last.map_or(0, |l| l + 1)).min(at)..at];
    let end = tokens[at..]
        .iter()
        .take(24)
        .position(|t| t.shape == Shape::Break)
        .map_or(tokens.len().min(at + 24), |i| at + i);
    let right = &tokens[at + 1..end.max(at + 1)];
    let question = tokens.get(end).is_some_and(|t| t.word == "?");
    let said =
        |words: &[&str], window: &[Token]| window.iter().any(|t| words.contains(&t.word.as_str()));
    if is_floor(own) {
        return ModelRole::QualityFloor;
    }
    if own.iter().rev().take(4).any(|t| t.is(SELF_HOST))
        && !said(&["instead", "than", "vs", "versus"], own)
        || said(&["self"], own) && said(&["host"], own)
    {
        return ModelRole::SelfHost;
    }
    let near: Vec<&Token> = own
        .iter()
        .rev()
        .filter(|t| !matches!(t.word.as_str(), "the" | "our" | "openai's" | "openai"))
        .take(1)
        .collect();
    let led = |words: &[&str]| {
        near.first()
            .is_some_and(|t| words.contains(&t.word.as_str()))
    };
    let moving = said(
        &[
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
            "passer",
            "cambiar",
            "pasar",
            "umstellen",
            "basculer",
            "перейти",
        ],
        left,
    );
    if moving && led(&["from", "off", "von", "de", "с"])
        || said(&["replace", "replacing", "leave", "leaving"], own)
            && !led(&["with", "by", "durch"])
    {
        return ModelRole::Current;
    }
    if moving
        && led(&[
            "to", "with", "by", "auf", "zu", "à", "a", "durch", "на", "into", "onto", "for",
        ])
    {
        return ModelRole::Candidate;
    }
    let asked = tokens[sentence..at].first().is_some_and(|t| {
        matches!(
            t.word.as_str(),
            "tell"
                | "show"
                | "calculate"
                | "estimate"
                | "give"
                | "price"
                | "find"
                | "rank"
                | "recommend"
                | "suggest"
                | "zeig"
                | "zeige"
        )
    });
    let opening = tokens[sentence..at]
        .first()
        .is_some_and(|t| matches!(t.word.as_str(), "can" | "kann" | "können" | "peut-on"));
    let hypothetical = question && opening
        || asked && !said(&["we", "our", "my"], left)
        || said(
            &[
                "would", "could", "should", "if", "instead", "versus", "vs", "than", "würde",
                "könnte", "serait", "sería",
            ],
            left,
        )
        || left.iter().any(|t| t.lemma("compare"))
        || own.iter().any(|t| t.is(COMPARE) && !t.lemma("or"));
    if said(
        &["stay", "stays", "staying", "remain", "remains", "bleibt"],
        own,
    ) {
        return ModelRole::Current;
    }
    let used = own.iter().any(|t| {
        t.lemma("now")
            && !matches!(
                t.word.as_str(),
                "is" | "are" | "was" | "have" | "has" | "use" | "takes" | "take"
            )
    }) || said(&["we", "wir", "nous", "our", "мы"], own) && !hypothetical;
    let chosen = right.first().is_some_and(|t| t.is(COMPARE))
        && right
            .get(1)
            .is_some_and(|t| matches!(t.shape, Shape::Model(_)));
    if chosen
        || said(
            &[
                "candidates",
                "candidate",
                "options",
                "compare",
                "alternatives",
                "shortlist",
            ],
            own,
        )
    {
        return ModelRole::Candidate;
    }
    if used && !hypothetical {
        return ModelRole::Current;
    }
    let opening = tokens[sentence..at]
        .first()
        .is_some_and(|t| matches!(t.word.as_str(), "can" | "kann" | "können" | "peut-on"));
    let easy = question && opening || own.iter().any(|t| t.is(EASY));
    if hypothetical || easy || question && is_first_question_word(&tokens[sentence..at]) {
        return ModelRole::Candidate;
    }
    ModelRole::Current
}

/// "Is X ...", "Which ...", "X or ...": the question is about the model.
fn is_first_question_word(words: &[Token]) -> bool {
    words.first().is_none_or(|t| {
        matches!(
            t.word.as_str(),
            "is" | "are"
                | "can"
                | "could"
                | "would"
                | "should"
                | "will"
                | "does"
                | "do"
                | "which"
                | "what"
                | "reicht"
                | "genügt"
                | "schafft"
                | "suffit"
                | "basta"
                | "ist"
                | "kann"
                | "est-ce"
                | "es"
        )
    }) && !words
        .iter()
        .any(|t| t.is(PAY) && !t.lemma("") || matches!(t.word.as_str(), "on"))
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
