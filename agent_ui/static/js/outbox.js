/* Replies and notes on their way out. Each is stored in IndexedDB with its client id before it is posted, posted in
 * order by one tab at a time, and forgotten when the server has it; the server writes a client id only once. */
const user = document.body.dataset.user ?? "0";
const NAME = "outbox-" + user;
const memory = new Map();
const listeners = new Set();
let opening = null;
let busy = false;

function open() {
  opening ??= new Promise((resolve) => {
    let request;
    try { request = indexedDB.open(NAME, 1); } catch { resolve(null); return; }
    request.onupgradeneeded = () => request.result.createObjectStore("items", { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    // Private windows may refuse storage: then the queue lives as long as the page.
    request.onerror = () => resolve(null);
  });
  return opening;
}

async function run(mode, work) {
  const db = await open();
  if (!db) return null;
  return new Promise((resolve, reject) => {
    const tx = db.transaction("items", mode, { durability: "strict" });
    const request = work(tx.objectStore("items"));
    tx.oncomplete = () => resolve(request?.result);
    tx.onerror = () => reject(tx.error);
  });
}

async function put(item) {
  if ((await open()) === null) memory.set(item.id, item);
  else await run("readwrite", (store) => store.put(item));
}

async function remove(id) {
  memory.delete(id);
  await run("readwrite", (store) => store.delete(id));
}

export async function waiting() {
  const items = (await open()) === null ? [...memory.values()] : await run("readonly", (store) => store.getAll());
  return items.sort((a, b) => a.at - b.at);
}

export function onChange(listener) {
  listeners.add(listener);
}

function tell(what, item, answer = null) {
  for (const listener of listeners) listener(what, item, answer);
}

/** Keep and post: item is {id, url, body, ticket, mode, text}. */
export async function send(item) {
  const kept = { ...item, at: Date.now(), state: "waiting" };
  await put(kept);
  tell("kept", kept);
  void flush();
}

export async function retry(id) {
  const item = (await waiting()).find((one) => one.id === id);
  if (!item) return;
  await put({ ...item, state: "waiting" });
  tell("kept", { ...item, state: "waiting" });
  void flush();
}

export async function discard(id) {
  await remove(id);
  tell("gone", { id });
}

async function post(item) {
  let response;
  try {
    response = await fetch(item.url, {
      method: "POST",
      body: new URLSearchParams(item.body),
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      signal: AbortSignal.timeout(15000),
    });
  } catch {
    return "later";
  }
  if (response.status === 401) {
    document.dispatchEvent(new CustomEvent("session-ended"));
    return "later";
  }
  if (response.status === 429 || response.status >= 500) return "later";
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const refused = { ...item, state: "refused", why: answer.detail ?? "" };
    await put(refused);
    tell("refused", refused);
    return "next";
  }
  await remove(item.id);
  tell("sent", item, answer);
  return "next";
}

async function drain() {
  for (;;) {
    const item = (await waiting()).find((one) => one.state === "waiting");
    if (!item) return;
    tell("posting", item);
    if ((await post(item)) === "later") {
      tell("kept", item);
      // Also without any event from the socket or the browser, try again.
      setTimeout(flush, 5000);
      return;
    }
  }
}

/** Post what waits, in order. Another tab of the same person may be doing it already. */
export async function flush() {
  if (busy) return;
  busy = true;
  try {
    if (navigator.locks) await navigator.locks.request(NAME, drain);
    else await drain();
  } finally {
    busy = false;
  }
}

window.addEventListener("online", flush);
