//! Whether a request begins and ends where everybody thinks it does.
//!
//! A proxy before us that reads a request's end elsewhere than we do would let one visitor
//! slip a request into another's connection. What is ambiguous is refused, and whatever is
//! answered to a request without a plain length is the connection's last answer.

use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Request, Version};
use hyper::body::Body;

use crate::protocol::problem::{Code, Problem};

/// Methods that are known; the routes say which are allowed where.
const KNOWN: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

/// Refuses what is not plainly one request for us.
///
/// # Errors
/// 400, 413 or 501.
pub(super) fn check<B: Body>(request: &Request<B>, max_body: usize) -> Result<(), Problem> {
    let bad = |text: &str| Err(Problem::new(Code::BadRequest, text));
    let headers = request.headers();
    let count = |name: &HeaderName| headers.get_all(name).iter().count();
    match count(&header::HOST) {
        1 => {}
        0 if request.version() < Version::HTTP_11 => {}
        _ => return bad("a request has one Host header"),
    }
    let lengths = count(&header::CONTENT_LENGTH);
    if lengths > 1 || (lengths > 0 && !has_plain_length(headers)) {
        return bad("a body has one length: one Content-Length, or Transfer-Encoding, not both");
    }
    let coding = headers.get_all(header::TRANSFER_ENCODING);
    let chunked = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    if coding.iter().count() > 1 || !coding.iter().all(chunked) {
        return bad("the only transfer encoding that is understood is `chunked`, once");
    }
    if !KNOWN.contains(request.method()) {
        let text = "this method is not known";
        return Err(Problem::new(Code::NotImplemented, text));
    }
    // Said at once, not after the client has sent all of it.
    if request.body().size_hint().lower() > max_body as u64 {
        return Err(too_large(max_body));
    }
    Ok(())
}

/// False where the connection must not go on after the answer: hyper lets a length go by that
/// stands behind a transfer encoding.
pub(super) fn has_plain_length(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::TRANSFER_ENCODING)
}

/// 413.
pub(super) fn too_large(max_body: usize) -> Problem {
    let text = format!("a body may have at most {max_body} bytes");
    Problem::new(Code::PayloadTooLarge, text)
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;
    use hyper::body::Bytes;

    use super::*;

    #[test]
    fn what_is_ambiguous_is_refused() {
        let check = |text: &str, status: u16| {
            let mut lines = text.split('|');
            let mut request = Request::builder().method(lines.next().unwrap());
            for line in lines {
                let (name, value) = line.split_once('=').unwrap();
                request = request.header(name, value);
            }
            let request = request.body(Full::new(Bytes::from_static(b"{}"))).unwrap();
            let got = check(&request, 2).map_or_else(|p| p.code.status(), |()| 200);
            assert_eq!(got, status, "{text}");
        };
        check("GET|host=a", 200);
        check("POST|host=a|content-length=2", 200);
        check("POST|host=a|transfer-encoding=Chunked", 200);
        check("GET", 400);
        check("GET|host=a|host=a", 400);
        check("POST|host=a|content-length=2|content-length=2", 400);
        check(
            "POST|host=a|content-length=2|transfer-encoding=chunked",
            400,
        );
        check("POST|host=a|transfer-encoding=chunked, chunked", 400);
        check("POST|host=a|transfer-encoding=gzip", 400);
        check(
            "POST|host=a|transfer-encoding=chunked|transfer-encoding=chunked",
            400,
        );
        check("TRACE|host=a", 200);
        check("BREW|host=a", 501);
    }

    #[test]
    fn a_body_that_is_announced_too_large_is_refused_at_once() {
        let request = Request::builder().header("host", "a");
        let request = request.body(Full::new(Bytes::from_static(b"{} "))).unwrap();
        let refused = check(&request, 2).unwrap_err();
        assert_eq!(refused.code.status(), 413);
    }
}
