// Where in the administration one is: `#/sessions/s_1?state=failed`. Pure but for `here` and `go`.

/** `{page, id, params}`; what is no address of ours is the overview. */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page, id = null] = path.split("/").map(decode);
  return { page: page || "overview", id: id || null, params: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a page; empty parameters are left out. */
export function link(page, { id = null, ...params } = {}) {
  const kept = Object.entries(params).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(kept).toString();
  return `#/${encodeURIComponent(page)}${id === null ? "" : `/${encodeURIComponent(id)}`}${query ? `?${query}` : ""}`;
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

export const here = () => parse(location.hash);

/** Goes there; `quiet` keeps one entry of the browser's history for a filter that is being typed. */
export function go(hash, { quiet = false } = {}) {
  if (hash === location.hash) return;
  if (!quiet) {
    location.hash = hash;
    return;
  }
  history.replaceState(null, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}
