// The administration in a real browser against a running server: node admin.mjs https://HOST:PORT/
// EMFLOW_ADMIN_PASSWORD is its configured password, EMFLOW_ADMIN_LINK what `emflow admin link` said.
import { expecting, url } from "./kit.mjs";
import { judge } from "./runner.mjs";
import access from "./admin/access.mjs";
import policy from "./checks/policy.mjs";

if (!url || !process.env.EMFLOW_ADMIN_PASSWORD || !process.env.EMFLOW_ADMIN_LINK) {
  console.error("usage: EMFLOW_ADMIN_PASSWORD=… EMFLOW_ADMIN_LINK=… node admin.mjs https://HOST:PORT/");
  process.exit(1);
}

/** The overview asks for figures that the server does not give yet. To go with the first that it gives. */
const unfinished = (checks) => Object.fromEntries(Object.entries(checks)
  .map(([name, check]) => [name, (page) => expecting(/status of 404/, () => check(page))]));

/** In this order: each goes on where the one before left the page. */
const CHECKS = { ...unfinished(access), ...policy };

await judge("admin", url, CHECKS);
