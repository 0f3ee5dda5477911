//! Who meets which target, and what follows.

use super::*;

/// Who passes each target; where a target is ambiguous, both readings.
pub(super) fn judge(
    work: &mut Work<'_>,
    all: &[Timing],
    targets: &[Target],
    current: Option<&str>,
) -> Option<Prose> {
    let floor = work.floor();
    let mut told: Option<Prose> = None;
    for target in targets {
        let mut good = Vec::new();
        let mut below = Vec::new();
        for t in all.iter().filter(|t| t.meets(target)) {
            match (&floor, work.quality(&t.id)) {
                (Some(floor), Some((q, _))) if q.value < floor.value => below.push(t.name.clone()),
                _ => good.push(t.name.clone()),
            }
        }
        let mut prose = passing(target, &good, &below, floor.is_some());
        if good.is_empty() && target.stat == Stat::P95 {
            prose = prose.and(at_median(all, target));
        }
        let title = if target.reading {
            format!("Read as: {}", target.what())
        } else {
            format!("Target: {}", target.what())
        };
        work.finding("info", &title, prose.clone());
        work.verdicts.push(short(target, &good, floor.is_some()));
        told = Some(told.take().unwrap_or_default().and(prose));
    }
    passes_all(work, all, targets, current);
    let fastest = &all[0];
    Some(told.unwrap_or_else(|| {
        say!(
            "The fastest is {}: {} for the whole answer at p50.",
            &fastest.name,
            fastest.total50.seconds()
        )
    }))
}

/// The verdict in one sentence, for the summary.
fn short(target: &Target, good: &[String], floored: bool) -> Prose {
    let quality = if floored {
        " of at least today's quality"
    } else {
        ""
    };
    match good {
        [] => say!(
            "No eligible model{} meets {} for the {}.",
            quality,
            target.limit.seconds(),
            target.what()
        ),
        [one] => say!(
            "{} for the {} is met by {} alone.",
            target.limit.seconds(),
            target.what(),
            one
        ),
        several => say!(
            "{} for the {} is met, fastest first, by {}{}.",
            target.limit.seconds(),
            target.what(),
            &several[..several.len().min(4)].join(", "),
            if several.len() > 4 { " and others" } else { "" }
        ),
    }
}

/// Who would pass at the median, where nobody does at the 95th percentile.
pub(super) fn at_median(all: &[Timing], target: &Target) -> Prose {
    let median = Target {
        stat: Stat::P50,
        ..target.clone()
    };
    let names: Vec<&str> = all
        .iter()
        .filter(|t| t.meets(&median))
        .map(|t| t.name.as_str())
        .take(4)
        .collect();
    match names.is_empty() {
        true => say!("Nor does any at the median."),
        false => say!(
            "At the median it is met by {}, whatever their quality.",
            names.join(", ")
        ),
    }
}

pub(super) fn passing(target: &Target, good: &[String], below: &[String], floored: bool) -> Prose {
    let list = |names: &[String]| {
        let more = if names.len() > 8 { " and others" } else { "" };
        format!(
            "{}{more}",
            names.iter().take(8).cloned().collect::<Vec<_>>().join(", ")
        )
    };
    let first = match good.is_empty() {
        true => say!(
            "No eligible model{} meets {} for the {}.",
            if floored {
                " of at least today's quality"
            } else {
                ""
            },
            target.limit.seconds(),
            target.what()
        ),
        false => say!(
            "{} for the {} is met by {}.",
            target.limit.seconds(),
            target.what(),
            list(good)
        ),
    };
    match below.is_empty() {
        true => first,
        false => first.and(say!("At lower quality it is met by {}.", list(below))),
    }
}

/// The fastest model that passes everything that is not merely a reading.
pub(super) fn passes_all(
    work: &mut Work<'_>,
    all: &[Timing],
    targets: &[Target],
    current: Option<&str>,
) {
    let Some(best) = fastest(work, all, targets) else {
        return;
    };
    match all.iter().find(|t| Some(t.id.as_str()) == current) {
        Some(own) if own.id == best.id => {
            let title = "The current model is the fastest that fits";
            let total = best.total50.seconds();
            let prose = say!(
                "{} takes {} for the whole answer at p50.",
                &best.name,
                total
            );
            return work.insight(title, prose);
        }
        Some(own) => instead(work, own, &best),
        None => {
            let why = say!(
                "{} is the fastest that meets the targets: first token after {}, the whole answer after {} at p50, {} at the p95 bound.",
                &best.name,
                best.ttft50.seconds(),
                best.total50.seconds(),
                best.total95.seconds()
            );
            let figure = best.total50.figure(best.total50.seconds());
            let advice = Advice::new(why, "medium", "high", "medium");
            let title = format!("Use {}", best.name);
            work.recommend(&title, advice, &best.total50, Some(figure));
        }
    }
    work.keep("best_total50", &best.total50);
    work.keep("best_total95", &best.total95);
}

/// The first of the models, fastest first, that meets the targets at the quality floor.
fn fastest(work: &mut Work<'_>, all: &[Timing], targets: &[Target]) -> Option<Timing> {
    if targets.is_empty() {
        return all.first().cloned();
    }
    let mut firm: Vec<&Target> = targets.iter().filter(|t| !t.reading).collect();
    if firm.is_empty() {
        firm = targets.iter().filter(|t| !t.first_token).collect();
    }
    let floor = work.floor();
    let mut enough = |t: &Timing| match (&floor, work.quality(&t.id)) {
        (Some(floor), Some((q, _))) => q.value >= floor.value,
        (Some(_), None) => false,
        (None, _) => true,
    };
    all.iter()
        .find(|t| firm.iter().all(|g| t.meets(g)) && enough(t))
        .cloned()
}

/// Another model instead of the current one, where that gains time.
fn instead(work: &mut Work<'_>, own: &Timing, best: &Timing) {
    let inputs = [("today", &own.total50), ("then", &best.total50)];
    let (label, formula) = ("time gained at p50", "today - then");
    let gain = work
        .ledger
        .derive(label, formula, "published speeds", &inputs, "s");
    if gain.value <= 0.0 {
        return;
    }
    let why = say!(
        "{} needs {} instead of {} for the whole answer at p50 ({} at the p95 bound instead of {}), at no lower index. Compare both on your own prompts.",
        &best.name,
        best.total50.seconds(),
        own.total50.seconds(),
        best.total95.seconds(),
        own.total95.seconds()
    );
    let figure = gain.figure(gain.seconds().then(" less"));
    let advice = Advice::new(why, "medium", "high", "medium");
    work.recommend(&format!("Test {}", best.name), advice, &gain, Some(figure));
}
