// Messages that the server has not yet acknowledged. One storage key each, so that tabs never overwrite one another's list.
import { newId, storage } from "./base.js";

let count = 0;

/** Null when it is not there: another tab may have removed it since its name was read. */
function read(name) {
  try {
    const entry = JSON.parse(storage.get(name));
    return entry && { ...entry, name };
  } catch {
    return null;
  }
}

export const outbox = {
  /** Oldest first: the key begins with the time it was written. */
  list() {
    return storage.names("out:").map(read).filter(Boolean);
  },
  /** The oldest one that may be sent. */
  next() {
    for (const name of storage.names("out:")) {
      const entry = read(name);
      if (entry && !entry.error) return entry;
    }
    return null;
  },
  find(clientId) {
    const name = storage.names("out:").find((one) => one.endsWith(`:${clientId}`));
    return name ? read(name) : null;
  },
  get empty() {
    return storage.names("out:").length === 0;
  },
  add(text, files) {
    count += 1;
    const at = Date.now();
    const entry = { client_id: newId(), text, files, at, error: null };
    const name = `out:${String(at).padStart(14, "0")}.${String(count).padStart(6, "0")}:${entry.client_id}`;
    storage.set(name, JSON.stringify(entry));
    return { ...entry, name };
  },
  mark(entry, error) {
    storage.set(entry.name, JSON.stringify({ client_id: entry.client_id, text: entry.text, files: entry.files, at: entry.at, error }));
  },
  remove(clientId) {
    for (const name of storage.names("out:")) if (name.endsWith(`:${clientId}`)) storage.remove(name);
  },
  clear() {
    for (const name of storage.names("out:")) storage.remove(name);
  },
  /** Calls back when another tab adds or removes an entry. */
  watch(changed) {
    storage.watch((name, value) => name.startsWith("out:") && changed(value ? read(name) : null, name.split(":").at(-1)));
  },
};
