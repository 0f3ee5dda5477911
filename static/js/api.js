// The few HTTP calls of the page.

import { loadUser, saveUser } from "./store.js";
import { t } from "./words.js";

const JSON_BODY = { "content-type": "application/json" };

async function call(path, init) {
  let answer;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    throw new Error(t("api.unreachable"), { cause: error });
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    const seconds = Number(answer.headers.get("retry-after"));
    throw Object.assign(new Error(problem.detail ?? problem.title ?? t("api.status", { status: answer.status })),
      { status: answer.status, ...(seconds > 0 ? { retryMs: seconds * 1000 } : {}) });
  }
  return answer.json();
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

/** The gallery: `{examples, engine}`. */
export const examples = () => call("/api/v1/example-messages/examples");
