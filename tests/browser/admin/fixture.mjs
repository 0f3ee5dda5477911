// A server that answers the administration's calls from a table, for looking at its pages in states that a real one
// reaches seldom: empty, busy with hostile texts, ill. `serve({state, port})`; run alone: node admin/fixture.mjs busy 8080
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { answers } from "./answers.mjs";

const STATIC = fileURLToPath(new URL("../../../static/", import.meta.url));
const MEDIA = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json" };
/** The product's own policy: a page that needs more fails here as it would there. */
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

export async function serve({ state = "busy", port = 0 } = {}) {
  const world = { state, calls: [], streams: new Set(), signedIn: true };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://fixture");
    response.setHeader("content-security-policy", CSP);
    try {
      if (url.pathname.startsWith("/api/")) await api(world, request, response, url);
      else await file(response, url.pathname);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  const stop = () => {
    for (const stream of world.streams) stream.destroy();
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, world, stop };
}

async function file(response, path) {
  const name = normalize(path === "/admin" || path.endsWith("/") ? `${path}/index.html` : path);
  try {
    const body = await readFile(join(STATIC, name));
    response.writeHead(200, { "content-type": MEDIA[extname(name)] ?? "application/octet-stream" }).end(body);
  } catch {
    response.writeHead(404).end("none");
  }
}

async function api(world, request, response, url) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const path = url.pathname.replace("/api/v1", "");
  const call = { method: request.method, path, query: Object.fromEntries(url.searchParams), body: text && text.startsWith("{") ? JSON.parse(text) : null, token: request.headers["x-csrf-token"] };
  world.calls.push(call);
  if (path === "/admin/stream") return stream(world, response, call.query);
  const { status = 200, body } = answers(world, call);
  response.writeHead(status, { "content-type": status < 400 ? "application/json" : "application/problem+json" }).end(JSON.stringify(body));
}

function stream(world, response, { logs }) {
  if (!world.signedIn) return response.writeHead(401).end();
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  world.streams.add(response);
  let tick = 0;
  response.write(`event: hello\ndata: ${JSON.stringify({ epoch: world.epoch ?? "1760000000000", newest: null, continues: false })}\n\n`);
  if (logs) for (const line of world.lines ?? []) response.write(`event: log\ndata: ${JSON.stringify(line)}\n\n`);
  const say = () => response.write(`event: snapshot\ndata: ${JSON.stringify(answers(world, { method: "SNAPSHOT", tick: tick++ }).body)}\n\n`);
  say();
  // Says something to everybody who looks on.
  world.say = (name, told) => world.streams.forEach((one) => one.write(`event: ${name}\ndata: ${JSON.stringify(told)}\n\n`));
  const ticking = setInterval(say, 1_000);
  response.on("close", () => {
    clearInterval(ticking);
    world.streams.delete(response);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await serve({ state: process.argv[2], port: Number(process.argv[3] ?? 0) });
  console.log(`${url}/admin`);
}
