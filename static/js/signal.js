// A small signal: a value that tells its readers when it changed.

let reading = null;
const pending = new Set();

/** `s()` reads (and subscribes the running effect), `s(next)` writes. */
export function signal(value) {
  const readers = new Set();
  return (...next) => {
    if (next.length === 0) {
      if (reading) {
        readers.add(reading);
        reading.from.add(readers);
      }
      return value;
    }
    if (!Object.is(value, next[0])) {
      value = next[0];
      for (const reader of readers) schedule(reader);
    }
    return value;
  };
}

/** Runs now, and again (once a microtask) after anything it read has changed. Returns a stop function. */
export function effect(run) {
  const self = { run, from: new Set() };
  execute(self);
  return () => {
    for (const readers of self.from) readers.delete(self);
    self.run = null;
  };
}

function execute(self) {
  for (const readers of self.from) readers.delete(self);
  self.from.clear();
  const outer = reading;
  reading = self;
  try {
    self.run?.();
  } finally {
    reading = outer;
  }
}

function schedule(reader) {
  if (pending.size === 0) queueMicrotask(flush);
  pending.add(reader);
}

function flush() {
  const due = [...pending];
  pending.clear();
  for (const reader of due) execute(reader);
}
