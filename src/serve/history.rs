//! Figures over time, as the charts of the administration draw them.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use warp::reply::Response as Reply;

use super::operate::{millis, query};
use super::reply;
use super::routes::{Call, Route, Who, at_once};
use crate::clock;
use crate::observe::history::{SERIES, Series, Track};
use crate::protocol::problem::{Code, Problem};

/// These.
pub(super) const ROUTES: [Route; 1] = [Route::get("/api/v1/admin/history", Who::Read, |call| {
    at_once(history(&call))
})];

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// What may be looked at, with its seconds.
const RANGES: [(&str, u64); 6] = [
    ("5m", 5 * MINUTE),
    ("1h", HOUR),
    ("2h", 2 * HOUR),
    ("24h", DAY),
    ("7d", 7 * DAY),
    ("30d", 30 * DAY),
];
/// The range where the query does not say.
const USUAL: &str = "1h";
/// Points of a figure, where the query does not say; and the most.
const POINTS: u64 = 300;
const POINTS_MAX: u64 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    series: Option<String>,
    range: Option<String>,
    points: Option<u64>,
}

/// `GET /api/v1/admin/history`
fn history(call: &Call) -> Result<Reply, Problem> {
    let asked: Asked = query(call, "series, range and points")?;
    let wanted = wanted(asked.series.as_deref())?;
    let range = asked.range.as_deref().unwrap_or(USUAL);
    let Some((_, seconds)) = RANGES.iter().find(|(name, _)| *name == range) else {
        let names = RANGES.map(|(name, _)| name).join(", ");
        return Err(wrong(format!("range must be one of {names}, not {range}")));
    };
    let points = asked.points.unwrap_or(POINTS);
    if !(1..=POINTS_MAX).contains(&points) {
        let text = format!("points must be from 1 to {POINTS_MAX}, not {points}");
        return Err(wrong(text));
    }
    let span = Duration::from_secs(*seconds);
    let observer = &call.services.observer;
    let found = observer.tracks(&wanted, span, points, clock::wall());
    let named = |value: fn(&Track) -> Value| -> Map<String, Value> {
        let tracks = found.tracks.iter();
        tracks
            .map(|track| (track.series.name.to_owned(), value(track)))
            .collect()
    };
    let body = json!({
        "range": range, "from": found.from.rfc3339(), "to": found.to.rfc3339(),
        "step_ms": millis(found.step),
        "series": named(points_of), "units": named(|track| track.series.unit.into()),
    });
    Ok(reply::json(StatusCode::OK, &body))
}

/// The figures of a list of names; all where there is none.
fn wanted(list: Option<&str>) -> Result<Vec<&'static Series>, Problem> {
    let Some(list) = list else {
        return Ok(SERIES.iter().collect());
    };
    let mut found: Vec<&'static Series> = Vec::new();
    for name in list.split(',') {
        let Some(series) = SERIES.iter().find(|series| series.name == name) else {
            let names: Vec<&str> = SERIES.iter().map(|series| series.name).collect();
            let names = names.join(", ");
            return Err(wrong(format!(
                "series must be names divided by commas, of: {names}"
            )));
        };
        if !found.iter().any(|known| known.name == name) {
            found.push(series);
        }
    }
    Ok(found)
}

fn points_of(track: &Track) -> Value {
    let point = |(at, point): &(clock::Wall, crate::machine::history::Point)| {
        json!([at.rfc3339(), shown(point.mean), shown(point.max)])
    };
    track.points.iter().map(point).collect()
}

/// The shortest decimal that is this number, not all digits of the next wider type.
fn shown(value: f32) -> Value {
    value
        .to_string()
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}

fn wrong(text: String) -> Problem {
    Problem::new(Code::BadRequest, text)
}
