// The calls of the administration. A session cookie no script can read goes with them by itself; the token
// against forged calls is told with the session and sent with every call that changes something.

const ROOT = "/api/v1";
/** Longer than any call is meant to take: after it nobody knows whether it was done. */
export const TIMEOUT_MS = 15_000;

/** What the server refused, as it says it, or that it could not be asked. */
export class Refused extends Error {
  constructor(message, { status = 0, code = "unreachable", faults = [], retryAfterS = null } = {}) {
    super(message);
    Object.assign(this, { status, code, faults, retryAfterS });
  }
}

const session = { token: null, ended: () => {} };

/** The token of this session, and what happens when the server no longer knows the session. */
export function use({ token, ended }) {
  session.token = token;
  if (ended) session.ended = ended;
}

/** Where a wrong secret is refused with the status of an ended session, and is none. */
const SECRETS = ["/admin/login", "/admin/link", "/admin/password"];

const safe = (method) => method === "GET" || method === "HEAD";

/**
 * One call. `query` and `body` are plain objects; `file` is sent as it is; `as` is "json", "text" or "blob".
 * Throws `Refused`; a call that was given up by `signal` throws an `AbortError`.
 */
export async function call(method, path, { query = {}, body, file, as = "json", signal, timeout = TIMEOUT_MS } = {}) {
  const headers = { accept: as === "json" ? "application/json" : "*/*" };
  if (!safe(method) && session.token) headers["x-csrf-token"] = session.token;
  if (body !== undefined) headers["content-type"] = "application/json";
  if (file) headers["content-type"] = file.type || "application/octet-stream";
  const limit = AbortSignal.timeout(timeout);
  let answer;
  try {
    answer = await fetch(address(path, query), { method, headers, body: file ?? (body === undefined ? undefined : JSON.stringify(body)),
      signal: signal ? AbortSignal.any([signal, limit]) : limit, cache: "no-store" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(unreachable(method), { code: "unreachable" });
  }
  if (!answer.ok) throw await refusal(answer, path);
  if (answer.status === 204) return null;
  try {
    return await answer[as]();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refused(unreachable(method), { code: "unreachable" });
  }
}

const unreachable = (method) => (safe(method) ? "The server cannot be reached." : "The server did not answer. Whether it was done is not known: look again when the connection is back.");

export function address(path, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return `${ROOT}${path}${kept.length ? `?${new URLSearchParams(kept)}` : ""}`;
}

async function refusal(answer, path) {
  const problem = await answer.json().catch(() => ({}));
  const error = new Refused(problem.detail ?? problem.title ?? `The server answered ${answer.status}.`, {
    status: answer.status, code: problem.code ?? String(answer.status), faults: problem.errors ?? [],
    retryAfterS: Number(answer.headers.get("retry-after")) || null });
  if (answer.status === 401 && !SECRETS.includes(path)) session.ended();
  return error;
}

export const get = (path, query, more = {}) => call("GET", path, { query, ...more });
export const post = (path, body = {}, more = {}) => call("POST", path, { body, ...more });
export const put = (path, body, more = {}) => call("PUT", path, { body, ...more });
export const remove = (path, more = {}) => call("DELETE", path, more);
