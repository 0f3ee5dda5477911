// The few HTTP calls of the page.

import { loadUser, saveUser } from "./store.js";

async function call(path, init) {
  let answer;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail ?? problem.title ?? `The server answered ${answer.status}.`), { status: answer.status });
  }
  return answer.json();
}

/** The visitor this browser is, made on the first visit; the credential itself is a cookie no script can read. */
export async function identity() {
  const known = loadUser();
  if (known?.user_id) return known;
  const made = await call("/api/v1/visitors", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  const user = { user_id: made.user_id, expires_at: made.expires_at };
  saveUser(user);
  return user;
}

/** One of the visitor's sessions, with its question. */
export const session = (id) => call(`/api/v1/example-messages/sessions/${encodeURIComponent(id)}`);

/** The gallery: `{examples, engine}`. */
export const examples = () => call("/api/v1/example-messages/examples");
