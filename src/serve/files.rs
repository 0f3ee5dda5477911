//! The pages, inside the binary; in debug builds read from the disk.

use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use ring::digest;
use rust_embed::{EmbeddedFile, RustEmbed};
use warp::reply::Response as Reply;

use super::pages::{self, Filling};
use super::{door, packed, reply};
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

/// The stylesheet with the operator's colours; made, not kept.
const BRAND: &str = "css/brand.css";

/// Whether there is a file at `path` (without the leading slash).
pub(super) fn exists(path: &str) -> bool {
    path == BRAND || find(path).is_some()
}

/// The file at `path` (without the leading slash), as the pages look now.
///
/// # Errors
/// 404. The path is looked up among the embedded names: there is no directory to climb out of.
pub(super) fn get(path: &str, asked: &Asked<'_>, filling: &Filling<'_>) -> Result<Reply, Problem> {
    let missing = || Problem::new(Code::NotFound, "no such page; the demo page is at /");
    let (media, bytes) = if path == BRAND {
        (media(path), filling.look.sheet().into_bytes())
    } else {
        let (name, file) = find(path).ok_or_else(missing)?;
        let bytes = file.data.into_owned();
        match (media(&name), String::from_utf8(bytes)) {
            (HTML, Ok(page)) => (HTML, pages::fill(&page, filling, text).into_bytes()),
            (media, Ok(text)) => (media, text.into_bytes()),
            (media, Err(binary)) => (media, binary.into_bytes()),
        }
    };
    // Over what is sent: a page changes with what the administrator fills in.
    let hash = digest::digest(&digest::SHA256, &bytes);
    let hash: String = hash.as_ref()[..16]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let packs = asked.gzip && packed::is_worth_it(media, bytes.len());
    let tag = format!("\"{hash}{}\"", if packs { "-gzip" } else { "" });
    let mut response = if asked.if_none_match == Some(tag.as_str()) {
        reply::body(StatusCode::NOT_MODIFIED, media, Vec::new())
    } else if packs {
        reply::body(StatusCode::OK, media, packed::gzip(&hash, &bytes))
    } else {
        reply::body(StatusCode::OK, media, bytes)
    };
    let headers = response.headers_mut();
    if packs {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // Asked for again each time and mostly answered by 304: an upgrade shows at once.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// What a browser says about its copy, and what it takes.
pub(super) struct Asked<'a> {
    if_none_match: Option<&'a str>,
    gzip: bool,
}

impl<'a> Asked<'a> {
    /// From the headers of its request.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let takes = door::text(headers, &header::ACCEPT_ENCODING).unwrap_or("");
        // "gzip;q=0" is the only way to say no after naming it.
        let gzip = takes.split(',').any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim().eq_ignore_ascii_case("gzip") && !matches!(weight.trim(), "q=0" | "q=0.0")
        });
        Self {
            if_none_match: door::text(headers, &header::IF_NONE_MATCH),
            gzip,
        }
    }
}

/// The text of a file of the pages.
fn text(path: &str) -> Option<String> {
    let file = Static::get(path)?;
    String::from_utf8(file.data.into_owned()).ok()
}

const HTML: &str = "text/html; charset=utf-8";

fn media(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => HTML,
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
