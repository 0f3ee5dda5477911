//! The sizing as a table, a picture and advice.

use super::*;
use crate::agents::work::{axis, fact};

pub(super) fn table(
    work: &mut Work<'_>,
    shape: &Architecture,
    f: &Fit,
    sizes: &[&Value; 4],
    speed: &[Value; 4],
    rent: &Option<(Value, Value)>,
) {
    let gb = |work: &mut Work<'_>, v: &Value| {
        work.ledger.derive(
            &format!("{} in GB", v.label),
            "x / 1e9",
            "a GB is 1e9 bytes",
            &[("x", v)],
            "GB",
        )
    };
    let (weights, cache) = (gb(work, &f.weights), gb(work, sizes[0]));
    let ms = work.ledger.derive(
        "time of a decoding step in ms",
        "t * 1000",
        "seconds to milliseconds",
        &[("t", &speed[0])],
        "ms",
    );
    let mut rows = vec![
        fact("Weights", weights.cell(weights.digits(4).then(" GB"))),
        fact("Cache of a token", f.kv.cell(f.kv.digits(8).then(" bytes"))),
        fact(
            "Cache at this load",
            cache.cell(cache.digits(4).then(" GB")),
        ),
        fact("GPUs by memory", sizes[1].cell(sizes[1].digits(4))),
        fact("GPUs to rent", sizes[2].cell(sizes[2].digits(4))),
        fact("Largest batch", sizes[3].cell(sizes[3].digits(5))),
        fact("Decoding step", ms.cell(ms.digits(4).then(" ms"))),
        fact(
            "Tokens a second, each user",
            speed[1].cell(speed[1].digits(3)),
        ),
        fact("Tokens a second, all", speed[2].cell(speed[2].digits(4))),
        fact("Reading the prompt", speed[3].cell(speed[3].seconds())),
    ];
    if let Some((cost, each)) = rent {
        rows.push(fact("Rent a month", cost.cell(cost.money())));
        rows.push(fact(
            "A million output tokens at full load",
            each.cell(each.money()),
        ));
        if let Some(used) = work
            .share("utilisation", "share of time the GPUs are busy")
            .filter(|u| u.value > 0.0)
        {
            let inputs = [("each", each), ("u", &used)];
            let real = work.ledger.derive(
                "a million output tokens at your utilisation",
                "each / u",
                "idle hours are paid too",
                &inputs,
                "USD/Mtok",
            );
            rows.push(fact(
                "The same at your utilisation",
                real.cell(real.money()),
            ));
        }
    }
    work.facts("hardware", &format!("{} on {}", shape.id, f.gpu), "", rows);
}

pub(super) fn memory_bar(work: &mut Work<'_>, f: &Fit, kv_total: &Value, gpus: &Value) {
    let each = |work: &mut Work<'_>, label: &str, v: &Value| {
        work.ledger.derive(
            label,
            "x / G / 1e9",
            "spread evenly",
            &[("x", v), ("G", gpus)],
            "GB",
        )
    };
    let weights = each(work, "weights on each GPU", &f.weights);
    let cache = each(work, "cache on each GPU", kv_total);
    let free = work.ledger.derive(
        "free on each GPU",
        "mem * util - w - k",
        "capacity arithmetic",
        &[
            ("mem", &f.memory),
            ("util", &f.util),
            ("w", &weights),
            ("k", &cache),
        ],
        "GB",
    );
    let text = say!(
        "Each GPU holds {} GB of weights and {} GB of cache; {} GB stay free.",
        weights.digits(3),
        cache.digits(3),
        free.digits(3)
    );
    let series = [
        ("Weights", &weights),
        ("Cache at this load", &cache),
        ("Free", &free),
    ];
    work.chart(Chart {
        id: "memory".into(),
        kind: "stacked".into(),
        title: "Memory of a GPU".into(),
        x: axis("GPU", "", "category"),
        y: axis("Memory", "GB", "linear"),
        series: series
            .iter()
            .map(|(name, v)| Series {
                name: (*name).into(),
                points: vec![v.bar("each GPU")],
            })
            .collect(),
        marks: Vec::new(),
        table: "hardware".into(),
        source: format!("datasheet of {}", f.gpu),
        text: text.text,
        refs: text.refs,
    });
}

pub(super) fn advise(
    work: &mut Work<'_>,
    shape: &Architecture,
    f: &Fit,
    gpus: &Value,
    batch: &Value,
    speed: &[Value; 4],
) {
    let why = say!(
        "Weights and cache of {} for {} concurrent requests of {} tokens fit on {} GPUs, which could hold {} at once. The roofline gives {} tokens a second for each user: an upper estimate that rests on the efficiencies shown. Run the load on rented GPUs for a day before buying.",
        &shape.id,
        f.users.count(),
        f.context.count(),
        gpus.digits(4),
        batch.digits(5),
        speed[1].digits(3)
    );
    let advice = Advice::new(why, "high", "high", "medium");
    let gain = gpus.figure(gpus.digits(4).then(" GPUs"));
    work.recommend(
        &format!("Start with this many {}", f.gpu),
        advice,
        gpus,
        Some(gain),
    );
    work.measure(
        "Tokens a second of a user",
        say!("not measured"),
        say!("{}", speed[1].digits(3)),
        "Output tokens over decoding time, per request, at the planned concurrency.",
    );
    if let Some(note) = &shape.note {
        work.finding(
            "info",
            "About this model's shape",
            Prose {
                text: note.clone(),
                refs: Vec::new(),
            },
        );
    }
}
