//! What became of the stores of older versions.

use http::StatusCode;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::failed;
use crate::clock::Wall;
use crate::protocol::problem::Problem;
use crate::serve::reply;
use crate::serve::routes::{Call, Route, Who, at_once};
use crate::store::record::FORMAT;
use crate::store::upgrade::{Chapter, story};

/// This.
pub(in crate::serve) const ROUTES: [Route; 1] =
    [Route::get("/api/v1/admin/upgrades", Who::Read, |call| {
        at_once(list(&call))
    })];

/// `GET /api/v1/admin/upgrades`
fn list(call: &Call) -> Result<Reply, Problem> {
    let dir = call.services.in_force.config().server.data_dir;
    let story = story(&dir).map_err(|error| failed(&error))?;
    let answer = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "record_format": FORMAT,
        "items": story.iter().rev().map(shown).collect::<Vec<Value>>(),
        "next": null,
    });
    Ok(reply::json(StatusCode::OK, &answer))
}

fn shown(chapter: &Chapter) -> Value {
    json!({
        "at": Wall(chapter.at_ms).rfc3339(),
        "from": chapter.from,
        "to": chapter.to,
        "step": chapter.step.as_str(),
        "well": !chapter.step.is_bad(),
        "told": chapter.told,
    })
}
