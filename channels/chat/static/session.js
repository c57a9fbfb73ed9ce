// One customer's conversation without a screen: line, order, outbox and the visit's state. The view hears of it through `view`.
import { config, lock, storage } from "./base.js";
import { Line } from "./line.js";
import { outbox } from "./outbox.js";
import { Thread } from "./thread.js";

const LATE_MS = 10_000;
const STALE_STATUS_MS = 60_000;
const OTHER_TAB_MS = 3_000;
const SLOW_DOWN_MS = 5_000;
const ACK_MS = 100;

const unknown = () => ({ agent: null, queue: null, ended: false, survey: null, email: null, seen: 0 });

export class Session {
  #inFlight = null;
  #ackTimer = null;
  #retriedAt = 0;
  #claimed = null; // whom the last hello said that we are
  #commands = new Map(); // what the server has not confirmed yet, by kind
  #onLive = [];

  /** who(): {name, email, page, identity} for a visit. view: see the calls below. */
  constructor({ who, view }) {
    Object.assign(this, { who, view });
    this.thread = new Thread();
    this.visit = unknown();
    this.status = { ...config.status, at: Date.now(), ticket: config.ticket };
    this.line = new Line({
      url: new URL(`${config.base}/ws`, location.href).href.replace(/^http/, "ws"),
      hello: () => this.#hello(),
      onFrame: (frame) => this.#receive(frame),
      onState: (state, retryAt) => this.#lineState(state, retryAt),
      onRefused: (code) => this.#refused(code),
    });
    outbox.watch((entry, clientId) => this.#otherTab(entry, clientId));
    storage.watch((name, value) => name === "visit" && this.#visitChanged(value));
    setInterval(() => this.#late(), 2_000);
  }

  get begun() {
    return Boolean(storage.get("visit")) || !outbox.empty;
  }

  start() {
    this.line.start();
  }

  /** The panel was closed: only a conversation that goes on keeps its line. */
  rest() {
    if (this.visit.ended && outbox.empty) this.line.stop();
  }

  // ---- what the customer does

  submit(text, files) {
    const entry = outbox.add(text, files);
    this.view.pending(entry, "sending");
    this.line.start();
    this.#pump();
  }

  retry(entry) {
    this.#retriedAt = Date.now();
    outbox.mark(entry, null);
    this.view.pending({ ...entry, error: null }, "sending");
    this.line.start();
    this.line.nudge();
    this.#pump();
  }

  withdraw(entry) {
    this.#settle(entry.client_id);
    this.view.dropped(entry.client_id);
  }

  /** end, csat, profile, transcript: kept until the server has confirmed it, over any number of reconnects. */
  command(kind, fields = {}) {
    this.#commands.set(kind, fields);
    this.line.start();
    this.line.send({ t: kind, ...fields });
  }

  typing(on) {
    this.line.send({ t: "typing", on });
  }

  earlier() {
    this.line.send({ t: "history", before: this.thread.first });
  }

  /** Everything is on the screen. */
  saw() {
    const last = this.thread.last;
    if (last <= this.visit.seen) return;
    if (this.thread.unread(this.visit.seen)) this.line.send({ t: "read", public_seq: last });
    this.#change({ seen: last });
  }

  unread() {
    return this.thread.unread(this.visit.seen);
  }

  /** The visit's token, as soon as there is one. */
  async token() {
    this.line.start();
    while (!storage.get("visit")) await new Promise((resolve) => this.#onLive.push(resolve));
    return storage.get("visit");
  }

  /** Leaves this conversation; what lies in the outbox goes into the next one. */
  anew() {
    this.line.stop();
    this.forget();
    this.view.anew();
  }

  /** The page says who its customer is: what was somebody else's is left, and ours is told. */
  identified(subject) {
    const known = storage.get("person");
    if (known && known !== subject) {
      outbox.clear();
      this.anew();
    } else if (!known) {
      this.line.restart();
    }
  }

  /** Nobody is signed in any more. */
  reset() {
    this.line.stop();
    outbox.clear();
    this.#commands.clear();
    this.forget();
  }

  forget() {
    storage.remove("person");
    storage.remove("visit");
    storage.remove("ended");
    this.#clear();
  }

  async refreshStatus(must = false) {
    if (!must && Date.now() - this.status.at < STALE_STATUS_MS) return;
    try {
      const answer = await fetch(`${config.base}/status`, { cache: "no-store" });
      if (answer.ok) this.status = { ...(await answer.json()), at: Date.now() };
    } catch {
      // offline: what we knew last is the best there is
    }
  }

  // ---- the line

  async #hello() {
    const { identity, subject, ...who } = this.who();
    this.#claimed = subject;
    if (!storage.get("visit")) {
      const released = await lock("open"); // one tab at a time opens a visit; the others wait and find its token
      if (!storage.get("visit")) {
        const frame = { t: "hello", token: null, since: 0, ticket: this.status.ticket, identity, locale: config.locale, ...who };
        return { frame, released };
      }
      released();
    }
    return { frame: { t: "hello", token: storage.get("visit"), since: this.thread.last, thread: this.thread.id, identity } };
  }

  /** The server closed for a reason: true to connect again. */
  async #refused(code) {
    if (code !== 4401) {
      this.view.refused(code);
      return false;
    }
    if (storage.get("visit")) this.forget();
    else await this.refreshStatus(true);
    if (!outbox.empty) return true;
    this.view.anew();
    return false;
  }

  #lineState(state, retryAt) {
    if (state !== "live") this.#inFlight = null;
    this.view.line(state, retryAt);
  }

  #receive(frame) {
    const on = {
      hello: () => this.#greeted(frame),
      message: () => this.#take(frame),
      ack: () => this.#acked(frame),
      history: () => this.view.older(this.thread.prepend(frame.messages), frame.more),
      typing: () => this.view.typing(frame.on, frame.name),
      read: () => this.view.read(frame.public_seq),
      seen: () => this.#change({ seen: Math.max(this.visit.seen, frame.public_seq) }),
      presence: () => this.#change({ agent: frame.agent, queue: frame.agent ? null : this.visit.queue }),
      queue: () => this.#change({ queue: frame.position ? frame : null }),
      ended: () => this.#ended(frame),
      csat: () => this.#confirmed(frame, { survey: { score: frame.score } }),
      transcript: () => this.#confirmed(frame, {}),
      profile: () => this.#confirmed(frame, { email: frame.email || null }),
      resync: () => this.line.restart(),
      error: () => this.#error(frame),
    }[frame.t];
    on?.();
  }

  #greeted(frame) {
    if (this.#claimed) storage.set("person", this.#claimed);
    if (frame.token) storage.set("visit", frame.token);
    if (this.thread.id && frame.thread !== this.thread.id) this.#clear(); // it went on in another ticket
    this.thread.id = frame.thread;
    if (frame.public_seq < this.thread.last) {
      this.#clear();
      return this.line.restart(); // the server was set back and knows less than we do: begin from its start
    }
    const fresh = this.thread.last === 0;
    if (fresh) this.thread.begin(frame.first);
    const before = this.thread.last;
    for (const message of frame.messages) this.#take(message, { quiet: true });
    if (this.thread.last < frame.public_seq) return this.line.restart();
    const { agent, ended, survey, email } = frame;
    const queue = frame.queue?.position ? frame.queue : null;
    this.#change({ agent, queue, ended, survey, email: email || null, seen: Math.max(this.visit.seen, frame.seen) });
    this.view.read(frame.read);
    this.view.caughtUp(fresh, [...this.thread.messages.values()].filter((one) => one.public_seq > before).length);
    this.#onLive.splice(0).forEach((resolve) => resolve());
    this.#delivered();
    for (const [kind, fields] of this.#commands) this.line.send({ t: kind, ...fields });
    this.#pump();
    return undefined;
  }

  #take(message, options = {}) {
    const state = this.thread.add(message);
    if (state === "gap") return this.line.restart();
    if (message.client_id) this.#settle(message.client_id);
    if (state === "known") return undefined;
    this.view.message(message, options);
    if (options.quiet) return undefined;
    if (message.author.kind !== "customer") this.#delivered();
    this.#change({});
    this.#pump();
    return undefined;
  }

  #delivered() {
    this.#ackTimer ??= setTimeout(() => {
      this.#ackTimer = null;
      if (this.thread.last) this.line.send({ t: "ack", public_seq: this.thread.last });
    }, ACK_MS);
  }

  #ended({ by, survey }) {
    this.#commands.delete("end");
    this.#change({ ended: true, survey: survey ? { score: null } : null, queue: null });
    this.view.ended(by);
  }

  #confirmed(frame, fields) {
    this.#commands.delete(frame.t);
    this.#change(fields);
    this.view.confirmed(frame);
  }

  #change(fields) {
    Object.assign(this.visit, fields);
    if (fields.ended) storage.set("ended", "1");
    else if (fields.ended === false) storage.remove("ended");
    this.view.changed();
  }

  // ---- the outbox

  /** The oldest one first and the next only after its ack: so the order holds over restarts, limits and tabs. */
  #pump() {
    if (this.#inFlight) return;
    const entry = outbox.next();
    if (!entry) return;
    const files = entry.files.map((file) => file.id);
    if (this.line.send({ t: "send", client_id: entry.client_id, text: entry.text, files })) this.#inFlight = entry.client_id;
  }

  #acked({ client_id, public_seq, sent_at }) {
    const entry = outbox.find(client_id);
    if (entry && !public_seq) this.view.pending(entry, "sent"); // kept, but not a part of the conversation yet
    if (public_seq && !this.thread.messages.has(public_seq)) {
      const next = this.thread.last + 1 === public_seq;
      if (!entry || !next) return this.line.restart(); // something before it has not come: fetch it all in order
      const { text, files } = entry;
      this.#take({ author: { kind: "customer", name: "" }, text, attachments: files, sent_at, client_id, public_seq });
    }
    this.#settle(client_id);
    this.#pump();
    return undefined;
  }

  #settle(clientId) {
    outbox.remove(clientId);
    if (this.#inFlight === clientId) this.#inFlight = null;
  }

  #late() {
    for (const entry of outbox.list()) {
      if (entry.error || Date.now() - Math.max(entry.at, this.#retriedAt) > LATE_MS) this.view.pending(entry, "failed");
    }
  }

  #error(frame) {
    const entry = outbox.find(frame.client_id);
    this.#inFlight = null;
    if (frame.about) {
      this.#commands.delete(frame.about);
      return this.view.notDone();
    }
    if (frame.retryable) return setTimeout(() => this.#pump(), SLOW_DOWN_MS);
    if (!entry) return undefined;
    outbox.mark(entry, frame.code);
    this.view.pending({ ...entry, error: frame.code }, "failed");
    return this.#pump();
  }

  // ---- other tabs

  #otherTab(entry, clientId) {
    if (entry) {
      this.view.pending(entry, entry.error ? "failed" : "sending");
      setTimeout(() => this.#pump(), OTHER_TAB_MS); // its tab may be gone before it could send
    } else {
      if (this.#inFlight === clientId) this.#inFlight = null;
      this.view.dropped(clientId); // acknowledged there (it comes here as a message) or withdrawn
    }
  }

  #visitChanged(token) {
    if (!token) {
      this.line.stop();
      this.#clear();
      this.view.anew();
    } else if (this.line.state === "idle") {
      this.view.begun();
    } else if (this.line.state === "live") {
      this.#clear();
      this.line.restart(); // another tab began a new conversation
    }
  }

  #clear() {
    this.thread.reset();
    this.#inFlight = null;
    this.visit = unknown();
    this.view.cleared();
  }
}
