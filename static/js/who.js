// Who this page is: the visitor of this browser, or a device that follows a visitor's.

import { bearer, following, identity } from "./api.js";
import * as store from "./store.js";

/** Whether this page follows; its address says so. */
export const follows = location.pathname === "/follow";

/** Whether this is the presenter's page. */
export const presents = location.pathname === "/present";

/** The token behind the hash, out of the address before anybody copies it. A reload finds it in this tab. */
function token() {
  const given = location.hash.slice(1);
  if (/^[\w-]{40,200}$/.test(given)) {
    store.saveFollow(given);
    history.replaceState(null, "", location.pathname);
  }
  return store.loadFollow();
}

/** Before the address is read for anything else. */
export function arrive() {
  if (follows) bearer(token());
}

/** `{user_id, scope, token}`; `scope` is `visitor`, `control` or `read`, and what it says is enforced by the server. */
export async function who() {
  if (!follows) return { ...await identity(), scope: "visitor", token: null };
  const { user_id, scope, expires_at } = await following();
  return { user_id, scope, expires_at, token: store.loadFollow() };
}
