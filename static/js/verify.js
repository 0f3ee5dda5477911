// The page that checks a report: drop it, and read whether it is as this appliance signed it.

import { reportKey } from "./api.js";
import { h, show } from "./h.js";
import { speak, checkWords } from "./language.js";
import { theme } from "./look.js";
import { check } from "./seal.js";
import { t } from "./words.js";

/** A report is well under a mebibyte. */
const FILE_MAX = 32 * 1024 * 1024;
const at = (id) => document.getElementById(id);

async function examine(file) {
  const place = at("verdict");
  show(place, h("p", {}, t("verify.reading")));
  const own = await reportKey().catch(() => null);
  const bytes = file.size > FILE_MAX ? new Uint8Array() : new Uint8Array(await file.arrayBuffer());
  const found = await check(bytes);
  const ours = found.state === "genuine" && own?.fingerprint === found.fingerprint;
  const verdict = found.state === "genuine" ? ours ? "ours" : own ? "theirs" : "genuine" : found.state;
  place.dataset.verdict = verdict;
  show(place, h("h2", {}, t(`verify.${verdict}`)), h("p", {}, t("verify.file", { name: file.name })),
    found.fingerprint ? h("p", { class: "fingerprint" }, found.fingerprint) : null, h("p", { class: "muted" }, t(`verify.${verdict}_more`)));
  checkWords();
}

async function begin() {
  await speak();
  theme();
  const zone = at("drop");
  const input = at("file");
  input.addEventListener("change", () => input.files[0] && examine(input.files[0]));
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.dataset.over = "";
    });
  }
  zone.addEventListener("dragleave", () => delete zone.dataset.over);
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    const [file] = event.dataTransfer.files;
    if (file) examine(file);
  });
  const own = await reportKey().catch(() => null);
  show(at("own"), own ? [t("verify.own"), h("br"), h("span", { class: "fingerprint" }, own.fingerprint)] : t("api.unreachable"));
  checkWords();
}

begin();
