//! An answer in the making: what was said, the ledger, the draft, and the plan's runner.

use std::collections::BTreeMap;

use time::Date;

use super::answer::{
    Answer, Cell, Chart, Figure, Finding, Question, Recommendation, SuccessMetric, Table,
};
use super::catalog::Catalog;
use super::draft::{blank, cited, order_recommendations};
pub(super) use super::layout::{axis, column, fact, mark, words};
use super::ledger::{Ledger, Prose, Value, say};
use super::understand::{Kind, Understanding};
use super::{Event, Refusal, Task};
use crate::id::Complexity;

/// One calculator of a plan: a row of the rule table.
pub(super) struct Step {
    /// Its name, as the timeline shows it.
    pub(super) tool: &'static str,
    /// The depth from which it runs.
    pub(super) from: Complexity,
    /// Whether the message calls for it.
    pub(super) when: fn(&Work<'_>) -> bool,
    /// Runs it: inputs and result in words, or none where nothing came out.
    pub(super) run: fn(&mut Work<'_>) -> Option<Prose>,
}

/// A row of a plan.
pub(super) const fn step(
    tool: &'static str,
    from: Complexity,
    when: fn(&Work<'_>) -> bool,
    run: fn(&mut Work<'_>) -> Option<Prose>,
) -> Step {
    Step {
        tool,
        from,
        when,
        run,
    }
}

/// Everything the steps of a plan share.
pub(super) struct Work<'a> {
    pub(super) task: &'a Task,
    pub(super) said: Understanding,
    pub(super) catalog: &'a Catalog,
    pub(super) as_of: Date,
    pub(super) ledger: Ledger,
    pub(super) draft: Answer,
    /// Results that later steps build on, by name.
    kept: BTreeMap<&'static str, Value>,
    /// Results of which there are several, in order.
    series: BTreeMap<&'static str, Vec<Value>>,
    /// Sentences that answer the question itself, for the summary.
    pub(super) verdicts: Vec<Prose>,
    /// The model in use, where one is named or assumed.
    pub(super) model: Option<String>,
    /// The models to be ranked, and the one that came first.
    pub(super) candidates: Vec<String>,
    pub(super) winner: Option<String>,
    /// The input that moves the result most.
    pub(super) widest: Option<String>,
    /// The cost levers pulled so far.
    pub(super) levers: Vec<super::cost::Lever>,
    emit: &'a mut dyn FnMut(Event),
}

impl<'a> Work<'a> {
    pub(super) fn new(
        task: &'a Task,
        said: Understanding,
        catalog: &'a Catalog,
        as_of: Date,
        emit: &'a mut dyn FnMut(Event),
    ) -> Self {
        Self {
            ledger: Ledger::new(&task.assumptions),
            draft: blank(task, catalog, as_of),
            kept: BTreeMap::new(),
            series: BTreeMap::new(),
            verdicts: Vec::new(),
            model: None,
            levers: Vec::new(),
            candidates: Vec::new(),
            winner: None,
            widest: None,
            task,
            said,
            catalog,
            as_of,
            emit,
        }
    }

    /// Remembers a result for later steps.
    pub(super) fn keep(&mut self, name: &'static str, value: &Value) {
        self.kept.insert(name, value.clone());
    }

    /// Remembers one of several results of a kind; [`Work::kept`] gives the last.
    pub(super) fn keep_next(&mut self, name: &'static str, value: &Value) {
        self.series.entry(name).or_default().push(value.clone());
        self.keep(name, value);
    }

    /// The `i`-th result of a kind, from 1.
    pub(super) fn kept_of(&self, name: &str, i: usize) -> Option<Value> {
        self.series.get(name)?.get(i.checked_sub(1)?).cloned()
    }

    /// A result of an earlier step.
    pub(super) fn kept(&self, name: &str) -> Option<Value> {
        self.kept.get(name).cloned()
    }

    /// True from this depth on.
    pub(super) fn at_least(&self, depth: Complexity) -> bool {
        self.task.complexity >= depth
    }

    /// Runs the applicable steps in order, telling each as it is done.
    pub(super) fn run(&mut self, plan: &[Step]) -> usize {
        let steps: Vec<&Step> = plan
            .iter()
            .filter(|s| self.task.complexity >= s.from && (s.when)(self))
            .collect();
        let mut fruitful = 0;
        for (done, step) in steps.iter().enumerate() {
            let Some(result) = (step.run)(self) else {
                continue;
            };
            fruitful += 1;
            (self.emit)(Event::Tool {
                tool_name: step.tool.into(),
                message: result.text,
                progress: (done + 1) as f64 / steps.len() as f64,
            });
        }
        fruitful
    }

    /// A stated quantity of a kind, else a visible default under `name`.
    pub(super) fn first_or(&mut self, kind: Kind, name: &str, about: &Fallback<'_>) -> Value {
        let Fallback {
            label,
            unit,
            range,
            value,
            why,
        } = *about;
        match self.first(kind, label, unit, range) {
            Some(stated) => stated,
            None => self.ledger.assume(name, label, value, unit, range, why),
        }
    }

    /// Tells a thought, with the assumptions made so far.
    pub(super) fn think(&mut self, message: String) {
        let assumed =
            |q: &&super::answer::NamedQuantity| q.source == super::answer::Source::Assumption;
        let assumptions = self
            .ledger
            .quantities()
            .iter()
            .filter(assumed)
            .cloned()
            .collect();
        (self.emit)(Event::Thinking {
            message,
            assumptions,
        });
    }

    /// Adds a table, and shows it at once.
    pub(super) fn table(&mut self, table: Table) {
        (self.emit)(Event::Partial {
            message: table.title.clone(),
            text_delta: None,
            table: Some(table.clone()),
        });
        self.draft.tables.push(table);
    }

    /// Adds a table of facts: names and their numbers.
    pub(super) fn facts(&mut self, id: &str, title: &str, unit: &str, rows: Vec<Vec<Cell>>) {
        self.table(Table {
            id: id.into(),
            title: title.into(),
            columns: vec![column("", ""), column("Value", unit)],
            rows,
        });
    }

    /// Adds a finding.
    pub(super) fn finding(&mut self, severity: &str, title: &str, prose: Prose) {
        self.draft.findings.push(finding(severity, title, prose));
    }

    /// Adds a fact of this message to the insights.
    pub(super) fn insight(&mut self, title: &str, prose: Prose) {
        self.draft
            .business_insights
            .push(finding("info", title, prose));
    }

    /// Adds a number to the headline, where there is room.
    pub(super) fn headline(&mut self, label: &str, mut figure: Figure) {
        if self.draft.headline.len() < 3 && self.draft.headline.iter().all(|f| f.id != figure.id) {
            figure.label = label.into();
            self.draft.headline.push(figure);
        }
    }

    /// Adds a sentence to the summary, and streams it.
    pub(super) fn summary(&mut self, prose: Prose) {
        let first = self.draft.summary.is_empty();
        let text = if first {
            prose.text.clone()
        } else {
            format!(" {}", prose.text)
        };
        (self.emit)(Event::Partial {
            message: "Summary".into(),
            text_delta: Some(text.clone()),
            table: None,
        });
        self.draft.summary.push_str(&text);
        self.draft.summary_refs.extend(prose.refs);
    }

    /// Adds a recommendation whose arithmetic is that of `value`; priority comes later.
    pub(super) fn recommend(
        &mut self,
        title: &str,
        advice: Advice,
        value: &Value,
        gain: Option<Figure>,
    ) {
        let (formula, arithmetic) = self
            .ledger
            .derivation(value)
            .map(|d| (d.formula.clone(), d.arithmetic.clone()))
            .unwrap_or_default();
        self.draft.recommendations.push(Recommendation {
            title: title.into(),
            rationale: advice.why.text,
            refs: advice.why.refs,
            priority: 0,
            effort: advice.effort.into(),
            impact: advice.impact.into(),
            confidence: advice.confidence.into(),
            gain,
            formula,
            arithmetic,
        });
    }

    /// Adds a chart.
    pub(super) fn chart(&mut self, chart: Chart) {
        self.draft.charts.push(chart);
    }

    /// Adds a success measure.
    pub(super) fn measure(&mut self, name: &str, baseline: Prose, target: Prose, how: &str) {
        if self.draft.success_metrics.iter().any(|m| m.name == name) {
            return;
        }
        let refs = [baseline.refs, target.refs].concat();
        self.draft.success_metrics.push(SuccessMetric {
            name: name.into(),
            baseline: baseline.text,
            target: target.text,
            how: how.into(),
            refs,
        });
    }

    /// Asks, where fewer than three questions stand.
    pub(super) fn ask(&mut self, name: &str, text: &str, effect: Prose) {
        let asked = self.draft.questions.iter().any(|q| q.name == name);
        if !asked && self.draft.questions.len() < 3 {
            self.draft.questions.push(Question {
                name: name.into(),
                text: text.into(),
                effect: effect.text,
                refs: effect.refs,
            });
        }
    }

    /// Where the agent's own words found nothing to lead with: the first number of the
    /// tables leads, the first finding sums up. False where not even that stands.
    pub(super) fn has_something_to_say(&mut self) -> bool {
        if self.draft.headline.is_empty() {
            let row = self
                .draft
                .tables
                .iter()
                .flat_map(|t| &t.rows)
                .find_map(|row| {
                    let cell = row.iter().find(|c| c.id.is_some())?;
                    Some((row.first()?.text.clone(), cell.clone()))
                });
            if let Some((
                label,
                Cell {
                    text,
                    value: Some(value),
                    id: Some(id),
                },
            )) = row
            {
                let unit = String::new();
                self.draft.headline.push(Figure {
                    label,
                    value,
                    unit,
                    text,
                    id,
                });
            }
        }
        if self.draft.summary.is_empty()
            && let Some(first) = self.draft.findings.first().cloned()
        {
            self.summary(Prose {
                text: first.text,
                refs: first.refs,
            });
        }
        !self.draft.headline.is_empty() && !self.draft.summary.is_empty()
    }

    /// Closes the books: the answer with exactly the provenance it cites.
    pub(super) fn finish(mut self) -> Result<Answer, Refusal> {
        self.report_edits();
        order_recommendations(&mut self.draft.recommendations);
        let mut answer = self.draft;
        answer.quantities = self.ledger.quantities().to_vec();
        let cited = cited(&answer);
        answer.provenance = self.ledger.finish(&cited)?;
        Ok(answer)
    }

    fn report_edits(&mut self) {
        for name in self.ledger.unknown_edits() {
            let name: String = name.chars().take(60).collect();
            let text =
                format!("\"{name}\" is no quantity of this answer, so editing it changed nothing.");
            self.draft.findings.push(finding(
                "warning",
                "An edited value was not used",
                Prose {
                    text,
                    refs: Vec::new(),
                },
            ));
        }
        for (name, low, high) in self.ledger.refused_edits().to_vec() {
            let mut end = |label: &str, value: f64| {
                self.ledger.catalog(
                    &format!("{name}: {label}"),
                    value,
                    "",
                    "limits of the editor",
                )
            };
            let (low, high) = (end("least allowed", low), end("most allowed", high));
            let prose = say!(
                "The value for {} was refused: it must be a number from {} to {}. The answer stands on the value shown instead.",
                format!("\"{name}\""),
                low.digits(10),
                high.digits(10)
            );
            self.finding("warning", "An edited value is out of range", prose);
        }
    }
}

/// What a quantity is, and what stands in where the message does not state it.
pub(super) struct Fallback<'a> {
    pub(super) label: &'a str,
    pub(super) unit: &'a str,
    pub(super) range: (f64, f64),
    pub(super) value: f64,
    pub(super) why: &'a str,
}

/// The reasons for a recommendation.
pub(super) struct Advice {
    pub(super) why: Prose,
    pub(super) effort: &'static str,
    pub(super) impact: &'static str,
    pub(super) confidence: &'static str,
}

impl Advice {
    /// Why, and the effort, impact and confidence as `low`, `medium` or `high`.
    pub(super) fn new(
        why: Prose,
        effort: &'static str,
        impact: &'static str,
        confidence: &'static str,
    ) -> Self {
        Self {
            why,
            effort,
            impact,
            confidence,
        }
    }
}

/// `high` from a fifth of the whole on, `medium` from a twentieth.
pub(super) fn impact(part: f64, whole: f64) -> &'static str {
    match part / whole.max(f64::MIN_POSITIVE) {
        share if share >= 0.2 => "high",
        share if share >= 0.05 => "medium",
        _ => "low",
    }
}

fn finding(severity: &str, title: &str, prose: Prose) -> Finding {
    Finding {
        severity: severity.into(),
        title: title.into(),
        text: prose.text,
        refs: prose.refs,
    }
}
