// The page in a real browser against a running server: node smoke.mjs https://HOST:PORT/
// EMFLOW_SMOKE_RESTART=command: kills the server, starts it again on the same data and returns when it is ready;
// without it that check is skipped, and the last line says so.
import { url } from "./kit.mjs";
import { judge } from "./runner.mjs";
import answer from "./checks/answer.mjs";
import understanding from "./checks/understanding.mjs";
import report from "./checks/report.mjs";
import faults from "./checks/faults.mjs";
import visitor from "./checks/visitor.mjs";
import policy from "./checks/policy.mjs";

if (!url) {
  console.error("usage: node smoke.mjs https://HOST:PORT/");
  process.exit(1);
}

/** In this order: each goes on where the one before left the page. */
const CHECKS = { ...answer, ...understanding, ...report, ...faults, ...visitor, ...policy };

await judge("smoke", url, CHECKS);
