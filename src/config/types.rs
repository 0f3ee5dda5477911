//! The types of settings that mean more than their text: secrets, names, origins, networks, choices.

use std::fmt;
use std::net::IpAddr;

use super::value::{Raw, Value, quoted};

/// The longest secret, in bytes: a PEM key fits, a wrong file does not.
pub const SECRET_MAX: usize = 64 * 1024;

/// A password, code or key. It never shows itself: not in `Debug`, not in `check-config`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret that came from elsewhere.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself; the name makes each use easy to find.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() {
            "Secret()"
        } else {
            "Secret(***)"
        })
    }
}

impl Value for Secret {
    const FORM: &'static str = "a text of at most 64 KiB";
    const SECRET: bool = true;
    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) | Raw::Loose(text) if text.len() <= SECRET_MAX => Some(Self::new(text)),
            _ => None,
        }
    }
    fn exposed(&self) -> Option<String> {
        Some(self.0.clone())
    }
    fn show(&self) -> String {
        // Fixed length: the mask must not tell how long the secret is.
        quoted(if self.is_empty() { "" } else { "********" })
    }
}

/// A host name or an IP address, in lower case, without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(String);

impl Host {
    /// The name as a certificate carries it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks the form: labels of letters, digits and inner hyphens, 253 bytes in all, or an address.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(text).parse::<IpAddr>() {
            return Some(Self(address.to_string()));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let label = |l: &str| {
            (1..=63).contains(&l.len())
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        // A name of digits and dots is a mistyped address, never a host.
        let numeric = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        (name.len() <= 253 && !numeric && name.split('.').all(label)).then_some(Self(name))
    }
}

impl Value for Host {
    const FORM: &'static str = "a host name or an IP address";
    fn read(raw: &Raw) -> Option<Self> {
        Self::parse(&String::read(raw)?)
    }
    fn show(&self) -> String {
        quoted(&self.0)
    }
}

/// An origin of web pages in its canonical form: `https://host[:port]`, the default port left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// The origin as a browser sends it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks and normalises. Only `https`: a page that came in the clear proves nothing about
    /// who wrote it.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let rest = lower.strip_prefix("https://")?;
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse::<u16>().ok()?)),
            _ => (rest, None),
        };
        if host.ends_with('.') || (host.contains(':') && !host.starts_with('[')) {
            return None;
        }
        let name = Host::parse(host)?.0;
        let host = if name.contains(':') {
            format!("[{name}]")
        } else {
            name
        };
        Some(Self(match port {
            None | Some(443) => format!("https://{host}"),
            Some(0) => return None,
            Some(port) => format!("https://{host}:{port}"),
        }))
    }
}

impl Value for WebOrigin {
    const FORM: &'static str =
        "an origin such as \"https://shop.example\" or \"https://shop.example:8443\"";
    fn read(raw: &Raw) -> Option<Self> {
        Self::parse(&String::read(raw)?)
    }
    fn show(&self) -> String {
        quoted(&self.0)
    }
}

/// An IP network in CIDR form; a bare address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether `peer` belongs to it. An IPv4 peer on a dual-stack socket counts as IPv4.
    pub fn contains(&self, peer: IpAddr) -> bool {
        let bits = |ip: IpAddr| match ip {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, true),
            IpAddr::V6(v6) => (v6.to_bits(), false),
        };
        let ((ours, v4), (theirs, peer_v4)) = (bits(self.address), bits(peer.to_canonical()));
        let differing = (ours ^ theirs).leading_zeros();
        v4 == peer_v4 && differing >= u32::from(self.prefix)
    }

    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(widest), |p| p.parse().ok())?;
        (prefix <= widest).then_some(Self { address, prefix })
    }
}

impl Value for Network {
    const FORM: &'static str = "an address or a network such as \"10.0.0.0/8\"";
    fn read(raw: &Raw) -> Option<Self> {
        Self::parse(&String::read(raw)?)
    }
    fn show(&self) -> String {
        quoted(&format!("{}/{}", self.address, self.prefix))
    }
}

/// What is logged: a level, or directives by module, in the form of `tracing`'s `EnvFilter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The directives, known to parse.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for LogFilter {
    const FORM: &'static str = "error, warn, info, debug, trace or off, or directives such as \"info,emflow::store=debug\"";
    fn read(raw: &Raw) -> Option<Self> {
        let text = String::read(raw)?;
        let legal = |directive: &str| {
            let level = directive
                .rsplit_once('=')
                .map_or(directive, |(_, level)| level);
            let known = ["off", "error", "warn", "info", "debug", "trace"];
            known.contains(&level.trim().to_ascii_lowercase().as_str())
        };
        // EnvFilter takes a mistyped level for a module's name and then logs nothing.
        let parses = tracing_subscriber::EnvFilter::try_new(&text).is_ok();
        (parses && text.split(',').all(legal)).then_some(Self(text))
    }
    fn show(&self) -> String {
        quoted(&self.0)
    }
}

macro_rules! choice {
    ($(#[$doc:meta])+ $name:ident, $form:literal { $($(#[$each:meta])+ $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$each])+ $variant,)+ }

        impl Value for $name {
            const FORM: &'static str = $form;
            fn read(raw: &Raw) -> Option<Self> {
                match String::read(raw)?.as_str() {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
            fn show(&self) -> String {
                quoted(match self { $(Self::$variant => $text,)+ })
            }
        }
    };
}

choice! {
    /// Who may be a visitor.
    Visitors, "\"open\", \"access_code\" or \"jwt\"" {
        /// Anyone may have an id.
        Open = "open",
        /// Who knows the code.
        AccessCode = "access_code",
        /// Who brings a token of the operator's platform.
        Jwt = "jwt",
    }
}

choice! {
    /// How a visitor's JWT is signed.
    JwtAlgorithm, "\"HS256\", \"RS256\" or \"EdDSA\"" {
        /// HMAC with SHA-256, a shared secret.
        Hs256 = "HS256",
        /// RSA PKCS#1 v1.5 with SHA-256, a public key in PEM.
        Rs256 = "RS256",
        /// Ed25519, a public key in PEM.
        EdDsa = "EdDSA",
    }
}

choice! {
    /// How log lines look.
    LogFormat, "\"auto\", \"human\" or \"json\"" {
        /// Human on a terminal, JSON otherwise.
        Auto = "auto",
        /// Text for people.
        Human = "human",
        /// One JSON object a line.
        Json = "json",
    }
}
