/* The one socket of this page. The server sends frames; we send what we look at (`join` with the last seq), `leave`,
 * `typing` and `ping`. After a cut we come back with back-off and jitter and ask for everything after the last seq. */
import { apply } from "./parts.js";
import { flush } from "./outbox.js";
import { say, toast, word } from "./words.js";

const RESYNC = 4001;
const REVOKED = 4003;
const FIRST = 500;
const LONGEST = 15000;
const HEARTBEAT = 15000;

const topics = new Map();
let socket = null;
let failures = 0;
let cutAt = 0;
let pending = new Set();
let fresh = 0;
let pongAt = 0;
let heart = 0;
let counting = 0;
let stopped = false;

function badge(state, wait = "") {
  const el = document.getElementById("connection");
  if (!el || (el.dataset.state === state && !wait)) return;
  if (el.dataset.state === "live" && state !== "live") say(word(state));
  el.dataset.state = state;
  el.querySelector(".wait").textContent = wait && ` ${wait} s`;
  document.body.dataset.line = state;
}

function transmit(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

/** Tell the customer of a chat that an answer is being written, or no longer. */
export const typing = (ticket, on = true) => transmit({ type: "typing", ticket, on });

/** Look at a topic. `seq` is the last one shown, for topics that replay; null for those that send a snapshot. */
export function join(topic, seq = null) {
  topics.set(topic, seq);
  transmit({ type: "join", topics: { [topic]: seq } });
}

export function leave(topic) {
  topics.delete(topic);
  transmit({ type: "leave", topics: [topic] });
}

export const joined = () => [...topics.keys()];

async function receive(frame) {
  const known = topics.has(frame.topic);
  switch (frame.type) {
    case "hello":
      clock.setServerTime(Date.parse(frame.now));
      break;
    case "pong":
      pongAt = Date.now();
      break;
    case "fragments": {
      if (!known) return;
      const last = topics.get(frame.topic);
      // A hole before this frame: ask again from where we are instead of showing half.
      if (last !== null && frame.after !== undefined && frame.after > last) { join(frame.topic, last); return; }
      if (frame.seq !== undefined) topics.set(frame.topic, Math.max(last ?? 0, frame.seq));
      fresh += await apply(frame.parts);
      break;
    }
    case "joined":
      if (frame.seq !== undefined && known) topics.set(frame.topic, Math.max(topics.get(frame.topic) ?? 0, frame.seq));
      pending.delete(frame.topic);
      if (pending.size === 0 && cutAt) caughtUp();
      break;
    case "rejoin":
      // Something may have been missed on the server's side: ask from where we are.
      if (known) join(frame.topic, topics.get(frame.topic));
      break;
    case "refused":
      topics.delete(frame.topic);
      pending.delete(frame.topic);
      break;
    default:
      document.dispatchEvent(new CustomEvent("frame:" + frame.type, { detail: frame }));
  }
}

function caughtUp() {
  if (fresh) toast(word("caught_up", { n: fresh }));
  else if (Date.now() - cutAt > 3000) toast(word("caught_up_none"), { seconds: 3 });
  cutAt = 0;
  document.dispatchEvent(new CustomEvent("line-back"));
}

function cut() {
  if (cutAt) return;
  cutAt = Date.now();
  document.dispatchEvent(new CustomEvent("line-cut"));
}

function opened() {
  failures = 0;
  fresh = 0;
  pongAt = Date.now();
  badge("live");
  pending = new Set(topics.keys());
  transmit({ type: "join", topics: Object.fromEntries(topics) });
  clearInterval(heart);
  heart = setInterval(() => {
    // A half-open line looks alive until something is expected from it.
    if (Date.now() - pongAt > HEARTBEAT + 5000) socket?.close();
    else transmit({ type: "ping" });
  }, HEARTBEAT);
  void flush();
}

function closed(code) {
  clearInterval(heart);
  socket = null;
  if (stopped) return;
  cut();
  if (code === REVOKED) {
    badge("offline");
    document.dispatchEvent(new CustomEvent("session-ended"));
    return;
  }
  if (!navigator.onLine) { badge("offline"); return; }
  const ceiling = Math.min(LONGEST, FIRST * 2 ** failures);
  const wait = code === RESYNC ? 50 : ceiling / 2 + Math.random() * (ceiling / 2);
  failures += 1;
  count(wait);
}

function count(wait) {
  clearInterval(counting);
  const due = Date.now() + wait;
  const tick = () => {
    const left = due - Date.now();
    if (left > 0) { badge("reconnecting", left > 1500 ? String(Math.ceil(left / 1000)) : ""); return; }
    clearInterval(counting);
    connect();
  };
  counting = setInterval(tick, Math.min(250, Math.max(20, wait / 2)));
  tick();
}

export function connect() {
  if (socket || stopped) return;
  clearInterval(counting);
  const line = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/ws");
  socket = line;
  let queue = Promise.resolve();
  line.onopen = opened;
  // One frame after the other: applying is asynchronous, and order is the point. One that fails stops none after it.
  line.onmessage = (event) => { queue = queue.then(() => receive(JSON.parse(event.data))).catch(console.error); };
  line.onclose = (event) => { if (socket === line) closed(event.code); };
}

window.addEventListener("online", () => { failures = 0; connect(); });
window.addEventListener("offline", () => { cut(); badge("offline"); socket?.close(); });
window.addEventListener("pagehide", () => { stopped = true; socket?.close(); });
window.addEventListener("pageshow", (event) => { if (event.persisted) { stopped = false; connect(); } });
document.addEventListener("session-renewed", () => { failures = 0; connect(); void flush(); });
