// Messages that the server has not yet acknowledged. One storage key each, so that tabs never overwrite one another's list.
import { storage } from "./base.js";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
let count = 0;

/** 24 characters with 144 random bits; crypto.randomUUID is missing on plain http. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => ALPHABET[byte & 63]).join("");
}

function read(name) {
  try {
    return { ...JSON.parse(storage.get(name)), name };
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
  /** Calls back when another tab adds or removes an entry. */
  watch(changed) {
    storage.watch((name, value) => name.startsWith("out:") && changed(value ? read(name) : null, name.split(":").at(-1)));
  },
};
