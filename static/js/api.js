// The few HTTP calls of the page.

import { loadUser, saveUser } from "./store.js";
import { t } from "./words.js";

const JSON_BODY = { "content-type": "application/json" };

let token = null;
/** From now on calls are made with this token instead of the cookie. */
export const bearer = (given) => { token = given; };

const withToken = (init = {}) => (token ? { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } } : init);

/** A call whose answer is JSON; an error carries the status and what the server says. */
export async function call(path, init) {
  return (await ask(path, init)).json();
}

async function ask(path, init) {
  let answer;
  try {
    answer = await fetch(path, withToken(init));
  } catch (error) {
    throw new Error(t("api.unreachable"), { cause: error });
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    const seconds = Number(answer.headers.get("retry-after"));
    throw Object.assign(new Error(problem.detail ?? problem.title ?? t("api.status", { status: answer.status })),
      { status: answer.status, ...(seconds > 0 ? { retryMs: seconds * 1000 } : {}) });
  }
  return answer;
}

/** The visitor this browser is, made on the first visit; the credential itself is a cookie no script can read. */
export async function identity() {
  const known = loadUser();
  if (known?.user_id) return known;
  const made = await call("/api/v1/visitors", { method: "POST", headers: JSON_BODY, body: "{}" });
  const user = { user_id: made.user_id, expires_at: made.expires_at };
  saveUser(user);
  return user;
}

/** One of the visitor's sessions, with its question. */
export const session = (id) => call(`/api/v1/example-messages/sessions/${encodeURIComponent(id)}`);

/** What would be understood of a draft `{content, category?, complexity, assumptions}`. */
export const understand = (draft, signal) =>
  call("/api/v1/example-messages/understand", { method: "POST", headers: JSON_BODY, body: JSON.stringify(draft), signal });

/** The key with which this appliance signs reports: `{algorithm, key, fingerprint}`. */
export const reportKey = () => call("/api/v1/report-key");

/** A ticket for a socket, for a page without a cookie. */
export const ticket = () => call("/api/v1/tickets", { method: "POST", headers: JSON_BODY, body: "{}" });

/** Who asks, what they may, and how many devices follow. */
export const following = () => call("/api/v1/follow");
/** Lets another device follow: `{url, qr, scope, expires_at, reachable, hint?}`. */
export const share = (control) => call("/api/v1/follow", { method: "POST", headers: JSON_BODY, body: JSON.stringify({ control }) });
/** Sends away every device that follows. */
export const unshare = () => call("/api/v1/follow", { method: "DELETE" });

/** A session's report as a file in memory. */
export const report = async (id, kind) => (await ask(`/api/v1/example-messages/sessions/${encodeURIComponent(id)}/report.${kind}`)).blob();

/** The gallery: `{examples, engine}`. */
export const examples = () => call("/api/v1/example-messages/examples");
