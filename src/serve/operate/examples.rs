//! The gallery, as its editor reads and writes it.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::{Nothing, audited, entry, failed, query, wrong_fields};
use crate::clock;
use crate::examples::shelf::{Edited, STORED};
use crate::examples::{Fault, Gallery, MAX};
use crate::protocol::problem::{Code, FieldError, Problem};
use crate::serve::door::text;
use crate::serve::routes::{Call, Route, Who, at_once};
use crate::serve::{guard, reply};
use crate::store::commit;

/// The largest gallery, in bytes: every example at its longest, in characters of four bytes.
const BODY: usize = 1 << 20;

/// These.
pub(in crate::serve) const ROUTES: [Route; 5] = [
    Route::get("/api/v1/admin/examples", Who::Read, |call| {
        at_once(Ok(answer(&call)))
    }),
    Route::put("/api/v1/admin/examples", Who::Operate, |call| {
        Box::pin(async move { put(call).await })
    })
    .with_body(BODY),
    Route::post("/api/v1/admin/examples/check", Who::Read, |call| {
        at_once(check(&call))
    })
    .with_body(BODY),
    Route::post("/api/v1/admin/examples/reset", Who::Operate, |call| {
        Box::pin(async move { reset(call).await })
    }),
    Route::get("/api/v1/admin/examples/export", Who::Read, |call| {
        at_once(export(&call))
    }),
];

fn answer(call: &Call) -> Reply {
    let shown = call.services.demo.gallery.now();
    let source = match (&shown.edited, &shown.file) {
        (Some(_), _) => "admin",
        (None, Some(_)) => "file",
        (None, None) => "built-in",
    };
    let changed = shown.edited.as_ref().map(|(_, at)| at.rfc3339());
    let told = json!({
        "items": shown.gallery().examples(), "next": null, "source": source, "file": shown.file,
        "changed_at": changed, "max": MAX,
    });
    reply::json(StatusCode::OK, &told)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Items {
    #[serde(alias = "example")]
    items: Vec<Value>,
}

/// The gallery of the body: JSON, or TOML as a file has it.
fn sent(call: &Call) -> Result<Gallery, Problem> {
    let media = text(&call.headers, &CONTENT_TYPE).unwrap_or("");
    let media = media.split(';').next().unwrap_or("").trim();
    let Items { items } = if media.eq_ignore_ascii_case("application/toml") {
        let wrong =
            |why: String| Problem::new(Code::BadRequest, format!("the body is no gallery: {why}"));
        let text = std::str::from_utf8(&call.body).map_err(|e| wrong(e.to_string()))?;
        toml::from_str(text).map_err(|e| wrong(e.message().to_owned()))?
    } else {
        guard::json(call, "{\"items\": [example]}, or TOML with [[example]]")?
    };
    let field = |fault: &Fault| FieldError {
        field: match &fault.at {
            Some((at, _)) if fault.field.is_empty() => format!("items[{at}]"),
            Some((at, _)) => format!("items[{at}].{}", fault.field),
            None => "items".to_owned(),
        },
        rule: fault.rule.clone(),
    };
    Gallery::read(&items).map_err(|faults| wrong_fields(faults.iter().map(field).collect()))
}

/// `PUT /api/v1/admin/examples`
async fn put(call: Call) -> Result<Reply, Problem> {
    let gallery = sent(&call)?;
    store(&call, "examples.change", Some(gallery)).await
}

/// `POST /api/v1/admin/examples/check`: the same checks; nothing is kept.
fn check(call: &Call) -> Result<Reply, Problem> {
    sent(call)?;
    Ok(reply::json(
        StatusCode::OK,
        &json!({"valid": true, "errors": []}),
    ))
}

/// `POST /api/v1/admin/examples/reset`
async fn reset(call: Call) -> Result<Reply, Problem> {
    Nothing::of(&call)?;
    store(&call, "examples.reset", None).await
}

/// Durable with its entry in the log, then shown.
async fn store(
    call: &Call,
    action: &'static str,
    gallery: Option<Gallery>,
) -> Result<Reply, Problem> {
    let now = clock::wall();
    let shelf = &call.services.demo.gallery;
    let ids = |gallery: &Gallery| -> Vec<String> {
        gallery.examples().iter().map(|e| e.id.clone()).collect()
    };
    let mut about = entry(call, action, "examples").before(&ids(shelf.now().gallery()));
    if let Some(gallery) = &gallery {
        about = about.after(&ids(gallery));
    }
    let stored = gallery.as_ref().map(|gallery| Edited::new(gallery, now));
    let mut ops = audited(call, about);
    ops.push(commit::setting(STORED, &stored));
    let committed = call.services.committer.commit(ops).await;
    committed.map_err(|e| failed(&e))?;
    shelf.change(|shown| shown.edited = gallery.map(|gallery| (gallery, now)));
    Ok(answer(call))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    format: Format,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Toml,
    Json,
}

/// `GET /api/v1/admin/examples/export?format=`
fn export(call: &Call) -> Result<Reply, Problem> {
    let wanted: Wanted = query(call, "format: toml or json")?;
    let shown = call.services.demo.gallery.now();
    let gallery = shown.gallery();
    Ok(match wanted.format {
        Format::Toml => {
            let text = gallery.toml().into_bytes();
            reply::attachment("application/toml", "examples.toml", text)
        }
        Format::Json => {
            let text = format!("{:#}\n", json!({"items": gallery.examples()}));
            reply::attachment("application/json", "examples.json", text.into_bytes())
        }
    })
}
