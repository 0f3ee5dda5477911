// The page in a real browser against a running server: node smoke.mjs https://HOST:PORT/
// EMFLOW_SMOKE_RESTART=command: kills the server, starts it again on the same data and returns when it is ready;
// without it that check is skipped, and the last line says so.
// EMFLOW_SMOKE_PASSWORD: the administrator's, of a server with presenter.allow_faults; without it the presenter's page is skipped.
import { url } from "./kit.mjs";
import { judge } from "./runner.mjs";
import answer from "./checks/answer.mjs";
import understanding from "./checks/understanding.mjs";
import devices from "./checks/devices.mjs";
import presenter from "./checks/presenter.mjs";
import report from "./checks/report.mjs";
import disturbed from "./checks/disturbed.mjs";
import embed from "./checks/embed.mjs";
import branding from "./checks/branding.mjs";
import faults from "./checks/faults.mjs";
import visitor from "./checks/visitor.mjs";
import policy from "./checks/policy.mjs";

if (!url) {
  console.error("usage: node smoke.mjs https://HOST:PORT/");
  process.exit(1);
}

/** In this order: each goes on where the one before left the page. */
const CHECKS = { ...answer, ...understanding, ...report, ...devices, ...presenter, ...faults, ...disturbed, ...embed, ...branding, ...visitor, ...policy };

await judge("smoke", url, CHECKS);
