//! The checks that open sockets: the port, a server that runs already, the local network.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::Line;
use crate::cli::client::Server;
use crate::config::Config;
use crate::serve::network;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_millis(500);
/// How long the running server may take to say how it is.
const ANSWER: Duration = Duration::from_secs(2);
/// The most that is read of its answer, in bytes.
const ANSWER_MAX: u64 = 16 * 1024;
/// Ports that are tried for the advice.
const TRIED: u16 = 20;

/// What a server on the configured address says.
pub(super) enum Answer {
    /// It serves.
    Ready,
    /// It runs but takes no work; why.
    NotReady(String),
    /// None of ours, or none at all.
    None,
}

/// Asks the server that should be on the configured address: there, whatever names resolve to, and by a
/// name that its certificate should cover.
pub(super) fn ask(config: &Config) -> Answer {
    let mut address = config.server.listen;
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    if config.tls.plain_behind_proxy {
        return ask_plainly(address);
    }
    let authority = config.server.data_dir.join("tls/authority.pem");
    let own = config.tls.certificate.is_none() && authority.exists();
    let public = config.server.public_names.first();
    let name = public
        .filter(|_| !own)
        .map_or("localhost", |name| name.as_str());
    let url = format!("https://{name}:{}", address.port());
    let Ok(server) = Server::new(&url, own.then_some(authority.as_path())) else {
        return Answer::None;
    };
    let server = server.at(address);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return Answer::None;
    };
    let asked = async {
        let call = server.call(server.get("/readyz", None));
        tokio::time::timeout(ANSWER, call).await
    };
    match runtime.block_on(asked) {
        Ok(Ok((200, _))) => Answer::Ready,
        Ok(Ok((503, body))) => {
            let detail = body["detail"].as_str().unwrap_or("it is not ready");
            Answer::NotReady(detail.to_owned())
        }
        _ => Answer::None,
    }
}

/// Where a proxy ends TLS the server speaks plain HTTP, on a loopback address.
fn ask_plainly(address: SocketAddr) -> Answer {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, CONNECT)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(ANSWER_MAX).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = asked().unwrap_or_default();
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    match answer.split(' ').nth(1) {
        Some("200") => Answer::Ready,
        Some("503") => {
            let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            let detail = body["detail"].as_str().unwrap_or("it is not ready");
            Answer::NotReady(detail.to_owned())
        }
        _ => Answer::None,
    }
}

pub(super) fn port(config: &Config, answer: Option<&Answer>) -> Line {
    const PART: &str = "port";
    let listen = config.server.listen;
    match answer {
        Some(Answer::Ready | Answer::NotReady(_)) => {
            return Line::green(PART, format!("emflow serves on {listen}"));
        }
        // It holds the data directory, so it is most likely also what holds the port.
        Some(Answer::None) => {
            let text = format!(
                "{listen}: a server runs, but does not answer there in a way that is trusted"
            );
            return Line::note(PART, text, "systemctl status emflow");
        }
        None => {}
    }
    match TcpListener::bind(listen) {
        Ok(_) => Line::green(PART, format!("{listen} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let free = (1..=TRIED)
                .filter_map(|n| listen.port().checked_add(n))
                .map(|port| SocketAddr::new(listen.ip(), port))
                .find(|address| TcpListener::bind(address).is_ok());
            let mend = match free {
                Some(address) => format!("emflow --listen {address}"),
                None => format!("ss -ltnp 'sport = :{}'", listen.port()),
            };
            Line::red(PART, format!("{listen} is taken by another program"), mend)
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Line::red(
            PART,
            format!("{listen} needs rights that this user does not have: {error}"),
            "sudo systemctl enable --now emflow-listen.socket",
        ),
        Err(error) => Line::red(
            PART,
            format!("{listen} cannot be listened on: {error}"),
            format!("emflow --listen 0.0.0.0:{}", listen.port()),
        ),
    }
}

/// Whether others reach us. A firewall on the way is not seen from here, and that is said.
pub(super) fn network(config: &Config, serving: bool) -> Vec<Line> {
    const PART: &str = "network";
    let listen = config.server.listen;
    if config.tls.plain_behind_proxy {
        let text = format!("{listen} is for the proxy on this machine; visitors come through that");
        return vec![Line::green(PART, text)];
    }
    if listen.ip().is_loopback() {
        let text = format!("{listen} is reached from this machine alone");
        let mend = format!("emflow --listen 0.0.0.0:{}", listen.port());
        return vec![Line::note(PART, text, mend)];
    }
    let own = network::addresses();
    if own.is_empty() {
        let text =
            "this machine has no address on a local network: only it will reach the appliance";
        return vec![Line::note(PART, text, "ip -brief address")];
    }
    let addresses: Vec<IpAddr> = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) | IpAddr::V6(Ipv6Addr::UNSPECIFIED) => own,
        named => vec![named],
    };
    // Where nobody serves yet, a socket of our own stands in.
    let stand_in = if serving {
        None
    } else {
        TcpListener::bind(listen).ok()
    };
    let port = match &stand_in {
        Some(socket) => socket.local_addr().map_or(listen.port(), |a| a.port()),
        None => listen.port(),
    };
    let line = |address: IpAddr| {
        let address = SocketAddr::new(address, port);
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(_) => Line::green(
                PART,
                format!(
                    "{address} answers here; a firewall on the way cannot be seen from this machine"
                ),
            ),
            Err(error) => Line::red(
                PART,
                format!("{address} does not answer: {error}"),
                format!("sudo nft list ruleset | grep -n {port}; sudo ufw allow {port}/tcp"),
            ),
        }
    };
    // Machines with many bridges would fill the screen.
    addresses.into_iter().take(4).map(line).collect()
}
