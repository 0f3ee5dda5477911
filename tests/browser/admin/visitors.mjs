// Visitors whose every word is hostile: what they say, what they call themselves, what their browser claims to be.
// They speak the wire from a page of their own, so that the administration has something to show and to be attacked by.
import { EVIL } from "../corpus.mjs";
import { url } from "../kit.mjs";

/** Header values hold no letters beyond ISO 8859-1. */
const HEADERS = EVIL.filter((text) => /^[\x20-\x7e]+$/.test(text));
const QUESTION = "We run 1M requests a month on gpt-4o with 1000 input tokens and 200 output tokens each. Cut our cost.";
const CATEGORIES = ["cost-optimization", "latency-optimization", "model-selection", "scaling", "advanced"];

/**
 * A visitor in a browser of its own. `ask(n, {text?})` sends a question with a hostile title and resolves to its session once
 * accepted; `ended(session)` once it has ended. Until `acknowledging(true)` it acknowledges nothing, so everything stays pending.
 */
export async function visitor(browser, n) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, userAgent: HEADERS[n % HEADERS.length] });
  const page = await context.newPage();
  await page.goto(new URL("/verify", url).href);
  const { user_id: id } = await page.evaluate(connect, { name: EVIL[n % EVIL.length].slice(0, 40) });
  const ask = (at, { text = `${QUESTION} ${EVIL.join(" ")}`.slice(0, 1_900), title = EVIL[at % EVIL.length] } = {}) =>
    page.evaluate((chat) => window.asked(chat), { content: text, example_message_id: `evil-${n}-${at}`, timestamp: 1_760_000_000_000, user_id: id,
      example_message_metadata: { title, category: CATEGORIES[at % CATEGORIES.length], complexity: "basic", businessValue: "conversion", estimatedTime: EVIL[at % EVIL.length].slice(0, 40) } });
  return {
    id, ask,
    ended: (session) => page.evaluate((wanted) => window.over(wanted), session),
    acknowledge: () => page.evaluate(() => window.acknowledged()),
    closed: () => page.evaluate(() => window.gone),
    nonsense: () => page.evaluate(() => window.line.send("{\"type\":\"<img src=x onerror=alert(12)>\"}")),
    leave: () => context.close(),
  };
}

/** In the page: becomes a visitor, opens its socket, and leaves three functions behind. */
async function connect({ name }) {
  const made = await fetch("/api/v1/visitors", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ display_name: name }) });
  const known = await (made.ok ? made : await fetch("/api/v1/visitors", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" })).json();
  const line = new WebSocket(`wss://${location.host}/api/v1/example-messages/ws/${known.user_id}`, "emflow.v1");
  const ends = new Map();
  const waiting = new Map();
  let last = 0;
  line.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    last = Math.max(last, frame.sequence ?? 0);
    if (frame.type === "message_accepted") waiting.get(frame.payload.example_message_id)?.(frame.payload.session_id);
    if (frame.session_id && ["agent_completed", "error", "session_cancelled", "session_expired"].includes(frame.type)) ends.set(frame.session_id, frame.type);
  };
  Object.assign(window, {
    line,
    gone: new Promise((done) => { line.onclose = ({ code }) => done(code); }),
    asked: (chat) => new Promise((done) => {
      waiting.set(chat.example_message_id, done);
      line.send(JSON.stringify({ type: "chat_message", payload: chat }));
    }),
    acknowledged: () => line.send(JSON.stringify({ type: "ack", payload: { sequence: last } })),
    over: async (session) => {
      while (!ends.has(session)) await new Promise((done) => { setTimeout(done, 50); });
      return ends.get(session);
    },
  });
  await new Promise((done, failed) => {
    line.onopen = done;
    line.onerror = () => failed(new Error("the socket did not open"));
  });
  return known;
}
