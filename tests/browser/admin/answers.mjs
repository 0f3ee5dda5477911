// What the fixture answers: the documented shapes, in the states `empty`, `busy` and `ill`. Texts of visitors are hostile.

const EVIL = ["<img src=x onerror=alert(1)>", "<script>alert(2)</script>", "\"><svg onload=alert(3)>", "javascript:alert(4)", "<b id=pwned>bold</b>", "{{7*7}}", "‮evil‬", "<style>*{display:none}</style>"];
const MIN = 60_000;
const past = (ms) => new Date(Date.now() - ms).toISOString();
const list = (items, more = {}) => ({ items, next: null, ...more });
const many = (n, make) => Array.from({ length: n }, (_, at) => make(at));
const id = (kind, n) => `${kind}-${String(n).padStart(4, "0")}a7c3e19b5d`;

const session = (n) => ({ session_id: id("ses", n), user_id: id("v", n % 7), example_message_id: `m${n}`, title: n % 3 === 0 ? EVIL[n % EVIL.length] : "Cut our monthly bill without losing quality", content: `We spend $${n + 3},000 a month ${EVIL[n % EVIL.length]}`,
  category: ["cost-optimization", "latency-optimization", "scaling", "advanced"][n % 4], complexity: ["basic", "intermediate", "advanced"][n % 3], businessValue: "conversion", state: ["processing", "completed", "failed", "completed", "timed_out", "cancelled"][n % 6],
  attempts: 1 + (n % 2), created_at: past((n + 1) * 41_000), ended_at: n % 6 === 0 ? null : past(n * 41_000), duration_ms: 1_830 + n * 240, queue_position: n % 6 === 0 && n > 0 ? n : null, last_sequence: 9 + n });
const visitor = (n) => ({ user_id: n === 2 ? "v-.._A.B_very-long-identifier-0123456789012345678901234567890123" : id("v", n), epoch: "1760000000000", pending_count: n % 3, pending_bytes: n * 900, expired_frames: n === 4 ? 12 : 0, sessions: n, running_sessions: n % 2, connections: n % 3,
  last_seen: past(n * 70_000), revoked_at: n === 5 ? past(MIN) : null, undo_until: n === 3 ? new Date(Date.now() + 400_000).toISOString() : null });
const connection = (n) => ({ connection_id: id("c", n), user_id: id("v", n), connected_at: past(n * 50_000 + 3_000), last_activity: past(n * 900), status: n === 3 ? "draining" : "open", authenticated: true, in_flight: n * 2, bytes_in: 1_200 * n, bytes_out: 50_234 * n, errors: n === 2 ? 4 : 0,
  address: n % 2 ? "192.0.2.17" : "2001:db8::12", user_agent: n % 2 ? EVIL[n % EVIL.length] : "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36" });
const pendingFrame = (n) => ({ sequence: 8 + n, type: ["agent_thinking", "tool_executing", "agent_completed"][n % 3], session_id: id("ses", n), created_at: past(20_000 - n * 900), age_ms: 20_000 - n * 900, attempts: n % 3, state: n % 3 ? "sending" : "pending", bytes: 380 + n });
const frame = (n) => ({ sequence: n + 1, type: ["processing_started", "agent_started", "agent_thinking", "tool_executing", "partial_result", "agent_completed"][Math.min(n, 5)], timestamp: past(9_000 - n * 1_400), offset_ms: n === 4 ? 14_000 : n * 900, payload: { message: n % 2 ? EVIL[n % EVIL.length] : "reads the numbers" } });
const event = (n, ill) => ({ id: `e1760000000000-${900 - n}`, at: past(n * 33_000), kind: ["session.failed", "breaker.opened", "connection.closed", "refused", "alert.raised", "rate_limited"][n % 6], severity: ill ? "error" : ["error", "warning", "info"][n % 3], message: n % 4 === 0 ? EVIL[n % EVIL.length] : "the agent did not answer in 45 s",
  session_id: n % 2 ? id("ses", n) : null, user_id: id("v", n), connection_id: n % 3 === 2 ? id("c", n) : null, breaker: n % 6 === 1 ? "remote" : null, alert: null, code: ["agent_timeout", null, "4100", "bad_field"][n % 4], category: null });
const breaker = (name, state) => ({ name, role: "primary", state, since: state === "closed" ? null : past(95_000), retry_after_ms: state === "open" ? 12_400 : null, consecutive_failures: state === "closed" ? 0 : 5, admitted: 412, refused: state === "closed" ? 0 : 37, successes: 400, failures: 12, abandoned: 0, unsettled: 0, late: 0, transitions: state === "closed" ? 0 : 3,
  policy: { failure_threshold: 5, recovery_timeout_ms: 30_000, max_probes: 1, successes_to_close: 2 },
  history: state === "closed" ? [] : [{ at: past(95_000), from: "half_open", to: "open", cause: "probe_failed", by: null, reason: null }, { at: past(130_000), from: "open", to: "half_open", cause: "recovery_timeout", by: null, reason: null }, { at: past(160_000), from: "closed", to: "open", cause: "tripped", by: "admin", reason: EVIL[0] }],
  last_failures: state === "closed" ? [] : many(3, (n) => ({ at: past(95_000 + n * 900), session_id: id("ses", n), user_id: id("v", n), error: n ? "connection refused" : EVIL[1] })) });
const example = (n) => ({ id: `ex-${n}`, title: n === 1 ? EVIL[0] : ["Halve the bill of a support assistant", "", "Serve 500 users at once"][n % 3], content: n === 1 ? EVIL.join(" ") : "We run 1M requests a month on gpt-4o with 1000 input tokens and 200 output tokens each and want to know what it costs with caching and a smaller model for the easy half.", category: ["cost-optimization", "scaling", "advanced"][n % 3], complexity: "basic", businessValue: "conversion", estimatedTime: "15 to 30 s" });
const setting = (key, value, more = {}) => ({ key, section: key.split(".")[0], name: key.split(".")[1], value, default: value, source: "default", live: false, secret: false, editable: false, locked_by: null, form: "a whole number", range: null, doc: "What it does, in a sentence that may be a little longer than one line.", file_value: null, pending_restart: false, ...more });
const auditEntry = (n) => ({ number: 500 - n, at: past(n * 88_000), who: n % 3 ? "admin" : EVIL[0], via: n % 3 ? "session" : "token", from: n % 4 ? "192.0.2.7" : "", action: ["session.login", "visitor.cleanup", "breaker.reset", "settings.change"][n % 4], target: n % 2 ? EVIL[4] : "remote", before: { value: 5 }, after: { value: EVIL[1] }, outcome: n % 5 === 4 ? "refused" : "done", reason: n % 5 === 4 ? "a wrong password" : null });
const logLine = (n) => ({ id: `l1760000000000-${700 - n}`, at: past(n * 700), level: ["info", "info", "warn", "error", "debug"][n % 5], target: "emflow::serve::socket", message: n % 7 === 0 ? EVIL[n % EVIL.length] : "connected", fields: { connection: id("c", n), client: n % 3 ? "x" : EVIL[2] } });

const ALERTS = [["processing_time", "Processing takes longer than 30 s", "ms", 30_000], ["error_rate", "Error rate above 5 %", "share", 0.05], ["memory_growth", "Memory grew by more than 200 MB", "bytes", 209_715_200], ["breaker_open", "A breaker is open for more than 5 min", "ms", 300_000],
  ["failed_connections", "More than 10 % of connections fail", "share", 0.1], ["disk_free", "Little room on the disk", "bytes", 1e9], ["certificate_expiry", "The certificate expires soon", "days", 14], ["catalog_age", "The prices are old", "days", 90], ["backup_age", "No backup for long", "ms", 2 * 86_400_000], ["store_failed", "The store failed", "ms", 0], ["event_loop_lag", "The event loop lags", "ms", 250]];
const alertOf = ([name, title, unit, threshold], ill, at) => {
  const state = !ill ? "ok" : at === 1 ? "firing" : at === 3 ? "acknowledged" : "ok";
  return { id: name, title, state, severity: at === 1 ? "critical" : "warning", since: state === "ok" ? null : past(7 * MIN), why: state === "ok" ? "" : `7.5 % of 40 sessions in the last 5 min failed ${EVIL[0]}`, value: state === "ok" ? 0 : 0.075, threshold, clears_at: threshold, unit, advice: "Open the failed sessions: their code says what failed.",
    acknowledged: state === "acknowledged" ? { at: past(MIN), by: "admin", note: EVIL[1] } : null, event_kinds: "session.failed", last_fired: state === "ok" ? null : past(7 * MIN), last_resolved: null, check_error: ill && at === 6 ? "the probe did not come back in 5 s" : null };
};

function snapshot({ state }, tick) {
  const empty = state === "empty";
  const ill = state === "ill";
  const wave = (base, swing) => (empty ? 0 : base + swing * Math.sin(tick / 3));
  const of = (base) => (empty ? { p50: null, p95: null, p99: null } : { p50: wave(base, base / 5), p95: wave(base * 3, base), p99: wave(base * 7, base * 2) });
  return { at: new Date().toISOString(), status: ill ? "unhealthy" : "healthy", version: "0.1.0", uptime_ms: 5_432_000 + tick * 1_000,
    components: ["store", "breakers", "disk", "memory", "event_loop", "certificate"].map((name) => ({ name, vital: true, status: ill && name === "disk" ? "unhealthy" : ill && name === "breakers" ? "degraded" : "healthy", detail: ill && name === "disk" ? "48 MiB free: new work is refused below 64 MiB" : "written, synced and read back in 0.4 ms", value: 0.4, unit: "ms", took_ms: 0.5 })),
    connections: { live: Math.round(wave(42, 6)), tls: 50 }, sessions: { active: empty ? 0 : 12, processing: empty ? 0 : 9, queued: ill ? 640 : 0, queue_capacity: 1_000, slots: 100 },
    frames: { sent_per_s: wave(1_240, 300), acknowledged_per_s: wave(1_200, 300), redelivered_per_s: 0, pending: empty ? 0 : 140, pending_bytes: 91_000, oldest_pending_ms: empty ? null : 1_200 },
    ack_ms: of(1.4), processing_ms: of(900), commit_ms: of(0.4), http_ms: of(1), queue_ms: of(2), commits_per_s: wave(310, 60), commit_queue: 0, memory_bytes: wave(81e6, 2e6) || 40e6, cpu_share: 0.2, descriptors: 80, disk_bytes: 14e6, disk_free_bytes: ill ? 50e6 : 9e10, event_loop_lag_ms: 0.3,
    error_rate: empty ? null : ill ? 0.075 : 0, failed_connection_rate: ill ? 0.12 : 0, refused_per_s: ill ? 3.4 : 0, breakers: [{ name: "builtin", state: "closed" }, ...(empty ? [] : [{ name: "remote", state: ill ? "open" : "closed" }])], alerts: { firing: ill ? 2 : 0, unacknowledged: ill ? 1 : 0 } };
}

const RANGES = { "5m": 5, "1h": 60, "2h": 120, "24h": 1_440, "7d": 7 * 1_440, "30d": 30 * 1_440 };

function history(query) {
  const to = Date.now();
  const from = to - RANGES[query.range] * MIN;
  const step = (to - from) / 120;
  const point = (n, key) => [new Date(from + n * step).toISOString(), n > 40 && n < 52 ? null : (key.length * 3 + 10 * Math.sin(n / 9)), n > 40 && n < 52 ? null : key.length * 3 + 12];
  return { range: query.range, from: new Date(from).toISOString(), to: new Date(to).toISOString(), step_ms: step, series: Object.fromEntries(query.series.split(",").map((key) => [key, many(121, (n) => point(n, key))])), units: {} };
}

const STEPS = [["visits", 812], ["example_opened", 540], ["message", 431], ["result", 402], ["result_viewed", 377], ["report_exported", 88], ["call_to_action", 61]];
const business = (empty) => ({ since: empty ? null : past(30 * 86_400_000), funnel: STEPS.map(([step, n]) => ({ step, count: empty ? 0 : n })), conversion: empty ? null : 0.075, engagement: empty ? null : 0.94, completion: empty ? null : 0.93, success: empty ? null : 0.97, time_to_value_ms: { mean: empty ? null : 900, p50: empty ? null : 850, p95: 1_500, window_ms: 3_600_000 },
  by: empty ? [] : ["cost-optimization", "scaling", "advanced"].map((category, n) => ({ category, business_value: "conversion", counts: { message: 90 - n * 20, result: 88 - n * 20, result_viewed: 80, report_exported: 12, call_to_action: 9 - n }, time_to_value_ms: { mean: 900 + n * 80 } })) });

const CERTIFICATE = { generated: true, fingerprint_sha256: many(32, (n) => (n * 7 + 16).toString(16).slice(-2).toUpperCase()).join(":"), names: ["localhost", "demo.example", "127.0.0.1", "192.0.2.10"], not_before: past(86_400_000), not_after: new Date(Date.now() + 300 * 86_400_000).toISOString(), days_left: 300,
  authority: { fingerprint_sha256: many(32, (n) => (n * 5 + 32).toString(16).slice(-2).toUpperCase()).join(":"), not_after: new Date(Date.now() + 3_000 * 86_400_000).toISOString(), url: "/api/v1/admin/certificate/authority" } };
const SIX = { sessions: 4, running_sessions: 1, messages: 4, frames: 40, pending_frames: 3, bytes: 51_234 };
const undoOf = () => ({ removed_at: past(MIN), until: new Date(Date.now() + 9 * MIN).toISOString(), removed: SIX, kept: true });

/** The answer to a call: `{status, body}`. */
export function answers(world, call) {
  const empty = world.state === "empty";
  const ill = world.state === "ill";
  const some = (n, make) => list(empty ? [] : many(n, make));
  const { method, path = "", query = {}, body } = call;
  if (method === "SNAPSHOT") return { body: snapshot(world, call.tick) };
  if (path === "/admin/login") {
    if (body.password !== "correct horse battery") return problem(401, "unauthenticated", "the password is wrong");
    world.signedIn = true;
  }
  if (!world.signedIn) return problem(401, "unauthenticated", "log in");
  if (method !== "GET" && path !== "/admin/login" && call.token !== "csrf-of-the-fixture") return problem(403, "forbidden", "the CSRF token is missing or wrong");
  if (world.failing?.test(path)) return problem(500, "internal", "the answer could not be made; reference 4711");
  const reads = {
    "/admin/session": () => ({ name: "admin", via: "session", scope: world.scope ?? "operate", csrf_token: "csrf-of-the-fixture", idle_timeout_ms: 1_800_000, expires_at: new Date(Date.now() + 8 * 60 * MIN).toISOString(), password_is_configured: false, password_changed_at: past(3 * 86_400_000),
      sessions: [{ id: "s1", created_at: past(9 * MIN), last_seen_at: past(1_000), from: "192.0.2.7", client: EVIL[0], current: true }, { id: "s2", created_at: past(99 * MIN), last_seen_at: past(80 * MIN), from: "", client: "Mozilla/5.0", current: false }] }),
    "/admin/alerts": () => list(ALERTS.map((one, at) => alertOf(one, ill, at)), { webhook: ill ? { url: "https://hooks.example/…", enabled: true, waiting: 0, dropped: 0, last: { at: past(MIN), ok: false, message: "connection refused" } } : { url: null, enabled: false, waiting: 0, dropped: 0, last: null } }),
    "/admin/events": () => some(Math.min(20, Number(query.limit ?? 20)), (n) => event(n, ill)), "/admin/history": () => history(query), "/example-messages/stats": () => ({ business: business(empty) }),
    "/admin/upgrades": () => list(empty ? [] : [{ at: past(5 * MIN), from: "0.0.9", to: "0.1.0", step: ill ? "rolled_back" : "settled", well: !ill, told: ill ? `Put back: ${EVIL[0]}` : "It serves; the copy of before goes with the next upgrade." }], { version: "0.1.0", record_format: 1 }),
    "/admin/logs": () => some(60, logLine), "/admin/sessions": () => some(14, session), "/admin/connections": () => some(6, (n) => connection(n + 1)), "/admin/visitors": () => some(7, visitor), "/admin/audit": () => some(12, auditEntry),
    "/admin/messages": () => some(4, (n) => ({ user_id: id("v", n), pending_count: n + 1, pending_bytes: 900 * (n + 1), oldest_sequence: 8, oldest_at: past(20_000), oldest_age_ms: 20_000, attempts: n, connections: n % 2 })),
    "/example-messages/circuit-breaker": () => list([breaker("builtin", "closed"), ...(empty ? [] : [breaker("remote", world.breaker ?? (ill ? "open" : "half_open"))])]),
    "/admin/examples": () => list(empty ? [] : many(5, example), { source: "admin", file: null, changed_at: past(3 * MIN), max: 100 }),
    "/admin/appearance": () => ({ title: empty ? "Example Message Flow" : EVIL[0], logo: null, colours: { accent: "#0b5d53", accent_dark: "#63c7b2" }, call_to_action: empty ? null : { text: "Talk to us", url: "https://example.com/" }, source: "admin", changed_at: past(MIN), contrast: { accent_on_light: 6.9, accent_on_dark: 7.4, least: 4.5 } }),
    "/admin/settings": () => list([setting("server.listen", "\"127.0.0.1:8443\"", { source: "flag --listen", locked_by: "flag --listen" }), setting("breaker.failure_threshold", "5", { live: true, editable: true, range: ["1", "1000"] }), setting("breaker.recovery_timeout", "\"30s\"", { live: true, editable: true, source: "admin", default: "\"30s\"", value: "\"45s\"" }),
      setting("log.level", "\"info\"", { live: true, editable: true, source: "/etc/emflow/config.toml:12", pending_restart: true }), setting("admin.password", "\"***\"", { secret: true, source: "environment EMFLOW_ADMIN__PASSWORD" })]),
    "/admin/certificate": () => CERTIFICATE, "/admin/tokens": () => list(empty ? [] : [{ id: "t1", name: EVIL[0], scope: "operate", created_at: past(9 * MIN), expires_at: null, last_used_at: past(MIN), expired: false }, { id: "t2", name: "grafana", scope: "read", created_at: past(99 * MIN), expires_at: past(MIN), last_used_at: null, expired: true }]),
    "/example-messages/backups": () => list(empty ? [] : many(3, (n) => ({ name: `${n ? "scheduled" : "emflow"}-2026112${n}T120000.000Z.emflow-backup`, created_at: past(n * 86_400_000), bytes: 1_234_567, entries: 4_200, app_version: "0.1.0", verified_at: n ? past(MIN) : null, ok: n === 2 ? false : n ? true : null, fault: n === 2 ? `a checksum is wrong ${EVIL[0]}` : null })),
      { schedule: { every_ms: empty ? 0 : 86_400_000, keep: 7, directory: "/var/lib/emflow/backups", last_success_at: empty ? null : past(3_600_000), next_at: empty ? null : ill ? past(MIN) : new Date(Date.now() + 3_600_000).toISOString(), made: 3, failures: ill ? 2 : 0, last_failure: ill ? { at: past(MIN), message: `the disk is full ${EVIL[1]}` } : null } }),
  };
  if (method === "GET" && reads[path]) return { body: reads[path]() };
  return other(world, call) ?? problem(404, "not_found", `the fixture has no ${method} ${path}`);
}

function other(world, { method, path, body }) {
  const of = (pattern) => path.match(pattern)?.[1];
  if (method === "GET" && of(/^\/example-messages\/sessions\/([^/]+)$/)) {
    const one = session(2);
    return { body: { ...one, session_id: of(/sessions\/([^/]+)$/), outcome: { code: "agent_timeout", message: EVIL[0] }, ended_by: "error" } };
  }
  if (of(/^\/admin\/sessions\/([^/]+)\/frames$/)) return { body: list(many(6, frame), { complete: true }) };
  if (of(/^\/example-messages\/pending-messages\/(.+)$/)) return { body: { user_id: of(/pending-messages\/(.+)$/), epoch: "1", pending_count: 6, pending_bytes: 2_400, acknowledged_sequence: 7, last_sequence: 13, attempts: 1, expired_frames: 0, pending_messages: many(6, pendingFrame), next: null, connections: [connection(1)] } };
  if (method === "GET" && of(/^\/example-messages\/cleanup\/(.+)$/)) return { body: { user_id: of(/cleanup\/(.+)$/), epoch: "1", would_remove: SIX, connections: 2, undo_window_ms: 600_000, undo_possible: true, undo: undoOf() } };
  if (of(/cleanup\/(.+)\/undo$/)) return { body: { user_id: "v", restored: SIX, epoch: "3", resumed_sessions: 1 } };
  if (of(/cleanup\/(.+)$/)) return { body: { user_id: "v", removed: SIX, closed_connections: 2, epoch: "2", epoch_before: "1", undo: undoOf() } };
  if (path.endsWith("/circuit-breaker/reset")) world.breaker = "closed";
  if (path.endsWith("/circuit-breaker/trip")) world.breaker = "open";
  if (path === "/admin/tokens") return { status: 201, body: { token: "emflow_0123456789abcdef", about: { id: "t3", name: body.name, scope: body.scope } } };
  if (path === "/admin/examples" || path === "/admin/examples/reset") return { body: list(body?.items ?? many(3, example), { source: "admin", file: null, changed_at: past(1), max: 100 }) };
  if (path === "/admin/logout") world.signedIn = false;
  const done = { "/admin/login": { name: "admin", scope: "operate", csrf_token: "csrf-of-the-fixture" }, "/admin/logout": {}, "/admin/logout-everywhere": {}, "/admin/examples/check": { valid: true, errors: [] }, "/admin/alerts/webhook/test": { ok: false, status: 500, took_ms: 3, message: "connection refused" },
    "/admin/reload": { changed: ["log.level"], needs_restart: ["server.listen"] }, "/example-messages/backups": { name: "emflow-new.emflow-backup", bytes: 99_000 }, "/admin/settings": { changed: [], items: [] } };
  if (method === "GET") return null;
  return { body: done[path] ?? { closed_connections: 1, dropped: 2, connections: 1, pending_count: 2, state: "cancelled", ok: true } };
}

const problem = (status, code, detail) => ({ status, body: { type: `urn:emflow:problem:${code}`, title: code, status, code, detail } });
