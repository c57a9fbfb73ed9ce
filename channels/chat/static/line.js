// The WebSocket line: connects, says hello, notices a dead line, and comes back with growing, jittered pauses.

const FIRST_MS = 500;
const LONGEST_MS = 30_000;
const HELLO_MS = 10_000;
const QUIET_MS = 25_000;
const PONG_MS = 8_000;

/** The pause before attempt n: doubles up to 30 s, its second half by chance so that a restart brings no herd. */
export function pause(attempt, chance = Math.random()) {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt) * (0.5 + chance / 2);
}

export class Line {
  #socket = null;
  #timer = null;
  #watch = null;
  #attempt = 0;
  #heard = 0;
  #wanted = false;
  #asked = 0;

  /** hello(): promise of the first frame; onFrame(frame); onState(state, retryAt); onRefused(code): promise of true to go on. */
  constructor({ url, hello, onFrame, onState, onRefused }) {
    Object.assign(this, { url, hello, onFrame, onState, onRefused, state: "idle" });
    addEventListener("online", () => this.nudge());
    addEventListener("offline", () => this.#drop());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.nudge();
    });
  }

  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#connect();
  }

  stop() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#drop();
    this.#set("idle");
  }

  /** Connects anew after a short pause, for instance to fetch what a gap hides. */
  restart() {
    this.#drop();
  }

  /** Somebody is looking: try now instead of later, and see whether a line that seems alive is. */
  nudge() {
    if (!this.#wanted) return;
    if (this.state === "waiting") {
      this.#attempt = 0;
      clearTimeout(this.#timer);
      this.#connect();
    } else if (this.state === "live") {
      this.#ask();
    }
  }

  send(frame) {
    if (this.state !== "live" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #set(state, retryAt = null) {
    this.state = state;
    this.onState(state, retryAt);
  }

  #ask() {
    this.#asked ||= Date.now();
    this.#socket.send('{"t":"ping"}');
  }

  #drop() {
    clearInterval(this.#watch);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      socket.released?.();
      if (this.#wanted) this.#later();
    }
  }

  #later() {
    const wait = pause(this.#attempt);
    this.#attempt += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#set("waiting", Date.now() + wait);
  }

  async #connect() {
    clearTimeout(this.#timer);
    this.#set("connecting");
    const { frame, released } = await this.hello();
    if (!this.#wanted || this.#socket) return released?.();
    const socket = new WebSocket(this.url);
    socket.released = released;
    this.#socket = socket;
    this.#heard = Date.now();
    this.#asked = 0;
    socket.onopen = () => socket.send(JSON.stringify(frame));
    socket.onmessage = (event) => this.#receive(socket, JSON.parse(event.data));
    socket.onclose = (event) => this.#closed(event.code);
    this.#watch = setInterval(() => this.#check(), 2_000);
  }

  #receive(socket, frame) {
    this.#heard = Date.now();
    this.#asked = 0;
    if (frame.t === "hello") {
      this.#attempt = 0;
      this.#set("live");
    }
    if (frame.t !== "pong") this.onFrame(frame);
    if (frame.t === "hello") socket.released?.(); // after the new token is stored
  }

  #check() {
    const now = Date.now();
    if (this.state === "connecting" && now - this.#heard > HELLO_MS) this.#drop();
    else if (this.#asked && now - this.#asked > PONG_MS) this.#drop();
    else if (this.state === "live" && !this.#asked && now - this.#heard > QUIET_MS) this.#ask();
  }

  async #closed(code) {
    clearInterval(this.#watch);
    this.#socket?.released?.();
    this.#socket = null;
    if (!this.#wanted) return;
    if (code >= 4400 && code < 4500 && !(await this.onRefused(code))) this.stop();
    else if (this.#wanted && !this.#socket) this.#later();
  }
}
