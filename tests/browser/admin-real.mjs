// Every page of the administration against a running server under load: node admin-real.mjs https://HOST:PORT/
// EMFLOW_ADMIN_PASSWORD is its configured password, EMFLOW_CA its authority's file, EMFLOW_BINARY the program that makes the load,
// EMFLOW_CONTROL a port that kills the server at "down", starts it again at "up", and answers each. The server has
// presenter.allow_faults, alerts.processing_time so low that the load makes it fire, and a long delivery.ack_timeout.
import { url } from "./kit.mjs";
import { judge } from "./runner.mjs";
import breaker from "./admin/real/breaker.mjs";
import every, { gone } from "./admin/real/every.mjs";
import figures from "./admin/real/figures.mjs";
import house from "./admin/real/house.mjs";
import past from "./admin/real/past.mjs";
import people from "./admin/real/people.mjs";
import policy from "./checks/policy.mjs";
import world from "./admin/real/world.mjs";

const NEEDED = ["EMFLOW_ADMIN_PASSWORD", "EMFLOW_CA", "EMFLOW_BINARY", "EMFLOW_CONTROL"];
const lacking = NEEDED.filter((name) => !process.env[name]);
if (!url || lacking.length > 0) {
  console.error(`usage: ${NEEDED.map((name) => `${name}=…`).join(" ")} node admin-real.mjs https://HOST:PORT/`);
  process.exit(1);
}

/** Figures first and last under load; what stops the load stands at the end of its file. */
const { "when the load is over, nothing was lost, and every figure stands still and is the API's": still, ...moving } = figures;
const over = { "when the load is over, nothing was lost, and every figure stands still and is the API's": still };

/** In this order: each goes on where the one before left the world. */
const CHECKS = { ...world, ...moving, ...breaker, ...house, ...every, ...over, ...past, ...people, ...gone, ...policy };

/** EMFLOW_CHECKS runs those alone whose names hold it, after the visitors have come. */
const wanted = (name) => name in world || !process.env.EMFLOW_CHECKS || name.includes(process.env.EMFLOW_CHECKS);

await judge("admin-real", url, Object.fromEntries(Object.entries(CHECKS).filter(([name]) => wanted(name))));
