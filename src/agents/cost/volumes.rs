//! Tokens of a month instead of requests: an invoice, or a volume at a price of one's own.

use super::super::answer::Table;
use super::super::catalog::{Metric, Mode};
use super::super::facts::PRICE_PAGES;
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, ModelRole};
use super::super::work::{Advice, Work, column, fact, impact};

/// The most rows of the comparison.
const ROWS_MAX: usize = 6;

/// Tokens of a period are stated.
pub(super) fn states_tokens(work: &Work<'_>) -> bool {
    work.said.first(Kind::TokensTotal).is_some()
}

/// Input and output of a month: as an invoice states them, or split by a stated ratio.
fn tokens(work: &mut Work<'_>) -> Option<(Value, Value)> {
    let find = |q: &str, work: &Work<'_>| work.said.qualified(Kind::TokensTotal, q).cloned();
    if let (Some(input), Some(output)) = (find("input", work), find("output", work)) {
        let input = work.monthly("input_tokens", "input tokens a month", &input, "tokens")?;
        let output = work.monthly("output_tokens", "output tokens a month", &output, "tokens")?;
        return Some((input, output));
    }
    let total = work.said.first(Kind::TokensTotal).cloned()?;
    let total = work.monthly("tokens", "tokens a month", &total, "tokens")?;
    let ratio = match work.first(
        Kind::Ratio,
        "input tokens for each output token",
        "x",
        (0.001, 1e4),
    ) {
        Some(ratio) => ratio,
        None => work.ledger.assume(
            "ratio",
            "input tokens for each output token",
            3.0,
            "x",
            (0.001, 1e4),
            "A placeholder; the usage export has both.",
        ),
    };
    let inputs = [("total", &total), ("r", &ratio)];
    let unit = "tokens/month";
    let input = work.ledger.derive(
        "input tokens a month",
        "total * r / (1 + r)",
        "your ratio",
        &inputs,
        unit,
    );
    let output = work.ledger.derive(
        "output tokens a month",
        "total / (1 + r)",
        "your ratio",
        &inputs,
        unit,
    );
    Some((input, output))
}

/// What the same tokens cost on other models.
pub(super) fn compare(work: &mut Work<'_>) -> Option<Prose> {
    let (input, output) = tokens(work)?;
    let floor = work.model.clone().and_then(|id| index(work, &id));
    if let Some((value, _)) = work.model.clone().and_then(|id| work.quality(&id)) {
        work.keep("floor", &value);
    }
    let rows = priced(work, &input, &output, floor)?;
    let named = |id: &String| work.said.models.iter().any(|m| m.id == *id);
    let shown = rows
        .iter()
        .enumerate()
        .filter(|(i, r)| *i < ROWS_MAX || named(&r.0));
    let shown = shown
        .map(|(_, r)| fact(&r.1, r.2.cell(r.2.money())))
        .collect();
    work.table(Table {
        id: "models".into(),
        title: "The same tokens on other models, uncached, at list price".into(),
        columns: vec![column("Model", ""), column("Cost a month", "USD/month")],
        rows: shown,
    });
    let asked = work
        .said
        .models_in(ModelRole::Candidate)
        .first()
        .map(|id| (*id).to_owned());
    let best = match asked {
        Some(id) => rows.iter().find(|r| r.0 == id)?,
        None => rows.iter().find(|r| Some(&r.0) != work.model.as_ref())?,
    };
    let best = (best.0.clone(), best.1.clone(), best.2.clone());
    let asked = work.model.is_none();
    if asked || floor.is_some() {
        work.keep("best_cost", &best.2);
        switch(work, &best.1, &best.2);
    } else {
        work.finding("info", "No other model is recommended", say!("No quality index without reasoning is published for the current model, so none can be said to match it. The table shows prices only."));
    }
    cache_more(work, &input);
    Some(say!(
        "The same tokens cost {} a month on {}.",
        best.2.money(),
        &best.1
    ))
}

/// Intelligence index without reasoning.
fn index(work: &Work<'_>, id: &str) -> Option<f64> {
    let quality = work.catalog.quality(id, Mode::Direct, Metric::Intelligence);
    quality.map(|q| q.value)
}

/// Named and eligible models of at least this index, cheapest first.
fn priced(
    work: &mut Work<'_>,
    input: &Value,
    output: &Value,
    floor: Option<f64>,
) -> Option<Vec<(String, String, Value)>> {
    let named: Vec<String> = work.said.models.iter().map(|m| m.id.clone()).collect();
    let eligible: Vec<String> = work.catalog.eligible().map(|m| m.id.clone()).collect();
    let fits =
        |id: &String| named.contains(id) || (eligible.contains(id) && index(work, id) >= floor);
    let all = work.catalog.models().iter().map(|m| m.id.clone());
    let ids: Vec<String> = all.filter(fits).collect();
    let mut rows = Vec::new();
    for id in ids {
        let p = work.prices(&id, 0.0, named.contains(&id))?;
        let name = work.name(&id);
        let inputs = [
            ("input", input),
            ("p_in", &p.input),
            ("output", output),
            ("p_out", &p.output),
        ];
        let label = format!("{name}: cost a month");
        let formula = "(input * p_in + output * p_out) / 1e6";
        let cost = work
            .ledger
            .derive(&label, formula, PRICE_PAGES, &inputs, "USD/month");
        rows.push((id, name, cost));
    }
    rows.sort_by(|a, b| a.2.value.total_cmp(&b.2.value));
    Some(rows)
}

fn switch(work: &mut Work<'_>, name: &str, cost: &Value) {
    let Some(today) = work.kept("baseline").filter(|b| b.unit == "USD/month") else {
        return;
    };
    let saving = work.ledger.derive(
        "saving of another model a month",
        "today - switched",
        PRICE_PAGES,
        &[("today", &today), ("switched", cost)],
        "USD/month",
    );
    if saving.value <= 0.0 {
        return;
    }
    work.keep("switch_saving", &saving);
    let why = say!(
        "The same tokens cost {} a month on {} instead of {}. Another model may need more or fewer tokens for the same text, and its quality must be tested on your own requests.",
        cost.money(),
        name,
        today.money()
    );
    let advice = Advice::new(why, "medium", impact(saving.value, today.value), "medium");
    let gain = saving.figure(saving.money().then(" a month"));
    work.recommend(
        &format!("Test {name} for this work"),
        advice,
        &saving,
        Some(gain),
    );
}

/// What is saved if a larger part of the input is read from the cache.
fn cache_more(work: &mut Work<'_>, input: &Value) {
    let Some(model) = work.model.clone() else {
        return;
    };
    let Some(stated) = work
        .said
        .qualified(Kind::TokensTotal, "cached_input")
        .cloned()
    else {
        return;
    };
    let (Some(cached), Some(prices)) = (
        work.monthly(
            "cached_tokens",
            "cached input tokens a month",
            &stated,
            "tokens",
        ),
        work.prices(&model, 0.0, true),
    ) else {
        return;
    };
    let (Some(p_cached), true) = (
        prices.cached,
        input.value > 0.0 && cached.value < input.value,
    ) else {
        return;
    };
    let now = work.ledger.derive(
        "share of input read from the cache",
        "cached / input",
        "your invoice",
        &[("cached", &cached), ("input", input)],
        "fraction",
    );
    let goal = work.ledger.assume("cached_goal", "share of input read from the cache, aimed at", ((now.value + 1.0) / 2.0 * 20.0).round() / 20.0, "fraction", (0.0, 1.0), "A placeholder: half of what is not cached yet; it needs more of the prompt to be stable and first.");
    let inputs = [
        ("goal", &goal),
        ("input", input),
        ("cached", &cached),
        ("p_in", &prices.input),
        ("p_cached", &p_cached),
    ];
    let saving = work.ledger.derive(
        "saving of more cached input a month",
        "max(0; goal * input - cached) * (p_in - p_cached) / 1e6",
        PRICE_PAGES,
        &inputs,
        "USD/month",
    );
    if saving.value <= 0.0 {
        return;
    }
    let why = say!(
        "{} of the input is read from the cache today. At {} the invoice falls by {} a month: put everything stable at the front of the prompt and keep it byte for byte the same.",
        now.percent(),
        goal.percent(),
        saving.money()
    );
    let whole = work.kept("baseline").map_or(saving.value, |b| b.value);
    let advice = Advice::new(why, "low", impact(saving.value, whole), "medium");
    let gain = saving.figure(saving.money().then(" a month"));
    work.keep("saving", &saving);
    work.recommend(
        "Read more of the input from the cache",
        advice,
        &saving,
        Some(gain),
    );
}
