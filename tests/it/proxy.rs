//! Behind nginx, with the configuration that the packages ship.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use emflow::cli::client::Server as Address;
use serde_json::json;

use crate::harness::{BINARY, PATIENCE, Server, Visitor, command, run, skip};

/// nginx in a directory of its own, in front of `server`; killed when dropped.
struct Nginx {
    child: Child,
    url: String,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How nginx reaches the appliance.
#[derive(Clone, Copy)]
enum Way {
    Encrypted,
    Plain,
}

/// Where the appliance listens.
fn listening(server: &Server, way: Way) -> String {
    match way {
        Way::Encrypted => format!(
            "127.0.0.1{}",
            server.url.trim_start_matches("https://localhost")
        ),
        Way::Plain => {
            let told = server.output.split_once("plain HTTP on ").unwrap().1;
            told.split(',').next().unwrap().to_owned()
        }
    }
}

/// What the comments of the shipped configuration say for a proxy without encryption behind it.
fn made_plain(text: &str) -> String {
    let lines = text.lines();
    let (encrypted, rest): (Vec<&str>, Vec<&str>) =
        lines.partition(|line| line.trim_start().starts_with("proxy_ssl_"));
    assert_eq!(encrypted.len(), 4, "{encrypted:?}");
    let text = rest.join("\n");
    assert!(
        text.contains("        proxy_pass https://emflow;"),
        "{text}"
    );
    text.replace("proxy_pass https://emflow;", "proxy_pass http://emflow;")
}

/// The shipped configuration with the names, ports and files of this test in their places.
fn configuration(dir: &Path, server: &Server, port: u16, way: Way, silence: &str) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/nginx/emflow.conf");
    let upstream = listening(server, way);
    let tls = server.dir.join("emflow-data/tls");
    let mut text = std::fs::read_to_string(shipped).unwrap();
    for (there, here) in [
        ("server 127.0.0.1:8443", format!("server {upstream}")),
        ("listen 443 ssl", format!("listen 127.0.0.1:{port} ssl")),
        (
            "proxy_read_timeout 60s",
            format!("proxy_read_timeout {silence}"),
        ),
        ("    listen [::]:443 ssl;\n", String::new()),
        ("demo.example.com;", "localhost;".to_owned()),
        (
            "/etc/nginx/demo.example.com.pem",
            tls.join("server.pem").display().to_string(),
        ),
        (
            "/etc/nginx/demo.example.com.key",
            tls.join("server.key").display().to_string(),
        ),
        (
            "/etc/nginx/emflow-authority.pem",
            server.authority().display().to_string(),
        ),
    ] {
        assert!(text.contains(there), "{there} is not shipped any more");
        text = text.replace(there, &here);
    }
    if let Way::Plain = way {
        text = made_plain(&text);
    }
    let dir = dir.display();
    let user = if is_root() { "user root;\n" } else { "" };
    format!(
        "{user}daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log;\n\
         events {{ worker_connections 128; }}\n\
         http {{\n access_log off; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;\n\
         fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n{text}}}\n"
    )
}

/// The keys of a test belong to the user who runs it, and nginx would give root's rights away.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    let scratch = tempfile::tempdir().unwrap();
    std::fs::metadata(scratch.path()).unwrap().uid() == 0
}

/// For how long the shipped configuration lets a line be silent.
const SILENCE: &str = "60s";

impl Nginx {
    async fn start(dir: &Path, server: &Server, way: Way, silence: &str) -> Option<Self> {
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"];
        let program = program.into_iter().find(|path| Path::new(path).exists())?;
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let file = dir.join("nginx.conf");
        std::fs::write(&file, configuration(dir, server, port, way, silence)).unwrap();
        let child = Command::new(program)
            .args(["-p", dir.to_str().unwrap(), "-c", file.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self {
            child,
            url: format!("https://localhost:{port}"),
        };
        let address = nginx.address(server);
        let up = async {
            while address.call(address.get("/healthz", None)).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, up).await;
        let log = std::fs::read_to_string(dir.join("error.log")).unwrap_or_default();
        assert!(waited.is_ok(), "nginx does not answer: {log}");
        Some(nginx)
    }

    fn address(&self, server: &Server) -> Address {
        Address::new(&self.url, Some(&server.authority())).unwrap()
    }
}

/// A visitor's way through the proxy, and whom the appliance takes for whom.
async fn served_behind(env: &[(&str, &str)], way: Way) {
    let (dir, house) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // The certificate that nginx shows in this test is made by a start of its own.
    drop(Server::start_in(house.path(), &[]));
    let limits = [
        ("EMFLOW_LIMITS__TRUSTED_PROXIES", "127.0.0.1"),
        ("EMFLOW_LIMITS__CONNECTIONS_PER_ADDRESS", "3"),
    ];
    let server = Server::start_in(house.path(), &[&limits[..], env].concat());
    let Some(nginx) = Nginx::start(dir.path(), &server, way, SILENCE).await else {
        return skip("nginx", "it is not installed (apt-get install nginx-light)");
    };
    let address = nginx.address(&server);
    let mut visitor = Visitor::new(address.visit().await.unwrap()).await;
    visitor.ask("m1").await;
    let completed = visitor.until("agent_completed").await;
    assert!(completed["payload"]["result"]["summary"].is_string());
    visitor.ack_all().await;
    // A page of the proxy's own address may connect: Host and Origin are the same.
    let mut request = address.post("/api/v1/visitors", &json!({}), None);
    let origin = nginx.url.parse().unwrap();
    request.headers_mut().insert("origin", origin);
    assert_eq!(address.call(request).await.unwrap().0, 201);
    // One of elsewhere may not.
    let mut request = address.post("/api/v1/visitors", &json!({}), None);
    let origin = "https://elsewhere.example".parse().unwrap();
    request.headers_mut().insert("origin", origin);
    assert_eq!(address.call(request).await.unwrap().0, 403);
    // The proxy itself is no visitor: its connections are not counted as one address.
    let mut many = Vec::new();
    for _ in 0..6 {
        many.push(address.visit().await.unwrap());
    }
}

// req: V3
#[test]
fn behind_nginx_the_answer_arrives_and_the_visitors_address_counts() {
    run(served_behind(&[], Way::Encrypted));
}

/// A visitor of a server that pings so often, behind an nginx that cuts a line after a second of silence.
async fn quiet_visitor(server: &Server, dir: &Path) -> Option<(Nginx, Visitor)> {
    let nginx = Nginx::start(dir, server, Way::Encrypted, "1s").await?;
    let connection = nginx.address(server).visit().await.unwrap();
    Some((nginx, Visitor::new(connection).await))
}

// req: C2
#[test]
fn who_says_nothing_is_kept_by_heartbeats_shorter_than_the_proxys_patience() {
    run(async {
        let (kept_in, cut_in) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let beating = |interval| {
            Server::start(&[
                ("EMFLOW_CONNECTIONS__HEARTBEAT_INTERVAL", interval),
                ("EMFLOW_CONNECTIONS__IDLE_TIMEOUT", "15m"),
            ])
        };
        let (often, seldom) = (beating("200ms"), beating("10m"));
        let Some((_nginx, mut kept)) = quiet_visitor(&often, kept_in.path()).await else {
            return skip("nginx", "it is not installed (apt-get install nginx-light)");
        };
        let (_other, mut cut) = quiet_visitor(&seldom, cut_in.path()).await.unwrap();
        // The control: so the proxy's patience has ended for whoever heard nothing.
        cut.until_closed().await;
        kept.ask("m1").await;
        kept.until("agent_completed").await;
    });
}

// req: V3
#[test]
fn without_a_second_encryption_the_same_holds_and_nobody_is_told_of_a_certificate_of_ours() {
    run(async {
        let plain = ("EMFLOW_TLS__PLAIN_BEHIND_PROXY", "true");
        served_behind(&[plain], Way::Plain).await;
        let server = Server::start(&[plain, ("EMFLOW_LIMITS__TRUSTED_PROXIES", "127.0.0.1")]);
        assert!(
            server.output.contains("certificate the proxy's"),
            "{}",
            server.output
        );
        assert!(!server.dir.join("emflow-data/tls").exists());
        let at = listening(&server, Way::Plain);
        let answered = plainly(&at, "/trust/facts");
        assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
        assert!(answered.contains(r#""authority":null"#), "{answered}");
        assert!(answered.contains(r#""certificate":null"#), "{answered}");
        let preflight = command(&server.dir, &[])
            .args(["preflight", "--listen", &at])
            .env("EMFLOW_TLS__PLAIN_BEHIND_PROXY", "true")
            .env("EMFLOW_LIMITS__TRUSTED_PROXIES", "127.0.0.1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&preflight.stdout).into_owned();
        assert!(said.contains(&format!("emflow serves on {at}")), "{said}");
        assert!(said.contains("is for the proxy on this machine"), "{said}");
        assert!(preflight.status.success(), "{said}");
    });
}

#[test]
fn nothing_is_plain_on_an_address_that_others_reach() {
    use std::os::fd::OwnedFd;
    let dir = tempfile::tempdir().unwrap();
    let env = [
        (
            "EMFLOW_TLS__PLAIN_BEHIND_PROXY".to_owned(),
            "true".to_owned(),
        ),
        (
            "EMFLOW_LIMITS__TRUSTED_PROXIES".to_owned(),
            "127.0.0.1".to_owned(),
        ),
    ];
    let check = |listen: &str, said: &str| {
        let output = command(dir.path(), &env)
            .args(["--no-open", "--listen", listen])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(said), "{told}");
    };
    check(
        "0.0.0.0:0",
        "tls.plain_behind_proxy: needs a loopback address",
    );
    // A socket of the service manager's stands where it stands.
    let socket = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let output = Command::new("sh")
        .args(["-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\" 3<&0", "sh"])
        .args([BINARY, "--no-open", "--listen", "127.0.0.1:0"])
        .current_dir(dir.path())
        .envs(env)
        .stdin(OwnedFd::from(socket))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("is reached from elsewhere"), "{told}");
}

/// One request without TLS.
fn plainly(at: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
