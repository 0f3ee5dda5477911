//! Rules for what is counted: limits, speeds, hardware, tokens, calls, people.

use std::borrow::Cow;

use super::lexer::{Shape, Token};
use super::lexicon::*;
use super::quantity::{Kind, Per, Role, Value};
use super::rules::{Draft, Facts};
use super::scene::Scene;

/// "seed 42", "(a) 10,000 draws", "LMArena of 1,380+", "cs2 of 2".
pub(super) fn labelled(scene: &Scene) -> Option<Draft> {
    let before = |words: &[&str]| {
        scene
            .left_clause()
            .iter()
            .rev()
            .take(4)
            .any(|t| words.contains(&t.word.as_str()))
    };
    let unit = scene.unit();
    let lemma = unit.map_or("", |t| t.meaning.lemma);
    let head = |lemma: &str| {
        scene.tokens[scene.phrase.clone()]
            .iter()
            .any(|t| t.lemma(lemma))
    };
    if let Some(ratio) = ratio(scene) {
        return Some(ratio);
    }
    if before(&["seed"]) {
        return Some(Draft::of(scene, Kind::Seed, ""));
    }
    if before(&["cs2", "scv"]) || before(&["variation", "variability"]) && scene.says(&["squared"])
    {
        return Some(Draft::of(scene, Kind::Cs2, "x"));
    }
    if head("draw") && scene.amount.values[0] >= 50.0 {
        return Some(Draft::of(scene, Kind::Draws, "run"));
    }
    let arena = scene.says(&["lmarena", "arena", "elo"]);
    if arena
        && (scene.amount.plus
            || lemma == "elo"
            || before(&["lmarena", "arena", "elo", "requirement", "least"]))
        && scene.amount.values[0] >= 500.0
    {
        return Some(
            Draft::of(scene, Kind::QualityMin, "elo")
                .q("lmarena")
                .tight(scene),
        );
    }
    if lemma == "point" {
        let drop = scene
            .around()
            .iter()
            .any(|t| t.is(QUALITY) && !t.lemma("point"))
            || scene.says(&["drop", "lose", "loss", "worse"]);
        return drop.then(|| Draft::of(scene, Kind::QualityDropMax, "point"));
    }
    let index = before(&["index", "intelligence", "quality", "score", "aider"])
        && (scene.within(OVER, 4) || scene.amount.plus);
    index.then(|| {
        Draft::of(scene, Kind::QualityMin, "point")
            .q("index")
            .tight(scene)
    })
}

/// "3:1 input to output": input over output.
fn ratio(scene: &Scene) -> Option<Draft> {
    let at = scene.amount.tokens.end;
    let colon = scene
        .tokens
        .get(at)
        .is_some_and(|t| t.symbol(':') && t.glued);
    let Some(Shape::Number(second)) = scene.tokens.get(at + 1).map(|t| &t.shape) else {
        return None;
    };
    let said = scene.says(&["ratio", "input", "output", "in", "verhältnis", "proportion"]);
    if !colon || !said || *second <= 0.0 {
        return None;
    }
    let mut draft = Draft::of(scene, Kind::Ratio, "x")
        .q("in_out")
        .scaled(1.0 / second);
    draft.end = at + 2;
    draft.swallows = true;
    Some(draft)
}

/// "2M TPM", "500 RPM", "60 tokens per second", "12 rps", "limit of 500 requests per minute".
pub(super) fn rate(scene: &Scene) -> Option<Draft> {
    let unit = scene.unit()?;
    let limit = |q: &'static str, unit: &'static str, per: Per| {
        Some(Draft::of(scene, Kind::RateLimit, unit).per(per).q(q))
    };
    match unit.word.as_str() {
        "tpm" => return limit("tpm", "token", Per::Minute),
        "itpm" => return limit("itpm", "token", Per::Minute),
        "otpm" => return limit("otpm", "token", Per::Minute),
        "tpd" => return limit("tpd", "token", Per::Day),
        "rpm" => return limit("rpm", "request", Per::Minute),
        "rpd" => return limit("rpd", "request", Per::Day),
        "rps" | "qps" | "tps" if unit.word != "tps" => {
            return Some(requests(scene, Some(Per::Second)));
        }
        "tps" => return Some(Draft::of(scene, Kind::Tps, "token/s")),
        _ => {}
    }
    let limited = scene
        .left_clause()
        .iter()
        .chain(scene.right_clause())
        .any(|t| t.is(LIMIT) && !t.lemma("worth"));
    if unit.is(TOKEN) || scene.head(TOKEN).is_some() {
        return match scene.per? {
            Per::Second => Some(Draft::of(scene, Kind::Tps, "token/s")),
            Per::Minute if limited || scene.head(INPUT | OUTPUT).is_none() => {
                limit(token_limit(scene), "token", Per::Minute)
            }
            _ => None,
        };
    }
    if limited && scene.head(REQUEST).is_some() {
        return match scene.per? {
            Per::Second => limit("rps", "request", Per::Second),
            Per::Minute => limit("rpm", "request", Per::Minute),
            Per::Day => limit("rpd", "request", Per::Day),
            _ => None,
        };
    }
    None
}

fn token_limit(scene: &Scene) -> &'static str {
    match scene.phrase_tags() {
        tags if tags & INPUT != 0 => "itpm",
        tags if tags & OUTPUT != 0 => "otpm",
        _ => "tpm",
    }
}

/// A GPU by its name, without a plural.
pub(super) fn gpu_name(word: &str) -> Option<&'static str> {
    const NAMES: &[(&str, &str)] = &[
        ("h100", "H100"),
        ("h200", "H200"),
        ("a100", "A100"),
        ("b200", "B200"),
        ("b100", "B100"),
        ("gb200", "GB200"),
        ("l40s", "L40S"),
        ("l40", "L40"),
        ("l4", "L4"),
        ("t4", "T4"),
        ("v100", "V100"),
        ("a10g", "A10G"),
        ("a10", "A10"),
        ("a6000", "A6000"),
        ("mi300x", "MI300X"),
        ("mi325x", "MI325X"),
        ("4090", "RTX4090"),
        ("h20", "H20"),
        ("gh200", "GH200"),
    ];
    let find = |word: &str| {
        NAMES
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, id)| *id)
    };
    find(word).or_else(|| find(word.strip_suffix('s')?))
}

/// "8B model", "80GB", "two H100s", "single GPU", "700 W".
pub(super) fn hardware(scene: &Scene) -> Option<Draft> {
    if scene.amount.params {
        return Some(Draft::of(scene, Kind::ParamsB, "B"));
    }
    // "a single 80GB GPU": the noun stands behind the next amount.
    let after = &scene.tokens[scene.amount.tokens.end
        ..scene
            .sentence
            .end
            .min(scene.tokens.len())
            .min(scene.amount.tokens.end + 4)];
    let sized = scene.amount.spelled
        && scene.right.is_empty()
        && after.iter().any(|t| t.lemma("gb"))
        && after.iter().any(|t| t.is(GPU));
    if sized {
        return Some(Draft::of(scene, Kind::GpuCount, "gpu").tight(scene));
    }
    let unit = scene.unit()?;
    if unit.lemma("gb") {
        let card = scene.before().and_then(|t| gpu_name(&t.word));
        let mut memory = Draft::of(scene, Kind::GpuMemory, "GB");
        memory.end = scene.phrase.start + 1;
        if let Some(name) = card {
            memory.kind = Kind::Gpu;
            memory.unit = Cow::Borrowed(name);
            memory.start -= 1;
        }
        return Some(memory);
    }
    if unit.lemma("watt") || unit.word == "w" && unit.upper {
        return Some(Draft::of(scene, Kind::Power, "W"));
    }
    let name = scene.tokens[scene.phrase.clone()]
        .iter()
        .find_map(|t| gpu_name(&t.word));
    let named = name.is_some();
    if (named || scene.head(GPU).is_some()) && scene.per_noun & GPU == 0 {
        let mut draft = Draft::of(scene, Kind::GpuCount, "gpu");
        draft.q = name.map(Cow::Borrowed);
        return Some(draft);
    }
    let billions = unit.lemma("parameter");
    billions.then(|| Draft::of(scene, Kind::ParamsB, "B").scaled(1e-9))
}

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
    let named = scene.phrase_tags() & TOKEN != 0
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

impl<'a> Scene<'a> {
    /// The first word of the phrase, or what follows it.
    pub(super) fn next_or_unit(&self) -> Option<&'a Token> {
        self.unit().or_else(|| self.next())
    }
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
    for token in words {
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

/// Requests, sessions and turns.
pub(super) fn calls(scene: &Scene, facts: &Facts) -> Option<Draft> {
    let phrase = scene.phrase_tags();
    let parallel = |t: &Token| t.is(PARALLEL) && !t.lemma("concurrent");
    let beside = scene.left_clause().iter().rev().take(5).any(parallel)
        || scene.tokens[scene.phrase.clone()].iter().any(parallel)
        || scene.right_clause().iter().take(6).any(parallel);
    let countable = phrase & (REQUEST | STEP) != 0;
    let timed = scene.per.filter(|per| per.per_month().is_some());
    let at_once = scene.next().is_some_and(|t| t.word == "at")
        && scene
            .tokens
            .get(scene.end + 1)
            .is_some_and(|t| t.word == "once");
    let replica = scene
        .left_clause()
        .iter()
        .rev()
        .take(6)
        .any(|t| t.is(REPLICA));
    if timed.is_none() && replica && phrase & REQUEST != 0 && scene.amount.values[0] >= 1.0 {
        return Some(Draft::of(scene, Kind::SlotsPerReplica, "slot"));
    }
    let several = scene.amount.values.iter().all(|v| *v >= 2.0);
    if timed.is_none() && several && (countable && beside || at_once && phrase & USER == 0) {
        let own = phrase & REQUEST != 0 && !at_once;
        return Some(Draft::of(scene, Kind::Fanout, "call").per(own.then_some(Per::Request)));
    }
    if scene.tokens[scene.phrase.clone()]
        .iter()
        .chain(scene.left_clause().iter().rev().take(2))
        .any(|t| t.lemma("concurrent"))
        && timed.is_none()
    {
        return Some(Draft::of(scene, Kind::Concurrent, "session"));
    }
    let sequential = scene.tokens[scene.phrase.clone()]
        .iter()
        .any(|t| t.word == "sequential" || t.word == "consecutive" || t.word == "serial");
    if timed.is_none() && (phrase & STEP != 0 || sequential && phrase & REQUEST != 0) {
        return Some(Draft::of(scene, Kind::Steps, "call"));
    }
    if phrase & SESSION != 0 && (facts.turns || phrase & REQUEST == 0) {
        return timed.map(|per| {
            Draft::of(scene, Kind::Sessions, "session")
                .per(per)
                .spread_or("")
        });
    }
    if phrase & TURN != 0 && timed.is_none() {
        return Some(Draft::of(scene, Kind::Turns, "turn").per(Per::Session));
    }
    if phrase & (REQUEST | TURN) == 0 || scene.amount.times || scene.amount.params {
        return None;
    }
    if let Some(draft) = per_request_or_user(scene, facts, timed) {
        return Some(draft);
    }
    if scene.amount.spelled && timed.is_none() && !scene.amount.scaled {
        return None;
    }
    if timed.is_none()
        && scene.says(&[
            "measured",
            "sample",
            "sampled",
            "benchmark",
            "benchmarked",
            "tested",
        ])
    {
        return Some(Draft::of(scene, Kind::Sample, "request"));
    }
    // A small number of things without a period is no volume.
    let volume = timed.is_some() || scene.amount.values.iter().all(|v| *v >= 1000.0);
    let nightly = scene
        .around()
        .iter()
        .any(|t| matches!(t.word.as_str(), "nightly" | "nächtlich"))
        .then_some(Per::Day);
    volume.then(|| {
        requests(
            scene,
            timed.or(nightly).or(facts.money_per).or(Some(Per::Month)),
        )
    })
}

/// "60 prompts per day" of each user; "7 tool calls" of each request.
fn per_request_or_user(scene: &Scene, facts: &Facts, timed: Option<Per>) -> Option<Draft> {
    let each = scene.left_clause().iter().any(|t| {
        matches!(
            t.word.as_str(),
            "each" | "every" | "per" | "jeder" | "chaque" | "cada" | "everyone"
        )
    });
    if scene.per_noun & USER != 0
        || each
            && timed.is_some()
            && facts.tags & (USER | TENANT) != 0
            && scene.amount.values[0] < 5000.0
    {
        let draft = Draft::of(scene, Kind::RequestsPerUser, "request");
        return Some(draft.per(timed.unwrap_or(Per::Day)).spread_or(""));
    }
    let looped = scene.says(&["loop", "averages", "agent", "chain", "pipeline", "workflow"]);
    let own = scene.per_noun & (REQUEST | SESSION | TURN) != 0;
    let small = timed.is_none() && scene.amount.values.iter().all(|v| *v <= 200.0);
    let call = scene
        .head(REQUEST)
        .is_some_and(|t| t.lemma("request") || t.lemma("prompt"));
    (small && call && (own || looped))
        .then(|| Draft::of(scene, Kind::CallsPerRequest, "call").per(Per::Request))
}

/// Requests a period, average or peak.
pub(super) fn requests(scene: &Scene, per: Option<Per>) -> Draft {
    let draft = Draft::of(scene, Kind::Requests, "request").per(per);
    let right = scene.right_clause();
    let left = scene.left_clause();
    let nearest = |tags: Tags| {
        let after = right.iter().take(6).position(|t| t.is(tags));
        let before = left.iter().rev().take(6).position(|t| t.is(tags));
        after.into_iter().chain(before).min()
    };
    let peak = match (nearest(PEAK), nearest(AVERAGE)) {
        (Some(peak), Some(average)) => peak < average,
        (peak, _) => peak.is_some(),
    };
    let limit = left.iter().any(|t| t.lemma("limit"));
    draft
        .role(limit.then_some(Role::Limit))
        .spread_or(if peak { "peak" } else { "avg" })
}

/// Users, tenants, slots, fields, pages, options.
pub(super) fn things(scene: &Scene, _facts: &Facts) -> Option<Draft> {
    let phrase = scene.phrase_tags();
    let words = &scene.tokens[scene.phrase.clone()];
    let unit = |lemma: &str| {
        scene.unit().is_some_and(|t| t.lemma(lemma)) || words.iter().any(|t| t.lemma(lemma))
    };
    let spelled = scene.amount.spelled && !scene.amount.scaled;
    if phrase & (USER | TENANT) != 0 && !spelled {
        return Some(users(scene, phrase));
    }
    if phrase & SLOT != 0 {
        let replica = scene.per_noun & REPLICA != 0
            || scene
                .left_clause()
                .iter()
                .rev()
                .take(5)
                .any(|t| t.is(REPLICA) || t.is(SLOT) || t.word == "each");
        return replica.then(|| Draft::of(scene, Kind::SlotsPerReplica, "slot"));
    }
    if phrase & REPLICA != 0 && !spelled {
        return Some(Draft::of(scene, Kind::Replicas, "replica"));
    }
    if unit("field") && !spelled {
        return Some(Draft::of(scene, Kind::Fields, "field"));
    }
    if unit("page") && !spelled {
        return Some(Draft::of(scene, Kind::Pages, "page"));
    }
    let options = scene
        .left_clause()
        .iter()
        .rev()
        .take(3)
        .any(|t| matches!(t.word.as_str(), "shortlist"));
    options.then(|| Draft::of(scene, Kind::Shortlist, "model"))
}

fn users(scene: &Scene, phrase: Tags) -> Draft {
    let unit = if phrase & TENANT != 0 {
        "tenant"
    } else {
        "user"
    };
    let word = |w: &str| {
        scene.tokens[scene.phrase.clone()]
            .iter()
            .any(|t| t.word == w)
    };
    if scene.tokens[scene.phrase.clone()]
        .iter()
        .any(|t| t.lemma("concurrent"))
    {
        return Draft::of(scene, Kind::Concurrent, "session");
    }
    let draft = Draft::of(scene, Kind::Users, unit).per(scene.per);
    match scene.per {
        _ if word("mau") => draft.per(Per::Month).q("mau"),
        _ if word("dau") || word("active") && scene.per == Some(Per::Day) => {
            draft.per(Per::Day).q("dau")
        }
        Some(Per::Day) => draft.q("dau"),
        Some(Per::Month) => draft.q("mau"),
        _ => draft.spread_or("total"),
    }
}

/// "35 on average", "and expect 100k", "(800-2,000)": the noun stands before;
/// resolved against the quantity before, see `links`.
pub(super) fn elliptic(scene: &Scene) -> Option<Draft> {
    let amount = scene.amount;
    if amount.spelled || amount.times || amount.params || amount.minutes {
        return None;
    }
    if let Some(draft) = headed(scene) {
        return Some(draft);
    }
    if !scene.phrase.is_empty() {
        return None;
    }
    let q = match scene.next() {
        Some(t) if t.word == "on" || t.word == "at" || t.word == "im" => {
            let end = (scene.end + 3).min(scene.right.end);
            let after = &scene.tokens[scene.end..end.max(scene.end)];
            if after.iter().any(|t| t.is(AVERAGE)) {
                "avg"
            } else if after.iter().any(|t| t.is(PEAK)) {
                "peak"
            } else {
                return None;
            }
        }
        Some(t) if t.is(PEAK) => "peak",
        Some(t) if t.is(AVERAGE) => "avg",
        _ if scene.before().is_some_and(|t| t.is(PEAK)) => "peak",
        _ if scene.before().is_some_and(|t| t.is(AVERAGE)) => "avg",
        _ => return None,
    };
    Some(
        Draft {
            q: Some(Cow::Borrowed(q)),
            value: Value::One(amount.values[0]),
            ..Draft::of(scene, Kind::Requests, "request")
        }
        .per(scene.per),
    )
}

/// "output 150", "tokens in: 800", "of which 2,000 are a static prompt",
/// "fan-out of 12": the noun stands before or behind a verb.
fn headed(scene: &Scene) -> Option<Draft> {
    let value = scene.amount.values[0];
    let last: Vec<&Token> = scene
        .left_clause()
        .iter()
        .rev()
        .filter(|t| {
            t.shape == Shape::Word
                && !matches!(t.meaning.lemma, "of" | "now")
                && !matches!(
                    t.word.as_str(),
                    "about"
                        | "around"
                        | "roughly"
                        | "approx"
                        | "circa"
                        | "ca"
                        | "etwa"
                        | "environ"
                        | "unos"
                        | "около"
                        | "around"
                )
                && !t.is(UNDER | OVER)
        })
        .take(2)
        .collect();
    let first = last.first()?;
    let closed = scene.phrase.is_empty() && scene.per.is_none();
    let token = |kind: Kind| {
        Some(
            Draft::of(scene, kind, "token")
                .per(Per::Request)
                .tight(scene),
        )
    };
    if matches!(first.word.as_str(), "fan-out" | "fanout") && closed && value >= 2.0 {
        return Some(Draft::of(scene, Kind::Fanout, "call"));
    }
    if first.word == "which" || first.word == "davon" || first.word == "including" {
        let prefix = scene
            .right_clause()
            .iter()
            .take(6)
            .any(|t| t.is(PREFIX | CACHE));
        return prefix.then(|| token(Kind::TokensPrefix)).flatten();
    }
    let tokens = last.get(1).is_some_and(|t| t.is(TOKEN));
    if !closed || value < 1.0 || value > 1e7 || value.fract() != 0.0 {
        return None;
    }
    match first.meaning.lemma {
        "output" if first.word.starts_with("out") || tokens => {
            token(Kind::TokensOut).map(|d| d.spread_or(""))
        }
        "input" => token(Kind::TokensIn).map(|d| d.spread_or("")),
        "in" if tokens => token(Kind::TokensIn).map(|d| d.spread_or("")),
        _ => None,
    }
}

/// "45k widgets per month": what is done per time is a request.
pub(super) fn anything_per_time(scene: &Scene) -> Option<Draft> {
    let per = scene.per.filter(|per| per.per_month().is_some())?;
    let amount = scene.amount;
    let foreign = scene.phrase_tags() & !(PEAK | AVERAGE | PART | INPUT) != 0;
    let plain = !amount.spelled && !amount.times && !amount.params && !amount.minutes;
    let slash = scene
        .tokens
        .get(scene.amount.tokens.end)
        .is_some_and(|t| t.symbol('/'));
    let volume = scene.amount.values.len() > 1 || scene.says(&["traffic"]);
    (plain && !foreign && (!scene.phrase.is_empty() || slash || volume || scene.near(REQUEST)))
        .then(|| requests(scene, Some(per)).role(None::<Role>))
}
