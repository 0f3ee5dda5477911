// Signing in: with the password, or once with a link from `emflow admin link`.

import { h, show } from "../js/h.js";
import { post } from "./api.js";
import { span } from "./words.js";

/** A link of the command line carries its secret behind the `#`, so that no log ever sees it. True where it signed in. */
export async function redeem(app) {
  const [, secret] = location.hash.match(/^#link=(.+)$/) ?? [];
  if (!secret) return false;
  history.replaceState(null, "", location.pathname);
  app.enter(await post("/admin/link", { link: secret }));
  return true;
}

export function login(app, place) {
  const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true, "aria-describedby": "login-fault" });
  const fault = h("p", { id: "login-fault", class: "field-error", role: "alert" }, app.farewell ?? "");
  const enter = h("button", { class: "primary", type: "submit" }, "Sign in");
  let waiting = null;
  const form = h("form", { class: "login-form", novalidate: true, onsubmit: async (event) => {
    event.preventDefault();
    if (password.value === "") {
      fault.textContent = "Type the password.";
      password.focus();
      return;
    }
    enter.disabled = true;
    try {
      app.enter(await post("/admin/login", { password: password.value }));
    } catch (error) {
      tell(error);
    }
  } },
  // Password managers file a password under a name.
  h("input", { type: "text", name: "username", value: "admin", autocomplete: "username", hidden: true, readonly: true }),
  h("label", { for: "password" }, "Password"), password, fault, enter);

  function tell(error) {
    enter.disabled = false;
    fault.textContent = error.message;
    password.select();
    if (!error.retryAfterS) return;
    const until = Date.now() + error.retryAfterS * 1_000;
    enter.disabled = true;
    waiting = setInterval(() => {
      const left = until - Date.now();
      enter.disabled = left > 0;
      enter.textContent = left > 0 ? `Again in ${span(left)}` : "Sign in";
      if (left <= 0) clearInterval(waiting);
    }, 1_000);
  }

  show(place, h("main", { id: "main", class: "login", tabindex: "-1" },
    h("div", { class: "login-card" },
      h("h1", {}, "Administration"),
      h("p", { class: "muted" }, "Example Message Flow"),
      form,
      h("details", {}, h("summary", {}, "Where is the password?"),
        h("p", {}, "The first start printed it once, on the terminal. If it is gone, nothing is lost: on the server, as the user it runs as,"),
        h("pre", { tabindex: "0" }, "emflow admin link\nemflow admin set-password"),
        h("p", {}, "The first gives a link that signs in once, the second sets a new password. Both work while it serves.")),
      h("a", { href: "/" }, "To the demo page"))));
  password.focus();
  return () => clearInterval(waiting);
}
