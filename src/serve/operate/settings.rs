//! The configuration in force: look, change what can change while it serves, read it again.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::{Nothing, audited, entry, failed, reading, write_down, wrong_fields};
use crate::config::{ConfigError, Source, keys};
use crate::live::{NotChanged, Setting};
use crate::protocol::problem::{Code, FieldError, Problem};
use crate::serve::routes::{Call, Route, Who};
use crate::serve::{guard, reply};

/// These.
pub(in crate::serve) const ROUTES: [Route; 3] = [
    Route::get("/api/v1/admin/settings", Who::Read, |call| {
        reading(call, |call| Ok(answer(listed(call))))
    }),
    Route::put("/api/v1/admin/settings", Who::Operate, |call| {
        Box::pin(async move { change(call).await })
    }),
    Route::post("/api/v1/admin/reload", Who::Operate, |call| {
        Box::pin(async move { reload(call).await })
    }),
];

fn answer(value: Value) -> Reply {
    reply::json(StatusCode::OK, &value)
}

fn listed(call: &Call) -> Value {
    let settings = call.services.in_force.settings();
    let items: Vec<Value> = settings.iter().map(described).collect();
    json!({"items": items, "next": null})
}

fn described(setting: &Setting) -> Value {
    let key = setting.key;
    json!({
        "key": key.path, "section": key.section, "name": key.name, "value": setting.value,
        "default": key.default, "source": setting.source.to_string(), "live": key.live,
        "secret": key.secret, "editable": key.settable() && setting.locked_by.is_none(),
        "locked_by": setting.locked_by.as_ref().map(Source::to_string),
        "form": key.form, "range": key.range.map(|(least, most)| [least, most]),
        "doc": key.doc.trim(), "file_value": setting.file_value,
        "pending_restart": setting.pending_restart,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    set: BTreeMap<String, String>,
    #[serde(default)]
    unset: Vec<String>,
}

/// `PUT /api/v1/admin/settings`: all of it or nothing.
async fn change(call: Call) -> Result<Reply, Problem> {
    let form = "{\"set\": {KEY: TOML as text}, \"unset\": [KEY]}";
    let Change { set, unset } = guard::json(&call, form)?;
    let most = keys().count();
    if set.len() + unset.len() > most {
        let text = format!("set and unset may name {most} keys at most");
        return Err(Problem::new(Code::BadRequest, text));
    }
    let in_force = &call.services.in_force;
    let names: Vec<&String> = set.keys().chain(&unset).collect();
    let target = names.iter().map(|name| name.as_str()).collect::<Vec<_>>();
    let about = entry(&call, "settings.change", target.join(" "))
        .before(&in_force.set_of(names.iter().copied()))
        .after(&json!({"set": set, "unset": unset}));
    let write = || audited(&call, about);
    let changed = in_force.change(set.clone(), &unset, write).await;
    let changed = changed.map_err(not_changed)?;
    let mut told = listed(&call);
    told["changed"] = json!(changed);
    Ok(answer(told))
}

/// `POST /api/v1/admin/reload`
async fn reload(call: Call) -> Result<Reply, Problem> {
    Nothing::of(&call)?;
    write_down(&call, entry(&call, "settings.reload", "configuration")).await?;
    let done = call.services.in_force.reload().await.map_err(not_changed)?;
    let presented = call.services.tls.presented();
    Ok(answer(json!({
        "changed": done.changed, "needs_restart": done.needs_restart,
        "certificate": presented.map(|presented| json!({
            "fingerprint_sha256": presented.fingerprint,
            "not_after": presented.not_after.rfc3339(),
        })),
    })))
}

fn not_changed(why: NotChanged) -> Problem {
    let field = |error: &ConfigError| {
        let place = match &error.place {
            Source::Admin => String::new(),
            place => format!(" ({place})"),
        };
        FieldError {
            field: error.key.clone(),
            rule: format!("{}; {}{place}", error.rule, error.fix),
        }
    };
    match why {
        NotChanged::Wrong(errors) => wrong_fields(errors.iter().map(field).collect()),
        NotChanged::Fixed => Problem::new(Code::Conflict, why.to_string()),
        NotChanged::Store(error) => failed(&error),
    }
}
