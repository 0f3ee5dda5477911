// The administration in a real browser against a running server: node admin.mjs https://HOST:PORT/
// EMFLOW_ADMIN_PASSWORD is its configured password, EMFLOW_ADMIN_LINK what `emflow admin link` said.
import { url } from "./kit.mjs";
import { judge } from "./runner.mjs";
import access from "./admin/access.mjs";
import policy from "./checks/policy.mjs";

if (!url || !process.env.EMFLOW_ADMIN_PASSWORD || !process.env.EMFLOW_ADMIN_LINK) {
  console.error("usage: EMFLOW_ADMIN_PASSWORD=… EMFLOW_ADMIN_LINK=… node admin.mjs https://HOST:PORT/");
  process.exit(1);
}

/** In this order: each goes on where the one before left the page. */
const CHECKS = { ...access, ...policy };

await judge("admin", url, CHECKS);
