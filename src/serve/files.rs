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

/// The file at `path` with its name. A page's address needs no ending: `verify` is `verify.html`,
/// and a folder, with or without the slash at its end, is its `index.html`. Pages name what they
/// load from the root, so that it is the same from each address.
fn find(path: &str) -> Option<(String, EmbeddedFile)> {
    // A debug build reads the disk, which knows more ways to a file than its name.
    if ["..", "//", "\\"].iter().any(|way| path.contains(way)) {
        return None;
    }
    let folder = path.strip_suffix('/').unwrap_or(path);
    let index = format!("{folder}/index.html");
    let names = [
        path.to_owned(),
        format!("{path}.html"),
        index.trim_start_matches('/').to_owned(),
    ];
    names
        .into_iter()
        .find_map(|name| Static::get(&name).map(|file| (name, file)))
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
    let (name, file) = find(path).ok_or_else(missing)?;
    let media = media(&name);
    let hash: String = file
        .metadata
        .sha256_hash()
        .iter()
        .take(16)
        .map(|b| format!("{b:02x}"))
        .collect();
    let tag = format!("\"{hash}\"");
    let mut response = if if_none_match == Some(tag.as_str()) {
        reply::body(StatusCode::NOT_MODIFIED, media, Vec::new())
    } else {
        reply::body(StatusCode::OK, media, file.data.into_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_index_and_nothing_lies_outside() {
        let name = |path| find(path).map(|(name, _)| name);
        for (path, expected) in [
            ("", Some("index.html")),
            ("index.html", Some("index.html")),
            ("admin", Some("admin/index.html")),
            ("admin/", Some("admin/index.html")),
            ("admin/index.html", Some("admin/index.html")),
            ("verify", Some("verify.html")),
            ("css/base.css", Some("css/base.css")),
            ("css", None),
            ("admin//", None),
            ("admin/none", None),
            ("../Cargo.toml", None),
            ("admin/../index.html", None),
            ("admin\\index.html", None),
        ] {
            assert_eq!(name(path).as_deref(), expected, "{path}");
        }
    }
}
