// A client for a page of your own: copy this file with js/link.js and js/frames.js beside it. It carries out the orders of the
// link with a real socket, real timers and a real storage; what it promises is the link's (docs/embedding.md).

import { Link } from "../js/link.js";

const PATH = "/api/v1/example-messages/ws/";
const now = () => performance.now();

/**
 * `server`: the origin of the appliance. `userId`: whose frames they are. `ticket()` resolves to what `POST /api/v1/tickets`
 * answered, or fails with an error that has the `status` of the answer (none: no answer). `storage`: where the position survives a reload.
 * `on`: `{frame, accepted, refused, reset, gap, state}`, each of them optional.
 */
export function connect({ server, userId, ticket, storage = sessionStorage, on }) {
  const name = `emflow.embed.${userId}`;
  const link = new Link({ position: JSON.parse(storage.getItem(name) ?? "null"), random: Math.random });
  const timers = new Map();
  let open = null;

  async function dial(number, query) {
    const mine = { number, socket: null, over: false };
    open = mine;
    try {
      const url = new URL(PATH + encodeURIComponent(userId), server);
      url.protocol = "wss:";
      for (const [key, value] of Object.entries({ ...query, ticket: (await ticket()).ticket })) url.searchParams.set(key, value);
      // Hung up while the ticket was on its way.
      if (mine.over || open !== mine) return;
      mine.socket = new WebSocket(url, "emflow.v1");
    } catch {
      // Why there was no ticket, the probe finds out.
      if (!mine.over) carry(link.onClose(now(), number, 1006));
      return;
    }
    mine.socket.onopen = () => carry(link.onOpen(now(), number));
    mine.socket.onmessage = (event) => carry(link.onText(now(), number, event.data));
    mine.socket.onclose = (event) => carry(link.onClose(now(), number, event.code));
  }

  async function probe() {
    const found = await ticket().then(
      ({ user_id: holder }) => (holder === userId ? "ok" : "another"),
      ({ status }) => (status === 401 ? "unauthenticated" : status ? "ok" : "unreachable"));
    carry(link.onProbe(now(), { found }));
  }

  function timer({ name: which, at, keep }) {
    if (at !== null && keep && timers.has(which)) return;
    clearTimeout(timers.get(which));
    timers.delete(which);
    if (at === null) return;
    timers.set(which, setTimeout(() => {
      timers.delete(which);
      carry(link.onTimer(now(), which));
    }, Math.max(0, at - now())));
  }

  const CARRY = {
    dial: ({ socket, query }) => dial(socket, query),
    send({ socket, frame }) {
      if (open?.number === socket && open.socket?.readyState === WebSocket.OPEN) open.socket.send(JSON.stringify(frame));
    },
    close({ socket }) {
      if (open?.number !== socket) return;
      open.over = true;
      open.socket?.close();
    },
    timer,
    persist({ position }) {
      // First on the disk, then acknowledged: the order is the promise.
      storage.setItem(name, JSON.stringify(position));
      carry(link.onPersisted(now(), position));
    },
    deliver: (order) => on[order.what]?.(order),
    probe,
    state: () => on.state?.({ phase: link.phase, reason: link.reason }),
  };

  function carry(orders) {
    for (const order of orders) CARRY[order.do]?.(order);
  }

  window.addEventListener("online", () => link.phase === "waiting" && carry(link.hurry(now())));
  carry(link.start(now()));
  return {
    /** Asks; the same `id` again starts nothing. Returns the id. */
    ask(content, { id = `m-${crypto.randomUUID()}`, title = "A question", category = "cost-optimization", complexity = "basic" } = {}) {
      carry(link.submit(now(), {
        content, example_message_id: id, user_id: userId, timestamp: Date.now(), session_context: {},
        example_message_metadata: { title, category, complexity, businessValue: "conversion", estimatedTime: "seconds", agent_preferences: {} },
      }));
      return id;
    },
    stop: (sessionId) => carry(link.cancel(now(), sessionId)),
    /** As a bad network would: for tests and for showing that nothing is lost. */
    cut() {
      const broken = open;
      if (link.phase !== "online") return;
      broken.socket.close();
      carry(link.onClose(now(), broken.number, 1006));
    },
    close: () => carry(link.stop(now())),
  };
}
