//! Rules for limits, speeds and hardware.

use std::borrow::Cow;

use super::counts::requests;
use super::lexicon::*;
use super::quantity::{Kind, Per};
use super::rules::Draft;
use super::scene::Scene;

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
