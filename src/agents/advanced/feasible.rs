//! Cost, quality and latency at once: which models meet all demands, and which demands
//! contradict each other.

use super::super::answer::Table;
use super::super::cost::Option_;
use super::super::latency::{Target, Timing, targets, timing};
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, Role};
use super::super::work::{Advice, Work, column, impact, words};

/// The most models that a table lists.
const ROWS_MAX: usize = 12;

/// A latency target or a saving target is stated.
pub(super) fn called_for(work: &Work<'_>) -> bool {
    let target = work
        .said
        .all(Kind::Latency)
        .any(|q| matches!(q.role, Some(Role::Target | Role::Limit)));
    (target || work.said.share("saving_target").is_some())
        && work.said.first(Kind::Fanout).is_none()
}

/// A model with its times.
struct Fit {
    option: Option_,
    timing: Timing,
    good: bool,
}

fn fits(work: &mut Work<'_>) -> (Vec<Fit>, Option<Value>) {
    let floor = work.floor();
    let options = super::super::cost::options(work);
    let mut all = Vec::new();
    for option in options.into_iter().filter(|o| o.eligible) {
        let Some(timing) = timing(work, &option.id) else {
            continue;
        };
        let good = match (&floor, &option.quality) {
            (Some(floor), Some(q)) => q.value >= floor.value,
            (None, _) => true,
            _ => false,
        };
        all.push(Fit {
            option,
            timing,
            good,
        });
    }
    (all, floor)
}

/// For each reading of the latency target: who meets it at which quality and cost.
pub(super) fn feasible(work: &mut Work<'_>) -> Option<Prose> {
    let targets = targets(work);
    let (all, floor) = fits(work);
    if all.is_empty() {
        return None;
    }
    if let Some(floor) = &floor {
        let models = work
            .said
            .models_in(super::super::understand::ModelRole::QualityFloor);
        let name = models
            .first()
            .map(|id| (*id).to_owned())
            .or_else(|| work.model.clone())
            .map(|id| work.name(&id))
            .unwrap_or_default();
        let prose = say!(
            "No quality is given away unasked: the intelligence index must be at least {}, that of {}, both without reasoning. An index is not your task: test what is recommended.",
            floor.digits(4),
            name
        );
        work.finding("info", "The quality floor", prose);
    }
    let mut told: Option<Prose> = None;
    for target in &targets {
        let prose = judge(work, &all, target, floor.is_some());
        told = Some(told.take().unwrap_or_default().and(prose));
    }
    current(work, &targets);
    if targets.iter().any(|t| t.reading) {
        work.finding("warning", "The latency target can be read in two ways", say!("It does not say whether the first token or the whole answer must stand by then. Both are computed and labelled; your answer decides which holds."));
    }
    saving_target(work, &all, &targets);
    table(work, &all, &targets);
    told.or_else(|| {
        Some(say!(
            "The cheapest eligible model costs {} a month.",
            all[0].option.cost.money()
        ))
    })
}

/// The current model against the targets.
fn current(work: &mut Work<'_>, targets: &[Target]) {
    let Some(id) = work.model.clone() else {
        return;
    };
    let Some(t) = timing(work, &id) else {
        return;
    };
    work.keep("current_total50", &t.total50);
    work.keep("current_total95", &t.total95);
    let Some(whole) = targets.iter().find(|t| !t.first_token) else {
        return;
    };
    let verdict = if t.meets(whole) {
        "meets"
    } else {
        "does not meet"
    };
    work.finding("info", "The current model", say!(
        "{} takes {} for the whole answer at p50 and at most {} at p95: by that bound it {} {}.",
        &t.name, t.total50.seconds(), t.total95.seconds(), verdict, whole.limit.seconds()
    ));
}

/// One reading: its list, its cheapest, and a recommendation.
fn judge(work: &mut Work<'_>, all: &[Fit], target: &Target, floored: bool) -> Prose {
    let meeting: Vec<&Fit> = all.iter().filter(|f| f.timing.meets(target)).collect();
    let good: Vec<&Fit> = meeting.iter().copied().filter(|f| f.good).collect();
    let names = |list: &[&Fit]| {
        list.iter()
            .take(ROWS_MAX)
            .map(|f| f.option.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let ids = |list: &[&Fit]| {
        list.iter()
            .map(|f| f.option.id.clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let whose = if floored {
        " of at least the required quality"
    } else {
        ""
    };
    let mut prose = match good.is_empty() {
        true => say!(
            "Read as {}: no eligible model{} meets {}.",
            target.what(),
            whose,
            target.limit.seconds()
        ),
        false => say!(
            "Read as {}: {} is met by models{}: {} (cheapest first).",
            target.what(),
            target.limit.seconds(),
            whose,
            names(&good)
        ),
    };
    if good.is_empty() && !meeting.is_empty() {
        prose = prose.and(say!(
            "At lower quality {} would ({}).",
            names(&meeting),
            ids(&meeting)
        ));
    }
    let severity = if good.is_empty() {
        "contradiction"
    } else {
        "info"
    };
    let title = if target.first_token {
        "Latency as time to first token"
    } else {
        "Latency as the whole answer"
    };
    if let Some(best) = good.first() {
        prose = prose.and(cheapest(best, &good));
        recommend(work, best, target);
    }
    work.finding(severity, title, prose.clone());
    prose
}

/// The cheapest, and where its index is an estimate, the cheapest with a measured one.
fn cheapest(best: &Fit, good: &[&Fit]) -> Prose {
    let o = &best.option;
    let cost = o.cost.money();
    let note = estimate_note(o);
    let prose = say!(
        "The cheapest is {} ({}) at {} a month{}.",
        &o.name,
        &o.id,
        cost,
        note
    );
    let measured = good.iter().find(|f| !f.option.estimated);
    let Some(f) = measured.filter(|_| o.estimated) else {
        return prose;
    };
    let unsure = match f.option.status {
        "confirmed" => "",
        _ => ", though sources disagree about its price",
    };
    prose.and(say!(
        "The cheapest with a measured index is {} at {} a month{}.",
        &f.option.name,
        f.option.cost.money(),
        unsure
    ))
}

fn estimate_note(o: &Option_) -> &'static str {
    if o.estimated {
        "; its index is an estimate of the publisher"
    } else {
        ""
    }
}

fn recommend(work: &mut Work<'_>, best: &Fit, target: &Target) {
    let Some(today) = work.kept("baseline") else {
        return;
    };
    if Some(&best.option.id) == work.model.as_ref() || today.unit != "USD/month" {
        return;
    }
    let inputs = [("today", &today), ("then", &best.option.cost)];
    let saving = work.ledger.derive(
        "saving a month on the cheapest that fits",
        "today - then",
        "price lists",
        &inputs,
        "USD/month",
    );
    if saving.value <= 0.0 {
        return;
    }
    let share = work.ledger.derive(
        "saving on the cheapest that fits",
        "(today - then) / today",
        "price lists",
        &inputs,
        "fraction",
    );
    if work
        .kept("switch_saving")
        .is_none_or(|s| s.value < saving.value)
    {
        work.keep("switch_saving", &saving);
        work.keep("switch_share", &share);
        work.keep("best_cost", &best.option.cost);
    }
    if let Some(factor) = work.kept("growth_factor") {
        let grown = work.ledger.derive(
            "cost a month on it after the growth",
            "then * m",
            "compound interest",
            &[("then", &best.option.cost), ("m", &factor)],
            "USD/month",
        );
        work.keep("best_grown", &grown);
    }
    let reading = if target.reading {
        " if the target means that"
    } else {
        ""
    };
    let why = say!(
        "It meets {} for the {}{}, at no lower index, for {} instead of {} a month ({} less).",
        target.limit.seconds(),
        target.what(),
        reading,
        best.option.cost.money(),
        today.money(),
        share.percent()
    );
    let advice = Advice::new(why, "medium", impact(saving.value, today.value), "medium");
    let gain = saving.figure(saving.money().then(" a month"));
    let title = format!("Test {} against your own requests", best.option.name);
    if work.draft.recommendations.iter().all(|r| r.title != title) {
        work.recommend(&title, advice, &saving, Some(gain));
    }
}

/// A demanded saving against what the other demands leave.
fn saving_target(work: &mut Work<'_>, all: &[Fit], targets: &[Target]) {
    let Some(wanted) = work.share("saving_target", "saving asked for") else {
        return;
    };
    let Some(today) = work.kept("baseline").filter(|b| b.unit == "USD/month") else {
        return;
    };
    let inputs = [("today", &today), ("s", &wanted)];
    let allowed = work.ledger.derive(
        "cost a month that the saving allows",
        "today * (1 - s)",
        "your demand",
        &inputs,
        "USD/month",
    );
    work.keep("allowed", &allowed);
    let cheap = |f: &&Fit| f.option.cost.value <= allowed.value;
    let quality = all
        .iter()
        .filter(|f| f.good)
        .filter(cheap)
        .min_by(|a, b| a.option.cost.value.total_cmp(&b.option.cost.value));
    let mut prose = say!(
        "{} less means at most {} a month.",
        wanted.percent(),
        allowed.money()
    );
    prose = prose.and(match quality {
        Some(f) => say!("Without loss of index that is met by {} at {}.", &f.option.name, f.option.cost.money()),
        None => say!("No eligible model of the required index costs so little: saving and quality contradict each other here, unless calls or tokens are saved."),
    });
    let mut severity = if quality.is_some() {
        "info"
    } else {
        "contradiction"
    };
    for target in targets {
        let both = all
            .iter()
            .filter(|f| f.good && f.timing.meets(target))
            .find(|f| f.option.cost.value <= allowed.value);
        prose = prose.and(match both {
            Some(f) => say!(
                "All three demands, latency as {}: {} at {}.",
                target.what(),
                &f.option.name,
                f.option.cost.money()
            ),
            None => {
                severity = "contradiction";
                say!(
                    "All three demands, latency as {}: no eligible model.",
                    target.what()
                )
            }
        });
    }
    work.finding(severity, "The demands taken together", prose);
}

fn table(work: &mut Work<'_>, all: &[Fit], targets: &[Target]) {
    let any = |f: &&Fit| targets.iter().any(|t| f.timing.meets(t)) || targets.is_empty() && f.good;
    let mut shown: Vec<&Fit> = all
        .iter()
        .filter(|f| f.good)
        .filter(any)
        .take(ROWS_MAX)
        .collect();
    shown.extend(all.iter().filter(|f| !f.good).filter(any).take(4));
    if let Some(own) = all
        .iter()
        .find(|f| Some(&f.option.id) == work.model.as_ref())
        && shown.iter().all(|f| f.option.id != own.option.id)
    {
        shown.push(own);
    }
    let mut columns = vec![
        column("Model", ""),
        column("Cost a month", "USD/month"),
        column("Intelligence index", "points"),
        column("Whole answer p50", "s"),
        column("Whole answer p95, upper bound", "s"),
        column("Price", ""),
    ];
    columns.extend(
        targets
            .iter()
            .map(|t| column(&format!("Meets: {}", t.what()), "")),
    );
    let rows = shown
        .iter()
        .map(|f| {
            let o = &f.option;
            let quality = match &o.quality {
                Some(q) if o.estimated => q.cell(q.digits(4).then(" (estimated)")),
                Some(q) => q.cell(q.digits(4)),
                None => words("not published"),
            };
            let below = if f.good { "" } else { " (below the floor)" };
            let mut row = vec![
                words(&format!("{}{below}", o.name)),
                o.cost.cell(o.cost.money()),
                quality,
                f.timing.total50.cell(f.timing.total50.seconds()),
                f.timing.total95.cell(f.timing.total95.seconds()),
                words(o.status),
            ];
            row.extend(
                targets
                    .iter()
                    .map(|t| words(if f.timing.meets(t) { "yes" } else { "no" })),
            );
            row
        })
        .collect();
    work.table(Table {
        id: "feasible".into(),
        title: "What is feasible".into(),
        columns,
        rows,
    });
}

/// The models for the ranking: those at the floor that meet a target, else the selection's own.
pub(super) fn candidates(work: &mut Work<'_>) -> Option<Prose> {
    let named = work
        .said
        .models_in(super::super::understand::ModelRole::Candidate)
        .len();
    let targets = targets(work);
    if targets.is_empty() || named >= 2 {
        return super::super::selection::choose(work);
    }
    let (all, _) = fits(work);
    let ids: Vec<String> = all
        .iter()
        .filter(|f| f.good && targets.iter().any(|t| f.timing.meets(t)))
        .map(|f| f.option.id.clone())
        .take(6)
        .collect();
    work.candidates = ids;
    if let Some(own) = work.model.clone().filter(|m| !work.candidates.contains(m)) {
        work.candidates.push(own);
    }
    let names: Vec<String> = work
        .candidates
        .clone()
        .iter()
        .map(|id| work.name(id))
        .collect();
    (work.candidates.len() >= 2).then(|| say!("Ranked: {}.", names.join(", ")))
}
