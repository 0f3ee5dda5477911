//! Rules for tokens: of a request, its direction and parts; of a period.

use super::capacity::gpu_name;
use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::{Kind, Per};
use super::rules::Draft;
use super::scene::Scene;

/// Tokens of a request or of a period.
pub(super) fn tokens(scene: &Scene) -> Option<Draft> {
    let amount = scene.amount;
    let phrase = scene.phrase_tags();
    let unit = scene.unit();
    let named = phrase & TOKEN != 0;
    let bare_in = directed(scene);
    if amount.spelled || amount.times || amount.params {
        return None;
    }
    let timed = scene.per.filter(|per| per.per_month().is_some());
    if let Some(per) = timed.filter(|_| named || bare_in && scene.per_noun == 0)
        && scene.per_noun & REQUEST == 0
    {
        let volume = total(scene, per);
        return (named || phrase & (INPUT | OUTPUT) != 0).then_some(volume);
    }
    if invoiced(scene) {
        return Some(total(scene, Per::Month));
    }
    if part_of_input(scene) {
        return Some(
            Draft::of(scene, Kind::TokensInPart, "token")
                .per(Per::Request)
                .tight(scene),
        );
    }
    if context_window(scene) {
        return Some(Draft::of(scene, Kind::Context, "token").tight(scene));
    }
    let context = unit.is_some_and(|t| t.lemma("context")) && amount.scaled;
    if !(named || bare_in || context || in_slash_pair(scene)) {
        return None;
    }
    let kind = direction(scene);
    let q = if matches!(kind, Kind::TokensIn | Kind::TokensOut) {
        ""
    } else {
        "-"
    };
    let mut draft = Draft::of(scene, kind, "token").per(Per::Request);
    if q.is_empty() {
        draft = draft.spread_or("");
    }
    Some(draft)
}

/// "700 in", "150 en sortie", "200 на выходе": a direction stands for its tokens.
fn directed(scene: &Scene) -> bool {
    let window =
        &scene.tokens[scene.amount.tokens.end..scene.right.end.min(scene.amount.tokens.end + 3)];
    let way = |t: &Token| {
        (t.is(INPUT) && t.lemma("input") || t.is(OUTPUT)) && !t.is(REQUEST) || t.word == "in"
    };
    let link = |t: &Token| matches!(t.word.as_str(), "en" | "de" | "на" | "als" | "à" | "of");
    match window {
        [first, ..] if way(first) => true,
        [first, second, ..] => link(first) && way(second),
        _ => false,
    }
}

/// "42 million tokens a week", "input 3.1 billion tokens" of an invoice.
pub(super) fn total(scene: &Scene, per: Per) -> Draft {
    let words = |t: &Token| {
        if t.is(CACHE) {
            Some("cached_input")
        } else if t.is(INPUT) {
            Some("input")
        } else if t.is(OUTPUT) {
            Some("output")
        } else {
            None
        }
    };
    let phrase = scene.tokens[scene.phrase.clone()].iter().find_map(words);
    let left = scene.left_clause();
    let cached = left.iter().rev().take(3).any(|t| t.is(CACHE));
    let q = phrase.or_else(|| {
        if cached {
            Some("cached_input")
        } else {
            left.iter().rev().take(3).find_map(words)
        }
    });
    Draft::of(scene, Kind::TokensTotal, "token")
        .per(per)
        .q(q.unwrap_or("total"))
}

/// No request has ten million tokens: the number is an invoice's.
fn invoiced(scene: &Scene) -> bool {
    let named = scene.phrase_tags() & (TOKEN | INPUT | OUTPUT) != 0
        || scene
            .left_clause()
            .iter()
            .rev()
            .take(2)
            .any(|t| t.is(INPUT | OUTPUT | TOKEN));
    named
        && scene.phrase_tags() & !(TOKEN | INPUT | OUTPUT | PART | CACHE) == 0
        && scene.per_noun == 0
        && scene.amount.scaled
        && scene.amount.values[0] > 1e7
        && scene.amount.values[0] < 1e15
}

/// "4,000 of the input is retrieved context", "davon 2.000".
fn part_of_input(scene: &Scene) -> bool {
    let window = scene.right_clause();
    window.first().is_some_and(|t| t.lemma("of"))
        && window.iter().take(4).any(|t| t.is(INPUT) || t.is(TOKEN))
        && scene.amount.values[0] >= 50.0
}

/// "200k context", "context of 128K": a window that is needed, not an input.
fn context_window(scene: &Scene) -> bool {
    let right = scene.unit().is_some_and(|t| {
        t.lemma("context")
            || t.lemma("token") && scene.head(INPUT).is_some_and(|t| t.lemma("context"))
    });
    let left = scene
        .left_clause()
        .iter()
        .rev()
        .take(4)
        .any(|t| t.lemma("context") || t.lemma("window"));
    let window = scene.tokens[scene.phrase.clone()]
        .iter()
        .any(|t| t.lemma("window"));
    let needs = scene.says(&[
        "need",
        "needs",
        "require",
        "requires",
        "requirement",
        "want",
        "at least",
        "window",
        "must",
        "or more",
    ]);
    let needs = needs
        && scene.tokens[scene.left.clone()]
            .iter()
            .any(|t| t.is(WANT | OVER))
        || scene.left_clause().iter().rev().take(3).any(|t| t.is(OVER))
        || scene.right_clause().iter().take(4).any(|t| t.is(OVER))
        || needs && left;
    let gpu = scene.says(&["gpu", "concurrent"])
        || scene.around().iter().any(|t| gpu_name(&t.word).is_some());
    let part = scene.tokens[scene.phrase.clone()]
        .iter()
        .any(|t| t.lemma("retrieved"));
    !part && (window || (right || left) && (needs || gpu))
}

/// "1,050/310 tokens": input and output.
fn in_slash_pair(scene: &Scene) -> bool {
    slash_before(scene) && scene.phrase_tags() & (TOKEN | OUTPUT) != 0 || slash_after(scene)
}

fn slash_before(scene: &Scene) -> bool {
    scene.before().is_some_and(|t| t.symbol('/')) && scene.left.len() == 1
}

/// The number after the slash ends the pair and carries the noun.
fn slash_after(scene: &Scene) -> bool {
    let at = scene.amount.tokens.end;
    let token = |i: usize| scene.tokens.get(at + i);
    let slash = token(0).is_some_and(|t| t.symbol('/'));
    let number = token(1).is_some_and(|t| matches!(t.shape, Shape::Number(_)));
    let mut next = 2;
    while token(next).is_some_and(|t| matches!(t.word.as_str(), "k" | "m")) {
        next += 1;
    }
    slash && number && token(next).is_some_and(|t| t.is(TOKEN)) && !scene.amount.times
}

/// What a request's tokens are, by the nearest word.
fn direction(scene: &Scene) -> Kind {
    if slash_after(scene) {
        return Kind::TokensIn;
    }
    let way =
        &scene.tokens[scene.amount.tokens.end..scene.right.end.min(scene.amount.tokens.end + 2)];
    if directed(scene) && way.iter().any(|t| t.is(OUTPUT)) && !way[0].is(TOKEN) {
        return Kind::TokensOut;
    }
    let phrase = &scene.tokens[scene.phrase.clone()];
    if phrase
        .windows(2)
        .any(|w| w[0].word == "all" && w[1].word == "in" || w[0].word == "in" && w[1].is(TOTAL))
    {
        return Kind::TokensPerRequest;
    }
    if let Some(kind) = in_words(scene, phrase, true) {
        return kind;
    }
    if slash_before(scene) {
        return Kind::TokensOut;
    }
    if scene
        .head(TOTAL)
        .is_some_and(|t| t.word == "total" || t.word == "overall")
    {
        return Kind::TokensPerRequest;
    }
    let of_request = scene.before().is_some_and(|t| t.lemma("of"))
        && scene
            .left_clause()
            .iter()
            .rev()
            .take(5)
            .any(|t| t.lemma("request"));
    if of_request {
        return Kind::TokensPerRequest;
    }
    let rest = scene.right_clause();
    let rest = rest
        .get(
            scene
                .end
                .saturating_sub(scene.amount.tokens.end)
                .min(rest.len())..,
        )
        .unwrap_or(&[]);
    let in_rest = in_words(scene, &rest[..rest.len().min(3)], false);
    let left: Vec<Token> = scene.left_clause().iter().rev().take(8).cloned().collect();
    if let Some(kind) = in_words(scene, &left, false) {
        return kind;
    }
    if let Some(kind) = in_rest {
        return kind;
    }
    if scene.per_noun & (REQUEST | TURN) != 0 {
        return Kind::TokensPerRequest;
    }
    let generated = scene.says(&["generation", "generate", "generates", "decode", "decoding"]);
    if generated || scene.left_clause().iter().any(|t| t.is(TOTAL)) || after_texts(scene) {
        return Kind::TokensOut;
    }
    Kind::TokensIn
}

/// "250k product descriptions, 400 tokens each": each description has them.
fn after_texts(scene: &Scene) -> bool {
    let comma = scene.before().is_some_and(|t| t.symbol(','));
    let noun = scene
        .left
        .end
        .checked_sub(2)
        .and_then(|at| scene.tokens.get(at));
    comma && noun.is_some_and(|t| t.lemma("completion"))
}

/// The first word that tells input from output.
fn in_words(scene: &Scene, words: &[Token], own: bool) -> Option<Kind> {
    let prefix = words.iter().any(|t| t.is(PREFIX));
    for (at, token) in words.iter().enumerate() {
        // The Italian "in uscita" is an output: the noun after "in" decides.
        if token.lemma("in") && words.get(at + 1).is_some_and(|t| t.is(INPUT | OUTPUT)) {
            continue;
        }
        if prefix && (token.is(PREFIX) || token.is(INPUT)) {
            return Some(Kind::TokensPrefix);
        }
        if token.is(PART) && own {
            let user = token.lemma("user text");
            return Some(if user {
                Kind::TokensInRest
            } else {
                Kind::TokensInPart
            });
        }
        if token.is(OUTPUT) {
            return Some(Kind::TokensOut);
        }
        if token.is(INPUT) || token.lemma("in") && own {
            return Some(Kind::TokensIn);
        }
        if token.lemma("in") && words.len() <= 2 && scene.phrase_tags() & TOKEN != 0 {
            return Some(Kind::TokensIn);
        }
    }
    None
}
