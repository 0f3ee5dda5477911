//! Rules between keys. Each key by itself is checked by its type and range.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Config, ConfigError, Loaded, Visitors};

/// One rule: where it holds, the key to change, what must hold and how to get there.
type Rule = (
    fn(&Config) -> bool,
    &'static str,
    &'static str,
    &'static str,
);

const RULES: &[Rule] = &[
    (
        |c| c.tls.certificate.is_some() || c.tls.key.is_none(),
        "tls.key",
        "must not stand without tls.certificate",
        "set both, or none for a generated certificate",
    ),
    (
        |c| c.tls.key.is_some() || c.tls.certificate.is_none(),
        "tls.certificate",
        "must not stand without tls.key",
        "set both, or none for a generated certificate",
    ),
    (
        |c| !c.tls.plain_behind_proxy || c.server.listen.ip().is_loopback(),
        "tls.plain_behind_proxy",
        "needs a loopback address as server.listen: without TLS nothing may cross a network",
        "set server.listen = \"127.0.0.1:8443\", or take tls.plain_behind_proxy out",
    ),
    (
        |c| !c.tls.plain_behind_proxy || proxy_is_trusted(c),
        "tls.plain_behind_proxy",
        "needs the proxy in limits.trusted_proxies: else all visitors share the limits of one address",
        "set limits.trusted_proxies = [\"127.0.0.1\"], or take tls.plain_behind_proxy out",
    ),
    (
        |c| !c.tls.plain_behind_proxy || c.tls.certificate.is_none(),
        "tls.plain_behind_proxy",
        "must not stand beside tls.certificate, which would not be used",
        "keep one of the two; the certificate that browsers see is the proxy's",
    ),
    (
        |c| c.auth.visitors != Visitors::AccessCode || !c.auth.access_code.is_empty(),
        "auth.visitors",
        "\"access_code\" needs a code",
        "set auth.access_code, or auth.access_code_file",
    ),
    (
        |c| {
            let keys = [!c.auth.jwt_key.is_empty(), c.auth.jwks_file.is_some()];
            c.auth.visitors != Visitors::Jwt || keys.contains(&true)
        },
        "auth.visitors",
        "\"jwt\" needs a key",
        "set auth.jwt_key_file or auth.jwks_file",
    ),
    (
        |c| c.auth.jwt_key.is_empty() || c.auth.jwks_file.is_none(),
        "auth.jwt_key",
        "must not stand beside auth.jwks_file",
        "keep one of the two",
    ),
    (
        // RFC 7518, 3.2: a key of at least the size of the hash.
        |c| {
            let hmac = c.auth.jwt_algorithm == super::JwtAlgorithm::Hs256;
            c.auth.jwt_key.is_empty() || !hmac || c.auth.jwt_key.expose().len() >= 32
        },
        "auth.jwt_key",
        "must have 32 bytes or more for HS256",
        "take a longer key, for example from `openssl rand -base64 48`",
    ),
    (
        |c| {
            let password = c.admin.password.expose();
            password.is_empty() || (password.chars().count() >= 12 && password.len() <= 1024)
        },
        "admin.password",
        "must have 12 characters or more, and 1024 bytes at most",
        "take a longer one, or leave it out and run `emflow admin set-password`",
    ),
    (
        |c| c.admin.session_idle <= c.admin.session_lifetime,
        "admin.session_idle",
        "must not exceed admin.session_lifetime",
        "lower the one or raise the other",
    ),
    (
        |c| c.connections.heartbeat_interval < c.connections.idle_timeout,
        "connections.heartbeat_interval",
        "must be shorter than connections.idle_timeout",
        "take a third of it, so that two lost pings do not close a socket",
    ),
    (
        |c| c.agents.max_processing <= c.sessions.max_concurrent,
        "agents.max_processing",
        "must not exceed sessions.max_concurrent",
        "lower the one or raise the other",
    ),
    (
        |c| c.sessions.max_per_visitor <= c.sessions.max_concurrent,
        "sessions.max_per_visitor",
        "must not exceed sessions.max_concurrent",
        "lower the one or raise the other",
    ),
    (
        |c| c.connections.per_user <= c.limits.max_connections,
        "connections.per_user",
        "must not exceed limits.max_connections",
        "lower the one or raise the other",
    ),
    (
        |c| c.limits.connections_per_address <= c.limits.max_connections,
        "limits.connections_per_address",
        "must not exceed limits.max_connections",
        "lower the one or raise the other",
    ),
    (
        |c| c.store.segment_size.0.is_power_of_two(),
        "store.segment_size",
        "must be a power of two",
        "take \"4MiB\", \"8MiB\" or \"16MiB\"",
    ),
    (
        |c| c.delivery.window <= c.delivery.max_pending_per_user,
        "delivery.window",
        "must not exceed delivery.max_pending_per_user",
        "lower the one or raise the other",
    ),
    (
        |c| {
            let url = c.alerts.webhook_url.expose();
            url.is_empty() || is_webhook(url, c.alerts.webhook_plain)
        },
        "alerts.webhook_url",
        "must be https://HOST[:PORT]/PATH without a user or a fragment",
        "correct it; for a receiver without TLS set alerts.webhook_plain = true",
    ),
];

/// Whoever comes to a loopback address of this machine comes from the first one.
fn proxy_is_trusted(config: &Config) -> bool {
    let own: IpAddr = match config.server.listen {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let mut proxies = config.limits.trusted_proxies.iter();
    proxies.any(|network| network.contains(own))
}

fn is_webhook(url: &str, plain: bool) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let scheme = uri.scheme_str();
    let host = uri.authority().is_some_and(|a| {
        !a.host().is_empty() && !a.as_str().contains('@') && a.port().is_none_or(|p| p.as_u16() > 0)
    });
    host && !url.contains('#') && (scheme == Some("https") || (plain && scheme == Some("http")))
}

/// Every rule that does not hold.
pub(super) fn broken(loaded: &Loaded) -> Vec<ConfigError> {
    let fails = |rule: &&Rule| !(rule.0)(&loaded.config);
    let between = RULES
        .iter()
        .filter(fails)
        .map(|(_, key, rule, fix)| ConfigError {
            place: loaded.source(key),
            key: (*key).to_owned(),
            rule: (*rule).to_owned(),
            fix: (*fix).to_owned(),
        });
    between.chain(super::branding::broken(loaded)).collect()
}
