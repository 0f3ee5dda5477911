//! Sockets, handshakes, requests.

use super::{of_word, rows};
use crate::observe::Observer;
use crate::observe::families::Families;

impl Observer {
    pub(super) fn door(&self, f: &mut Families) {
        let d = &self.0.rooms.meters.door;
        f.gauge(
            "emflow_connections",
            "Connections whose handshake is done.",
            Some(d.connections.get() as f64),
        );
        rows(
            f,
            "emflow_tls_handshakes_total",
            "TLS handshakes by how they ended.",
            of_word("outcome", d.handshakes.all()),
        );
        f.seconds(
            "emflow_tls_handshake_seconds",
            "How long handshakes took that were done.",
            &d.handshake,
        );
        rows(
            f,
            "emflow_connections_refused_total",
            "Connections without a place: too many of an address, in all, or too many to be told so.",
            of_word("limit", d.no_place.all()),
        );
        f.gauge(
            "emflow_websockets",
            "WebSockets open.",
            Some(d.sockets.get() as f64),
        );
        f.counter(
            "emflow_websockets_opened_total",
            "WebSockets opened.",
            d.opened.get(),
        );
        let closed = d.closed.all().into_iter().map(|(code, n)| {
            let code = if code == 0 {
                "gone".to_owned()
            } else {
                code.to_string()
            };
            ([("code", code)], n)
        });
        rows(
            f,
            "emflow_websockets_closed_total",
            "WebSockets ended, by close code; gone means without a word.",
            closed.collect(),
        );
        f.counter(
            "emflow_websocket_received_bytes_total",
            "Bytes read from WebSockets.",
            d.bytes_in.get(),
        );
        f.counter(
            "emflow_websocket_sent_bytes_total",
            "Bytes written to WebSockets.",
            d.bytes_out.get(),
        );
    }

    pub(super) fn requests(&self, f: &mut Families) {
        let d = &self.0.rooms.meters.door;
        let requests = d.requests.all().into_iter();
        let requests = requests.map(|((method, route, status), n)| {
            let status = status.to_string();
            let labels = [
                ("method", method.to_owned()),
                ("route", route.to_owned()),
                ("status", status),
            ];
            (labels, n)
        });
        rows(
            f,
            "emflow_http_requests_total",
            "Requests by method, route and status.",
            requests.collect(),
        );
        f.seconds(
            "emflow_http_request_seconds",
            "How long requests took once their body was there.",
            &d.request,
        );
        rows(
            f,
            "emflow_frames_refused_total",
            "Frames of clients that were refused, by code.",
            of_word("code", d.refusals.all()),
        );
        rows(
            f,
            "emflow_rate_limited_total",
            "How often a rate limit held somebody up.",
            of_word("limit", d.rate_limited.all()),
        );
    }
}
