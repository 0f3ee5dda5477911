//! A client of the wire for the command line: TLS, a visitor, a socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use http::response::Parts;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::protocol::SUBPROTOCOL;

/// How long a connection, a handshake or an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer over HTTP, in bytes.
const MAX_BODY: usize = 1024 * 1024;
/// The authority of an appliance started here, and of an installed one.
const LOCAL_AUTHORITIES: [&str; 2] = [
    "emflow-data/tls/authority.pem",
    "/var/lib/emflow/tls/authority.pem",
];
/// The system's authorities, where they usually stand.
const SYSTEM_AUTHORITIES: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be read.
    #[error("`{0}` is no address of an appliance; it looks like https://localhost:8443")]
    Url(String),
    /// The authority cannot be read.
    #[error("could not read the authority {0}: {1}")]
    Authority(PathBuf, String),
    /// No server, or no TLS with it.
    #[error("could not connect to {0}: {1}")]
    Connect(String, String),
    /// It answered no.
    #[error("the server refused: {0}")]
    Refused(String),
}

/// Where, and whom to trust.
#[derive(Clone)]
pub struct Server {
    host: String,
    port: u16,
    /// Where it is dialled, where that is not to be looked up by its name.
    at: Option<SocketAddr>,
    tls: TlsConnector,
}

/// A visitor and its socket.
pub struct Connection {
    /// Who we are.
    pub user_id: String,
    /// The credential.
    pub token: String,
    socket: WebSocketStream<TlsStream<TcpStream>>,
}

impl Server {
    /// Reads the address and the authorities: `ca`, or those of this machine and its system.
    ///
    /// # Errors
    /// [`ConnectError::Url`] or [`ConnectError::Authority`].
    pub fn new(url: &str, ca: Option<&Path>) -> Result<Self, ConnectError> {
        let wrong = || ConnectError::Url(url.to_owned());
        let uri: http::Uri = url.parse().map_err(|_| wrong())?;
        if !matches!(uri.scheme_str(), Some("https" | "wss")) {
            return Err(wrong());
        }
        let host = uri
            .host()
            .ok_or_else(wrong)?
            .trim_matches(['[', ']'])
            .to_owned();
        let roots = authorities(ca)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| ConnectError::Connect(url.to_owned(), e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            host,
            port: uri.port_u16().unwrap_or(443),
            at: None,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Dialled at `address`, whatever its name resolves to.
    #[must_use]
    pub fn at(self, address: SocketAddr) -> Self {
        Self {
            at: Some(address),
            ..self
        }
    }

    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    async fn dial(&self) -> Result<TlsStream<TcpStream>, ConnectError> {
        let failed = |e: String| ConnectError::Connect(self.authority(), e);
        let dial = async {
            let tcp = match self.at {
                Some(address) => TcpStream::connect(address).await?,
                None => TcpStream::connect((self.host.as_str(), self.port)).await?,
            };
            tcp.set_nodelay(true)?;
            let name = ServerName::try_from(self.host.clone()).map_err(std::io::Error::other)?;
            self.tls.connect(name, tcp).await
        };
        match tokio::time::timeout(PATIENCE, dial).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(failed(hint(&error))),
            Err(_) => Err(failed("no answer within 10 s".into())),
        }
    }

    /// One request; the status and the body as JSON.
    ///
    /// # Errors
    /// [`ConnectError::Connect`].
    pub async fn call(&self, request: Request<Full<Bytes>>) -> Result<(u16, Value), ConnectError> {
        let response = self.exchange(request).await?;
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Ok((response.status().as_u16(), body))
    }

    /// One request; the whole response.
    ///
    /// # Errors
    /// [`ConnectError::Connect`].
    pub async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, ConnectError> {
        self.exchange_within(PATIENCE, request).await
    }

    /// The same, where the answer may take longer.
    ///
    /// # Errors
    /// [`ConnectError::Connect`].
    pub async fn exchange_within(
        &self,
        patience: Duration,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, ConnectError> {
        let mut body = Vec::new();
        let (head, left) = self.receive(patience, MAX_BODY, request, &mut body).await?;
        match left {
            Some(_) => Ok(Response::from_parts(head, body.into())),
            None => Err(self.failed(format!("the answer is longer than {MAX_BODY} bytes"))),
        }
    }

    /// One request whose answer goes into `to` piece by piece, however long it is.
    ///
    /// # Errors
    /// [`ConnectError::Connect`], also where it cannot be written.
    pub async fn download(
        &self,
        request: Request<Full<Bytes>>,
        to: &mut impl std::io::Write,
    ) -> Result<u16, ConnectError> {
        let (head, _) = self.receive(PATIENCE, usize::MAX, request, to).await?;
        Ok(head.status.as_u16())
    }

    /// Waits `patience` for the head and for each piece of the body. How many bytes of `most`
    /// were left; none where it was longer.
    async fn receive(
        &self,
        patience: Duration,
        most: usize,
        request: Request<Full<Bytes>>,
        to: &mut impl std::io::Write,
    ) -> Result<(Parts, Option<usize>), ConnectError> {
        let late = || format!("no answer within {} s", patience.as_secs());
        let stream = self.dial().await?;
        let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(|e| self.failed(e.to_string()))?;
        // The sender goes with the answer: then the connection ends too. It may end before the
        // last of the body is taken out of it, so both are waited for.
        let answer = async move {
            let response = tokio::time::timeout(patience, sender.send_request(request)).await;
            let response = response.map_err(|_| late())?.map_err(|e| e.to_string())?;
            let (head, mut body) = response.into_parts();
            let mut left = Some(most);
            loop {
                let frame = tokio::time::timeout(patience, body.frame()).await;
                let Some(frame) = frame.map_err(|_| late())? else {
                    return Ok((head, left));
                };
                let frame = frame.map_err(|e| e.to_string())?;
                let piece = frame.into_data().unwrap_or_default();
                left = left.and_then(|left| left.checked_sub(piece.len()));
                if left.is_none() {
                    return Ok((head, None));
                }
                to.write_all(&piece).map_err(|e| e.to_string())?;
            }
        };
        let (answer, _) = tokio::join!(answer, connection);
        answer.map_err(|e: String| self.failed(e))
    }

    fn failed(&self, why: String) -> ConnectError {
        ConnectError::Connect(self.authority(), why)
    }

    /// A request for `path` with a JSON body.
    pub fn post(&self, path: &str, body: &Value, token: Option<&str>) -> Request<Full<Bytes>> {
        self.request(http::Method::POST, path, token, body.to_string().into())
    }

    /// A request for `path`.
    pub fn get(&self, path: &str, token: Option<&str>) -> Request<Full<Bytes>> {
        self.request(http::Method::GET, path, token, Bytes::new())
    }

    /// A request that takes away what is at `path`.
    pub fn delete(&self, path: &str, token: Option<&str>) -> Request<Full<Bytes>> {
        self.request(http::Method::DELETE, path, token, Bytes::new())
    }

    fn request(
        &self,
        method: http::Method,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        let mut put = |name, value: &str| {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        };
        put(header::HOST, &self.authority());
        put(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            put(header::AUTHORIZATION, &format!("Bearer {token}"));
        }
        request
    }

    /// A new visitor with a socket.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn visit(&self) -> Result<Connection, ConnectError> {
        let (status, body) = self
            .call(self.post("/api/v1/visitors", &serde_json::json!({}), None))
            .await?;
        let field = |name: &str| body[name].as_str().map(str::to_owned);
        match (status, field("user_id"), field("token")) {
            (201, Some(user_id), Some(token)) => self.connect(user_id, token, "").await,
            _ => Err(ConnectError::Refused(
                body["detail"]
                    .as_str()
                    .unwrap_or("no visitor could be made")
                    .to_owned(),
            )),
        }
    }

    /// A socket of a known visitor; `query` starts with `?` or is empty.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(
        &self,
        user_id: String,
        token: String,
        query: &str,
    ) -> Result<Connection, ConnectError> {
        let stream = self.dial().await?;
        let uri = format!(
            "wss://{}/api/v1/example-messages/ws/{user_id}{query}",
            self.authority()
        );
        let request = Request::builder()
            .uri(&uri)
            .header(header::HOST, self.authority())
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL)
            .header(
                header::SEC_WEBSOCKET_KEY,
                tokio_tungstenite::tungstenite::handshake::client::generate_key(),
            )
            .body(())
            .map_err(|e| ConnectError::Url(format!("{uri}: {e}")))?;
        let config = WebSocketConfig::default().read_buffer_size(16 * 1024);
        let upgrade = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        match tokio::time::timeout(PATIENCE, upgrade).await {
            Ok(Ok((socket, _))) => Ok(Connection {
                user_id,
                token,
                socket,
            }),
            Ok(Err(tokio_tungstenite::tungstenite::Error::Http(response))) => {
                let body: Value = response
                    .body()
                    .as_deref()
                    .and_then(|b| serde_json::from_slice(b).ok())
                    .unwrap_or(Value::Null);
                let detail = body["detail"]
                    .as_str()
                    .map_or_else(|| response.status().to_string(), str::to_owned);
                Err(ConnectError::Refused(detail))
            }
            Ok(Err(error)) => Err(ConnectError::Connect(self.authority(), error.to_string())),
            Err(_) => Err(ConnectError::Connect(
                self.authority(),
                "no answer within 10 s".into(),
            )),
        }
    }
}

impl Connection {
    /// Sends a frame.
    ///
    /// # Errors
    /// Where the socket is gone.
    pub async fn send(&mut self, frame: &Value) -> Result<(), String> {
        self.socket
            .send(Message::text(frame.to_string()))
            .await
            .map_err(|e| e.to_string())
    }

    /// The next text frame; `Err` with the close code and reason where the socket is closed.
    ///
    /// # Errors
    /// The closing.
    pub async fn next(&mut self) -> Result<String, String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(format!("{} {}", u16::from(frame.code), frame.reason));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err("the socket is closed".into()),
            }
        }
    }

    /// The next text frame where it is here already.
    pub fn ready(&mut self) -> Option<Result<String, String>> {
        self.next().now_or_never()
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(2), self.socket.close(None)).await;
    }
}

fn authorities(ca: Option<&Path>) -> Result<RootCertStore, ConnectError> {
    let mut roots = RootCertStore::empty();
    let mut read = |path: &Path| -> Result<(), ConnectError> {
        let wrong = |e: String| ConnectError::Authority(path.to_owned(), e);
        for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(e.to_string()))? {
            let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
            // A system's bundle may hold some that rustls does not take.
            let _ = roots.add(certificate);
        }
        if roots.is_empty() {
            return Err(wrong(
                "it holds no certificate in PEM; the appliance's is DATA-DIR/tls/authority.pem"
                    .into(),
            ));
        }
        Ok(())
    };
    match ca {
        Some(path) => read(path)?,
        None => {
            for path in LOCAL_AUTHORITIES
                .iter()
                .chain(&SYSTEM_AUTHORITIES)
                .map(Path::new)
                .filter(|p| p.exists())
            {
                // Another user's may be unreadable; then it is not the one we need.
                let _ = read(path);
            }
        }
    }
    Ok(roots)
}

fn hint(error: &std::io::Error) -> String {
    let text = error.to_string();
    if text.contains("UnknownIssuer") {
        return format!(
            "{text}; name the appliance's authority with --ca DATA-DIR/tls/authority.pem"
        );
    }
    if error.kind() == std::io::ErrorKind::ConnectionRefused {
        return format!("{text}; start it with `emflow`, or name where it runs with --url");
    }
    text
}
