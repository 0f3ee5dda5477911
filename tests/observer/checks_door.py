"""Identity and the door: who gets in, and what the others are told before the upgrade."""

from __future__ import annotations

import asyncio
from datetime import datetime

from harness import World, check, equal, must, one_of
from wire import API, SUBPROTOCOL, Answer, RawSocket, Refused, upgrade_request

PROBLEM_FIELDS = ("type", "title", "status", "detail", "code")


def problem(answer: Answer, status: int, code: str):
    """An RFC 9457 document with the status and the stable code."""
    equal("status", status, answer.status)
    kind = (answer.header("content-type") or "").split(";")[0]
    equal("content type", "application/problem+json", kind)
    body = answer.json()
    for name in PROBLEM_FIELDS:
        must(name in body, f"field {name} in the problem document", body)
    equal("status field", status, body["status"])
    equal("code", code, body["code"])
    return answer


async def refused(world: World, path: str, status: int, code: str, headers=(), subprotocol=SUBPROTOCOL) -> Answer:
    try:
        socket = await RawSocket.open(world.target, path, headers, subprotocol)
    except Refused as refusal:
        return problem(refusal.answer, status, code)
    socket.cut()
    must(False, f"{status} {code} before the upgrade", 101)


async def admitted(world: World, path: str, headers=(), subprotocol=SUBPROTOCOL) -> Answer:
    """Opens the socket, checks that the greeting comes first, and closes it."""
    try:
        socket = await RawSocket.open(world.target, path, headers, subprotocol)
    except Refused as refusal:
        must(False, "101", f"{refusal.answer.status} {refusal.answer.body[:200]!r}")
    equal("first frame", "connection_established", (await socket.read_json())["type"])
    socket.cut()
    return socket.answer


@check("visitors: 201 with user_id, token, expires_at")
async def visitor_body(world: World):
    answer = await world.target.post_json("/api/v1/visitors", {})
    equal("status", 201, answer.status)
    body = answer.json()
    for name in ("user_id", "token", "expires_at"):
        must(body.get(name), f"{name} in the body", sorted(body))
    user = body["user_id"]
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    must(1 <= len(user) <= 64 and set(user) <= allowed and user[0] != ".", "1 to 64 of A-Za-z0-9._-", user)


@check("visitors: cookie __Host-emflow_visitor Secure HttpOnly SameSite=Strict Path=/ without Domain")
async def visitor_cookie(world: World):
    answer = await world.target.post_json("/api/v1/visitors", {})
    cookies = [c for c in answer.all("set-cookie") if c.startswith("__Host-emflow_visitor=")]
    equal("number of such cookies", 1, len(cookies))
    flags = {part.strip().lower() for part in cookies[0].split(";")[1:]}
    for flag in ("secure", "httponly", "samesite=strict", "path=/"):
        must(flag in flags, f"cookie flag {flag}", sorted(flags))
    must(not any(flag.startswith("domain") for flag in flags), "no Domain", sorted(flags))


@check("visitors: two calls give two visitors")
async def visitors_differ(world: World):
    one, two = await world.visitor(), await world.visitor()
    must(one.user_id != two.user_id and one.token != two.token, "different ids and tokens", one.user_id)


@check("visitors: wrong content type 415, bad JSON 400")
async def visitor_bad_bodies(world: World):
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    equal("status for a form", 415, (await world.target.request("POST", "/api/v1/visitors", form, b"a=b")).status)
    kind = [("Content-Type", "application/json")]
    equal("status for bad JSON", 400, (await world.target.request("POST", "/api/v1/visitors", kind, b"{")).status)


@check("tickets: 201 with ticket and expires_in_ms = 30000")
async def ticket_form(world: World):
    visitor = await world.visitor()
    for headers in (visitor.bearer, [("Cookie", visitor.cookie), ("Origin", world.target.origin)]):
        answer = await world.target.post_json("/api/v1/tickets", {}, headers)
        equal("status", 201, answer.status)
        body = answer.json()
        must(body.get("ticket"), "a ticket", body)
        equal("expires_in_ms", 30_000, body.get("expires_in_ms"))


@check("tickets: none without a credential")
async def ticket_needs_credential(world: World):
    problem(await world.target.post_json("/api/v1/tickets", {}), 401, "unauthenticated")


@check("tickets: single use")
async def ticket_once(world: World):
    visitor = await world.visitor()
    path = visitor.path(f"ticket={await visitor.ticket(world.target)}")
    await admitted(world, path)
    await refused(world, path, 401, "unauthenticated")


@check("tickets: of another visitor 403")
async def ticket_of_other(world: World):
    one, two = await world.visitor(), await world.visitor()
    ticket = await one.ticket(world.target)
    await refused(world, two.path(f"ticket={ticket}"), 403, "forbidden")


@check("door: bearer, ticket and cookie each admit")
async def credentials_admit(world: World):
    visitor = await world.visitor()
    await admitted(world, visitor.path(), visitor.bearer)
    await admitted(world, visitor.path(f"ticket={await visitor.ticket(world.target)}"))
    await admitted(world, visitor.path(), [("Cookie", visitor.cookie), ("Origin", world.target.origin)])


@check("door: the 101 names the subprotocol")
async def subprotocol_named(world: World):
    visitor = await world.visitor()
    answer = await admitted(world, visitor.path(), visitor.bearer)
    equal("Sec-WebSocket-Protocol", SUBPROTOCOL, answer.header("sec-websocket-protocol"))


@check("door: subprotocol chosen from several")
async def subprotocol_chosen(world: World):
    visitor = await world.visitor()
    answer = await admitted(world, visitor.path(), visitor.bearer, f"chat, {SUBPROTOCOL}")
    equal("Sec-WebSocket-Protocol", SUBPROTOCOL, answer.header("sec-websocket-protocol"))


@check("door: no credential 401")
async def no_credential(world: World):
    await refused(world, (await world.visitor()).path(), 401, "unauthenticated")


@check("door: bad credentials 401")
async def bad_credentials(world: World):
    visitor = await world.visitor()
    changed = visitor.token[:-2] + ("AA" if visitor.token[-2:] != "AA" else "BB")
    for headers in ([("Authorization", "Bearer nonsense")], [("Authorization", f"Bearer {changed}")],
                    [("Authorization", "Basic Zm9vOmJhcg==")], [("Cookie", "__Host-emflow_visitor=nonsense")]):
        await refused(world, visitor.path(), 401, "unauthenticated", headers)
    await refused(world, visitor.path("ticket=nonsense"), 401, "unauthenticated")


@check("door: the first credential found counts")
async def first_credential(world: World):
    visitor = await world.visitor()
    ticket = await visitor.ticket(world.target)
    bad = [("Authorization", "Bearer nonsense"), ("Cookie", visitor.cookie)]
    await refused(world, visitor.path(f"ticket={ticket}"), 401, "unauthenticated", bad)
    await refused(world, visitor.path("ticket=nonsense"), 401, "unauthenticated", [("Cookie", visitor.cookie)])


@check("door: credential of another visitor 403")
async def other_visitor(world: World):
    one, two = await world.visitor(), await world.visitor()
    await refused(world, two.path(), 403, "forbidden", one.bearer)
    await refused(world, two.path(), 403, "forbidden", [("Cookie", one.cookie), ("Origin", world.target.origin)])


@check("door: foreign origins 403")
async def foreign_origins(world: World):
    visitor, target = await world.visitor(), world.target
    for origin in ("null", "https://host.evil", f"https://evil{target.host}:{target.port}",
                   f"https://{target.host}.evil.example:{target.port}", f"https://{target.host}:{target.port + 1}",
                   f"https://{target.host}", f"http://{target.authority}", f"https://{target.host}.:{target.port}",
                   f"https://user@{target.authority}", f"https://{target.authority}/", f"https://{target.authority}@evil.example", ""):
        try:
            await refused(world, visitor.path(), 403, "origin_not_allowed", [*visitor.bearer, ("Origin", origin)])
        except Exception as error:
            raise AssertionError(f"Origin {origin!r}: {error}") from None


@check("door: own origin admitted, host in any case")
async def own_origin(world: World):
    visitor, target = await world.visitor(), world.target
    await admitted(world, visitor.path(), [*visitor.bearer, ("Origin", target.origin)])
    # An address has no letters: the name of the loopback shows the normalisation.
    named = f"localhost:{target.port}"
    answer = await upgrade_as(world, visitor.path(), named, [*visitor.bearer, ("Origin", f"https://LOCALHOST:{target.port}")])
    equal("status for an upper-case host", 101, answer.status)


async def upgrade_as(world: World, path: str, host: str, headers) -> Answer:
    """An upgrade whose Host header is not the address that was dialled."""
    data = upgrade_request(world.target, path, headers)
    data = data.replace(f"Host: {world.target.authority}".encode(), f"Host: {host}".encode(), 1)
    answers = await world.target.exchange(data, patience=1.0)
    must(answers, "an answer", "none")
    return answers[0]


@check("door: two Origin headers are not admitted")
async def two_origins(world: World):
    visitor = await world.visitor()
    headers = [*visitor.bearer, ("Origin", world.target.origin), ("Origin", "https://host.evil")]
    try:
        (await RawSocket.open(world.target, visitor.path(), headers)).cut()
    except Refused as refusal:
        one_of("status", (400, 403), refusal.answer.status)
        return
    must(False, "400 or 403", 101)


@check("door: malformed user id 400")
async def malformed_user(world: World):
    visitor = await world.visitor()
    for name in (".hidden", "a%20b", "a%00b", "..%2f..%2fetc", "x" * 65, "%E2%80%AEabc", "caf%C3%A9", "a%E2%80%8Bb", "a:b"):
        try:
            await refused(world, f"{API}/ws/{name}", 400, "bad_request", visitor.bearer)
        except Exception as error:
            raise AssertionError(f"user id {name!r}: {error}") from None


@check("door: empty user id is not admitted")
async def empty_user(world: World):
    visitor = await world.visitor()
    try:
        (await RawSocket.open(world.target, f"{API}/ws/", visitor.bearer)).cut()
    except Refused as refusal:
        one_of("status", (400, 404), refusal.answer.status)
        return
    must(False, "400 or 404", 101)


@check("door: unknown subprotocol only 400")
async def unknown_subprotocol(world: World):
    visitor = await world.visitor()
    await refused(world, visitor.path(), 400, "bad_request", visitor.bearer, "chat, emflow.v2")


@check("door: bad query 400")
async def bad_query(world: World):
    visitor = await world.visitor()
    for query in ("last_sequence=-1", "last_sequence=1.5", "last_sequence=x", "last_sequence=",
                  "last_sequence=99999999999999999999999"):
        try:
            await refused(world, visitor.path(query), 400, "bad_request", visitor.bearer)
        except Exception as error:
            raise AssertionError(f"query {query!r}: {error}") from None


@check("door: a GET without upgrade headers is refused with a problem document")
async def plain_get(world: World):
    visitor = await world.visitor()
    answer = await world.target.request("GET", visitor.path(), visitor.bearer)
    one_of("status", (400, 426), answer.status)
    equal("content type", "application/problem+json", (answer.header("content-type") or "").split(";")[0])


@check("door: permessage-deflate is not accepted")
async def no_deflate(world: World):
    visitor = await world.visitor()
    offer = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
    answer = await admitted(world, visitor.path(), [*visitor.bearer, offer])
    equal("Sec-WebSocket-Extensions", None, answer.header("sec-websocket-extensions"))


@check("door: the ticket's and token's expiry lie ahead")
async def expiry_ahead(world: World):
    body = (await world.target.post_json("/api/v1/visitors", {})).json()
    value = body["expires_at"]
    when = value / 1000 if isinstance(value, (int, float)) else datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    now = datetime.now().timestamp()
    must(when > now + 60, "expires_at more than a minute ahead", value)


@check("door: no access by asking for a visitor with a chosen id")
async def chosen_id(world: World):
    victim = await world.visitor()
    answer = await world.target.post_json("/api/v1/visitors", {"user_id": victim.user_id, "display_name": "x"})
    must(answer.status == 400 or answer.json().get("user_id") != victim.user_id, "another id, or 400", answer.body)


@check("tickets: refused after 30 s", slow=True)
async def ticket_expired(world: World):
    visitor = await world.visitor()
    path = visitor.path(f"ticket={await visitor.ticket(world.target)}")
    await asyncio.sleep(31)
    await refused(world, path, 401, "unauthenticated")
