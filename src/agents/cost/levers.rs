//! The levers on a bill. Each is computed alone and, in a fixed order, on top of those
//! before it: the marginal saving. The total is less than the sum of the single savings.

use super::super::answer::{Axis, Chart, Point, Series, Table};
use super::super::catalog::CacheMechanism;
use super::super::facts::PRICE_PAGES;
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, ModelRole, Quantity};
use super::super::work::{Advice, Work, column, impact, words};

/// The traffic as the levers before left it.
#[derive(Debug, Clone)]
struct Traffic {
    n: Value,
    t_in: Value,
    t_out: Value,
    p_in: Value,
    p_out: Value,
    /// Cost of a month.
    cost: Value,
}

/// What a lever does to the traffic.
struct Effect {
    saving: Value,
    after: Traffic,
    why: Prose,
}

/// A lever that was pulled.
#[derive(Debug, Clone)]
pub(in crate::agents) struct Lever {
    pub(in crate::agents) name: &'static str,
    /// Saving a month alone, from the current cost.
    alone: Value,
    /// Saving a month on top of the levers before.
    pub(in crate::agents) marginal: Value,
    before: Value,
    after: Value,
}

/// The constant part of a lever.
struct Kindred {
    name: &'static str,
    title: &'static str,
    effort: &'static str,
    confidence: &'static str,
    apply: fn(&mut Work<'_>, &Traffic) -> Option<Effect>,
}

fn start(work: &mut Work<'_>) -> Option<Traffic> {
    let model = work.model.clone()?;
    let (t_in, t_out) = (work.tokens_in(), work.tokens_out());
    let prices = work.prices(&model, t_in.value, true)?;
    Some(Traffic {
        n: work.requests_or_default(),
        t_in,
        t_out,
        p_in: prices.input,
        p_out: prices.output,
        cost: work.kept("baseline")?,
    })
}

fn now(work: &mut Work<'_>) -> Option<Traffic> {
    let start = start(work)?;
    let get = |key: &str, default: Value| work.kept(key).unwrap_or(default);
    Some(Traffic {
        n: get("stack.n", start.n),
        t_in: get("stack.t_in", start.t_in),
        t_out: get("stack.t_out", start.t_out),
        p_in: get("stack.p_in", start.p_in),
        p_out: get("stack.p_out", start.p_out),
        cost: get("stack.cost", start.cost),
    })
}

/// Pulls a lever: alone for comparison, then on top of the others.
fn pull(work: &mut Work<'_>, lever: &Kindred) -> Option<Prose> {
    let from = start(work)?;
    let current = now(work)?;
    let effect = (lever.apply)(work, &current)?;
    let alone = if work.levers.is_empty() {
        effect.saving.clone()
    } else {
        (lever.apply)(work, &from)?.saving
    };
    let inputs = [("before", &current.cost), ("saving", &effect.saving)];
    let label = format!("cost a month after: {}", lever.name);
    let after = work.ledger.derive(
        &label,
        "before - saving",
        "stacked in a fixed order",
        &inputs,
        "USD/month",
    );
    let Traffic {
        n,
        t_in,
        t_out,
        p_in,
        p_out,
        ..
    } = &effect.after;
    for (key, value) in [
        ("stack.n", n),
        ("stack.t_in", t_in),
        ("stack.t_out", t_out),
        ("stack.p_in", p_in),
        ("stack.p_out", p_out),
        ("stack.cost", &after),
    ] {
        work.keep(key, value);
    }
    work.levers.push(Lever {
        name: lever.name,
        alone,
        marginal: effect.saving.clone(),
        before: current.cost.clone(),
        after: after.clone(),
    });
    let told = say!(
        "{}: {} a month becomes {}, {} saved.",
        lever.name,
        current.cost.money(),
        after.money(),
        effect.saving.money()
    );
    if effect.saving.value > 0.0 {
        let advice = Advice {
            why: effect.why,
            effort: lever.effort,
            impact: impact(effect.saving.value, from.cost.value),
            confidence: lever.confidence,
        };
        let gain = effect.saving.figure(effect.saving.money().then(" a month"));
        work.recommend(lever.title, advice, &effect.saving, Some(gain));
    } else {
        work.finding("warning", "A lever that does not pay", effect.why);
    }
    Some(told)
}

/// A share of repeated questions is stated.
pub(super) fn repeats(work: &Work<'_>) -> bool {
    work.said.share("repeat").is_some()
}

pub(super) fn semantic_cache(work: &mut Work<'_>) -> Option<Prose> {
    pull(
        work,
        &Kindred {
            name: "Semantic cache",
            title: "Answer repeated questions from a semantic cache",
            effort: "medium",
            confidence: "medium",
            apply: |work, t| {
                let h = work.share(
                    "repeat",
                    "share of repeated questions, taken as the hit rate",
                )?;
                let tokens = work.ledger.assume(
                    "embed_tokens",
                    "tokens of a question to embed",
                    50.0,
                    "tokens/request",
                    (0.0, 1e5),
                    "A placeholder: the length of a short question.",
                );
                let price = work.ledger.assume(
                    "embed_usd_per_mtok",
                    "price of embedding",
                    0.02,
                    "USD/Mtok",
                    (0.0, 100.0),
                    "A placeholder at the level of small embedding models; not in the catalog.",
                );
                let inputs = [
                    ("h", &h),
                    ("cost", &t.cost),
                    ("n", &t.n),
                    ("embed", &tokens),
                    ("p_embed", &price),
                ];
                let saving = work.ledger.derive(
                    "saving of a semantic cache a month",
                    "h * cost - n * embed * p_embed / 1e6",
                    "GPT Semantic Cache, arXiv:2411.05276",
                    &inputs,
                    "USD/month",
                );
                let n = work.ledger.derive(
                    "requests that still reach the model",
                    "n * (1 - h)",
                    "hits are not sent",
                    &[("n", &t.n), ("h", &h)],
                    "requests/month",
                );
                let why = say!(
                    "About {} of the questions repeat. Each hit saves the whole call; every question pays for its embedding. A hit may be wrong: check a sample before you trust the rate.",
                    h.percent()
                );
                Some(Effect {
                    saving,
                    why,
                    after: Traffic { n, ..t.clone() },
                })
            },
        },
    )
}

/// A part of the input that is retrieved or otherwise compressible.
fn retrieved(work: &Work<'_>) -> Option<Quantity> {
    let text = work.task.content.to_lowercase();
    let about = |q: &&Quantity| {
        let from = q.span.start.saturating_sub(10);
        let near: String = text
            .chars()
            .skip(from)
            .take(q.span.end - from + 45)
            .collect();
        ["context", "retriev", "document", "passage", "histor"]
            .iter()
            .any(|w| near.contains(w))
    };
    let parts: Vec<&Quantity> = work.said.all(Kind::TokensInPart).collect();
    let alone = work.said.first(Kind::TokensIn).is_some();
    parts
        .iter()
        .copied()
        .find(about)
        .or_else(|| parts.first().copied().filter(|_| alone))
        .cloned()
}

/// A compressible part of the input is stated.
pub(super) fn compressible(work: &Work<'_>) -> bool {
    retrieved(work).is_some()
}

pub(super) fn compression(work: &mut Work<'_>) -> Option<Prose> {
    pull(
        work,
        &Kindred {
            name: "Shorter context",
            title: "Compress or trim the retrieved context",
            effort: "medium",
            confidence: "medium",
            apply: |work, t| {
                let quantity = retrieved(work)?;
                let stated = quantity.value.base()?;
                let name = if work.said.first(Kind::TokensIn).is_some() {
                    "context_tokens"
                } else {
                    "tokens_in_part"
                };
                let part = work.stated(
                    name,
                    "tokens of compressible context",
                    &quantity,
                    stated,
                    "tokens/request",
                    (0.0, 1e7),
                );
                let x = work.ledger.assume(
                    "compression_ratio",
                    "compression of the context",
                    2.0,
                    "x",
                    (1.0, 20.0),
                    "A cautious placeholder; papers report up to 20 times on their own tests.",
                );
                let less = work.ledger.derive(
                    "input tokens saved by compression",
                    "part * (1 - 1 / x)",
                    "LLMLingua, arXiv:2310.05736",
                    &[("part", &part), ("x", &x)],
                    "tokens/request",
                );
                let inputs = [("n", &t.n), ("less", &less), ("p_in", &t.p_in)];
                let saving = work.ledger.derive(
                    "saving of shorter context a month",
                    "n * less * p_in / 1e6",
                    "LLMLingua, arXiv:2310.05736",
                    &inputs,
                    "USD/month",
                );
                let t_in = work.ledger.derive(
                    "input tokens after compression",
                    "t_in - less",
                    "LLMLingua, arXiv:2310.05736",
                    &[("t_in", &t.t_in), ("less", &less)],
                    "tokens/request",
                );
                let why = say!(
                    "{} of the input tokens are retrieved context. Compressed {} times they cost {} tokens less a request. Measure answer quality on your own questions first.",
                    part.count(),
                    x.digits(3),
                    less.count()
                );
                Some(Effect {
                    saving,
                    why,
                    after: Traffic { t_in, ..t.clone() },
                })
            },
        },
    )
}

/// No particular lever is asked about, and answers are long enough to be shortened.
pub(super) fn long_answers(work: &Work<'_>) -> bool {
    let said = &work.said;
    let specific = ["cached", "batch", "easy"]
        .iter()
        .any(|q| said.share(q).is_some())
        || said.first(Kind::TokensPrefix).is_some()
        || said.first(Kind::TokensTotal).is_some()
        || said.first(Kind::Invest).is_some()
        || said.first(Kind::GrowthRate).is_some();
    let short = said.tokens_out().is_some_and(|t| t < 150.0);
    !specific && !short && work.model.is_some()
}

pub(super) fn output_cap(work: &mut Work<'_>) -> Option<Prose> {
    pull(
        work,
        &Kindred {
            name: "Shorter answers",
            title: "Ask for shorter answers and cap their length",
            effort: "low",
            confidence: "medium",
            apply: |work, t| {
                let cap = work.ledger.assume("output_cap", "answer length kept", 0.8, "fraction", (0.05, 1.0), "A placeholder: a fifth shorter by instruction and a cap; measure what your users accept.");
                let inputs = [
                    ("n", &t.n),
                    ("t_out", &t.t_out),
                    ("cap", &cap),
                    ("p_out", &t.p_out),
                ];
                let saving = work.ledger.derive(
                    "saving of shorter answers a month",
                    "n * t_out * (1 - cap) * p_out / 1e6",
                    PRICE_PAGES,
                    &inputs,
                    "USD/month",
                );
                let t_out = work.ledger.derive(
                    "output tokens after the cap",
                    "t_out * cap",
                    "the cap",
                    &[("t_out", &t.t_out), ("cap", &cap)],
                    "tokens/request",
                );
                let why = say!(
                    "Output is the dearest token: {} per million against {} for input. Answers of {} instead of {} tokens need no new model.",
                    t.p_out.money(),
                    t.p_in.money(),
                    t_out.count(),
                    t.t_out.count()
                );
                Some(Effect {
                    saving,
                    why,
                    after: Traffic { t_out, ..t.clone() },
                })
            },
        },
    )
}

/// A share of easy requests and a smaller model are stated.
pub(super) fn easy_share(work: &Work<'_>) -> bool {
    (work.said.share("easy").is_some() || work.said.share("escalation").is_some())
        && small_model(work).is_some()
}

fn small_model(work: &Work<'_>) -> Option<String> {
    let big = work.model.clone()?;
    let candidates = work.said.models_in(ModelRole::Candidate);
    candidates
        .into_iter()
        .find(|id| *id != big)
        .map(str::to_owned)
}

struct Pair {
    name: String,
    big: Value,
    small: Value,
    prices: super::super::facts::Prices,
}

/// Costs of a request of the current traffic on the big and on the small model.
fn pair(work: &mut Work<'_>, t: &Traffic) -> Option<Pair> {
    let id = small_model(work)?;
    let name = work.name(&id);
    let prices = work.prices(&id, t.t_in.value, true)?;
    let formula = "(t_in * p_in + t_out * p_out) / 1e6";
    let mut cost = |label: &str, p_in: &Value, p_out: &Value| {
        let inputs = [
            ("t_in", &t.t_in),
            ("p_in", p_in),
            ("t_out", &t.t_out),
            ("p_out", p_out),
        ];
        work.ledger
            .derive(label, formula, PRICE_PAGES, &inputs, "USD/request")
    };
    let big = cost("cost of a request on the big model", &t.p_in, &t.p_out);
    let small = cost(
        "cost of a request on the small model",
        &prices.input,
        &prices.output,
    );
    Some(Pair {
        name,
        big,
        small,
        prices,
    })
}

/// The share of requests that needs the big model, and the share that does not.
fn split(work: &mut Work<'_>) -> Option<(Value, Value)> {
    if let Some(easy) = work.share("easy", "share of easy requests") {
        let hard = work.ledger.derive(
            "share that needs the big model",
            "1 - easy",
            "the rest",
            &[("easy", &easy)],
            "fraction",
        );
        return Some((easy, hard));
    }
    let hard = work.share("escalation", "share that needs the big model")?;
    let easy = work.ledger.derive(
        "share of easy requests",
        "1 - e",
        "the rest",
        &[("e", &hard)],
        "fraction",
    );
    Some((easy, hard))
}

pub(super) fn routing(work: &mut Work<'_>) -> Option<Prose> {
    pull(
        work,
        &Kindred {
            name: "Routing",
            title: "Route easy requests to the smaller model",
            effort: "medium",
            confidence: "medium",
            apply: |work, t| {
                let pair = pair(work, t)?;
                let (easy, hard) = split(work)?;
                let router = work.ledger.assume("router_cost", "cost of the router", 0.0, "USD/request", (0.0, 1.0), "A rule or a small classifier costs next to nothing; edit it where yours is a model call.");
                let inputs = [
                    ("n", &t.n),
                    ("easy", &easy),
                    ("big", &pair.big),
                    ("small", &pair.small),
                    ("router", &router),
                ];
                let saving = work.ledger.derive(
                    "saving of routing a month",
                    "n * (easy * (big - small) - router)",
                    "RouteLLM, arXiv:2406.18665",
                    &inputs,
                    "USD/month",
                );
                let mut blend = |label: &str, big: &Value, small: &Value| {
                    let inputs = [
                        ("hard", &hard),
                        ("p_big", big),
                        ("easy", &easy),
                        ("p_small", small),
                    ];
                    work.ledger.derive(
                        label,
                        "hard * p_big + easy * p_small",
                        "weighted by traffic",
                        &inputs,
                        "USD/Mtok",
                    )
                };
                let p_in = blend("price of input after routing", &t.p_in, &pair.prices.input);
                let p_out = blend(
                    "price of output after routing",
                    &t.p_out,
                    &pair.prices.output,
                );
                let why = say!(
                    "{} of the requests are easy. On {} they cost {} instead of {} each. A router must recognise them beforehand: measure how often it is wrong.",
                    easy.percent(),
                    &pair.name,
                    pair.small.money(),
                    pair.big.money()
                );
                Some(Effect {
                    saving,
                    why,
                    after: Traffic {
                        p_in,
                        p_out,
                        ..t.clone()
                    },
                })
            },
        },
    )
}

/// The other way to use two models; shown beside routing, not stacked on it.
pub(super) fn cascade(work: &mut Work<'_>) -> Option<Prose> {
    let t = start(work)?;
    let pair = pair(work, &t)?;
    let (_, hard) = split(work)?;
    if pair.big.value <= 0.0 {
        return None;
    }
    let judge = work.ledger.assume(
        "judge_cost",
        "cost of judging an answer",
        0.0,
        "USD/request",
        (0.0, 1.0),
        "Judging by rule or by the model's own confidence; edit it where yours is a model call.",
    );
    let paper = "FrugalGPT, arXiv:2305.05176";
    let inputs = [
        ("n", &t.n),
        ("small", &pair.small),
        ("e", &hard),
        ("big", &pair.big),
        ("judge", &judge),
    ];
    let cost = work.ledger.derive(
        "cost of a cascade a month",
        "n * (small + e * big + judge)",
        paper,
        &inputs,
        "USD/month",
    );
    let inputs = [("before", &t.cost), ("after", &cost)];
    let saving = work.ledger.derive(
        "saving of a cascade a month",
        "before - after",
        paper,
        &inputs,
        "USD/month",
    );
    let share = work.ledger.derive(
        "saving of a cascade",
        "(before - after) / before",
        paper,
        &inputs,
        "fraction",
    );
    let inputs = [
        ("small", &pair.small),
        ("judge", &judge),
        ("big", &pair.big),
    ];
    let break_even = work.ledger.derive(
        "escalation at which a cascade stops paying",
        "1 - (small + judge) / big",
        paper,
        &inputs,
        "fraction",
    );
    let pays = if hard.value < break_even.value {
        "pays"
    } else {
        "does not pay"
    };
    work.finding("info", "A cascade instead of a router", say!(
        "If every request first tries {} and {} escalate, the month costs {}: {} saved ({}). It {} here, because it does so while fewer than {} escalate. Routing is cheaper where easy requests can be told beforehand, since a cascade pays for the first try of every hard request.",
        &pair.name, hard.percent(), cost.money(), saving.money(), share.percent(), pays, break_even.percent()
    ));
    Some(say!(
        "Cascade: {} a month at {} escalation; break-even at {}.",
        cost.money(),
        hard.percent(),
        break_even.percent()
    ))
}

/// A stable beginning of the input is stated.
pub(super) fn stable_prefix(work: &Work<'_>) -> bool {
    work.said.first(Kind::TokensPrefix).is_some()
}

pub(super) fn prompt_caching(work: &mut Work<'_>) -> Option<Prose> {
    pull(
        work,
        &Kindred {
            name: "Prompt caching",
            title: "Keep the stable prefix first and cache it",
            effort: "low",
            confidence: "high",
            apply: |work, t| {
                let model = work.model.clone()?;
                let prefix = work.first(
                    Kind::TokensPrefix,
                    "tokens of the stable prefix",
                    "tokens/request",
                    (1.0, 1e7),
                )?;
                let hits = match work.share("cached", "share of requests that hit the cache") {
                Some(hits) => hits,
                None => work.ledger.assume("cache_hit_rate", "share of requests that hit the cache", 0.5, "fraction", (0.0, 1.0), "A stable beginning is stated, its hit rate is not; half is a cautious placeholder."),
            };
                cached(work, t, &model, &prefix, &hits)
            },
        },
    )
}

/// Caching by the rule of the model's provider.
fn cached(
    work: &mut Work<'_>,
    t: &Traffic,
    model: &str,
    prefix: &Value,
    hits: &Value,
) -> Option<Effect> {
    let prices = work.prices(model, t.t_in.value, true)?;
    let p_cached = prices.cached.clone()?;
    let name = work.name(model);
    let row = work.catalog.model(model)?;
    let minimum = row.tokens.cache_minimum.map(f64::from);
    let rule = work.catalog.cache_rule(model).cloned();
    let source = rule
        .as_ref()
        .map_or("the catalog's cache price", |r| &r.source)
        .to_owned();
    let too_short = minimum.is_some_and(|m| prefix.value < m);
    let rule = rule.map(|r| r.how);
    if too_short || first_below(rule, prefix.value) {
        let least = minimum.unwrap_or(1024.0);
        let least = work
            .ledger
            .catalog("shortest prefix that is cached", least, "tokens", &source);
        let why = say!(
            "A prefix of {} tokens is shorter than the {} that {} needs before anything is cached: caching saves nothing here.",
            prefix.count(),
            least.count(),
            &name
        );
        work.finding("warning", "The prefix is too short to be cached", why);
        return None;
    }
    let (tokens, note) = match rule {
        Some(CacheMechanism::Explicit { .. }) => {
            return written(
                work,
                t,
                prefix,
                hits,
                &p_cached,
                prices.write,
                &source,
                &name,
            );
        }
        Some(CacheMechanism::Automatic {
            first_tokens,
            step_tokens,
        }) => {
            let first = work.ledger.catalog(
                "shortest cached prefix",
                f64::from(first_tokens),
                "tokens",
                &source,
            );
            let step = work.ledger.catalog(
                "step of the cache",
                f64::from(step_tokens),
                "tokens",
                &source,
            );
            let inputs = [("first", &first), ("step", &step), ("prefix", prefix)];
            let tokens = work.ledger.derive(
                "cached tokens of a request",
                "first + step * floor((prefix - first) / step)",
                &source,
                &inputs,
                "tokens/request",
            );
            (
                tokens,
                "The provider caches by itself, in steps; put everything stable at the front.",
            )
        }
        _ => (
            prefix.clone(),
            "Hits of an implicit cache are not guaranteed; explicit caching costs rent for the stored tokens.",
        ),
    };
    work.keep("cached_tokens", &tokens);
    let inputs = [
        ("n", &t.n),
        ("h", hits),
        ("cached", &tokens),
        ("p_in", &t.p_in),
        ("p_cached", &p_cached),
    ];
    let saving = work.ledger.derive(
        "saving of prompt caching a month",
        "n * h * cached * (p_in - p_cached) / 1e6",
        &source,
        &inputs,
        "USD/month",
    );
    let why = say!(
        "{} of {} prefix tokens are cached and cost {} instead of {} per million on {} of the requests. {}",
        tokens.count(),
        prefix.count(),
        p_cached.money(),
        t.p_in.money(),
        hits.percent(),
        note
    );
    Some(Effect {
        saving,
        why,
        after: t.clone(),
    })
}

fn first_below(rule: Option<CacheMechanism>, prefix: f64) -> bool {
    matches!(rule, Some(CacheMechanism::Automatic { first_tokens, .. }) if prefix < f64::from(first_tokens))
}

/// Where writing to the cache costs more than sending: misses pay for it.
#[allow(clippy::too_many_arguments)]
fn written(
    work: &mut Work<'_>,
    t: &Traffic,
    prefix: &Value,
    hits: &Value,
    p_cached: &Value,
    p_write: Option<Value>,
    source: &str,
    name: &str,
) -> Option<Effect> {
    let p_write = p_write?;
    if t.p_in.value <= p_cached.value {
        return None;
    }
    let inputs = [
        ("n", &t.n),
        ("prefix", prefix),
        ("p_in", &t.p_in),
        ("h", hits),
        ("p_write", &p_write),
        ("p_read", p_cached),
    ];
    let saving = work.ledger.derive(
        "saving of prompt caching a month",
        "n * prefix * (p_in - ((1 - h) * p_write + h * p_read)) / 1e6",
        source,
        &inputs,
        "USD/month",
    );
    let inputs = [
        ("p_write", &p_write),
        ("p_in", &t.p_in),
        ("p_read", p_cached),
    ];
    let reads = work.ledger.derive(
        "reads per write from which caching pays",
        "(p_write / p_in - 1) / (1 - p_read / p_in)",
        source,
        &inputs,
        "reads/write",
    );
    let why = say!(
        "The prefix of {} tokens is long enough for {}. A hit reads it at {} per million, a miss writes it at {}; it pays from {} reads per write on, and you have {} hits.",
        prefix.count(),
        name,
        p_cached.money(),
        p_write.money(),
        reads.digits(3),
        hits.percent()
    );
    Some(Effect {
        saving,
        why,
        after: t.clone(),
    })
}

/// A share of work that can wait is stated.
pub(super) fn patient(work: &Work<'_>) -> bool {
    work.said.share("batch").is_some()
        || work.said.constraints.iter().any(|c| c.name == "batchable")
}

pub(super) fn batch(work: &mut Work<'_>) -> Option<Prose> {
    if work.model.is_none() {
        return batch_of_bill(work);
    }
    pull(
        work,
        &Kindred {
            name: "Batch",
            title: "Send what can wait as batch jobs",
            effort: "low",
            confidence: "high",
            apply: |work, t| {
                let model = work.model.clone()?;
                let share = batch_share(work);
                let Some(batch) = work.catalog.model(&model)?.batch.clone() else {
                    let why = say!(
                        "A batch price for {} is not in the catalog, so none is counted for the {} that can wait. Look it up on the provider's page.",
                        work.name(&model),
                        share.percent()
                    );
                    work.finding("warning", "No published batch price", why);
                    return None;
                };
                let source = work
                    .catalog
                    .source(&batch.source)
                    .unwrap_or(&batch.source)
                    .to_owned();
                let m = work.ledger.catalog(
                    "price of batch over list price",
                    batch.multiplier,
                    "x",
                    &source,
                );
                let inputs = [("cost", &t.cost), ("share", &share), ("m", &m)];
                let saving = work.ledger.derive(
                    "saving of batch jobs a month",
                    "cost * share * (1 - m)",
                    &source,
                    &inputs,
                    "USD/month",
                );
                let why = say!(
                    "{} of the requests can wait; as batch jobs they cost {} of the list price, answered within a day, with limits of their own.",
                    share.percent(),
                    m.percent()
                );
                Some(Effect {
                    saving,
                    why,
                    after: t.clone(),
                })
            },
        },
    )
}

fn batch_share(work: &mut Work<'_>) -> Value {
    match work.share("batch", "share of requests that can wait") {
        Some(share) => share,
        None => work.ledger.assume(
            "batch_share",
            "share of requests that can wait",
            1.0,
            "fraction",
            (0.0, 1.0),
            "The message says that this work can wait.",
        ),
    }
}

/// Without a model: on the bill itself, at the discount that the large providers share.
fn batch_of_bill(work: &mut Work<'_>) -> Option<Prose> {
    let cost = work.kept("baseline")?;
    let share = batch_share(work);
    let m = work.ledger.assume(
        "batch_multiplier",
        "price of batch over list price",
        0.5,
        "x",
        (0.05, 1.0),
        "OpenAI, Anthropic and Google all publish half the list price within a day.",
    );
    let unit = cost.unit.clone();
    let inputs = [("cost", &cost), ("share", &share), ("m", &m)];
    let saving = work.ledger.derive(
        "saving of batch jobs a month",
        "cost * share * (1 - m)",
        "help.openai.com 9197833",
        &inputs,
        &unit,
    );
    let inputs = [("before", &cost), ("saving", &saving)];
    let after = work.ledger.derive(
        "cost a month after: Batch",
        "before - saving",
        "stacked in a fixed order",
        &inputs,
        &unit,
    );
    work.keep("stack.cost", &after);
    let told = say!("Batch: {} a month becomes {}.", cost.money(), after.money());
    work.levers.push(Lever {
        name: "Batch",
        alone: saving.clone(),
        marginal: saving.clone(),
        before: cost.clone(),
        after,
    });
    let why = say!(
        "{} of the bill can wait; as batch jobs it costs {} of the list price.",
        share.percent(),
        m.percent()
    );
    let advice = Advice {
        why,
        effort: "low",
        impact: impact(saving.value, cost.value),
        confidence: "high",
    };
    let gain = saving.figure(saving.money().then(" a month"));
    work.recommend(
        "Send what can wait as batch jobs",
        advice,
        &saving,
        Some(gain),
    );
    Some(told)
}

/// The table and waterfall of all levers pulled.
pub(super) fn stacked(work: &mut Work<'_>) -> Option<Prose> {
    let levers = work.levers.clone();
    let baseline = work.kept("baseline")?;
    let last = levers.last()?.after.clone();
    if baseline.value <= 0.0 {
        return None;
    }
    let unit = baseline.unit.clone();
    let inputs = [("before", &baseline), ("after", &last)];
    let total = work.ledger.derive(
        "saving of all levers a month",
        "before - after",
        "stacked in a fixed order",
        &inputs,
        &unit,
    );
    let share = work.ledger.derive(
        "saving of all levers",
        "(before - after) / before",
        "stacked in a fixed order",
        &inputs,
        "fraction",
    );
    work.keep("saving", &total);
    work.keep("saving_share", &share);
    work.keep("after", &last);
    let mut rows = Vec::new();
    let mut points = vec![Point {
        low: Some(0.0),
        ..baseline.bar("Today, at list price")
    }];
    for lever in &levers {
        rows.push(vec![
            words(lever.name),
            lever.alone.cell(lever.alone.money()),
            lever.before.cell(lever.before.money()),
            lever.marginal.cell(lever.marginal.money()),
            lever.after.cell(lever.after.money()),
        ]);
        points.push(Point {
            low: Some(lever.before.value),
            ..lever.after.bar(lever.name)
        });
    }
    points.push(Point {
        low: Some(0.0),
        strong: true,
        ..last.bar("Afterwards")
    });
    work.table(Table {
        id: "levers".into(),
        title: "Levers, alone and stacked in a fixed order".into(),
        columns: vec![
            column("Lever", ""),
            column("Alone it saves", "USD/month"),
            column("Before", "USD/month"),
            column("On top it saves", "USD/month"),
            column("After", "USD/month"),
        ],
        rows,
    });
    waterfall(work, points, &baseline, &total, &last);
    Some(say!(
        "All levers together: {} a month becomes {}, {} less.",
        baseline.money(),
        last.money(),
        share.percent()
    ))
}

fn waterfall(
    work: &mut Work<'_>,
    mut points: Vec<Point>,
    baseline: &Value,
    total: &Value,
    last: &Value,
) {
    if let (Some(gap), Some(spend)) = (work.kept("gap"), super::spend_per_month(work))
        && spend.unit.starts_with("USD")
    {
        let unexplained = Point {
            low: Some(spend.value),
            label: Some("Not explained".into()),
            y: baseline.value,
            id: Some(gap.id),
            ..Point::default()
        };
        points.splice(
            0..0,
            [
                Point {
                    low: Some(0.0),
                    ..spend.bar("Stated bill")
                },
                unexplained,
            ],
        );
    }
    let text = say!(
        "From {} a month to {}: {} saved.",
        baseline.money(),
        last.money(),
        total.money()
    );
    let source = work.draft.catalog.text.clone();
    work.chart(Chart {
        id: "savings".into(),
        kind: "waterfall".into(),
        title: "Savings a month, step by step".into(),
        x: Axis {
            label: "Lever".into(),
            unit: String::new(),
            scale: "category".into(),
        },
        y: Axis {
            label: "Cost".into(),
            unit: baseline.unit.clone(),
            scale: "linear".into(),
        },
        series: vec![Series {
            name: "Cost a month".into(),
            points,
        }],
        marks: Vec::new(),
        table: "levers".into(),
        source,
        text: text.text,
        refs: text.refs,
    });
}

/// What papers report: the upper end, with its scope.
pub(super) fn published(work: &mut Work<'_>) -> Option<Prose> {
    let pulled: Vec<&str> = work.levers.iter().map(|l| l.name).collect();
    let mut notes = Vec::new();
    let mut note = |lever: &str, label: &str, value: f64, paper: &str, words: &str| {
        if pulled.contains(&lever) {
            let v = work.ledger.catalog(label, value, "fraction", paper);
            notes.push(say!(words, v.percent()));
        }
    };
    note(
        "Semantic cache",
        "highest published hit rate",
        0.688,
        "GPT Semantic Cache, arXiv:2411.05276",
        "Semantic cache: up to {} hits on the authors' own frequently asked questions; a vendor reports well under half in production.",
    );
    note(
        "Routing",
        "highest published saving by routing",
        0.85,
        "RouteLLM, arXiv:2406.18665",
        "Routing: up to {} cheaper at nearly the strong model's score on MT Bench, with a far weaker second model; benchmark traffic, not yours.",
    );
    note(
        "Shorter context",
        "highest published saving by compression",
        0.94,
        "LongLLMLingua, arXiv:2310.06839",
        "Compression: up to {} off the cost of long-context questions on LooGLE with GPT-3.5-Turbo.",
    );
    let all = notes.into_iter().reduce(Prose::and)?;
    work.finding(
        "info",
        "What papers report is the upper end, not the forecast",
        all,
    );
    Some(say!(
        "Published savings noted with their scope; none enters the forecast."
    ))
}
