// The example: one question, its frames and its answer. Everything that has to do with the wire is in client.js.

import { connect } from "./client.js";

const at = (id) => document.getElementById(id);
/** Where the appliance is; on a page of another site its address stands here. */
const SERVER = document.body.dataset.server || location.origin;

async function post(path) {
  const answer = await fetch(new URL(path, SERVER), { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  if (!answer.ok) throw Object.assign(new Error(`${path}: ${answer.status}`), { status: answer.status });
  return answer.json();
}

/** On the appliance's own pages the cookie is the credential. Elsewhere your server holds the token and hands out tickets. */
const ticket = () => post("/api/v1/tickets");

/** The visitor of this browser, made where there is none. */
async function visitor() {
  try {
    return (await ticket()).user_id;
  } catch (error) {
    if (error.status !== 401) throw error;
    return (await post("/api/v1/visitors")).user_id;
  }
}

const seen = new Set();
let session = null;

function row(frame) {
  const line = document.createElement("li");
  line.dataset.sequence = frame.sequence;
  line.textContent = `${frame.sequence} ${frame.type.replaceAll("_", " ")}`;
  at("frames").append(line);
}

const on = {
  state({ phase, reason }) {
    document.body.dataset.phase = phase;
    at("state").textContent = reason && phase !== "online" ? `${phase} (${reason})` : phase;
  },
  frame({ frame }) {
    // The link delivers each frame once and in order; this page counts, so that nobody has to believe it.
    at("doubled").textContent = Number(at("doubled").textContent) + (seen.has(frame.sequence) ? 1 : 0);
    seen.add(frame.sequence);
    at("count").textContent = seen.size;
    row(frame);
    if (frame.type === "processing_started") session = frame.session_id;
    at("stop").disabled = ["agent_completed", "error", "session_cancelled", "session_expired"].includes(frame.type);
    if (frame.type !== "agent_completed") return;
    at("answer").hidden = false;
    at("summary").textContent = frame.payload.result.summary;
    at("figures").replaceChildren(...frame.payload.result.headline.map((figure) => {
      const line = document.createElement("li");
      line.textContent = `${figure.label}: ${figure.text}`;
      return line;
    }));
  },
  refused({ error }) {
    at("trouble").textContent = error.message;
  },
  reset() {
    seen.clear();
    at("frames").replaceChildren();
  },
};

try {
  const client = connect({ server: SERVER, userId: await visitor(), ticket, on });
  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    at("trouble").textContent = "";
    at("answer").hidden = true;
    client.ask(at("content").value);
  });
  at("stop").addEventListener("click", () => client.stop(session));
  at("cut").addEventListener("click", () => client.cut());
  at("send").disabled = false;
} catch (error) {
  at("trouble").textContent = `The appliance did not answer: ${error.message}`;
}
