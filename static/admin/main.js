// The administration: who is signed in, which page is shown, and whether what it shows is true.

import { keepTime } from "./parts/time.js";
import { get, use } from "./api.js";
import { Live } from "./live.js";
import { signal, effect } from "../js/signal.js";
import { frame } from "./frame.js";
import { login, redeem } from "./login.js";
import { toast } from "./parts/toast.js";

const app = { session: signal(undefined), live: null };

/** What the server says about this session, or null: nobody is signed in. */
app.look = async () => {
  try {
    app.enter(await get("/admin/session"));
  } catch (error) {
    if (error.status !== 401) throw error;
    app.leave();
  }
};

app.enter = (session) => {
  use({ token: session.csrf_token, ended: () => app.leave("Your session has ended. Sign in again.") });
  app.live ??= new Live();
  app.session(session);
  // What a login answers is less than what the session knows; where that cannot be asked, the stream says so.
  if (!session.sessions) get("/admin/session").then((whole) => app.session() && app.session(whole), () => {});
};

app.leave = (why = "") => {
  app.live?.end();
  app.live = null;
  app.farewell = why;
  use({ token: null });
  if (app.session() !== null) app.session(null);
};

keepTime();

const place = document.getElementById("app");
let shown = null;
effect(() => {
  const session = app.session();
  const wanted = session === undefined ? "nothing" : session === null ? "login" : "frame";
  if (wanted === shown || wanted === "nothing") return;
  shown = wanted;
  place.stop?.();
  place.stop = wanted === "login" ? login(app, place) : frame(app, place);
});

try {
  // A link that was used or has expired is no reason to end a session that stands.
  const told = await redeem(app).catch((error) => error);
  if (told !== true) await app.look();
  if (told instanceof Error) toast(told.message, { tone: "bad" });
} catch (error) {
  app.leave(error.message);
}
