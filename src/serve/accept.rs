//! The accept loop: permit → TLS → HTTP/1.1, every step with a limit in number and time.
//!
//! Only HTTP/1.1 is offered: WebSockets need it, a page of a few small files gains
//! nothing from HTTP/2, and every protocol less is an attack surface less.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Method, Request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use warp::filters::BoxedFilter;
use warp::reply::Response as Reply;

use super::line::Line;
use super::tls::Reloadable;
use super::{Peer, Services, framing, headers, reply, routes};
use crate::access::address::Address;
use crate::access::permits::Permits;
use crate::clock;
use crate::meter::{Draft, EventKind, Meters};
use crate::protocol::problem::{Code, Problem};
use crate::shutdown::{Drain, Phase};

/// The protocols offered by ALPN.
pub const ALPN: &[&str] = &["http/1.1"];
/// The stream under HTTP and under WebSockets.
pub(super) type Io = TokioIo<Line>;

/// The largest head of a request, in bytes.
const HEAD: usize = 16 * 1024;
/// The most headers of a request.
const HEADERS: usize = 64;

/// How long an answer may take once everybody lets go.
const LAST_ANSWER: Duration = Duration::from_secs(1);

/// What the loop works with.
pub struct Listener {
    /// Bound already.
    pub socket: TcpListener,
    /// The certificate of the moment.
    pub tls: Arc<Reloadable>,
    /// Places.
    pub permits: Permits,
    /// Everything else.
    pub services: Arc<Services>,
    /// Who wants to know whether the loop turns.
    pub asked: Asked,
}

/// Asks the loop for a sign of life.
#[derive(Clone)]
pub struct Pulse(mpsc::Sender<oneshot::Sender<()>>);

/// The loop's end of a [`Pulse`].
pub struct Asked(mpsc::Receiver<oneshot::Sender<()>>);

/// Both ends.
pub fn pulse() -> (Pulse, Asked) {
    let (ask, asked) = mpsc::channel(1);
    (Pulse(ask), Asked(asked))
}

impl Pulse {
    /// Waits until the loop has taken a turn; false where it has ended.
    pub async fn beat(&self) -> bool {
        let (tell, told) = oneshot::channel();
        self.0.send(tell).await.is_ok() && told.await.is_ok()
    }
}

impl Listener {
    /// Accepts until the drain.
    pub async fn run(mut self) {
        let settings = &self.services.settings;
        let handshakes = Arc::new(Semaphore::new(settings.max_handshakes));
        let refusals = Arc::new(Semaphore::new(settings.refusals));
        let app = Arc::new(App {
            services: Arc::clone(&self.services),
            routes: routes::all(Arc::clone(&self.services)),
        });
        let mut pause = Duration::from_millis(5);
        loop {
            let accepted = tokio::select! {
                // First: what is not accepted now waits in the system for whoever comes after us.
                biased;
                () = self.services.drain.reached(Phase::Draining) => return,
                Some(asked) = self.asked.0.recv() => {
                    let _ = asked.send(());
                    continue;
                }
                accepted = self.socket.accept() => accepted,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, mostly: waiting is what helps, spinning is what hurts.
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                    continue;
                }
            };
            pause = Duration::from_millis(5);
            let proxy = settings.is_proxy(address.ip());
            let own = (!proxy).then(|| Address::from(address.ip()));
            let permit = self.permits.acquire(own).map(Arc::new);
            let refusal = match (&permit, Arc::clone(&refusals).try_acquire_owned()) {
                (Ok(_), _) => None,
                (Err(_), Ok(place)) => Some(place),
                (Err(_), Err(_)) => {
                    self.services.meters.door.no_place.one("unheard");
                    continue;
                }
            };
            let peer = Peer { address, permit };
            let (tls, handshakes, app) = (
                Arc::clone(&self.tls),
                Arc::clone(&handshakes),
                Arc::clone(&app),
            );
            self.services.drain.spawn("connection", async move {
                let _refusal = refusal;
                // Boxed: idle connections then cost what they hold, not what a handshake needs.
                let limit = app.services.settings.handshake_timeout;
                let started = clock::now();
                let shaken = tokio::select! {
                    shaken = Box::pin(handshake(stream, &tls, &handshakes, limit)) => shaken,
                    () = over(&app.services.drain) => return,
                };
                let meters = app.services.meters.clone();
                count_handshake(&meters, &shaken, started);
                if let Ok(stream) = shaken {
                    meters.door.connections.add(1);
                    let _open = Open(meters);
                    Box::pin(serve(stream, peer, app)).await;
                }
            });
        }
    }
}

/// A connection that is served; counted out however it ends.
struct Open(Meters);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.door.connections.add(-1);
    }
}

/// Why a handshake came to nothing.
enum Unshaken {
    Failed,
    TimedOut,
}

async fn handshake(
    stream: TcpStream,
    tls: &Reloadable,
    handshakes: &Semaphore,
    limit: Duration,
) -> Result<Line, Unshaken> {
    let both = async {
        stream.set_nodelay(true).ok()?;
        let Some(config) = tls.current() else {
            return Some(Line::Plain(stream));
        };
        // The place is taken once the client has said hello: the silent ones hold nobody up.
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream);
        let hello = hello.await.ok()?;
        let _place = handshakes.acquire().await.ok()?;
        let stream = hello.into_stream(config).await.ok()?;
        Some(Line::Tls(Box::new(stream)))
    };
    match tokio::time::timeout(limit, both).await {
        Ok(shaken) => shaken.ok_or(Unshaken::Failed),
        Err(_) => Err(Unshaken::TimedOut),
    }
}

fn count_handshake<T>(meters: &Meters, shaken: &Result<T, Unshaken>, started: clock::Instant) {
    let now = clock::now();
    let (word, text) = match shaken {
        Ok(_) => {
            let took = now.duration_since(started);
            meters.door.handshake.record_span(took);
            return meters.door.handshakes.one("done");
        }
        Err(Unshaken::Failed) => ("failed", "a TLS handshake failed"),
        Err(Unshaken::TimedOut) => ("timed_out", "a TLS handshake took too long"),
    };
    meters.door.handshakes.one(word);
    let event = Draft::new(EventKind::HandshakeFailed, text).code(word);
    meters.feed.tell(event, clock::wall());
}

struct App {
    services: Arc<Services>,
    routes: BoxedFilter<(Reply,)>,
}

async fn serve(stream: Line, peer: Peer, app: Arc<App>) {
    let settings = app.services.settings.clone();
    let drain = app.services.drain.clone();
    let keep_alive = peer.permit.is_ok();
    let asked = Arc::new(Notify::new());
    let first = Arc::clone(&asked);
    let service = hyper::service::service_fn(move |request| {
        first.notify_one();
        let (app, peer) = (Arc::clone(&app), peer.clone());
        async move { Ok::<_, Infallible>(app.answer(request, peer).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_buf_size(HEAD)
        .max_headers(HEADERS)
        .keep_alive(keep_alive)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // What a peer does wrong in HTTP is its own business; hyper has answered 400 or 431.
        _ = connection.as_mut() => {}
        () = drain.reached(Phase::Draining) => {
            let mut over = std::pin::pin!(over(&drain));
            // Whoever was let in before we went and has not asked yet is answered once: a restart
            // on a socket that goes on listening then refuses nobody.
            tokio::select! {
                _ = connection.as_mut() => return,
                () = asked.notified() => {}
                () = over.as_mut() => return,
            }
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                _ = connection.as_mut() => {}
                () = over => {}
            }
        }
    }
}

/// When nobody is waited for any more.
async fn over(drain: &Drain) {
    drain.reached(Phase::Closing).await;
    tokio::time::sleep(LAST_ANSWER).await;
}

impl App {
    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Reply {
        let plain = framing::has_plain_length(request.headers());
        let (mut response, plain) = match self.checked(request, peer).await {
            Ok(response) => (response, plain),
            // Its body may be unread: what follows on the line is not known to be a request.
            Err(problem) => (reply::problem(&problem), false),
        };
        headers::add(response.headers_mut());
        if !plain {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }

    async fn checked(&self, request: Request<Incoming>, peer: Peer) -> Result<Reply, Problem> {
        if let Err(full) = &peer.permit {
            let word = match full {
                crate::access::permits::NoPermit::Address => "address",
                crate::access::permits::NoPermit::Total => "total",
            };
            self.services.meters.door.no_place.one(word);
            let code = match full {
                crate::access::permits::NoPermit::Address => Code::RateLimited,
                crate::access::permits::NoPermit::Total => Code::Overloaded,
            };
            return Err(
                Problem::new(code, format!("{full}; close some, or come back later"))
                    .retry_after(5),
            );
        }
        let settings = &self.services.settings;
        let max_body = routes::max_body(&request)
            .unwrap_or(0)
            .max(settings.max_body);
        framing::check(&request, max_body)?;
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(peer);
        if parts.method == Method::HEAD {
            // Answered like GET, without a body: hyper knows what was asked. It upgrades nothing.
            parts.extensions.remove::<OnUpgrade>();
        }
        let collect = tokio::time::timeout(
            settings.request_timeout,
            Limited::new(body, max_body).collect(),
        );
        let bytes = match collect.await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                return Err(framing::too_large(max_body));
            }
            Ok(Err(_)) => return Err(Problem::new(Code::BadRequest, "the body could not be read")),
            Err(_) => {
                return Err(Problem::new(
                    Code::RequestTimeout,
                    "the body did not arrive in time",
                ));
            }
        };
        let request: Request<Full<Bytes>> = Request::from_parts(parts, Full::new(bytes));
        let routes = self.routes.clone();
        let answered = hyper::service::Service::call(
            &hyper_util::service::TowerToHyperService::new(warp::service(routes)),
            request,
        );
        match answered.await {
            Ok(response) => Ok(warp::Reply::into_response(response)),
            Err(never) => match never {},
        }
    }
}

/// Binds the address.
///
/// # Errors
/// What the system says, with the address.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, std::io::Error> {
    TcpListener::bind(address)
        .await
        .map_err(|e| std::io::Error::new(e.kind(), format!("cannot listen on {address}: {e}")))
}
