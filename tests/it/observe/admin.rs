//! An administrator who is logged in.

use emflow::cli::client::Server as Address;
use serde_json::{Value, json};

use crate::harness::Server;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A session of a browser.
pub(crate) struct Admin {
    address: Address,
    cookie: String,
    csrf: String,
}

impl Admin {
    pub(crate) async fn login(server: &Server) -> Self {
        let address = server.address();
        let request = address.post("/api/v1/admin/login", &json!({"password": PASSWORD}), None);
        let response = address.exchange(request).await.unwrap();
        assert_eq!(response.status(), 200, "{:?}", response.body());
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let csrf = body["csrf_token"].as_str().unwrap().to_owned();
        Self {
            address,
            cookie,
            csrf,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) async fn try_get(&self, path: &str) -> (u16, Value) {
        let mut request = self.address.get(path, None);
        let headers = request.headers_mut();
        headers.insert("cookie", self.cookie.parse().unwrap());
        self.address.call(request).await.unwrap()
    }

    /// The event stream with that query, from `after` on, read to its end by a task of its own.
    pub(crate) fn stream(
        &self,
        query: &str,
        after: Option<&str>,
    ) -> tokio::task::JoinHandle<Vec<(String, Value)>> {
        let path = format!("/api/v1/admin/stream{query}");
        let mut request = self.address.get(&path, None);
        let headers = request.headers_mut();
        headers.insert("cookie", self.cookie.parse().unwrap());
        if let Some(after) = after {
            headers.insert("last-event-id", after.parse().unwrap());
        }
        let address = self.address.clone();
        tokio::spawn(async move {
            let response = address.exchange(request).await.unwrap();
            assert_eq!(response.headers()["content-type"], "text/event-stream");
            let text = String::from_utf8(response.body().to_vec()).unwrap();
            let messages = text.split_terminator("\n\n").map(|message| {
                let field = |name: &str| {
                    let line = message.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_else(|| panic!("no {name} in {message}"))
                };
                let data = serde_json::from_str(field("data:")).unwrap();
                (field("event:").to_owned(), data)
            });
            messages.collect()
        })
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let mut request = self.address.post(path, body, None);
        let headers = request.headers_mut();
        headers.insert("cookie", self.cookie.parse().unwrap());
        headers.insert("x-csrf-token", self.csrf.parse().unwrap());
        self.address.call(request).await.unwrap()
    }
}
