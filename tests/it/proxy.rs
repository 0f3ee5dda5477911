//! Behind nginx, with the configuration that the packages ship.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use emflow::cli::client::Server as Address;
use serde_json::json;

use crate::harness::{PATIENCE, Server, Visitor, run, skip};

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

/// The shipped configuration with the names, ports and files of this test in their places.
fn configuration(dir: &Path, server: &Server, port: u16) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/nginx/emflow.conf");
    let upstream = server.url.trim_start_matches("https://localhost");
    let tls = server.dir.join("emflow-data/tls");
    let mut text = std::fs::read_to_string(shipped).unwrap();
    for (there, here) in [
        (
            "server 127.0.0.1:8443",
            format!("server 127.0.0.1{upstream}"),
        ),
        ("listen 443 ssl", format!("listen 127.0.0.1:{port} ssl")),
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

impl Nginx {
    async fn start(dir: &Path, server: &Server) -> Option<Self> {
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"];
        let program = program.into_iter().find(|path| Path::new(path).exists())?;
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let file = dir.join("nginx.conf");
        std::fs::write(&file, configuration(dir, server, port)).unwrap();
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

// req: V3
#[test]
fn behind_nginx_the_answer_arrives_and_the_visitors_address_counts() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&[
            ("EMFLOW_LIMITS__TRUSTED_PROXIES", "127.0.0.1"),
            ("EMFLOW_LIMITS__CONNECTIONS_PER_ADDRESS", "3"),
        ]);
        let Some(nginx) = Nginx::start(dir.path(), &server).await else {
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
    });
}
