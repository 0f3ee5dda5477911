// The wire as a page sees it: decode what the server sends, check what a visitor sends.
// Pure; the same rules are tested on tests/fixtures/frames.json as the server's codec.

/** Types that carry a sequence, and the one that ends a session is in ENDS. */
export const SEQUENCED = new Set([
  "processing_started", "agent_started", "agent_thinking", "tool_executing", "partial_result",
  "agent_completed", "error", "session_cancelled", "session_expired",
]);
export const ENDS = new Set(["agent_completed", "error", "session_cancelled", "session_expired"]);
const CONTROL = new Set(["connection_established", "message_accepted", "pong", "error", "server_draining"]);

export const CATEGORIES = [
  "cost-optimization", "latency-optimization", "model-selection", "scaling", "advanced",
];
export const COMPLEXITIES = ["basic", "intermediate", "advanced"];
export const VALUES = ["conversion", "retention", "expansion"];
export const CONTENT_MIN = 10;
export const CONTENT_MAX = 2000;

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isText = (value) => typeof value === "string";
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
/** An epoch is opaque: a text or a whole number, compared as text. */
const isEpoch = (value) => (isText(value) && value !== "") || isCount(value);

/** What must stand in each payload for the page to work; everything else is shown if it is there. */
const NEEDS = {
  processing_started: { example_message_id: isText, category: isText, complexity: isText },
  agent_started: { agent_name: isText },
  agent_thinking: { message: isText },
  tool_executing: { tool_name: isText, message: isText, progress: (p) => p >= 0 && p <= 1 },
  partial_result: { message: isText },
  agent_completed: { result: isObject, processing_time_ms: isCount },
  session_cancelled: { reason: isText },
  session_expired: { reason: isText },
  error: { code: isText, message: isText },
  connection_established: {
    user_id: isText, epoch: isEpoch, recovered: (r) => typeof r === "boolean",
    last_sequence: isCount, acknowledged_sequence: isCount,
  },
  message_accepted: { example_message_id: isText, session_id: isText },
  pong: {},
  server_draining: { reconnect_after_ms: isCount },
};

/**
 * Reads one server frame. Returns `{frame}` or `{fault}` (a sentence); never throws.
 * A frame with a `sequence` gets `epoch` as text, so that epochs can be compared.
 */
export function decode(text) {
  let frame;
  try {
    frame = JSON.parse(text);
  } catch {
    return { fault: "not JSON" };
  }
  if (!isObject(frame) || !isText(frame.type)) return { fault: "no type" };
  const durable = "sequence" in frame;
  if (!(durable ? SEQUENCED : CONTROL).has(frame.type)) return { fault: `unknown type ${frame.type}` };
  if (durable && !(isCount(frame.sequence) && frame.sequence > 0)) return { fault: "sequence is not 1 or more" };
  if (durable && !isEpoch(frame.epoch)) return { fault: "no epoch" };
  if (durable && !isText(frame.session_id)) return { fault: "no session_id" };
  if (durable && Number.isNaN(Date.parse(frame.timestamp))) return { fault: "timestamp is not a date" };
  const payload = frame.payload ?? {};
  if (!isObject(payload)) return { fault: "payload is not an object" };
  for (const [name, holds] of Object.entries(NEEDS[frame.type])) {
    if (!holds(payload[name])) return { fault: `${frame.type}: ${name} is missing or wrong` };
  }
  return { frame: { ...frame, payload, epoch: durable ? String(frame.epoch) : undefined } };
}

/** Length as the server counts it: Unicode scalar values after trimming. */
export function scalars(text) {
  return [...text.trim()].length;
}

/** Every fault of a `chat_message` payload, as `{field, rule}`; empty when it may be sent. */
export function faultsOf(payload) {
  const faults = [];
  const want = (holds, field, rule) => holds || faults.push({ field, rule });
  const between = (text, low, high) => isText(text) && scalars(text) >= low && scalars(text) <= high;
  const length = isText(payload.content) ? scalars(payload.content) : -1;
  want(length >= CONTENT_MIN && length <= CONTENT_MAX, "content", `${CONTENT_MIN} to ${CONTENT_MAX} characters`);
  want(/^[A-Za-z0-9._:-]{1,128}$/.test(payload.example_message_id ?? ""), "example_message_id", "1 to 128 of A-Z a-z 0-9 . _ : -");
  want(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(payload.user_id ?? ""), "user_id", "1 to 64 of A-Z a-z 0-9 . _ -, not starting with a dot");
  want(payload.timestamp >= 0 && payload.timestamp <= Number.MAX_SAFE_INTEGER, "timestamp", "milliseconds since 1970");
  const meta = isObject(payload.example_message_metadata) ? payload.example_message_metadata : {};
  const at = (name) => `example_message_metadata.${name}`;
  want(between(meta.title, 1, 200), at("title"), "1 to 200 characters");
  want(CATEGORIES.includes(meta.category), at("category"), `one of ${CATEGORIES.join(", ")}`);
  want(COMPLEXITIES.includes(meta.complexity), at("complexity"), `one of ${COMPLEXITIES.join(", ")}`);
  want(VALUES.includes(meta.businessValue ?? meta.business_value), at("businessValue"), `one of ${VALUES.join(", ")}`);
  want(between(meta.estimatedTime ?? meta.estimated_time, 1, 40), at("estimatedTime"), "1 to 40 characters");
  return faults;
}
