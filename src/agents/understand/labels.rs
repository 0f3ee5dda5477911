//! Rules for numbers that a word before or behind names: seeds, ratios, scores.

use super::lexer::Shape;
use super::lexicon::*;
use super::quantity::Kind;
use super::rules::Draft;
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
