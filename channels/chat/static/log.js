// The conversation on the screen: rows in order, grouped by author, with days, marks and one polite announcer.
import { config, h, icon, t } from "./base.js";

const TOGETHER_MS = 5 * 60_000;
const ANNOUNCE_MS = 5_000;
const PENDING = 1e12;
const LINK = /https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;

const clock = new Intl.DateTimeFormat(config.locale, { hour: "numeric", minute: "2-digit" });
const longDay = new Intl.DateTimeFormat(config.locale, { weekday: "long", day: "numeric", month: "long" });

export const time = (at) => clock.format(at);

function day(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  return days === 0 ? t("today") : days === 1 ? t("yesterday") : longDay.format(at);
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const [value, unit] = bytes < 1_048_576 ? [bytes / 1024, "KB"] : [bytes / 1_048_576, "MB"];
  return `${new Intl.NumberFormat(config.locale, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)} ${unit}`;
}

/** Text with its addresses as links; nothing else in it is ever markup. */
export function linked(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    parts.push(text.slice(from, match.index));
    const href = match[0].startsWith("http") ? match[0] : `mailto:${match[0]}`;
    parts.push(h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, match[0]));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
}

export function initials(name) {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? "") + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase();
}

function attachment(file) {
  const label = `${file.name}, ${size(file.size)}`;
  if (file.image) {
    const image = h("img", { src: file.url, alt: file.name, loading: "lazy" });
    const scale = Math.min(1, 244 / (file.width || 244), 220 / (file.height || 160));
    image.width = Math.max(48, Math.round((file.width || 244) * scale));
    image.height = Math.max(48, Math.round((file.height || 160) * scale));
    return h("a", { class: "picture", href: file.url, target: "_blank", rel: "noopener", "aria-label": label }, image);
  }
  const text = [h("span", { class: "file-name" }, file.name), h("span", { class: "file-size" }, size(file.size))];
  const inside = [icon("file"), h("span", { class: "file-text" }, text)];
  return file.url
    ? h("a", { class: "file", href: file.url, target: "_blank", rel: "noopener", download: file.name }, inside)
    : h("span", { class: "file" }, inside);
}

export class Log {
  #rows = []; // {key, id, message, node, state} in the order of the screen
  #heard = [];
  #flush = null;

  constructor({ onRetry, onRemove, onEarlier, onBottom }) {
    Object.assign(this, { onRetry, onRemove, onBottom, read: 0, newer: 0 });
    this.earlier = h("button", { type: "button", class: "earlier", hidden: true, onclick: onEarlier }, t("earlier"));
    this.list = h("div", { class: "rows" });
    this.tail = h("div", { class: "tail" });
    this.node = h("div", { class: "log", role: "log", tabindex: "0", "aria-label": t("conversation"), "aria-live": "off" });
    this.node.append(this.earlier, this.list, this.tail);
    this.jump = h("button", { type: "button", class: "jump", hidden: true, onclick: () => this.bottom() });
    this.status = h("div", { class: "hidden", role: "status" });
    this.node.addEventListener("scroll", () => this.atBottom() && this.#arrived(), { passive: true });
    new ResizeObserver(() => this.#stuck && this.bottom()).observe(this.node);
  }

  #stuck = true;

  atBottom() {
    this.#stuck = this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < 48;
    return this.#stuck;
  }

  bottom() {
    this.node.scrollTop = this.node.scrollHeight;
    this.#arrived();
  }

  #arrived() {
    this.newer = 0;
    this.jump.hidden = true;
    this.onBottom();
  }

  clear() {
    this.#rows = [];
    this.list.replaceChildren();
    this.earlier.hidden = true;
  }

  /** Shows a message that the server has stored; our own takes the place of its pending row. */
  put(message, { quiet = false } = {}) {
    const stuck = this.atBottom();
    const own = message.author.kind === "customer";
    const pending = own && message.client_id ? this.#take(message.client_id) : null;
    const row = pending ?? { id: message.client_id ?? `#${message.public_seq}` };
    Object.assign(row, { key: message.public_seq, message, state: "sent" });
    this.#insert(row);
    if (own) this.#dressLastOwn();
    if (quiet || row.node.hidden) return;
    if (stuck || own) this.bottom();
    else if (!own) this.#missed();
    if (!own) this.#announce(message);
  }

  /** Older messages go in above, and what is on the screen stays where it is. */
  older(messages, more) {
    const height = this.node.scrollHeight;
    for (const message of messages) this.put(message, { quiet: true });
    this.node.scrollTop += this.node.scrollHeight - height;
    this.earlier.hidden = !more;
  }

  /** Shows what lies in the outbox. */
  pend(entry, state) {
    const old = this.#rows.find((row) => row.id === entry.client_id);
    if (old && old.key < PENDING) return;
    const row = old ? this.#take(entry.client_id) : { id: entry.client_id };
    const message = {
      author: { kind: "customer", name: "" },
      text: entry.text,
      attachments: entry.files,
      sent_at: new Date(entry.at).toISOString(),
    };
    Object.assign(row, { key: PENDING + entry.at, message, entry, state });
    this.#insert(row);
    if (!old) this.bottom();
  }

  drop(clientId) {
    const row = this.#rows.find((one) => one.id === clientId);
    if (!row || row.key < PENDING) return;
    const at = this.#rows.indexOf(row);
    this.#take(clientId).node.remove();
    this.#dress(at - 1);
    this.#dress(at);
  }

  /** The agent has read our messages up to this public_seq. */
  seenUpTo(seq) {
    const before = this.read;
    this.read = Math.max(before, seq);
    for (let at = this.#rows.length - 1; at >= 0 && this.#rows[at].key > before; at -= 1) this.#dress(at);
  }

  #take(id) {
    const at = this.#rows.findIndex((row) => row.id === id);
    return at < 0 ? null : this.#rows.splice(at, 1)[0];
  }

  #insert(row) {
    let at = this.#rows.length;
    while (at > 0 && this.#rows[at - 1].key > row.key) at -= 1;
    this.#rows.splice(at, 0, row);
    row.node ??= this.#build(row.message);
    const next = this.#rows[at + 1]?.node ?? null;
    if (row.node.parentNode !== this.list || row.node.nextSibling !== next) this.list.insertBefore(row.node, next);
    for (let near = at - 2; near <= at + 1; near += 1) this.#dress(near);
  }

  #build(message) {
    const { kind, name } = message.author;
    if (kind === "system") return h("div", { class: "row system", hidden: !message.text }, h("p", {}, message.text));
    const said = message.text && h("div", { class: "bubble" }, linked(message.text));
    const files = (message.attachments ?? []).map(attachment);
    const who = kind === "agent" && h("div", { class: "who" }, name || t("agent"));
    const hidden = h("span", { class: "hidden" }, t("said", { name: kind === "customer" ? t("you") : name || t("agent") }));
    const face = kind === "agent" && h("span", { class: "face", "aria-hidden": "true" }, initials(name || t("agent")));
    return h("div", { class: `row ${kind}` }, face, h("div", { class: "said" }, who, hidden, said, files, h("div", { class: "mark" })));
  }

  #dress(at) {
    const row = this.#rows[at];
    if (!row) return;
    const before = this.#rows[at - 1];
    const after = this.#rows[at + 1];
    row.node.classList.toggle("first", !this.#together(before, row));
    row.node.classList.toggle("last", !this.#together(row, after));
    row.node.classList.toggle("pending", row.key >= PENDING);
    const newDay = !before || day(new Date(before.message.sent_at)) !== day(new Date(row.message.sent_at));
    if (newDay && !row.day) {
      row.day = h("div", { class: "day" }, day(new Date(row.message.sent_at)));
      row.node.prepend(row.day);
    } else if (!newDay && row.day) {
      row.day.remove();
      row.day = null;
    }
    if (row.message.author.kind !== "system") this.#mark(row, after);
  }

  #together(one, other) {
    if (!one || !other || one.message.author.kind !== other.message.author.kind) return false;
    if (one.message.author.name !== other.message.author.name && one.message.author.kind === "agent") return false;
    return Math.abs(new Date(other.message.sent_at) - new Date(one.message.sent_at)) < TOGETHER_MS;
  }

  #mark(row, after) {
    const mark = row.node.querySelector(".mark");
    const at = new Date(row.message.sent_at);
    const own = row.message.author.kind === "customer";
    const seen = own && row.key <= this.read;
    const look = `${row.state}|${row.state === "sent" && seen}|${Boolean(own && row.key < PENDING && this.#isLastOwn(row))}`;
    if (mark.dataset.look === look) return undefined;
    mark.dataset.look = look;
    if (!own) return mark.replaceChildren(h("time", { datetime: row.message.sent_at }, time(at)));
    if (row.state === "failed") {
      const retry = h("button", { type: "button", class: "retry", onclick: () => this.onRetry(row.entry) }, icon("alert"), t("not_sent"));
      const remove = h("button", { type: "button", class: "unsend", onclick: () => this.onRemove(row.entry) }, t("remove"));
      return mark.replaceChildren(retry, row.entry.error ? remove : "");
    }
    if (row.state === "sending") return mark.replaceChildren(icon("clock"), h("span", {}, t("sending")));
    const sentAt = h("time", { datetime: row.message.sent_at }, time(at));
    if (!this.#isLastOwn(row)) return mark.replaceChildren(sentAt);
    const state = seen ? [icon("checks"), h("span", {}, t("seen"))] : [icon("check"), h("span", {}, t("sent"))];
    return mark.replaceChildren(sentAt, " · ", ...state);
  }

  /** The newest of our stored messages says "Sent" or "Seen"; the one before it does so no longer. */
  #dressLastOwn() {
    for (let at = this.#rows.length - 1, found = 0; at >= 0 && found < 2; at -= 1) {
      const one = this.#rows[at];
      if (one.key < PENDING && one.message.author.kind === "customer") {
        this.#dress(at);
        found += 1;
      }
    }
  }

  #isLastOwn(row) {
    for (let at = this.#rows.length - 1; at >= 0; at -= 1) {
      const one = this.#rows[at];
      if (one.key < PENDING && one.message.author.kind === "customer") return one === row;
    }
    return false;
  }

  #missed() {
    this.newer += 1;
    this.jump.hidden = false;
    this.jump.replaceChildren(icon("down"), t("new_messages", { n: this.newer }));
  }

  /** One by one, but a burst of more than three within 5 s becomes one sentence. */
  #announce(message) {
    this.#heard.push(message);
    if (this.#flush) return;
    this.say(t("heard", { name: message.author.name || t("agent"), text: message.text || t("an_attachment") }));
    this.#heard = [];
    this.#flush = setTimeout(() => {
      this.#flush = null;
      const rest = this.#heard.splice(0);
      if (rest.length > 3) this.say(t("new_messages", { n: rest.length }));
      else if (rest.length) this.say(rest.map((one) => t("heard", { name: one.author.name || t("agent"), text: one.text })).join(" "));
    }, ANNOUNCE_MS);
  }

  say(text) {
    this.status.textContent = "";
    requestAnimationFrame(() => {
      this.status.textContent = text;
    });
  }
}
