// The seal under a report, as `emflow verify` reads it: whether a byte has changed, and whose key signed. Nothing is sent
// anywhere; the browser's own cryptography does it.

const DOMAIN = new TextEncoder().encode("emflow report 1\n");
/** How the seal is framed: in HTML and Markdown, and in JSON. */
const FRAMES = [["<!-- emflow-seal ed25519 ", " -->\n"], [",\n  \"seal\": \"ed25519 ", "\"\n}\n"]];
const KEY = 44;
const SIGNATURE = 88;

/** `{state: "genuine" | "changed" | "no_seal" | "unsupported", fingerprint?}` of a file's bytes. */
export async function check(bytes, crypto = globalThis.crypto) {
  const found = FRAMES.map((frame) => part(bytes, frame)).find(Boolean);
  if (!found) return { state: "no_seal" };
  let key;
  try {
    key = await crypto.subtle.importKey("raw", found.key, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    return { state: error.name === "NotSupportedError" || !crypto.subtle ? "unsupported" : "changed" };
  }
  const covered = new Uint8Array(DOMAIN.length + found.text.length);
  covered.set(DOMAIN);
  covered.set(found.text, DOMAIN.length);
  if (!await crypto.subtle.verify({ name: "Ed25519" }, key, found.signature, covered)) return { state: "changed" };
  return { state: "genuine", fingerprint: await fingerprint(found.key, crypto) };
}

/** The text before the seal, the key and the signature; null where the file does not end with this frame. */
function part(bytes, [before, after]) {
  const seal = KEY + 1 + SIGNATURE;
  const at = bytes.length - after.length - seal - before.length;
  if (at < 0) return null;
  const tail = String.fromCharCode(...bytes.subarray(at));
  if (!tail.startsWith(before) || !tail.endsWith(after)) return null;
  const [key, signature] = [tail.slice(before.length, before.length + KEY), tail.slice(before.length + KEY + 1, before.length + seal)];
  if (tail[before.length + KEY] !== " ") return null;
  const decoded = [key, signature].map(strict);
  return decoded.every(Boolean) ? { text: bytes.subarray(0, at), key: decoded[0], signature: decoded[1] } : null;
}

/** Another spelling of the same bytes is another file. */
function strict(text) {
  try {
    const decoded = atob(text);
    return btoa(decoded) === text ? Uint8Array.from(decoded, (c) => c.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}

async function fingerprint(key, crypto) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", key));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
}
