//! Tells a receiver of the operator's about alerts.
//!
//! The one call that the appliance makes by itself, and only where an address is configured. Each
//! post has a time limit; one that was not taken is tried again, four times at most, then it is
//! given up and told. Redirects are not followed: the receiver is the one that was configured.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Request, Uri};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use ring::hmac;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::clock::{self, Wall};
use crate::intake::random_u128;
use crate::machine::backoff::{Backoff, Policy};
use crate::meter::{Draft, EventKind, Meters};
use crate::observe::{Observer, Told};
use crate::shutdown::{Drain, Phase};

/// How long one post may take, from the look-up of the name to the answer's head.
const LIMIT: Duration = Duration::from_secs(10);
/// Where the signature stands.
const SIGNATURE: &str = "x-emflow-signature";

/// What came of a post.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// When.
    pub at: Wall,
    /// The answer's status; none where there was no answer.
    pub status: Option<u16>,
    /// How long it took.
    pub took: Duration,
    /// Why it was not taken; empty where it was.
    pub message: String,
}

impl Outcome {
    /// Whether the receiver took it.
    pub fn ok(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

/// A handle; cloned freely.
#[derive(Clone)]
pub struct Webhook(Arc<Shared>);

struct Shared {
    target: Option<Target>,
    meters: Meters,
    last: Mutex<Option<Outcome>>,
}

struct Target {
    uri: Uri,
    host: String,
    port: u16,
    tls: Option<TlsConnector>,
    key: Option<hmac::Key>,
}

/// Why there can be no webhook.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Not an address that can be posted to.
    #[error("alerts.webhook_url is no address that can be posted to")]
    Address,
    /// No receiver could be believed.
    #[error(
        "alerts.webhook_url: this system trusts no certificate authority; install ca-certificates"
    )]
    NoRoots,
    /// The TLS library.
    #[error("alerts.webhook_url: {0}")]
    Tls(#[from] rustls::Error),
}

impl Webhook {
    /// Posts to `url`, signed where there is a `secret`; nothing where `url` is empty.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub fn new(url: &str, secret: &str, meters: Meters) -> Result<Self, WebhookError> {
        let target = (!url.is_empty()).then(|| Target::new(url, secret));
        Ok(Self(Arc::new(Shared {
            target: target.transpose()?,
            meters,
            last: Mutex::default(),
        })))
    }

    /// Whether there is a receiver.
    pub fn enabled(&self) -> bool {
        self.0.target.is_some()
    }

    /// The receiver without what may be secret in its address.
    pub fn shown(&self) -> Option<String> {
        let target = self.0.target.as_ref()?;
        let scheme = target.uri.scheme_str().unwrap_or("https");
        Some(format!("{scheme}://{}/…", target.uri.authority()?))
    }

    /// What came of the last post.
    pub fn last(&self) -> Option<Outcome> {
        let last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }

    /// Sends the changes on, one after the other, until the process goes.
    pub async fn run(self, observer: Observer, drain: Drain) {
        let Some(mut changes) = observer.alert_changes() else {
            return;
        };
        loop {
            let told = tokio::select! {
                told = changes.recv() => told,
                () = drain.reached(Phase::Draining) => return,
            };
            let Some(told) = told else { return };
            if self.enabled() {
                tokio::select! {
                    () = self.deliver(&told) => {}
                    () = drain.reached(Phase::Closing) => return,
                }
            }
        }
    }

    async fn deliver(&self, told: &Told) {
        let mut tries = Backoff::new(Policy {
            max_tries: 4,
            ..Policy::default()
        });
        loop {
            let Some(outcome) = self.post(told.event, &told.alert).await else {
                return;
            };
            if outcome.ok() {
                return;
            }
            let random = (random_u128() >> 64) as u64;
            let Some(pause) = tries.next(random) else {
                tracing::warn!(why = outcome.message, "an alert could not be posted");
                let text = format!("given up after five posts: {}", outcome.message);
                let event = Draft::new(EventKind::WebhookFailed, text);
                return self.0.meters.feed.tell(event, clock::wall());
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// One post; none where there is no receiver.
    pub async fn post(&self, event: &str, alert: &Value) -> Option<Outcome> {
        let target = self.0.target.as_ref()?;
        let (started, at) = (clock::now(), clock::wall());
        let body = json!({
            "event": event, "at": at.rfc3339(), "version": env!("CARGO_PKG_VERSION"), "alert": alert,
        });
        let posted = tokio::time::timeout(LIMIT, target.post(body.to_string(), at)).await;
        let (status, message) = match posted {
            Ok(Ok(status @ 200..300)) => (Some(status), String::new()),
            Ok(Ok(status)) => (Some(status), format!("the receiver answered {status}")),
            Ok(Err(why)) => (None, why),
            Err(_) => (None, format!("no answer within {} s", LIMIT.as_secs())),
        };
        let outcome = Outcome {
            at,
            status,
            took: clock::now().duration_since(started),
            message,
        };
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(outcome.clone());
        Some(outcome)
    }
}

impl Target {
    fn new(url: &str, secret: &str) -> Result<Self, WebhookError> {
        let uri: Uri = url.parse().map_err(|_| WebhookError::Address)?;
        let host = uri.host().ok_or(WebhookError::Address)?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let plain = uri.scheme_str() == Some("http");
        Ok(Self {
            host,
            port: uri.port_u16().unwrap_or(if plain { 80 } else { 443 }),
            tls: if plain { None } else { Some(connector()?) },
            key: (!secret.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())),
            uri,
        })
    }

    async fn post(&self, body: String, at: Wall) -> Result<u16, String> {
        let request = self.request(body, at).map_err(|error| error.to_string())?;
        let dialled = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = dialled.map_err(|error| format!("not reachable: {error}"))?;
        let Some(tls) = &self.tls else {
            return exchange(stream, request).await;
        };
        let name = ServerName::try_from(self.host.clone()).map_err(|error| error.to_string())?;
        let secured = tls.connect(name, stream).await;
        let stream = secured.map_err(|error| format!("TLS: {error}"))?;
        exchange(stream, request).await
    }

    fn request(&self, body: String, at: Wall) -> Result<Request<Full<Bytes>>, http::Error> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = self
            .uri
            .authority()
            .map_or("", |authority| authority.as_str());
        let mut request = Request::post(path)
            .header(header::HOST, authority)
            .header(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            )
            .header(
                header::USER_AGENT,
                concat!("emflow/", env!("CARGO_PKG_VERSION")),
            );
        if let Some(key) = &self.key {
            request = request.header(SIGNATURE, signature(key, at.0 / 1000, &body));
        }
        request.body(Full::new(body.into()))
    }
}

/// The time is signed too, so that a receiver can refuse what somebody recorded and repeats.
fn signature(key: &hmac::Key, seconds: u64, body: &str) -> String {
    let tag = hmac::sign(key, format!("{seconds}.{body}").as_bytes());
    let hex: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={seconds},v1={hex}")
}

/// The roots are those of the operator's system.
fn connector() -> Result<TlsConnector, WebhookError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(WebhookError::NoRoots);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The status is all that counts; the connection ends with it, and the answer's body unread.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<u16, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|error| error.to_string())?;
    let mut answer = std::pin::pin!(sender.send_request(request));
    let (answer, ended) = tokio::select! {
        answer = &mut answer => (answer, Ok(())),
        // A receiver that closes at once ends the connection with its answer in hand.
        ended = connection => (answer.await, ended),
    };
    match (answer, ended) {
        (Ok(answer), _) => Ok(answer.status().as_u16()),
        (Err(_), Err(error)) => Err(error.to_string()),
        (Err(error), Ok(())) if error.is_canceled() || error.is_closed() => {
            Err("the receiver closed without an answer".to_owned())
        }
        (Err(error), Ok(())) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_the_standard_tools() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        assert_eq!(
            signature(&key, 1_700_000_000, "{\"a\":1}"),
            "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
        );
    }

    #[test]
    fn what_may_be_secret_in_an_address_is_not_shown() {
        let webhook = Webhook::new(
            "http://hooks.example:81/T/secret?k=1",
            "",
            Meters::default(),
        );
        let webhook = webhook.unwrap();
        assert_eq!(
            webhook.shown().as_deref(),
            Some("http://hooks.example:81/…")
        );
        let none = Webhook::new("", "", Meters::default()).unwrap();
        assert!(!none.enabled() && none.shown().is_none());
    }
}
