//! The price of input read from the provider's cache.

use super::*;

/// A stable beginning of the input is stated.
pub(in crate::agents) fn stable_prefix(work: &Work<'_>) -> bool {
    work.said.first(Kind::TokensPrefix).is_some()
}

pub(in crate::agents) fn prompt_caching(work: &mut Work<'_>) -> Option<Prose> {
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
pub(super) fn cached(
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
        too_short_for(work, prefix, minimum.unwrap_or(1024.0), &name, &source);
        return None;
    }
    let (tokens, note) = match rule {
        Some(CacheMechanism::Explicit { .. }) => {
            let price = (&p_cached, prices.write?);
            return written(work, t, prefix, hits, price, (&source, &name));
        }
        Some(CacheMechanism::Automatic {
            first_tokens,
            step_tokens,
        }) => (
            stepped(work, prefix, first_tokens, step_tokens, &source),
            "The provider caches by itself, in steps; put everything stable at the front.",
        ),
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
    let (label, formula) = (
        "saving of prompt caching a month",
        "n * h * cached * (p_in - p_cached) / 1e6",
    );
    let saving = work
        .ledger
        .derive(label, formula, &source, &inputs, "USD/month");
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

fn too_short_for(work: &mut Work<'_>, prefix: &Value, least: f64, name: &str, source: &str) {
    let label = "shortest prefix that is cached";
    let least = work.ledger.catalog(label, least, "tokens", source);
    let why = say!(
        "A prefix of {} tokens is shorter than the {} that {} needs before anything is cached: caching saves nothing here.",
        prefix.count(),
        least.count(),
        name
    );
    work.finding("warning", "The prefix is too short to be cached", why);
}

pub(super) fn first_below(rule: Option<CacheMechanism>, prefix: f64) -> bool {
    matches!(rule, Some(CacheMechanism::Automatic { first_tokens, .. }) if prefix < f64::from(first_tokens))
}

/// Where writing to the cache costs more than sending: misses pay for it.
pub(super) fn written(
    work: &mut Work<'_>,
    t: &Traffic,
    prefix: &Value,
    hits: &Value,
    (p_cached, p_write): (&Value, Value),
    (source, name): (&str, &str),
) -> Option<Effect> {
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

/// The tokens of a prefix that are cached in steps.
fn stepped(work: &mut Work<'_>, prefix: &Value, first: u32, step: u32, source: &str) -> Value {
    let l = &mut work.ledger;
    let first = l.catalog("shortest cached prefix", f64::from(first), "tokens", source);
    let step = l.catalog("step of the cache", f64::from(step), "tokens", source);
    let inputs = [("first", &first), ("step", &step), ("prefix", prefix)];
    let formula = "first + step * floor((prefix - first) / step)";
    l.derive(
        "cached tokens of a request",
        formula,
        source,
        &inputs,
        "tokens/request",
    )
}
