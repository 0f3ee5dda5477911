//! How the demo page looks: shown to everybody, changed by the administrator.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{self, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use warp::reply::Response as Reply;

use super::{Nothing, audited, entry, failed, wrong_fields};
use crate::appearance::{
    Action, Appearance, Colour, Colours, Edited, LEAST_CONTRAST, LOGO_MAX, Logo, Media, STORED,
};
use crate::clock;
use crate::protocol::problem::{Code, FieldError, Problem};
use crate::serve::routes::{Call, Route, Who, at_once};
use crate::serve::{guard, reply};
use crate::store::commit;

/// A logo at its largest in base64, and the rest.
const BODY: usize = LOGO_MAX / 3 * 4 + 16 * 1024;
/// The address of the logo.
pub(in crate::serve) const LOGO: &str = "/api/v1/appearance/logo";
/// For whoever opens the picture's own address: nothing in it may act.
const INERT: &str = "default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'";

/// These.
pub(in crate::serve) const ROUTES: [Route; 5] = [
    Route::get("/api/v1/appearance", Who::Anyone, |call| {
        at_once(Ok(public(&call)))
    }),
    Route::get("/api/v1/appearance/logo", Who::Anyone, |call| {
        at_once(logo(&call))
    }),
    Route::get("/api/v1/admin/appearance", Who::Read, |call| {
        at_once(Ok(answer(&call)))
    }),
    Route::put("/api/v1/admin/appearance", Who::Operate, |call| {
        Box::pin(async move { put(call).await })
    })
    .with_body(BODY),
    Route::post("/api/v1/admin/appearance/reset", Who::Operate, |call| {
        Box::pin(async move { reset(call).await })
    }),
];

/// `GET /api/v1/appearance`
fn public(call: &Call) -> Reply {
    let (shown, _) = call.services.demo.look.now();
    let told = json!({
        "title": shown.title, "logo": shown.logo.as_ref().map(|_| LOGO),
        "colours": colours(&shown.colours), "call_to_action": action(&shown),
    });
    reply::json(StatusCode::OK, &told)
}

/// `GET /api/v1/appearance/logo`
fn logo(call: &Call) -> Result<Reply, Problem> {
    let (shown, _) = call.services.demo.look.now();
    let missing = || Problem::new(Code::NotFound, "no logo is set");
    let logo = shown.logo.ok_or_else(missing)?;
    let mut response = reply::body(StatusCode::OK, logo.media.as_str(), logo.bytes);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(INERT),
    );
    Ok(response)
}

fn colours(colours: &Colours) -> Value {
    json!({
        "accent": colours.accent.to_string(), "accent_dark": colours.accent_dark.to_string(),
    })
}

fn action(shown: &Appearance) -> Value {
    let action = shown.action.as_ref();
    action.map_or(
        Value::Null,
        |action| json!({"text": action.text, "url": action.url}),
    )
}

fn described(shown: &Appearance) -> Value {
    json!({
        "title": shown.title, "colours": colours(&shown.colours), "call_to_action": action(shown),
        "logo": shown.logo.as_ref().map(|logo| json!({
            "media_type": logo.media.as_str(), "bytes": logo.bytes.len(), "url": LOGO,
        })),
    })
}

/// `GET /api/v1/admin/appearance`
fn answer(call: &Call) -> Reply {
    let look = &call.services.demo.look;
    let (shown, changed) = look.now();
    let source = match changed {
        Some(_) => "admin",
        None if look.is_configured() => "config",
        None => "default",
    };
    let [light, dark] = shown.colours.contrast();
    let rounded = |ratio: f64| (ratio * 100.0).floor() / 100.0;
    let mut told = described(&shown);
    told["source"] = json!(source);
    told["changed_at"] = json!(changed.map(|at| at.rfc3339()));
    told["contrast"] = json!({
        "accent_on_light": rounded(light), "accent_on_dark": rounded(dark), "least": LEAST_CONTRAST,
    });
    reply::json(StatusCode::OK, &told)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    title: String,
    logo: Option<Picture>,
    colours: Option<WantedColours>,
    call_to_action: Option<WantedAction>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Picture {
    /// "keep": the one that is there.
    Word(String),
    New(NewPicture),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPicture {
    media_type: String,
    data_base64: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedColours {
    accent: String,
    accent_dark: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedAction {
    text: String,
    url: String,
}

/// What was sent, every rule checked.
fn read(wanted: Wanted, now: &Appearance) -> Result<Appearance, Problem> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, rule: String| {
        errors.push(FieldError {
            field: field.to_owned(),
            rule,
        });
    };
    let mut colour = |field: &str, text: &str, other: Colour| {
        Colour::parse(text).unwrap_or_else(|| {
            wrong(field, "must be # and six hexadecimal digits".to_owned());
            other
        })
    };
    let plain = Appearance::default().colours;
    let colours = wanted.colours.map_or(plain, |sent| Colours {
        accent: colour("colours.accent", &sent.accent, plain.accent),
        accent_dark: colour("colours.accent_dark", &sent.accent_dark, plain.accent_dark),
    });
    let logo = match wanted.logo {
        None => None,
        Some(Picture::Word(word)) if word == "keep" => now.logo.clone(),
        Some(Picture::Word(_)) => {
            wrong("logo", "must be null, \"keep\" or a picture".to_owned());
            None
        }
        Some(Picture::New(sent)) => {
            let bytes = STANDARD.decode(&sent.data_base64);
            match (Media::parse(&sent.media_type), bytes) {
                (Some(media), Ok(bytes)) => Some(Logo { media, bytes }),
                (None, _) => {
                    wrong(
                        "logo.media_type",
                        "must be image/png or image/svg+xml".to_owned(),
                    );
                    None
                }
                (_, Err(_)) => {
                    wrong("logo.data_base64", "must be base64".to_owned());
                    None
                }
            }
        }
    };
    let appearance = Appearance {
        title: wanted.title.trim().to_owned(),
        logo,
        colours,
        action: wanted.call_to_action.map(|sent| Action {
            text: sent.text.trim().to_owned(),
            url: sent.url.trim().to_owned(),
        }),
    };
    for (field, rule) in appearance.faults() {
        wrong(field, rule);
    }
    if errors.is_empty() {
        Ok(appearance)
    } else {
        Err(wrong_fields(errors))
    }
}

/// `PUT /api/v1/admin/appearance`
async fn put(call: Call) -> Result<Reply, Problem> {
    let form = "{\"title\", \"logo\", \"colours\", \"call_to_action\"}";
    let wanted: Wanted = guard::json(&call, form)?;
    let appearance = read(wanted, &call.services.demo.look.now().0)?;
    store(&call, "appearance.change", Some(appearance)).await
}

/// `POST /api/v1/admin/appearance/reset`
async fn reset(call: Call) -> Result<Reply, Problem> {
    Nothing::of(&call)?;
    store(&call, "appearance.reset", None).await
}

/// Durable with its entry in the log, then shown.
async fn store(
    call: &Call,
    what: &'static str,
    appearance: Option<Appearance>,
) -> Result<Reply, Problem> {
    let look = &call.services.demo.look;
    let mut about = entry(call, what, "appearance").before(&described(&look.now().0));
    if let Some(appearance) = &appearance {
        about = about.after(&described(appearance));
    }
    let edited = appearance.map(|appearance| Edited {
        appearance,
        changed: clock::wall(),
    });
    let mut ops = audited(call, about);
    ops.push(commit::setting(STORED, &edited));
    let committed = call.services.committer.commit(ops).await;
    committed.map_err(|e| failed(&e))?;
    look.show(edited);
    Ok(answer(call))
}
