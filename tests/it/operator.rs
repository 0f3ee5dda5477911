//! Somebody with an API token, who calls what the administrator may.

use bytes::Bytes;
use emflow::cli::client::Server as Address;
use http::{Method, Request, Response, header};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::harness::Server;

/// The administrator's password of servers that have an [`Operator`].
pub(crate) const PASSWORD: (&str, &str) = ("EMFLOW_ADMIN__PASSWORD", "a password for tests alone");

pub(crate) struct Operator {
    pub(crate) address: Address,
    pub(crate) token: String,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Operator {
    /// Logs in, and makes a token of this scope.
    pub(crate) async fn with_scope(server: &Server, scope: &str) -> Self {
        let address = server.address();
        let login = address.post(
            "/api/v1/admin/login",
            &json!({"password": PASSWORD.1}),
            None,
        );
        let answer = address.exchange(login).await.unwrap();
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(answer.status(), 200, "{body}");
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        let mut operator = Self {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            csrf: body["csrf_token"].as_str().unwrap().to_owned(),
            token: String::new(),
            address,
        };
        let wanted = json!({"name": format!("tests-{scope}"), "scope": scope});
        let request = operator.as_browser(Method::POST, "/api/v1/admin/tokens", &wanted);
        let (status, made) = operator.address.call(request).await.unwrap();
        assert_eq!(status, 201, "{made}");
        operator.token = made["token"].as_str().unwrap().to_owned();
        operator
    }

    pub(crate) async fn new(server: &Server) -> Self {
        Self::with_scope(server, "operate").await
    }

    /// The request of the browser that is logged in.
    pub(crate) fn as_browser(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Request<Full<Bytes>> {
        let mut request = self.address.post(path, body, None);
        *request.method_mut() = method;
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, self.cookie.parse().unwrap());
        headers.insert("x-csrf-token", self.csrf.parse().unwrap());
        request
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        media: &str,
        body: &str,
    ) -> Response<Bytes> {
        let mut request = self.address.post(path, &Value::Null, Some(&self.token));
        *request.method_mut() = method;
        *request.body_mut() = Full::new(Bytes::from(body.to_owned()));
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, media.parse().unwrap());
        self.address.exchange(request).await.unwrap()
    }

    /// A call that must be answered with this status; the body.
    pub(crate) async fn call(
        &self,
        status: u16,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Value {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = self
            .send(method.clone(), path, "application/json", &text)
            .await;
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        assert_eq!(answer.status(), status, "{method} {path}: {body}");
        body
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call(200, Method::GET, path, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.call(200, Method::POST, path, &body).await
    }

    pub(crate) async fn refused(&self, status: u16, path: &str, body: Value) -> String {
        let answer = self.call(status, Method::POST, path, &body).await;
        answer["detail"].as_str().unwrap_or_default().to_owned()
    }

    /// The newest entry of the audit log.
    pub(crate) async fn newest_entry(&self) -> Value {
        let page = self.get("/api/v1/admin/audit?limit=1").await;
        page["items"][0].clone()
    }
}
