// What the browser keeps. The visitor's id and questions are shared by all tabs; the position on
// the wire belongs to one tab and survives its reload. Where storage is refused (private mode,
// quota), memory takes over and `durable` says so.

const memory = new Map();
export const state = { durable: true };

function read(area, key) {
  try {
    return JSON.parse(area().getItem(key) ?? "null");
  } catch {
    return memory.get(key) ?? null;
  }
}

function write(area, key, value) {
  try {
    if (value === null) area().removeItem(key);
    else area().setItem(key, JSON.stringify(value));
  } catch {
    state.durable = false;
    memory.set(key, value);
  }
}

const shared = () => window.localStorage;
const own = () => window.sessionStorage;
const ASKED_MAX = 60;

export const loadUser = () => read(shared, "emflow.user");
export const saveUser = (user) => write(shared, "emflow.user", user);

/** This tab's position; a new tab of the same visitor knows the epoch only. */
export function loadPosition(userId) {
  const mine = read(own, "emflow.position");
  if (mine?.userId === userId) return mine;
  const epoch = read(shared, "emflow.epoch");
  return epoch?.userId === userId ? { epoch: epoch.epoch, applied: 0, outgoing: [] } : null;
}

export function savePosition(userId, position) {
  write(own, "emflow.position", { ...position, userId });
  if (position.epoch !== null) write(shared, "emflow.epoch", { userId, epoch: position.epoch });
}

/** When each frame was first seen by this tab, so that the proof spans a reload. */
export const loadSeen = () => read(own, "emflow.seen");
export const saveSeen = (seen) => write(own, "emflow.seen", seen);

/** What was asked, by message id: the frames of a run do not repeat the question. */
export const loadAsked = () => read(shared, "emflow.asked") ?? {};
export function saveAsked(payload) {
  const asked = { ...loadAsked(), [payload.example_message_id]: payload };
  const names = Object.keys(asked);
  for (const name of names.slice(0, Math.max(0, names.length - ASKED_MAX))) delete asked[name];
  write(shared, "emflow.asked", asked);
}

/** With what this tab follows another device's visitor. */
export const loadFollow = () => read(own, "emflow.follow");
export const saveFollow = (token) => write(own, "emflow.follow", token);

export const loadLanguage = () => read(shared, "emflow.language");
export const saveLanguage = (name) => write(shared, "emflow.language", name);

/** What the page after this one has to say first. */
export const leaveNote = (text) => write(own, "emflow.note", text);
export function takeNote() {
  const text = read(own, "emflow.note");
  write(own, "emflow.note", null);
  return text ?? "";
}

export function forget() {
  for (const key of ["emflow.user", "emflow.epoch", "emflow.asked"]) write(shared, key, null);
  for (const key of ["emflow.position", "emflow.seen"]) write(own, key, null);
}
