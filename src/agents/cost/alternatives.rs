//! The same work on other models: what it would cost, at which quality and speed.

use super::super::answer::{Cell, Chart, Mark, Point, Series, Table};
use super::super::catalog::{Basis, Metric, Mode};
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, ModelRole};
use super::super::work::{Advice, Work, axis, column, impact, words};
use crate::id::Complexity;

/// The most rows of a comparison.
const ROWS_MAX: usize = 8;

/// A model that could do the work.
#[derive(Debug, Clone)]
pub(in crate::agents) struct Option_ {
    pub(in crate::agents) id: String,
    pub(in crate::agents) name: String,
    /// Cost a month.
    pub(in crate::agents) cost: Value,
    /// Intelligence index without reasoning, where published.
    pub(in crate::agents) quality: Option<Value>,
    /// The publisher calls the index an estimate.
    pub(in crate::agents) estimated: bool,
    /// Whether its price is sure enough to recommend it unasked.
    pub(in crate::agents) eligible: bool,
    /// How well its price is known.
    pub(in crate::agents) status: &'static str,
}

impl Work<'_> {
    /// The intelligence index of a model without reasoning.
    pub(in crate::agents) fn quality(&mut self, id: &str) -> Option<(Value, bool)> {
        let quality = self
            .catalog
            .quality(id, Mode::Direct, Metric::Intelligence)?;
        let estimated = quality.basis == Basis::Estimated;
        let row = format!(
            "{id}, no reasoning: {} of {}",
            quality.pack.name, quality.pack.as_of
        );
        let label = format!("{}: intelligence index", self.name(id));
        Some((
            self.ledger.catalog(&label, quality.value, "points", &row),
            estimated,
        ))
    }

    /// The least quality the answer may have: the current model's, less the stated drop.
    pub(in crate::agents) fn floor(&mut self) -> Option<Value> {
        let floor = self
            .said
            .models_in(ModelRole::QualityFloor)
            .first()
            .map(|id| (*id).to_owned());
        let model = floor.or_else(|| self.model.clone())?;
        let (quality, _) = self.quality(&model)?;
        match self.first(
            Kind::QualityDropMax,
            "points of quality that may be lost",
            "points",
            (0.0, 100.0),
        ) {
            Some(drop) => {
                let inputs = [("q", &quality), ("drop", &drop)];
                Some(self.ledger.derive(
                    "least acceptable quality",
                    "q - drop",
                    "your limit",
                    &inputs,
                    "points",
                ))
            }
            None => Some(quality),
        }
    }
}

/// Every model that can take the request, cheapest first.
pub(in crate::agents) fn options(work: &mut Work<'_>) -> Vec<Option_> {
    let needed = work.tokens_in().value + work.tokens_out().value;
    let eligible: Vec<String> = work.catalog.eligible().map(|m| m.id.clone()).collect();
    let ids: Vec<String> = work
        .catalog
        .models()
        .iter()
        .filter(|m| f64::from(m.tokens.context) >= needed)
        .map(|m| m.id.clone())
        .collect();
    let mut all: Vec<Option_> = Vec::new();
    for id in ids {
        let named = work.said.models.iter().any(|m| m.id == id);
        let first_party = work.catalog.model(&id).is_some_and(|m| m.is_first_party());
        if !(named || first_party) {
            continue;
        }
        let current = work.model.as_ref() == Some(&id);
        let Some(cost) = work.cost_of_month(&id, current || named) else {
            continue;
        };
        let quality = work.quality(&id);
        all.push(Option_ {
            name: work.name(&id),
            cost,
            estimated: quality.as_ref().is_some_and(|q| q.1),
            quality: quality.map(|q| q.0),
            eligible: eligible.contains(&id),
            status: work
                .catalog
                .model(&id)
                .map_or("", |m| m.evidence.status.as_str()),
            id,
        });
    }
    all.sort_by(|a, b| {
        a.cost
            .value
            .total_cmp(&b.cost.value)
            .then_with(|| a.id.cmp(&b.id))
    });
    all
}

/// Eligible models at the floor, those the visitor named, and the current one.
pub(in crate::agents) fn compare_models(work: &mut Work<'_>) -> Option<Prose> {
    let all = options(work);
    let floor = work.floor();
    let current = work.model.clone();
    let good = |o: &Option_| match (&floor, &o.quality) {
        (Some(floor), Some(q)) => q.value >= floor.value,
        (None, _) => true,
        _ => false,
    };
    let named: Vec<String> = work.said.models.iter().map(|m| m.id.clone()).collect();
    let mut shown: Vec<Option_> = all
        .iter()
        .filter(|o| o.eligible && good(o))
        .take(ROWS_MAX)
        .cloned()
        .collect();
    for o in all
        .iter()
        .filter(|o| named.contains(&o.id) || current.as_ref() == Some(&o.id))
    {
        if shown.iter().all(|s| s.id != o.id) {
            shown.push(o.clone());
        }
    }
    shown.sort_by(|a, b| a.cost.value.total_cmp(&b.cost.value));
    if shown.is_empty() {
        return None;
    }
    if let Some(floor) = &floor {
        work.keep("floor", floor);
    }
    left_out(work, &all, &good, floor.as_ref());
    options_table(work, &shown, current.as_deref());
    if current.is_none() && named.len() >= 2 {
        return asked_about(work, &shown, &named);
    }
    let best = shown
        .iter()
        .find(|o| o.eligible && good(o) && Some(&o.id) != current.as_ref())?
        .clone();
    if current.is_some() && floor.is_none() {
        work.finding("info", "No other model is recommended", say!("No quality index without reasoning is published for the current model, so none can be said to match it. The table shows prices only."));
        return Some(say!(
            "Prices of {} models compared.",
            if shown.len() == 1 { "single" } else { "other" }
        ));
    }
    work.keep("best_cost", &best.cost);
    recommend_switch(work, &best, &shown);
    Some(say!(
        "{} does the same work for {} a month.",
        &best.name,
        best.cost.money()
    ))
}

/// The visitor named what to compare: those are answered first, the rest is a table.
fn asked_about(work: &mut Work<'_>, shown: &[Option_], named: &[String]) -> Option<Prose> {
    let mut asked: Vec<&Option_> = shown.iter().filter(|o| named.contains(&o.id)).collect();
    asked.sort_by(|a, b| a.cost.value.total_cmp(&b.cost.value));
    let (first, last) = (*asked.first()?, *asked.last()?);
    for o in &asked {
        work.headline(&o.name, o.cost.figure(o.cost.money().then(" a month")));
    }
    let inputs = [("dear", &last.cost), ("cheap", &first.cost)];
    let saving = work.ledger.derive(
        "difference a month",
        "dear - cheap",
        "price lists",
        &inputs,
        "USD/month",
    );
    let mut answer = say!(
        "Of the models you name {} is the cheapest at {} a month, {} the dearest at {}: {} a month between them.",
        &first.name,
        first.cost.money(),
        &last.name,
        last.cost.money(),
        saving.money()
    );
    if let (Some(a), Some(b)) = (&first.quality, &last.quality) {
        answer = answer.and(say!(
            "Their published indices are {} and {}.",
            a.digits(3),
            b.digits(3)
        ));
    }
    work.summary(answer.clone());
    let why = answer.clone().and(say!(
        "An index is not your task: try both on a sample of your own requests."
    ));
    let advice = Advice::new(why, "low", "medium", "medium");
    let gain = saving.figure(saving.money().then(" a month"));
    work.recommend(
        &format!("Try whether {} is good enough", first.name),
        advice,
        &saving,
        Some(gain),
    );
    work.keep("answered", &first.cost);
    Some(answer)
}

fn left_out(
    work: &mut Work<'_>,
    all: &[Option_],
    good: &dyn Fn(&Option_) -> bool,
    floor: Option<&Value>,
) {
    let unsure: Vec<&str> = all
        .iter()
        .filter(|o| !o.eligible && matches!(o.status, "disputed" | "single-source") && good(o))
        .map(|o| o.name.as_str())
        .take(4)
        .collect();
    let mut prose = say!(
        "Only models sold by their maker, at a price that at least one further source confirms, with a published quality index and speed without reasoning are recommended."
    );
    if !unsure.is_empty() {
        prose = prose.and(say!(
            "Left out because sources dispute their price or only one knows it: {}.",
            unsure.join(", ")
        ));
    }
    if let Some(floor) = floor {
        prose = prose.and(say!("The floor is {} points of the intelligence index, so that no quality is given away unasked.", floor.digits(4)));
    } else {
        prose = prose.and(say!("No current model with a published index is known, so quality limits nothing here: read the index beside the price."));
    }
    work.finding("info", "What is compared, and what is left out", prose);
}

/// The comparison as a table and as bars.
pub(in crate::agents) fn options_table(
    work: &mut Work<'_>,
    shown: &[Option_],
    current: Option<&str>,
) {
    let mut rows = Vec::new();
    let mut points = Vec::new();
    for o in shown {
        let name = match Some(o.id.as_str()) == current {
            true => format!("{} (today)", o.name),
            false => o.name.clone(),
        };
        rows.push(vec![
            words(&name),
            o.cost.cell(o.cost.money()),
            quality_cell(o),
            words(o.status),
        ]);
        points.push(Point {
            strong: Some(o.id.as_str()) == current,
            ..o.cost.bar(&format!("{name}{}", mark(o.status)))
        });
    }
    work.table(Table {
        id: "models".into(),
        title: "The same work on other models, at list price".into(),
        columns: vec![
            column("Model", ""),
            column("Cost a month", "USD/month"),
            column("Intelligence index", "points"),
            column("Price", ""),
        ],
        rows,
    });
    if work.task.complexity == Complexity::Basic || points.len() < 2 {
        return;
    }
    let (first, last) = (&shown[0], &shown[shown.len() - 1]);
    let text = say!(
        "From {} at {} a month to {} at {}.",
        &first.name,
        first.cost.money(),
        &last.name,
        last.cost.money()
    );
    let source = work.draft.catalog.text.clone();
    work.chart(Chart {
        id: "models".into(),
        kind: "bars".into(),
        title: "Cost a month by model".into(),
        x: axis("Model", "", "category"),
        y: axis("Cost a month", "USD/month", "linear"),
        series: vec![Series {
            name: "Cost a month".into(),
            points,
        }],
        marks: Vec::<Mark>::new(),
        table: "models".into(),
        source,
        text: text.text,
        refs: text.refs,
    });
}

fn mark(status: &str) -> String {
    if status == "confirmed" {
        String::new()
    } else {
        format!(" ({status} price)")
    }
}

fn quality_cell(o: &Option_) -> Cell {
    match &o.quality {
        Some(q) if o.estimated => q.cell(q.digits(3).then(" (estimated)")),
        Some(q) => q.cell(q.digits(3)),
        None => words("not published"),
    }
}

fn recommend_switch(work: &mut Work<'_>, best: &Option_, shown: &[Option_]) {
    let Some(current) = work.model.clone() else {
        let others = shown.iter().find(|o| o.id != best.id).cloned();
        let why = match &others {
            Some(next) => say!("{} costs {} a month for this work, {} {}. Try both on a hundred of your own requests before deciding by price.".replace("a hundred", "a sample").as_str(), &best.name, best.cost.money(), &next.name, next.cost.money()),
            None => say!("{} costs {} a month for this work.", &best.name, best.cost.money()),
        };
        let advice = Advice::new(why, "low", "medium", "medium");
        work.recommend(
            &format!("Try {} first", best.name),
            advice,
            &best.cost,
            None,
        );
        return;
    };
    let Some(baseline) = work.kept("baseline") else {
        return;
    };
    let inputs = [("today", &baseline), ("switched", &best.cost)];
    let saving = work.ledger.derive(
        "saving of another model a month",
        "today - switched",
        "price lists",
        &inputs,
        "USD/month",
    );
    if saving.value <= 0.0 {
        work.insight("The current model is the cheapest at its quality", say!(
            "No eligible model at or above the quality of {} costs less than {} a month; the next is {} at {}.",
            work.name(&current), baseline.money(), &best.name, best.cost.money()
        ));
        return;
    }
    work.keep("switch_saving", &saving);
    let share = work.ledger.derive(
        "saving of another model",
        "(today - switched) / today",
        "price lists",
        &inputs,
        "fraction",
    );
    let caution = if best.estimated {
        " Its index is marked as estimated by the publisher."
    } else {
        ""
    };
    let why = say!(
        "{} has at least the index of {} and costs {} instead of {} a month ({} less).{} An index is not your task: compare both on your own requests before switching.",
        &best.name,
        work.name(&current),
        best.cost.money(),
        baseline.money(),
        share.percent(),
        caution
    );
    let advice = Advice::new(
        why,
        "medium",
        impact(saving.value, baseline.value),
        "medium",
    );
    let gain = saving.figure(saving.money().then(" a month"));
    work.recommend(
        &format!("Test {} for this work", best.name),
        advice,
        &saving,
        Some(gain),
    );
}
