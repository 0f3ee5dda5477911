//! What a request brings to say who it is, and the cookie.

use std::time::Duration;

/// The visitor's cookie. `__Host-`: a browser takes it only over TLS, for this host
/// alone and for every path, so that no sibling domain can plant one.
pub const VISITOR_COOKIE: &str = "__Host-emflow_visitor";

/// A credential, unchecked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// `Authorization: Bearer …`: a visitor's token, or the operator's JWT.
    Bearer(&'a str),
    /// `?ticket=…`.
    Ticket(&'a str),
    /// The cookie's value: as a bearer token, and subject to the origin check.
    Cookie(&'a str),
}

/// The kind only: a credential never reaches a log.
impl std::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer(…)",
            Self::Ticket(_) => "Ticket(…)",
            Self::Cookie(_) => "Cookie(…)",
        })
    }
}

impl<'a> Credential<'a> {
    /// The first of bearer, ticket and cookie that is there, from the values of
    /// `Authorization`, the query's `ticket` and `Cookie`. A worse one is not tried when it fails.
    pub fn find(
        authorization: Option<&'a str>,
        ticket: Option<&'a str>,
        cookies: Option<&'a str>,
    ) -> Option<Self> {
        let bearer = authorization.and_then(bearer).map(Self::Bearer);
        bearer
            .or_else(|| ticket.map(Self::Ticket))
            .or_else(|| cookie(cookies?, VISITOR_COOKIE).map(Self::Cookie))
    }
}

/// The token of an `Authorization` header; other schemes are none of ours.
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

/// The first cookie of this name in a `Cookie` header.
pub fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let pairs = header.split(';').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (key.trim(), value.trim()))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The value of `Set-Cookie` that gives a browser the visitor's token; with a lifetime of zero it takes it away.
pub fn set_visitor_cookie(token: &str, lifetime: Duration) -> String {
    let seconds = lifetime.as_secs();
    format!(
        "{VISITOR_COOKIE}={token}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Strict"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_found_counts() {
        let cookies = Some("a=1; __Host-emflow_visitor=c; b=2");
        let check = |authorization, ticket, cookies, expected| {
            assert!(
                Credential::find(authorization, ticket, cookies) == expected,
                "{authorization:?} {ticket:?} {cookies:?}"
            );
        };
        check(
            Some("Bearer b"),
            Some("t"),
            cookies,
            Some(Credential::Bearer("b")),
        );
        check(
            Some("bearer  b "),
            None,
            None,
            Some(Credential::Bearer("b")),
        );
        check(
            Some("Bearer "),
            Some("t"),
            None,
            Some(Credential::Bearer("")),
        );
        check(
            Some("Basic b"),
            Some("t"),
            cookies,
            Some(Credential::Ticket("t")),
        );
        check(
            Some("Bearer"),
            Some(""),
            cookies,
            Some(Credential::Ticket("")),
        );
        check(None, None, cookies, Some(Credential::Cookie("c")));
        check(
            None,
            None,
            Some("emflow_visitor=c; x__Host-emflow_visitor=d"),
            None,
        );
        check(None, None, Some("__host-emflow_visitor=c"), None);
        check(None, None, Some("garbage"), None);
        check(None, None, None, None);
    }

    #[test]
    fn the_cookie_is_bound_to_this_host_and_kept_from_scripts() {
        let cookie = set_visitor_cookie("abc", Duration::from_secs(60));
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert_eq!(pair, "__Host-emflow_visitor=abc");
        for needed in [
            "Secure",
            "HttpOnly",
            "SameSite=Strict",
            "Path=/",
            "Max-Age=60",
        ] {
            assert!(
                attributes.split("; ").any(|a| a == needed),
                "{needed} in {attributes}"
            );
        }
        assert!(!attributes.contains("Domain"));
    }

    #[test]
    fn debug_shows_no_secret() {
        for credential in [
            Credential::Bearer("geheim"),
            Credential::Ticket("geheim"),
            Credential::Cookie("geheim"),
        ] {
            assert!(!format!("{credential:?}").contains("geheim"));
        }
    }
}
