// The shell around the link: the only file of the page that opens a socket, sets a timer or asks a clock.

import { Link } from "./link.js";
import { loadPosition, savePosition } from "./store.js";

const SOCKET_PATH = "/api/v1/example-messages/ws/";
const TICKETS = "/api/v1/tickets";
const now = () => performance.now();

/** Connects `userId`; `deliver(order)` gets what arrives, `changed(link)` each change of phase. */
export function connect({ userId, deliver, changed }) {
  const link = new Link({ position: loadPosition(userId), random: Math.random });
  const timers = new Map();
  let socket = null;
  let holder = null;

  const dial = (number, query) => {
    const url = new URL(SOCKET_PATH + encodeURIComponent(userId), location.href);
    url.protocol = "wss:";
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const opened = new WebSocket(url, "emflow.v1");
    opened.onopen = () => carry(link.onOpen(now(), number));
    opened.onmessage = (event) => carry(link.onText(now(), number, event.data));
    opened.onclose = (event) => carry(link.onClose(now(), number, event.code));
    socket = { number, opened };
  };

  const probe = async () => {
    const answer = await askCredential(userId);
    if (answer.found === "another") holder = answer.userId;
    carry(link.onProbe(now(), answer));
  };

  const setTimer = ({ name, at, keep }) => {
    if (at !== null && keep && timers.has(name)) return;
    clearTimeout(timers.get(name));
    timers.delete(name);
    if (at === null) return;
    timers.set(name, setTimeout(() => {
      timers.delete(name);
      carry(link.onTimer(now(), name));
    }, Math.max(0, at - now())));
  };

  function carry(orders) {
    for (const order of orders) {
      switch (order.do) {
        case "dial": dial(order.socket, order.query); break;
        case "send":
          if (socket?.number === order.socket && socket.opened.readyState === WebSocket.OPEN) {
            socket.opened.send(JSON.stringify(order.frame));
          }
          break;
        case "close":
          if (socket?.number === order.socket) socket.opened.close();
          break;
        case "timer": setTimer(order); break;
        case "persist":
          savePosition(userId, order.position);
          carry(link.onPersisted(now(), order.position));
          break;
        case "deliver": deliver(order); break;
        case "probe": probe(); break;
        case "state": changed(link); break;
      }
    }
  }

  const hurry = () => carry(link.hurry(now()));
  const onNetwork = () => {
    if (link.phase === "waiting") hurry();
  };
  window.addEventListener("online", onNetwork);
  carry(link.start(now()));
  return {
    link,
    hurry,
    submit: (payload) => carry(link.submit(now(), payload)),
    cancel: (sessionId) => carry(link.cancel(now(), sessionId)),
    track: (payload) => carry(link.track(now(), payload)),
    /** Breaks the connection as a bad network would: no goodbye is waited for. */
    cut: () => {
      const broken = socket;
      if (link.phase !== "online" || !broken) return;
      broken.opened.close();
      carry(link.onClose(now(), broken.number, 1006));
    },
    /** The visitor whose cookie this browser holds, where that is known to be another one. */
    holder: () => holder,
    retryInMs: () => (link.retryAt === null ? null : Math.max(0, link.retryAt - now())),
    stop: () => {
      window.removeEventListener("online", onNetwork);
      carry(link.stop(now()));
    },
  };
}

/** A ticket is asked for only to learn whether the credential still counts: a refused upgrade tells a page nothing. */
async function askCredential(userId) {
  try {
    const answer = await fetch(TICKETS, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    if (answer.status === 401) return { found: "unauthenticated" };
    const { user_id: holder } = answer.ok ? await answer.json() : {};
    // The cookie is the whole browser's: another tab may have become another visitor.
    if (holder !== undefined && holder !== userId) return { found: "another", userId: holder };
    const seconds = Number(answer.headers.get("retry-after"));
    return { found: "ok", retryMs: answer.ok || !(seconds > 0) ? 0 : Math.min(seconds, 300) * 1000 };
  } catch {
    return { found: "unreachable" };
  }
}
