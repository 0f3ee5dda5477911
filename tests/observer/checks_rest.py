"""REST and plain HTTP: endpoints, headers on every answer, methods, smuggling, slow peers."""

from __future__ import annotations

import asyncio
import json
import time

from harness import World, check, equal, must, one_of
from wire import API, Answer

CSP = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'",
    "img-src": "'self' data:", "base-uri": "'none'", "form-action": "'self'", "frame-ancestors": "'none'",
    "object-src": "'none'",
}


def secured(answer: Answer, what: str):
    """The headers that every answer carries."""
    policy = answer.header("content-security-policy") or ""
    parts = dict(part.strip().partition(" ")[::2] for part in policy.split(";") if part.strip())
    for name, value in CSP.items():
        equal(f"{what}: {name}", value, parts.get(name))
    must("unsafe" not in policy, f"{what}: nothing unsafe in the policy", policy)
    age = (answer.header("strict-transport-security") or "").split(";")[0].partition("=")[2]
    must(age.isdigit() and int(age) >= 63_072_000, f"{what}: HSTS of two years", answer.header("strict-transport-security"))
    equal(f"{what}: nosniff", "nosniff", answer.header("x-content-type-options"))
    equal(f"{what}: referrer", "no-referrer", answer.header("referrer-policy"))
    must(answer.header("permissions-policy"), f"{what}: a permissions policy", None)
    equal(f"{what}: opener policy", "same-origin", answer.header("cross-origin-opener-policy"))
    equal(f"{what}: resource policy", "same-origin", answer.header("cross-origin-resource-policy"))
    server = answer.header("server") or ""
    must(not any(c.isdigit() for c in server), f"{what}: no version in Server", server)


@check("headers: on pages, REST, 404, 401, 405 and the refused upgrade")
async def headers_everywhere(world: World):
    visitor = await world.visitor()
    for method, path, headers in (
            ("GET", "/", ()), ("GET", "/healthz", ()), ("GET", "/readyz", ()), ("GET", f"{API}/health", ()),
            ("GET", f"{API}/examples", ()), ("GET", "/no/such/page", ()), ("GET", f"{API}/no-such-call", ()),
            ("GET", f"{API}/stats", ()), ("PUT", "/", ()), ("DELETE", f"{API}/examples", ()), ("GET", visitor.path(), ()),
            ("POST", "/api/v1/tickets", ()), ("GET", "/admin", ()), ("HEAD", "/", ())):
        answer = await world.target.request(method, path, headers)
        secured(answer, f"{method} {path[:50]} ({answer.status})")


@check("rest: /healthz and /readyz 200")
async def alive(world: World):
    for path in ("/healthz", "/readyz"):
        equal(f"status of {path}", 200, (await world.target.request("GET", path)).status)


@check("rest: /health summarises, and tells anyone no component")
async def health(world: World):
    answer = await world.target.request("GET", f"{API}/health")
    equal("status", 200, answer.status)
    one_of("health", ("healthy", "degraded"), answer.json().get("status"))
    must("components" not in answer.json(), "no components for anyone", answer.json())


@check("rest: /examples has the gallery, in every category")
async def examples(world: World):
    answer = await world.target.request("GET", f"{API}/examples")
    equal("status", 200, answer.status)
    text = json.dumps(answer.json())
    for category in ("cost-optimization", "latency-optimization", "model-selection", "scaling", "advanced"):
        must(category in text, f"an example of {category}", text[:200])


@check("rest: OpenAPI and AsyncAPI documents")
async def documents(world: World):
    for name, key in (("openapi", "openapi"), ("asyncapi", "asyncapi")):
        answer = await world.target.request("GET", f"/api/v1/{name}.json")
        equal(f"status of {name}", 200, answer.status)
        must(key in answer.json(), f"the version of {name}", list(answer.json()))


@check("rest: /metrics as Prometheus text over loopback")
async def metrics(world: World):
    answer = await world.target.request("GET", "/metrics")
    equal("status", 200, answer.status)
    must(b"# TYPE emflow_" in answer.body, "typed metrics named emflow_", answer.body[:200])


@check("rest: the administrator's calls are closed to anyone and to visitors")
async def admin_closed(world: World):
    visitor = await world.visitor()
    for method, path in (("GET", "/stats"), ("GET", "/circuit-breaker"), ("POST", "/circuit-breaker/reset"),
                         ("GET", "/circuit-breaker/reset"), ("GET", f"/pending-messages/{visitor.user_id}"),
                         ("POST", f"/cleanup/{visitor.user_id}")):
        kind = [("Content-Type", "application/json")]
        for headers in (kind, [*kind, *visitor.bearer], [*kind, ("Cookie", visitor.cookie)]):
            answer = await world.target.request(method, API + path, headers, b"{}" if method == "POST" else b"")
            one_of(f"status of {method} {path}", (401, 403, 405, 503), answer.status)
    client = await world.connect(visitor)
    equal("recovered", True, client.greeting.payload["recovered"])


@check("rest: errors are problem documents without internals")
async def problems(world: World):
    for method, path in (("GET", f"{API}/no-such-call"), ("GET", f"{API}/sessions/none"), ("POST", "/api/v1/tickets")):
        answer = await world.target.request(method, path)
        kind = (answer.header("content-type") or "").split(";")[0]
        equal(f"content type of {method} {path}", "application/problem+json", kind)
        body = answer.json()
        equal("status field", answer.status, body.get("status"))
        must(body.get("code"), "a code", body)
        must(b".rs" not in answer.body and b"/src/" not in answer.body, "no internals", answer.body[:200])


@check("http: unsuitable methods 405, unknown ones 405 or 501")
async def methods(world: World):
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "POST"):
        one_of(f"status of {method} /", (405, 501), (await world.target.request(method, "/")).status)
    for method in ("BREW", "CONNECT"):
        one_of(f"status of {method}", (400, 405, 501), (await world.target.request(method, "/")).status)


@check("http: path traversal gives no file")
async def traversal(world: World):
    for path in ("/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/%252e%252e/etc/passwd", "/..%5c..%5cetc/passwd",
                 "//etc/passwd", "/static/../../Cargo.toml", "/js/%00", "/....//....//etc/passwd"):
        answer = await world.target.request("GET", path)
        one_of(f"status of {path}", (301, 308, 400, 404), answer.status)
        must(b"root:" not in answer.body and b"[package]" not in answer.body, "no file", answer.body[:80])


SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n"
POST = "POST /api/v1/visitors HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
SMUGGLING = {
    "length and chunked": POST + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{{}}",
    "two lengths in one line": POST + "Content-Length: 2, 40\r\n\r\n{{}}",
    "negative length": POST + "Content-Length: -1\r\n\r\n{{}}",
    "length with a sign": POST + "Content-Length: +2\r\n\r\n{{}}",
    "chunked twice": POST + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": POST + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "folded header": POST + "X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\n{{}}",
    "space before the colon": POST + "Content-Length : 2\r\n\r\n{{}}",
    "no host": "GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": "GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: other\r\n\r\n",
    "bare carriage return": "GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-A: b\rc\r\n\r\n",
    "NUL in a header": "GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-A: b\0c\r\n\r\n",
    "not HTTP": "HELO example\r\n\r\n",
    "h2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


def smuggling(name: str, template: str):
    @check(f"http: refused and closed, nothing after it executed: {name}")
    async def run(world: World):
        data = template.format(host=world.target.authority).encode("latin-1") + SMUGGLED
        answers, closed = await world.target.exchange_closed(data, patience=5.0)
        must(len(answers) <= 1, "at most one answer", [a.status for a in answers])
        for answer in answers:
            must(400 <= answer.status < 600, "a refusal", answer.status)
        equal("closed", True, closed)


for _name, _template in SMUGGLING.items():
    smuggling(_name, _template)


@check("http: a GET with a body does not let the body become a request")
async def get_with_body(world: World):
    data = f"GET /healthz HTTP/1.1\r\nHost: {world.target.authority}\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n".encode()
    answers = await world.target.exchange(data + SMUGGLED, patience=2.0)
    must(len(answers) <= 1, "one answer", [a.status for a in answers])


@check("http: bodies, headers and addresses beyond the limit: 413, 431, 414")
async def too_large(world: World):
    kind = [("Content-Type", "application/json")]
    one_of("status of a 2 MiB body", (413,), await status(world, "POST", "/api/v1/visitors", kind, b'"' + b"x" * (2 << 20) + b'"'))
    one_of("status of a 64 KiB header", (400, 431, "closed"), await status(world, "GET", "/healthz", [("X-Long", "x" * 65_536)]))
    many = [(f"X-Header-{n}", "v") for n in range(1000)]
    one_of("status of 1000 headers", (400, 431, "closed"), await status(world, "GET", "/healthz", many))
    one_of("status of a 100 KB address", (400, 404, 414, 431, "closed"), await status(world, "GET", "/" + "a" * 100_000))
    equal("afterwards", 200, (await world.target.request("GET", "/healthz")).status)


async def status(world: World, method: str, path: str, headers=(), body=b""):
    try:
        return (await world.target.request(method, path, headers, body)).status
    except (ConnectionError, asyncio.IncompleteReadError):
        return "closed"


async def dripped(world: World, head: bytes, piece: bytes, bound: float) -> float:
    """Writes `head` and then `piece` by piece, slowly; seconds until the server gave up."""
    reader, writer = await world.target.open()
    started = time.monotonic()
    writer.write(head)

    async def drip():
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.5)

    feeding = asyncio.create_task(drip())
    try:
        await asyncio.wait_for(reader.read(), bound)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        feeding.cancel()
        writer.close()
    return time.monotonic() - started


@check("http: slow headers and a slow body are given up within about 10 s", slow=True)
async def slowloris(world: World):
    host = world.target.authority
    head = f"GET / HTTP/1.1\r\nHost: {host}\r\n".encode()
    await dripped(world, head, b"X-A: b\r\n", 15.0)
    head = (POST.format(host=host) + "Content-Length: 1000\r\n\r\n").encode()
    await dripped(world, head, b" ", 15.0)


@check("http: a silent connection is closed within about 15 s", slow=True)
async def silent(world: World):
    reader, writer = await world.target.open()
    equal("bytes", b"", await asyncio.wait_for(reader.read(), 20.0))
    writer.close()


@check("http: a TLS handshake never finished is closed within about 10 s", slow=True)
async def half_handshake(world: World):
    reader, writer = await asyncio.open_connection(world.target.host, world.target.port)
    writer.write(b"\x16\x03\x01")
    await asyncio.wait_for(reader.read(), 15.0)
    writer.close()


@check("http: plain text on the TLS port gets no content")
async def plain_http(world: World):
    reader, writer = await asyncio.open_connection(world.target.host, world.target.port)
    writer.write(f"GET /healthz HTTP/1.1\r\nHost: {world.target.authority}\r\n\r\n".encode())
    try:
        data = await asyncio.wait_for(reader.read(), 12.0)
    except ConnectionError:
        data = b""
    must(b"200" not in data and b"<html" not in data, "no content", data[:100])
    writer.close()
