//! The last lines of the log, to look back; to follow they are in the administrator's stream.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::mark::Run;
use super::operate::{page_of, query};
use super::routes::{Call, Route, Who, at_once};
use super::{Services, reply};
use crate::observe::logs::{Line, Wanted};
use crate::protocol::problem::{Code, Problem};

/// These.
pub(super) const ROUTES: [Route; 1] = [Route::get("/api/v1/admin/logs", Who::Read, |call| {
    at_once(logs(&call))
})];

/// Lines of a page, where the query does not say; and the most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 500;
/// The longest target and text that are looked for, in bytes.
const TEXT_MAX: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    level: Option<String>,
    #[serde(default)]
    target: String,
    #[serde(default)]
    text: String,
    after: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/admin/logs`: newest first.
fn logs(call: &Call) -> Result<Reply, Problem> {
    let asked: Asked = query(call, "level, target, text, after, before and limit")?;
    let wanted = wanted(asked.level.as_deref(), &asked.target, &asked.text)?;
    let run = run(&call.services);
    let (after, before) = run.bounds(asked.after.as_deref(), asked.before.as_deref())?;
    let limit = page_of(asked.limit, PAGE, PAGE_MAX)?;
    let logs = &call.services.logs;
    let fits = |line: &Line| line.id > after && line.id < before && wanted.fits(line);
    let mut found = logs.look_back(fits, limit + 1);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|line| run.id(line.id));
    let items: Vec<Value> = found.iter().map(|line| told(run, line)).collect();
    let oldest = logs.oldest().map(|number| run.id(number));
    let body = json!({"items": items, "next": next, "oldest": oldest});
    Ok(reply::json(StatusCode::OK, &body))
}

/// The numbering of the lines.
pub(super) fn run(services: &Services) -> Run {
    Run {
        letter: 'l',
        epoch: services.logs.epoch(),
    }
}

/// Which lines are asked for.
///
/// # Errors
/// 400.
pub(super) fn wanted(level: Option<&str>, target: &str, text: &str) -> Result<Wanted, Problem> {
    for (name, value) in [("target", target), ("text", text)] {
        if value.len() > TEXT_MAX {
            let length = value.len();
            let text = format!("{name} must have at most {TEXT_MAX} bytes; it has {length}");
            return Err(Problem::new(Code::BadRequest, text));
        }
    }
    Wanted::new(level, target, text).ok_or_else(|| {
        let text = "level must be error, warn, info, debug or trace";
        Problem::new(Code::BadRequest, text)
    })
}

/// A line in answers.
pub(super) fn told(run: Run, line: &Line) -> Value {
    json!({
        "id": run.id(line.id), "at": line.at.rfc3339(), "level": line.level(),
        "target": line.target, "message": line.message, "fields": line.fields,
    })
}
