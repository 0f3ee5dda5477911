// Another device: a QR code to follow this visitor, to look on or with control, and the way to end it.

import { following, share, unshare } from "../api.js";
import { h, show } from "../h.js";
import { t, tag } from "../words.js";

/** How often the open dialog asks how many follow. */
const COUNT_MS = 2_000;

export function shareButton(app, button) {
  button.hidden = false;
  button.addEventListener("click", () => open(app));
}

function open(app) {
  let control = false;
  let counting = null;
  const code = h("div", { class: "share-code", "aria-live": "polite" });
  const count = h("p", { class: "muted", role: "status" });
  const choice = (value, name) => h("label", {}, h("input", { type: "radio", name: "share", value, checked: value === String(control),
    onchange: () => {
      control = value === "true";
      draw();
    } }), h("span", {}, t(name)));
  const end = h("button", { class: "ghost", type: "button", onclick: async () => {
    await attempt(async () => {
      await unshare();
      draw();
    });
  } }, t("share.end"));
  const close = h("button", { class: "icon", type: "button", "aria-label": t("share.close"), onclick: () => dialog.close() }, "×");
  const dialog = h("dialog", { class: "sheet share", "aria-labelledby": "share-title" },
    h("header", {}, h("h2", { id: "share-title" }, t("share.title")), close),
    h("div", { class: "sheet-body" }, h("p", {}, t("share.about")),
      h("fieldset", { class: "choice" }, h("legend", {}, t("share.may")), h("div", { class: "choice-row" }, choice("false", "share.read"), choice("true", "share.control"))),
      code, count, h("p", {}, end)));

  async function attempt(act) {
    try {
      await act();
    } catch (error) {
      show(code, h("p", { class: "notice bad" }, error.message));
    }
  }
  const draw = () => attempt(async () => {
    const wanted = control;
    const made = await share(wanted);
    // Chosen again meanwhile: that answer is still to come.
    if (wanted !== control) return;
    show(code,
      made.reachable ? h("img", { src: made.qr, alt: t("share.qr"), width: "240", height: "240" }) : h("p", { class: "notice" }, t("share.unreachable"), h("span", { class: "muted", lang: "en" }, made.hint)),
      h("p", { class: "share-link" }, h("input", { type: "text", readonly: true, value: made.url, "aria-label": t("share.link"), onfocus: (event) => event.target.select() })),
      h("p", { class: "muted" }, t("share.until", { time: new Date(made.expires_at).toLocaleString(tag(), { dateStyle: "medium", timeStyle: "short" }) })));
  });
  const tell = async () => {
    const { followers } = await following().catch(() => ({}));
    if (followers !== undefined) show(count, t("share.count", { n: followers }));
  };
  dialog.addEventListener("close", () => {
    clearInterval(counting);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  draw();
  tell();
  counting = setInterval(tell, COUNT_MS);
}
