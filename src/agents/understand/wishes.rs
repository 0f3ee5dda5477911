//! Wishes and hints that are no numbers: constraints, language, injection.

use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::Constraint;
use super::text::Text;

/// Name and the phrases that state it, in lower case; each matches whole words,
/// one that ends in `*` also their continuations.
const WISHES: &[(&str, &[&str])] = &[
    (
        "region:EU",
        &[
            "in the eu",
            "within the eu",
            "eu only",
            "eu-only",
            "eu region",
            "eu data",
            "in europe",
            "european union",
            "in der eu",
            "dans l'ue",
            "en la ue",
        ],
    ),
    (
        "region:US",
        &["in the us", "us only", "us-only", "us region"],
    ),
    ("compliance:HIPAA", &["hipaa"]),
    ("compliance:GDPR", &["gdpr", "dsgvo", "rgpd"]),
    ("compliance:SOC2", &["soc 2", "soc2"]),
    (
        "no_training",
        &[
            "no training on",
            "not train on",
            "not be trained",
            "never train",
            "no training",
        ],
    ),
    (
        "open_weights",
        &[
            "open-weight*",
            "open weight*",
            "open-source model*",
            "open source model*",
            "open model*",
        ],
    ),
    (
        "prefer:open_weights",
        &[
            "open weights preferred",
            "prefer open weight*",
            "open-weights preferred",
            "preferably open",
        ],
    ),
    (
        "modality:image",
        &[
            "vision",
            "image*",
            "photo*",
            "screenshot*",
            "multimodal",
            "bilder",
        ],
    ),
    ("modality:audio", &["audio", "speech-to-speech"]),
    (
        "structured_output",
        &["json", "structured output*", "json schema"],
    ),
    (
        "tool_calling",
        &[
            "tool calling",
            "tool-calling",
            "tool call*",
            "function calling",
            "tool use",
        ],
    ),
    (
        "option:self_host",
        &[
            "self-host*",
            "self host*",
            "selfhost*",
            "own gpus",
            "own gpu*",
            "on-prem*",
            "on our own",
        ],
    ),
    ("precision:bf16", &["bf16", "bfloat16"]),
    ("precision:fp16", &["fp16"]),
    ("precision:fp8", &["fp8"]),
    ("precision:int8", &["int8", "8-bit"]),
    ("precision:int4", &["int4", "4-bit", "awq", "gptq"]),
    (
        "batchable",
        &[
            "overnight",
            "nightly",
            "no rush",
            "can wait",
            "not urgent",
            "batchable",
            "über nacht",
        ],
    ),
    ("streaming", &["streaming", "streamed"]),
    (
        "objective:cost",
        &[
            "cost versus quality",
            "cost vs quality",
            "cost against quality",
            "pareto",
            "minimise cost*",
            "minimize cost*",
            "cheap*",
            "save money",
            "lower cost*",
            "cut cost*",
            "reduce cost*",
            "costs down",
        ],
    ),
    (
        "objective:quality",
        &[
            "cost versus quality",
            "cost vs quality",
            "cost against quality",
            "pareto",
            "good",
            "best quality",
            "highest quality",
            "quality matters",
            "no quality loss",
            "without losing quality",
            "keep quality",
        ],
    ),
    (
        "objective:latency",
        &[
            "fast",
            "fastest",
            "faster",
            "lowest latency",
            "lower latency",
            "low latency",
        ],
    ),
    (
        "use_case:rag",
        &[
            "rag",
            "retriev*",
            "knowledge base",
            "knowledge-base",
            "vector search",
        ],
    ),
    (
        "use_case:summarisation",
        &["summar*", "zusammenfass*", "résum*", "resum*"],
    ),
    (
        "use_case:classification",
        &[
            "classif*",
            "klassif*",
            "moderat*",
            "labelling",
            "labeling",
            "tagging",
            "sentiment",
            "triage tickets",
            "extract*",
        ],
    ),
    (
        "use_case:coding",
        &[
            "coding",
            "code",
            "ide",
            "developer*",
            "programming",
            "copilot",
            "pull request*",
        ],
    ),
    (
        "use_case:agent_turn",
        &["agent loop*", "agentic", "agent*", "tool call*"],
    ),
    (
        "use_case:support_chat",
        &["support", "chat*", "customer service", "helpdesk"],
    ),
];

/// Words that try to steer a model. They steer nothing here; the flag only says
/// that they were seen.
const STEERING: &[&str] = &[
    "ignore all",
    "ignore previous",
    "ignore the above",
    "ignore your",
    "ignore any",
    "disregard",
    "previous instructions",
    "reply only with",
    "answer only with",
    "you are now",
    "system prompt:",
    "act as",
    "pretend",
    "jailbreak",
    "developer mode",
    "reveal your",
    "print your",
    "system:",
    "override",
    "ignoriere",
    "ignorez",
    "ignora las",
    "игнорируй",
    "forget everything",
    "forget all",
    "new instructions",
    "set all prices",
    "set the price",
    "do not compute",
    "</system>",
    "<system>",
];

/// The wishes of a text.
pub(super) fn constraints(text: &Text) -> Vec<Constraint> {
    let lower: String = text.lower.iter().collect();
    let mut list = Vec::new();
    for (name, phrases) in WISHES {
        if let Some((start, length)) = phrases.iter().find_map(|p| find(&lower, p)) {
            let start = lower[..start].chars().count();
            let end = start + length;
            let span = text.original_span(&(start..end));
            list.push(Constraint {
                name: (*name).to_owned(),
                quote: text.quote(&span),
                span,
            });
        }
    }
    let prefers = list.iter().any(|c| c.name == "prefer:open_weights");
    list.retain(|c| !(prefers && c.name == "open_weights"));
    list
}

/// The first whole-word occurrence: byte offset and length in characters.
fn find(lower: &str, phrase: &str) -> Option<(usize, usize)> {
    let (stem, open) = match phrase.strip_suffix('*') {
        Some(stem) => (stem, true),
        None => (phrase, false),
    };
    let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    lower.match_indices(stem).find_map(|(at, _)| {
        let rest = &lower[at + stem.len()..];
        let tail = if open {
            rest.chars().take_while(|c| c.is_alphanumeric()).count()
        } else {
            0
        };
        let fits = edge(lower[..at].chars().next_back()) && (open || edge(rest.chars().next()));
        fits.then(|| (at, stem.chars().count() + tail))
    })
}

/// True where the text tries to steer a model.
pub(super) fn steers(text: &Text, original: &str) -> bool {
    let lower: String = text.lower.iter().collect();
    let raw = original.to_lowercase();
    STEERING
        .iter()
        .any(|phrase| lower.contains(phrase) || raw.contains(phrase))
}

/// The commonest words of the languages that share a script.
const COMMON: [(&str, &[&str]); 6] = [
    (
        "en",
        &[
            "the", "we", "is", "a", "and", "of", "to", "for", "our", "what", "how", "which", "in",
            "per", "on", "at", "with",
        ],
    ),
    (
        "de",
        &[
            "wir", "der", "die", "das", "und", "ist", "pro", "für", "mit", "wie", "unser",
            "unsere", "eine", "ein", "nicht", "bei", "auf", "im", "wann", "wird", "sollen",
        ],
    ),
    (
        "fr",
        &[
            "nous", "le", "la", "les", "des", "et", "est", "par", "pour", "avec", "notre", "une",
            "un", "du", "sur", "combien", "comment", "dans",
        ],
    ),
    (
        "es",
        &[
            "el", "los", "las", "y", "es", "por", "para", "con", "nuestro", "nuestra", "una", "un",
            "del", "cuánto", "cómo", "al", "que", "tenemos", "en",
        ],
    ),
    (
        "it",
        &[
            "il", "lo", "gli", "di", "e", "è", "per", "con", "che", "nostro", "nostra", "una",
            "un", "del", "al", "quanto", "come", "circa", "abbiamo", "in", "da",
        ],
    ),
    (
        "pt",
        &[
            "o", "os", "as", "e", "é", "por", "para", "com", "que", "nosso", "nossa", "uma", "um",
            "do", "da", "ao", "quanto", "como", "temos", "em", "não",
        ],
    ),
];

/// ISO 639-1, by script and by the commonest words.
pub(super) fn language(text: &Text, tokens: &[Token]) -> &'static str {
    let has = |low: char, high: char| {
        text.lower
            .iter()
            .filter(|c| (low..=high).contains(*c))
            .count()
    };
    if has('\u{3040}', '\u{30FF}') > 0 {
        return "ja";
    }
    if has('\u{4E00}', '\u{9FFF}') > 0 {
        return "zh";
    }
    if has('\u{400}', '\u{4FF}') > 3 {
        return "ru";
    }
    let score = |words: &[&str]| {
        tokens
            .iter()
            .filter(|t| words.contains(&t.word.as_str()))
            .count()
    };
    let mut best = ("en", score(COMMON[0].1));
    for (language, words) in &COMMON[1..] {
        let hits = score(words);
        if hits > best.1 {
            best = (language, hits);
        }
    }
    best.0
}

/// The criteria in the order in which the visitor ranks them: "cost matters most, then
/// quality", "quality first, then speed", "price over latency". Empty where none is ranked.
pub(super) fn priorities(tokens: &[Token]) -> Vec<&'static str> {
    let criterion = |t: &Token| {
        if t.is(QUALITY) && !t.lemma("point") {
            Some("quality")
        } else if t.is(COST | PAY) {
            Some("cost")
        } else if t.is(SPEED | LATENCY) {
            Some("latency")
        } else {
            None
        }
    };
    let ranks = |t: &Token| {
        matches!(
            t.word.as_str(),
            "matters" | "matter" | "priority" | "important" | "importance" | "first" | "counts"
        )
    };
    let then = |t: &Token| {
        matches!(
            t.word.as_str(),
            "then" | "second" | "third" | "followed" | "dann" | "puis" | "luego"
        )
    };
    // From the first criterion beside a ranking word, as long as "then" goes on.
    let Some(start) = (0..tokens.len()).find(|at| {
        let near = &tokens[*at..tokens.len().min(at + 4)];
        criterion(&tokens[*at]).is_some()
            && near
                .iter()
                .skip(1)
                .take_while(|t| t.shape == Shape::Word)
                .any(ranks)
    }) else {
        return Vec::new();
    };
    let mut order: Vec<&'static str> = criterion(&tokens[start]).into_iter().collect();
    let mut at = start + 1;
    while let Some(next) = (at..tokens.len().min(at + 8)).find(|i| then(&tokens[*i])) {
        let named =
            (next + 1..tokens.len().min(next + 5)).find_map(|i| Some((i, criterion(&tokens[i])?)));
        let Some((found, name)) = named else { break };
        if !order.contains(&name) {
            order.push(name);
        }
        at = found + 1;
    }
    order
}
