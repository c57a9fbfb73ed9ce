// Invitations: a small message beside the launcher, by the shop's rules. The server is asked one thing, when a rule fits: can somebody answer now?
import { config, h, icon, lock, storage, t } from "./base.js";

const SESSION_MS = 30 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
const TICK_MS = 1_000;
const REPORT_MS = 10_000;
const ASK_AGAIN_MS = 30_000;

function stored(name) {
  try {
    return JSON.parse(storage.get(name)) ?? {};
  } catch {
    return {};
  }
}

/** Does a pattern ("/cart/*", "https://shop.example/*", "" for all) name this page? A slash at the end makes no difference. */
export function fits(pattern, page) {
  if (!pattern) return true;
  const address = pattern.includes("://") ? page : page.replace(/^[a-z]+:\/\/[^/]+/, "");
  const parts = pattern.replace(/(.)\/$/, "$1").split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}/?$`).test(address || "/");
}

export class Invitations {
  #seconds = 0; // looked at this page
  #counts = {};
  #timer = null;
  #deciding = false;
  #askAfter = 0; // nobody could answer: not before that moment again
  #shown = null; // the invitation beside the launcher, or the one that this page has had

  /** bridge: page, hidden, small, busy() while there is a conversation; tell the loader, open the chat. */
  constructor({ bridge, launcher, tell, open }) {
    Object.assign(this, { bridge, launcher, tell, open });
    this.node = h("section", { class: "invite", hidden: true });
    this.status = h("p", { class: "hidden", role: "status" });
    launcher.before(this.node, this.status);
    this.session = this.#begin();
    new ResizeObserver(() => this.#measure()).observe(this.node);
    addEventListener("pagehide", () => this.#report());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.#report());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.dismiss());
    storage.watch((name, value) => this.#otherTab(name, value));
    setInterval(() => this.#tick(), TICK_MS);
  }

  get visible() {
    return !this.node.hidden;
  }

  /** One visit to the website: all its pages and tabs, until nothing was looked at for half an hour. */
  #begin() {
    const { n = 0, at = 0 } = stored("session");
    const session = Date.now() - at > SESSION_MS ? n + 1 : n;
    storage.set("session", JSON.stringify({ n: session, at: Date.now() }));
    return session;
  }

  #tick() {
    if (document.visibilityState !== "visible") return;
    this.#seconds += 1;
    if (this.#seconds % 60 === 0) this.session = this.#begin();
    this.#decide(false);
  }

  /** The pointer is on its way out of the page. */
  exit() {
    this.#decide(true);
  }

  /** Another page without a new document. */
  moved() {
    this.#seconds = 0;
    if (this.visible) this.#hide();
    this.#shown = null;
  }

  #may(rule, leaving) {
    if (rule.exit && !leaving) return false;
    if (this.#seconds < rule.seconds || this.session < rule.visits || !fits(rule.page, this.bridge.page)) return false;
    const { session = 0, closed = 0 } = stored(`invite:${rule.id}`);
    if (closed && Date.now() - closed < rule.snooze * DAY_MS) return false;
    return rule.once === "visitor" ? session === 0 : session !== this.session;
  }

  async #decide(leaving) {
    if (this.#shown || this.#deciding || this.bridge.hidden || this.bridge.busy()) return;
    const fitting = config.invitations.filter((rule) => this.#may(rule, leaving));
    if (!fitting.length) return;
    this.#deciding = true;
    const page = this.bridge.page;
    const able = fitting.every((rule) => rule.always) || (await this.#able());
    const release = await lock("invite"); // of several tabs one shows it
    const rule = config.invitations.find((one) => (able || one.always) && this.#may(one, leaving));
    if (rule && page === this.bridge.page && !this.bridge.busy()) {
      storage.set(`invite:${rule.id}`, JSON.stringify({ session: this.session }));
      this.#show(rule);
    }
    release();
    this.#deciding = false;
  }

  /** Can somebody answer at this moment? Without an answer of the server nobody is promised. */
  async #able() {
    if (Date.now() < this.#askAfter) return false;
    let able = false;
    try {
      const answer = await fetch(`${config.base}/answers`, { cache: "no-store" });
      able = answer.ok && (await answer.json()).able === true;
    } catch {
      // offline: as good as nobody
    }
    if (!able) this.#askAfter = Date.now() + ASK_AGAIN_MS;
    return able;
  }

  #show(rule) {
    this.#shown = rule;
    const name = h("strong", {}, rule.name);
    const text = h("button", { type: "button", class: "invite-open", onclick: () => this.accept() }, name, h("span", { class: "invite-text" }, rule.text));
    const close = h("button", { type: "button", class: "invite-close", "aria-label": t("invitation_close"), onclick: () => this.dismiss() }, icon("close"));
    this.node.setAttribute("aria-label", t("invitation", { name: rule.name }));
    this.node.classList.toggle("small", Boolean(this.bridge.small));
    this.node.replaceChildren(text, close);
    this.node.hidden = false;
    document.documentElement.dataset.invite = "measure";
    this.tell({ t: "invite", height: 88 }); // wide first; how high it must be is known when it is laid out
    setTimeout(() => {
      this.status.textContent = t("heard", { name: rule.name, text: rule.text });
    }, 300);
    this.#count(rule, 0);
  }

  #measure() {
    if (!this.visible || innerWidth < 200) return;
    this.tell({ t: "invite", height: Math.ceil(this.node.offsetHeight) + 24 });
    document.documentElement.dataset.invite = "shown";
  }

  #hide() {
    const had = this.node.contains(document.activeElement);
    this.node.hidden = true;
    this.status.textContent = "";
    delete document.documentElement.dataset.invite;
    this.tell({ t: "invite", height: 0 });
    if (had) this.launcher.focus();
  }

  /** "Not now": it stays away for as long as its rule says. */
  dismiss() {
    if (!this.visible) return;
    storage.set(`invite:${this.#shown.id}`, JSON.stringify({ session: this.session, closed: Date.now() }));
    this.#hide();
  }

  /** Opens the chat with it; the launcher beside it does the same. */
  accept() {
    const rule = this.#shown;
    this.withdraw();
    this.#count(rule, 1);
    this.open(rule);
  }

  /** The chat was opened in another way. */
  withdraw() {
    if (this.visible) this.#hide();
  }

  #otherTab(name, value) {
    if (this.visible && name === `invite:${this.#shown.id}` && value && JSON.parse(value).closed) this.#hide();
    if (this.visible && name === "visit" && value) this.#hide();
  }

  // ---- what became of them: told in one go

  #count(rule, at) {
    this.#counts[rule.id] ??= [0, 0];
    this.#counts[rule.id][at] += 1;
    this.#timer ??= setTimeout(() => this.#report(), REPORT_MS);
  }

  #report() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (!Object.keys(this.#counts).length) return;
    navigator.sendBeacon(`${config.base}/invitations`, JSON.stringify({ counts: this.#counts }));
    this.#counts = {};
  }
}
