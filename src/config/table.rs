//! The table of every setting. To add one, add its line: structs, reading,
//! reference and the commented file follow.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use time::Date;

use super::settings::{Key, Section, default_value, read, read_within, settings};
use super::types::{
    Host, JwtAlgorithm, LogFilter, LogFormat, Network, Secret, Visitors, WebOrigin,
};
use super::value::{ByteSize, Value};
use crate::appearance::Colour;

settings! {
    /// Where the appliance listens and keeps its data.
    server: Server {
        /// Address and port to listen on. Loopback by default: opening it to a network is a decision.
        listen: SocketAddr = "127.0.0.1:8443";
        /// Directory of the store, the keys and the generated certificate. Made at the first start, mode 0700.
        data_dir: PathBuf = "./emflow-data";
        /// Further host names and addresses by which visitors come; they go into the generated certificate and count as own origins.
        public_names: Vec<Host> = [];
        /// Other sites whose pages may open a socket; the own origin always may.
        allowed_origins: Vec<WebOrigin> = [];
        /// How long a shutdown waits for sessions and sockets before it ends them.
        drain_timeout: Duration = "10s" in "0s"..="10m";
        /// Open the demo page in a browser where there is a desktop.
        open_browser: bool = true;
    }

    /// Certificate and handshakes. TLS is always on, but for a proxy on this machine that is named so.
    tls: Tls {
        /// PEM file of the certificate and its chain. Empty: the appliance makes a local authority and a certificate.
        certificate: Option<PathBuf> = "" [live];
        /// PEM file of the private key of `tls.certificate`; not readable by others.
        key: Option<PathBuf> = "" [live];
        /// A handshake that takes longer is cut.
        handshake_timeout: Duration = "5s" in "100ms"..="60s";
        /// Handshakes at the same time; more wait.
        max_handshakes: usize = 256 in 1..=10000;
        /// Speak plain HTTP to a proxy on this machine, which ends TLS. `server.listen` must be a loopback address and `limits.trusted_proxies` hold it; browsers must come to the proxy by https.
        plain_behind_proxy: bool = false;
    }

    /// Who may be a visitor.
    auth: Auth {
        /// "open": anyone; "access_code": who knows the code; "jwt": who brings a token of your platform.
        visitors: Visitors = "open";
        /// The code to be typed where `auth.visitors` is "access_code".
        access_code: Secret = "";
        /// How long a visitor's token is good.
        token_ttl: Duration = "30d" in "1m"..="365d";
        /// How long a single-use ticket for a WebSocket is good.
        ticket_ttl: Duration = "30s" in "1s"..="10m";
        /// How long another device that a visitor lets follow may do so.
        follow_ttl: Duration = "12h" in "1m"..="30d";
        /// The key that checks a visitor's JWT: the shared secret (HS256, 32 bytes or more) or a public key in PEM.
        jwt_key: Secret = "";
        /// A JWKS file with the keys, chosen by `kid`, instead of `auth.jwt_key`.
        jwks_file: Option<PathBuf> = "";
        /// The one algorithm accepted with `auth.jwt_key`; a token does not choose.
        jwt_algorithm: JwtAlgorithm = "HS256";
        /// The `iss` that a JWT must carry. Empty: not checked.
        jwt_issuer: String = "";
        /// The `aud` that a JWT must carry. Empty: not checked.
        jwt_audience: String = "";
    }

    /// The administrator.
    admin: Admin {
        /// The password, 12 characters or more. Where it is set here it counts, and is changed only here. Empty: the one that `emflow admin set-password` or the admin page set last; at a first start on a terminal one is generated and shown once.
        password: Secret = "";
        /// A browser that asks for nothing for so long is logged out.
        session_idle: Duration = "30m" in "1m"..="24h";
        /// A browser is logged out after so long, whatever it does.
        session_lifetime: Duration = "12h" in "5m"..="30d";
        /// Entries kept in the log of who changed what; the oldest go first.
        audit_entries: usize = 10000 in 100..=1000000;
    }

    /// Limits on what a network may ask of the appliance.
    limits: Limits {
        /// Open connections from one address.
        connections_per_address: usize = 50 in 1..=100000 [live];
        /// Connection attempts and log-ins a minute from one address.
        attempts_per_minute: u32 = 60 in 1..=1000000 [live];
        /// Messages a minute from one visitor.
        messages_per_minute: u32 = 60 in 1..=1000000 [live];
        /// Readings of a message while it is typed, a minute from one visitor. They do not count as messages.
        drafts_per_minute: u32 = 240 in 1..=1000000 [live];
        /// Bytes a minute from one visitor.
        bytes_per_minute: ByteSize = "1MiB" in "64KiB"..="1GiB" [live];
        /// Open connections in all.
        max_connections: usize = 12000 in 1..=1000000;
        /// The largest frame or message from a client; a larger one closes with 1009.
        max_frame: ByteSize = "64KiB" in "16KiB"..="1MiB";
        /// Proxies whose `X-Forwarded-For` is believed. Empty: the header is ignored.
        trusted_proxies: Vec<Network> = [] [live];
        /// Time for the headers of a request.
        header_timeout: Duration = "10s" in "100ms"..="2m";
        /// Time for a request with its body.
        request_timeout: Duration = "10s" in "100ms"..="10m";
        /// The largest body of a request.
        max_body: ByteSize = "64KiB" in "1KiB"..="16MiB";
    }

    /// WebSockets.
    connections: Connections {
        /// Live sockets of one visitor; one more closes the oldest with 4502.
        per_user: usize = 8 in 1..=1000;
        /// Other devices that follow one visitor; one more closes the oldest of them with 4502.
        followers_per_user: usize = 32 in 1..=1000;
        /// A socket is closed with 4102 at this age; its client comes back.
        max_age: Duration = "1h" in "1s"..="7d";
        /// A socket without a frame or a pong for this long is closed with 4101.
        idle_timeout: Duration = "60s" in "1s"..="1h";
        /// Between two pings of the server; shorter than `connections.idle_timeout`.
        heartbeat_interval: Duration = "20s" in "100ms"..="30m";
        /// The bad frame that closes a socket with 4500.
        error_threshold: u32 = 10 in 1..=1000;
        /// A write that takes longer closes with 4104: the client is not reading.
        write_timeout: Duration = "10s" in "100ms"..="5m";
    }

    /// Delivery of frames to visitors.
    delivery: Delivery {
        /// Unacknowledged frames on one socket.
        window: usize = 64 in 1..=1024;
        /// A frame that is not acknowledged for this long is sent again.
        ack_timeout: Duration = "5s" in "100ms"..="5m";
        /// Retries, after 1, 2, 4 s and so on, doubling; then the socket is closed with 4100 and the frame stays pending.
        max_attempts: u32 = 3 in 1..=10;
        /// Pending frames of one visitor; beyond, new work is refused with `backlog_full`.
        max_pending_per_user: usize = 10000 in 100..=1000000;
        /// The same in bytes.
        max_pending_bytes_per_user: ByteSize = "16MiB" in "1MiB"..="1GiB";
        /// Pending frames older than this expire.
        pending_ttl: Duration = "24h" in "1m"..="90d";
    }

    /// Sessions: one example message being answered, and its result.
    sessions: Sessions {
        /// A session that has not ended by then ends with `session_expired`.
        timeout: Duration = "30m" in "1s"..="1h";
        /// Between two rounds of cleaning.
        cleanup_interval: Duration = "60s" in "1s"..="1h";
        /// Sessions at the same time; more are refused with a retry time.
        max_concurrent: usize = 1000 in 1..=100000 [live];
        /// Sessions of one visitor at the same time.
        max_per_visitor: usize = 16 in 1..=10000 [live];
        /// How long the frames of a finished session are kept, so that a reloaded page draws it again.
        retention: Duration = "24h" in "1m"..="90d";
        /// How long the clean-up of a visitor can be taken back. "0s": never, what is removed is gone at once.
        undo_window: Duration = "10m" in "0s"..="24h";
    }

    /// The breaker of each backend.
    breaker: Breaker {
        /// Failures in a row that open it.
        failure_threshold: u32 = 5 in 1..=1000;
        /// How long it stays open before it lets probes through.
        recovery_timeout: Duration = "30s" in "100ms"..="1h";
        /// Probes at the same time while half-open.
        half_open_probes: u32 = 1 in 1..=100;
        /// Successful probes that close it.
        success_threshold: u32 = 2 in 1..=100;
    }

    /// The agents that answer.
    agents: Agents {
        /// An attempt that takes longer is stopped.
        timeout: Duration = "45s" in "100ms"..="10m";
        /// Sessions processed at the same time; more wait in a queue, with their place shown.
        max_processing: usize = 100 in 1..=10000 [live];
        /// The pause between two events, for reading; computing takes milliseconds. "0s": none.
        pace: Duration = "400ms" in "0s"..="10s";
        /// A file with models and prices. Empty: the built-in catalog.
        catalog: Option<PathBuf> = "";
        /// The day for which prices are looked up. Empty: today.
        as_of: Option<Date> = "";
    }

    /// The store on disk.
    store: Store {
        /// Memory for the cache of the store.
        cache: ByteSize = "32MiB" in "8MiB"..="16GiB";
        /// Size of a segment of the log, a power of two; small ones are rewritten too often, large ones late. A store keeps the one it was made with: a backup restored makes one of another size.
        segment_size: ByteSize = "8MiB" in "512KiB"..="16MiB";
        /// Between two background flushes, which return freed space. Durability does not wait for them.
        flush_every: Duration = "50ms" in "20ms"..="100ms";
        /// New work is refused with less free space than this.
        min_free: ByteSize = "64MiB" in "1MiB"..="1TiB";
        /// A file kept so that the store can be opened again on a full disk.
        ballast: ByteSize = "16MiB" in "1MiB"..="1GiB";
    }

    /// Backups of the store, made while serving.
    backup: Backup {
        /// The directory with the backups; made where it does not exist. Another disk survives the loss of this one. Empty: `backups` in the data directory.
        directory: Option<PathBuf> = "";
        /// Between two backups by plan, each verified when it is made. "0s": none.
        every: Duration = "24h" in "0s"..="90d";
        /// Backups by plan that are kept; the oldest go. What was made by hand stays until it is deleted.
        keep: usize = 7 in 1..=365;
    }

    /// The gallery of example messages.
    examples: Examples {
        /// A TOML file with the gallery. Empty: the built-in one.
        file: Option<PathBuf> = "" [live];
    }

    /// What the pages and reports are called and look like, until the administrator changes it on the admin page.
    branding: Branding {
        /// The name on the pages and reports, 1 to 80 characters.
        title: String = "Example Message Flow" [live];
        /// A PNG, or an SVG that holds shapes only, of 256 KiB at most. Empty: the one that comes with the page.
        logo: Option<PathBuf> = "" [live];
        /// Buttons, links and marks on light: `#rrggbb`, with a contrast of 4.5 or more.
        accent: Colour = "#0b5d53" [live];
        /// The same on dark.
        accent_dark: Colour = "#63c7b2" [live];
        /// What stands on the button under each result, 1 to 60 characters; following it is counted. Empty: no button.
        action_text: String = "" [live];
        /// Where the button leads: an address that begins with https.
        action_url: String = "" [live];
    }

    /// Showing it to others: the page /present, for the administrator.
    presenter: Presenter {
        /// Let the presenter slow a visitor, make the agent fail and kill the server, to show that nothing is lost.
        allow_faults: bool = false;
        /// A TOML file with what is shown in which order, and notes to it. Empty: the gallery.
        script: Option<PathBuf> = "";
        /// Between an answer and the next example, when it plays by itself.
        pause: Duration = "12s" in "1s"..="10m";
    }

    /// When an alert is raised, and who is told.
    alerts: Alerts {
        /// The slowest session of the last five minutes.
        processing_time: Duration = "30s" in "100ms"..="1h";
        /// Percent of the sessions of the last five minutes that failed or timed out.
        error_percent: u32 = 5 in 1..=99;
        /// Memory more than at the start.
        memory_growth: ByteSize = "200MiB" in "16MiB"..="64GiB";
        /// How long a breaker may be open.
        breaker_open: Duration = "5m" in "1s"..="24h";
        /// Percent of the connections of the last five minutes that failed.
        failed_connections_percent: u32 = 10 in 1..=99;
        /// Less free space than this on the disk of the store.
        disk_free: ByteSize = "256MiB" in "1MiB"..="1TiB";
        /// Fewer days than this before the certificate ends.
        certificate_days: u32 = 14 in 1..=365;
        /// The prices of the catalog are older than so many days.
        catalog_days: u32 = 90 in 1..=3650;
        /// The last backup is older than this, where backups are set up.
        backup_age: Duration = "2d" in "1m"..="365d";
        /// The runtime's timers come so late.
        event_loop_lag: Duration = "500ms" in "10ms"..="1m";
        /// How long a figure must be bad before the alert is raised.
        hold: Duration = "10s" in "0s"..="1h";
        /// How long it must be good again before the alert is over.
        settle: Duration = "60s" in "0s"..="24h";
        /// Where changes are posted, as JSON: https, or http where `alerts.webhook_plain` is set. Empty: nowhere. A secret, because such addresses often carry one.
        webhook_url: Secret = "";
        /// The key of the signature: each post then has `X-Emflow-Signature: t=SECONDS,v1=HEX`, the HMAC-SHA256 of `SECONDS.BODY`.
        webhook_secret: Secret = "";
        /// Post without TLS where `alerts.webhook_url` begins with http: for a receiver on this machine.
        webhook_plain: bool = false;
    }

    /// What is logged, and how. Never contents, tokens or passwords.
    log: Log {
        /// "human", "json", or "auto": human on a terminal, JSON otherwise.
        format: LogFormat = "auto";
        /// A level, or directives by module.
        level: LogFilter = "info" [live];
    }
}
