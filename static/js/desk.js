// The calls of the presenter's page: the administrator's session, and what may be ordered with it.

import { call } from "./api.js";

export class Desk {
  #csrf = "";

  /** The session that this browser holds, or the link behind the hash. Fails with 401 where there is neither. */
  async enter() {
    const link = new URLSearchParams(location.hash.slice(1)).get("link");
    if (link) {
      history.replaceState(null, "", location.pathname);
      return this.#entered(await this.#post("/api/v1/admin/link", { link }));
    }
    return this.#entered(await call("/api/v1/admin/session"));
  }

  async login(password) {
    this.#entered(await this.#post("/api/v1/admin/login", { password }));
  }

  about = () => call("/api/v1/presenter");
  fail = (failing) => this.#post("/api/v1/presenter/fail", { failing });
  slow = (user_id, delay_ms) => this.#post("/api/v1/presenter/slow", { user_id, delay_ms });
  restart = () => this.#post("/api/v1/presenter/restart", {});

  #entered({ csrf_token }) {
    this.#csrf = csrf_token ?? "";
  }

  #post(path, body) {
    return call(path, { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": this.#csrf }, body: JSON.stringify(body) });
  }
}
