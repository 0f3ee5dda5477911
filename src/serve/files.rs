//! The pages, inside the binary; in debug builds read from the disk.

use http::StatusCode;
use http::header::{self, HeaderValue};
use rust_embed::{EmbeddedFile, RustEmbed};
use warp::reply::Response as Reply;

use super::reply;
use crate::protocol::problem::{Code, Problem};

#[derive(RustEmbed)]
#[folder = "static/"]
struct Static;

/// The file behind an address: a page's address has no ending.
fn name(path: &str) -> &str {
    match path {
        "" => "index.html",
        "verify" => "verify.html",
        "follow" => "follow.html",
        "present" => "present.html",
        other => other,
    }
}

fn find(path: &str) -> Option<EmbeddedFile> {
    let path = name(path);
    // A debug build reads the disk.
    let inside = !path.contains("..") && !path.contains('\\');
    inside.then(|| Static::get(path)).flatten()
}

/// Whether there is a file at `path` (without the leading slash).
pub(super) fn exists(path: &str) -> bool {
    find(path).is_some()
}

/// The file at `path` (without the leading slash).
///
/// # Errors
/// 404. The path is looked up among the embedded names: there is no directory to climb out of.
pub(super) fn get(path: &str, if_none_match: Option<&str>) -> Result<Reply, Problem> {
    let missing = || Problem::new(Code::NotFound, "no such page; the demo page is at /");
    let file = find(path).ok_or_else(missing)?;
    let path = name(path);
    let hash: String = file
        .metadata
        .sha256_hash()
        .iter()
        .take(16)
        .map(|b| format!("{b:02x}"))
        .collect();
    let tag = format!("\"{hash}\"");
    let mut response = if if_none_match == Some(tag.as_str()) {
        reply::body(StatusCode::NOT_MODIFIED, media(path), Vec::new())
    } else {
        reply::body(StatusCode::OK, media(path), file.data.into_owned())
    };
    let headers = response.headers_mut();
    // Asked for again each time and mostly answered by 304: an upgrade shows at once.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

fn media(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
