// The certificate that browsers see, and how each kind of device comes to trust it.

import { h } from "../../js/h.js";
import { address, get } from "../api.js";
import { facts } from "../parts/dialog.js";
import { page, part } from "../parts/page.js";
import { loaded, pill } from "../parts/state.js";
import { time } from "../parts/time.js";
import { plural } from "../words.js";

const AUTHORITY = "/admin/certificate/authority";
const SOON_DAYS = 14;

/** How a private authority is trusted; the file is the authority's, not the server's certificate. */
const DEVICES = [
  ["This server, Linux, macOS or Windows", ["In a terminal on the machine: ", h("code", {}, "emflow trust"), ". It installs the authority or prints how."]],
  ["Windows", ["Open the file, Install certificate, Local machine, \"Place all certificates in the following store\", Trusted root certification authorities. Or as administrator: ", h("code", {}, "certutil -addstore Root emflow-authority.pem"), "."]],
  ["macOS", ["Open the file in Keychain Access (System), open the entry, Trust, \"Always trust\". Or: ", h("code", {}, "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain emflow-authority.pem"), "."]],
  ["Debian, Ubuntu", [h("code", {}, "sudo cp emflow-authority.pem /usr/local/share/ca-certificates/emflow.crt && sudo update-ca-certificates"), ". Chromium and Firefox keep their own lists there: import it in their settings too."]],
  ["Fedora, RHEL", [h("code", {}, "sudo cp emflow-authority.pem /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust"), "."]],
  ["Firefox, anywhere", ["Settings, Privacy and security, View certificates, Authorities, Import; tick \"Trust this CA to identify websites\"."]],
  ["iPhone, iPad", ["Send the file to the device and open it; Settings, Profile downloaded, Install. Then Settings, General, About, Certificate trust settings: switch it on. Without this second step it is not trusted."]],
  ["Android", ["Settings, Security, Encryption and credentials, Install a certificate, CA certificate. Chrome trusts it; some other apps do not."]],
];

export function certificates(ctx) {
  const known = ctx.resource((signal) => get("/admin/certificate", {}, { signal }), { every: 60_000 });
  return page("Certificates", "Everything goes over TLS. Compare the fingerprint with the one on the terminal before you trust it.", [],
    loaded(ctx, known, () => {
      const place = h("div", {});
      return { element: place, update: (told) => place.replaceChildren(about(told), told.authority ? trust(told.authority) : part("Trust", h("p", {}, "The certificate is your own: devices that trust whoever issued it trust this server."))) };
    }));
}

const state = (days) => (days < 0 ? pill("bad", "expired") : days < SOON_DAYS ? pill("warn", `expires in ${plural(days, "day")}`) : pill("good", `valid for ${plural(days, "day")}`));

const about = (told) => part("The server's certificate", facts([["State", state(told.days_left)], ["Made by", told.generated ? "this appliance, with its own authority" : "you (the files of the configuration)"], ["Names", told.names.join(", ")], ["Valid from", time(told.not_before, "moment")], ["Until", time(told.not_after, "moment")],
  ["SHA-256 fingerprint", h("code", { class: "fingerprint" }, told.fingerprint_sha256)]]),
h("p", { class: "muted" }, told.generated ? "It is renewed by itself before it expires." : "Put the new files in the place of the old ones and choose \"Read the configuration again\" under Settings: no connection is dropped."));

const trust = (authority) => part("Trust it on your devices",
  facts([["Authority's fingerprint", h("code", { class: "fingerprint" }, authority.fingerprint_sha256)], ["Valid until", time(authority.not_after, "moment")]]),
  h("p", {}, h("a", { class: "primary", href: address(AUTHORITY), download: "emflow-authority.pem" }, "Download the authority")),
  h("div", { class: "devices" }, DEVICES.map(([name, how]) => h("details", {}, h("summary", {}, name), h("p", {}, how.map((part) => (part instanceof Node ? part.cloneNode(true) : part)))))));
