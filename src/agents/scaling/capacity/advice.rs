//! What a pool's size means, and its picture.

use super::*;
use crate::agents::work::mark;

/// One replica more, and its rent, where the message asks for it.
pub(super) fn spare(
    work: &mut Work<'_>,
    replicas: &Value,
    rows: &mut Vec<Vec<crate::agents::answer::Cell>>,
) -> Value {
    let wanted = work.task.content.to_lowercase().contains("n+1")
        || work.said.first(Kind::Availability).is_some();
    let replicas = if wanted {
        let spare = work.ledger.derive(
            "replicas with one to spare",
            "r + 1",
            "one may fail",
            &[("r", replicas)],
            "replicas",
        );
        rows.push(fact("Replicas, one to spare", spare.cell(spare.digits(6))));
        spare
    } else {
        replicas.clone()
    };
    if let Some(price) = work.first(
        Kind::ReplicaPrice,
        "price of a replica and hour",
        "USD/h",
        (0.0, 1e6),
    ) {
        let inputs = [("r", &replicas), ("price", &price)];
        let cost = work.ledger.derive(
            "replicas a month",
            "r * price * 730.5",
            crate::agents::facts::MONTH,
            &inputs,
            "USD/month",
        );
        rows.push(fact("Cost a month", cost.cell(cost.money())));
        work.keep_next("replica_cost", &cost);
    }
    replicas
}

pub(super) fn advise(
    work: &mut Work<'_>,
    pool: Option<&str>,
    load: &Value,
    q: &Queue,
    sized: &Pool,
) {
    let Pool {
        slots,
        longest,
        busy,
        ..
    } = sized;
    let why = say!(
        "At {} requests a second, each {} long, {} slots keep {} of the waits under {} (they reach {}), at {} utilisation. Fewer slots look efficient and make the tail explode.",
        load.count(),
        q.service.seconds(),
        slots.digits(6),
        q.p.percent(),
        q.wait.seconds(),
        longest.seconds(),
        busy.percent()
    );
    let advice = Advice::new(why, "medium", "high", "high");
    let gain = slots.figure(slots.digits(6).then(" slots"));
    let title = if q.per_replica.is_some() {
        "Run replicas for this many slots at peak"
    } else {
        "Provide this many concurrent slots"
    };
    let title = pool.map_or(title.to_owned(), |pool| {
        format!("{pool}: {}", title.to_lowercase())
    });
    work.recommend(&title, advice, slots, Some(gain));
    if work
        .draft
        .findings
        .iter()
        .all(|f| f.title != "Where this formula does not fit")
    {
        work.finding("info", "Where this formula does not fit", say!(
            "Language models do not have exponential service times, and a replica slows down as its batch fills. Measure the service time at the batch size you will run, and leave the correction for its spread in place."
        ));
    }
    work.measure(
        "Wait in the queue",
        say!("not measured"),
        say!(
            "{} of the requests under {}",
            q.p.percent(),
            q.wait.seconds()
        ),
        "A histogram of the time between arrival and start, by minute.",
    );
    work.measure(
        "Utilisation of slots at peak",
        say!("not measured"),
        say!("{}", busy.percent()),
        "Busy slots over all slots, in the busiest minute.",
    );
}

pub(super) fn chart(
    work: &mut Work<'_>,
    load: &Value,
    q: &Queue,
    slots: &Value,
    longest: &Value,
    table: &str,
) {
    let least = (load.value * q.service.value).floor() + 1.0;
    let xs: Vec<f64> = (0..20).map(|i| least + f64::from(i)).collect();
    let inputs = [("c", slots), ("lam", load), ("s", &q.service), ("p", &q.p)];
    let wait = work.ledger.curve(
        "wait at the percentile by slots",
        "erlang_wait(c; lam; s; p)",
        ERLANG,
        &inputs,
        "s",
        ("c", &xs),
    );
    let text = say!(
        "With {} slots the wait at the percentile is {}; the target is {}.",
        slots.digits(6),
        longest.seconds(),
        q.wait.seconds()
    );
    let marks = vec![
        mark("y", q.wait.value, "target"),
        mark("x", slots.value, "chosen"),
    ];
    let about = Lines {
        id: "erlang",
        kind: "line",
        title: "Wait by number of slots",
        x: ("Slots", "slots"),
        y: ("Wait at the percentile", "s"),
        y_scale: "log",
        table,
    };
    lines(
        work,
        &about,
        vec![curve_series("Wait", &wait, Some(slots.value))],
        marks,
        text,
    );
}
