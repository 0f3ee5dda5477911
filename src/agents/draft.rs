//! The answer as a draft: empty at first, its recommendations in order, its numbers cited.

use std::collections::BTreeSet;

use time::Date;

use super::Task;
use super::answer::{
    Answer, BusinessImpact, CatalogNote, Execution, NumberRef, Phase, Recommendation,
};
use super::catalog::Catalog;

/// By (gain × confidence) / effort, the largest first; where gains are of different
/// kinds the order in which the agent gave them stays.
pub(super) fn order_recommendations(all: &mut [Recommendation]) {
    let weight = |word: &str| match word {
        "high" => 3.0,
        "medium" => 2.0,
        _ => 1.0,
    };
    let score = |r: &Recommendation| {
        let gain = r.gain.as_ref().filter(|g| g.unit.ends_with("/month"));
        gain.map_or(0.0, |g| g.value) * weight(&r.confidence) / weight(&r.effort)
    };
    all.sort_by(|a, b| score(b).total_cmp(&score(a)));
    for (i, r) in all.iter_mut().enumerate() {
        r.priority = i as u32 + 1;
    }
}

/// Every id that the answer shows.
pub(super) fn cited(answer: &Answer) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut refs = |list: &[NumberRef]| {
        ids.extend(list.iter().map(|r| r.id.clone()));
    };
    refs(&answer.summary_refs);
    answer.findings.iter().for_each(|f| refs(&f.refs));
    answer.business_insights.iter().for_each(|f| refs(&f.refs));
    answer.recommendations.iter().for_each(|r| refs(&r.refs));
    answer.charts.iter().for_each(|c| refs(&c.refs));
    answer.questions.iter().for_each(|q| refs(&q.refs));
    answer.success_metrics.iter().for_each(|m| refs(&m.refs));
    refs(&answer.business_impact.refs);
    let figures = answer
        .headline
        .iter()
        .chain(&answer.business_impact.figures);
    let gains = answer
        .recommendations
        .iter()
        .filter_map(|r| r.gain.as_ref());
    ids.extend(figures.chain(gains).map(|f| f.id.clone()));
    let cells = answer.tables.iter().flat_map(|t| t.rows.iter().flatten());
    ids.extend(cells.filter_map(|c| c.id.clone()));
    let points = answer
        .charts
        .iter()
        .flat_map(|c| c.series.iter().flat_map(|s| &s.points));
    ids.extend(points.filter_map(|p| p.id.clone()));
    ids
}

/// An answer without anything in it yet.
pub(super) fn blank(task: &Task, catalog: &Catalog, day: Date) -> Answer {
    let date = catalog.prices_as_of().to_string();
    Answer {
        agent_name: String::new(),
        optimization_type: task.category.as_str().into(),
        summary: String::new(),
        summary_refs: Vec::new(),
        headline: Vec::new(),
        quantities: Vec::new(),
        findings: Vec::new(),
        recommendations: Vec::new(),
        tables: Vec::new(),
        charts: Vec::new(),
        business_impact: BusinessImpact::default(),
        implementation_guidance: Vec::<Phase>::new(),
        success_metrics: Vec::new(),
        business_insights: Vec::new(),
        questions: Vec::new(),
        provenance: Vec::new(),
        catalog: CatalogNote {
            text: format!("built-in engine, {}", catalog.prices_text(day)),
            prices_as_of: date,
            attributions: catalog
                .packs()
                .iter()
                .map(|p| p.attribution.clone())
                .collect(),
        },
        execution: Execution {
            backend: "builtin".into(),
            model: None,
            tokens: 0,
            cost_usd: 0.0,
            breaker_state: "closed".into(),
        },
    }
}
