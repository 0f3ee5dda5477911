// The shell around the link: the only file of the page that opens a socket, sets a timer or asks a clock.

import { Link } from "./link.js";
import { ticket } from "./api.js";
import { loadPosition, savePosition } from "./store.js";

const SOCKET_PATH = "/api/v1/example-messages/ws/";
const now = () => performance.now();

/**
 * Connects `userId`; `deliver(order)` gets what arrives, `changed(link)` each change of phase.
 * A page that follows has no cookie: each dial needs a ticket, and it begins at the oldest frame.
 */
export function connect({ userId, follows = false, deliver, changed }) {
  const link = new Link({ position: loadPosition(userId), random: Math.random, all: follows });
  const timers = new Map();
  let socket = null;
  let holder = null;

  const dial = async (number, query) => {
    const dialled = { number, opened: null, over: false };
    socket = dialled;
    let credential = {};
    try {
      if (follows) credential = { ticket: (await ticket()).ticket };
    } catch {
      // What it was, the probe finds out.
      if (!dialled.over) carry(link.onClose(now(), number, 1006));
      return;
    }
    if (dialled.over || socket !== dialled) return;
    const url = new URL(SOCKET_PATH + encodeURIComponent(userId), location.href);
    url.protocol = "wss:";
    for (const [name, value] of Object.entries({ ...query, ...credential })) url.searchParams.set(name, value);
    const opened = new WebSocket(url, "emflow.v1");
    opened.onopen = () => carry(link.onOpen(now(), number));
    opened.onmessage = (event) => carry(link.onText(now(), number, event.data));
    opened.onclose = (event) => carry(link.onClose(now(), number, event.code));
    dialled.opened = opened;
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
          if (socket?.number === order.socket && socket.opened?.readyState === WebSocket.OPEN) {
            socket.opened.send(JSON.stringify(order.frame));
          }
          break;
        case "close":
          if (socket?.number === order.socket) {
            socket.over = true;
            socket.opened?.close();
          }
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
    const { user_id: holder } = await ticket();
    // The cookie is the whole browser's: another tab may have become another visitor.
    return holder === userId ? { found: "ok" } : { found: "another", userId: holder };
  } catch ({ status, retryMs = 0 }) {
    if (status === undefined) return { found: "unreachable" };
    return status === 401 ? { found: "unauthenticated" } : { found: "ok", retryMs: Math.min(retryMs, 300_000) };
  }
}
