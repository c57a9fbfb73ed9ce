// The screen of the conversation. No business rules: it sends what the customer does and shows what comes.
import { config, h, icon, storage, t } from "./base.js";
import { Composer, uploadFile } from "./composer.js";
import { intro, mailForm, profile, survey, told } from "./forms.js";
import { Header } from "./header.js";
import { Log } from "./log.js";
import { outbox } from "./outbox.js";
import { Session } from "./session.js";
import { saveTranscript } from "./transcript.js";

const TYPING_VOID_MS = 6_000;
const later = new Intl.DateTimeFormat(config.locale, { weekday: "long", hour: "numeric", minute: "2-digit" });

class App {
  #typingTimer = null;
  #talking = false;

  constructor(bridge) {
    this.bridge = bridge;
    this.session = new Session({ who: () => this.#who(), view: this.#view() });
    this.log = new Log({
      onRetry: (entry) => this.session.retry(entry),
      onRemove: (entry) => {
        this.session.withdraw(entry);
        this.#focus();
      },
      onEarlier: () => this.session.earlier(),
      onBottom: () => this.#sawAll(),
    });
    this.composer = new Composer({
      onSend: (text, files) => this.session.submit(text, files),
      onTyping: (on) => this.session.typing(on),
      upload: async (file, progress) => uploadFile(`${config.base}/files`, await this.session.token(), file, progress),
      say: (text) => this.log.say(text),
    });
    this.header = new Header({
      alone: bridge.alone,
      actions: [
        { id: "transcript", label: t("transcript"), run: () => this.#askMail("transcript") },
        { id: "save", label: t("save_transcript"), run: () => saveTranscript([...this.session.thread.messages.values()]) },
        { id: "end", label: t("end"), run: () => this.#askEnd() },
      ],
      visible: (id) => this.#talking && this.session.thread.last > 0 && (id !== "end" || !this.session.visit.ended),
      onClose: () => bridge.close(),
      onTry: () => this.session.line.nudge(),
    });
    this.body = h("div", { class: "body" });
    this.typing = h("div", { class: "typing", hidden: true }, h("i"), h("i"), h("i"), h("span", { class: "hidden" }));
    this.log.tail.append(this.typing);
    bridge.panel.append(this.header.bar, this.header.strip, this.body, this.log.status);
    document.addEventListener("visibilitychange", () => this.#sawAll());
    addEventListener("focus", () => this.#sawAll());
    if (this.session.begun) this.#converse();
  }

  // ---- what the page around us asks

  async show(text) {
    if (this.bridge.invited && storage.get("ended")) this.#leave();
    if (this.session.begun) {
      if (!this.#talking) this.#converse();
      this.session.start();
      this.composer.fill(text);
      this.log.bottom();
    } else if (this.#talking || !this.body.firstChild || this.invited !== this.bridge.invited) {
      await this.#introduce(text);
    }
    this.#focus();
  }

  hide() {
    this.header.toggle(false);
    this.session.rest();
  }

  stop() {
    this.session.line.stop();
  }

  /** An invitation begins a new conversation: the last one is over. */
  #leave() {
    this.session.line.stop();
    this.session.forget();
    this.#talking = true; // whatever was shown makes place
  }

  /** The page has said who its customer is, or that nobody is signed in any more. */
  identified() {
    if (this.bridge.identity) this.session.identified(this.bridge.identity.subject);
    if (!this.#talking && this.body.firstChild) this.#introduce().then(() => this.bridge.isOpen() && this.#focus());
  }

  reset() {
    this.session.reset();
    this.#talking = false;
    this.body.replaceChildren();
  }

  // ---- what the session tells

  #view() {
    return {
      line: (state, retryAt) => this.header.lineState(state, retryAt),
      changed: () => this.#draw(),
      message: (message, options) => this.#message(message, options),
      pending: (entry, state) => this.#talking && this.log.pend(entry, state),
      dropped: (clientId) => this.log.drop(clientId),
      older: (messages, more) => this.log.older(messages, more),
      read: (seq) => this.log.seenUpTo(seq),
      typing: (on, name) => this.#typing(on, name),
      caughtUp: (fresh, count) => this.#caughtUp(fresh, count),
      confirmed: (frame) => this.#confirmed(frame),
      ended: (by) => this.#ended(by),
      notDone: () => this.header.note(t("not_done")),
      refused: (code) => this.header.refused(t(code === 4429 ? "too_many" : "refused")),
      begun: () => this.#converse(),
      cleared: () => this.log.clear(),
      anew: () => {
        this.bridge.invited = null;
        return !outbox.empty ? this.#converse() : this.#introduce().then(() => this.#focus());
      },
    };
  }

  #message(message, options) {
    if (message.author.kind === "agent") this.#typing(false);
    this.log.put(message, options);
    if (!options.quiet) this.#sawAll();
  }

  #caughtUp(fresh, count) {
    this.log.earlier.hidden = this.session.thread.first <= 1;
    if (fresh) this.log.bottom();
    else if (count) this.log.say(t("caught_up", { n: count }));
    this.#sawAll();
  }

  #typing(on, name) {
    clearTimeout(this.#typingTimer);
    const stuck = this.log.atBottom();
    this.typing.hidden = !on;
    this.typing.lastChild.textContent = on ? t("types", { name: name || t("agent") }) : "";
    if (on && stuck) this.log.bottom();
    if (on) this.#typingTimer = setTimeout(() => this.#typing(false), TYPING_VOID_MS);
  }

  #confirmed(frame) {
    if (frame.t === "csat") this.log.say(t("thanks_rating"));
    if (frame.t === "transcript") this.log.say(t("transcript_sent", { email: frame.email }));
    if (frame.t === "transcript") this.header.note(t("transcript_sent", { email: frame.email }));
  }

  #ended(by) {
    if (by !== "customer") this.log.say(t("ended"));
    if (this.bridge.isOpen()) this.#focus();
  }

  #sawAll() {
    const looking = this.bridge.isOpen() && document.visibilityState === "visible" && this.#talking;
    if (looking && this.log.atBottom()) this.session.saw();
  }

  #who() {
    const { name = "", email = "", phone = "", choice = 0 } = { ...profile(), ...this.bridge.user };
    const { identity = "", subject = null } = this.bridge.identity ?? {};
    return { name, email, phone, choice, page: this.bridge.page, identity, subject, invitation: this.bridge.invited?.id ?? 0 };
  }

  // ---- which view

  async #introduce(text = "") {
    this.#talking = false;
    await this.session.refreshStatus();
    const { identity } = this.bridge;
    const user = { ...this.bridge.user, ...told(identity) };
    const { invited } = this.bridge;
    this.invited = invited; // what the form stands under
    const view = intro({
      user,
      identity,
      text,
      invited,
      closed: (choice) => this.#closed(choice),
      onStart: (first) => this.#begin(first),
      onMail: (data) => this.#leaveMail(data),
    });
    this.bridge.panel.classList.add("intro");
    this.header.who(null, "");
    this.body.replaceChildren(view);
  }

  #begin(text) {
    this.#converse();
    this.session.submit(text, []);
    this.#focus();
  }

  #converse() {
    this.#talking = true;
    this.bridge.panel.classList.remove("intro");
    this.above = h("div", { class: "above" });
    this.below = h("div", { class: "below" });
    this.body.replaceChildren(this.above, this.log.node, this.log.jump, this.below);
    for (const entry of outbox.list()) this.log.pend(entry, entry.error ? "failed" : "sending");
    this.#draw();
    this.session.start();
  }

  #focus() {
    if (this.bridge.quiet) return;
    const field = this.#talking && !this.session.visit.ended ? this.composer.text : this.body.querySelector(".line:not([hidden]) :is(input, textarea, select)");
    const touch = matchMedia("(pointer: coarse)").matches; // there a field would bring up the keyboard over the text
    const title = this.bridge.panel.querySelector("#title");
    ((!touch && field) || title).focus({ preventScroll: true });
  }

  #opens(at = this.session.status.opens_at) {
    return at ? later.format(new Date(at)) : "";
  }

  /** When those who answer a choice (0: anything) are back, null while they are there. */
  #closed(choice) {
    const { open, closed } = this.session.status;
    if (!choice) return open ? null : this.#opens();
    return String(choice) in closed ? this.#opens(closed[choice]) : null;
  }

  #draw() {
    this.bridge.unread(this.session.unread());
    if (!this.#talking) return;
    const { agent, queue, ended, survey: asked } = this.session.visit;
    this.header.who(agent, agent ? config.widget.name : t(this.session.status.open ? "we_answer_soon" : "closed"));
    this.#drawPlace(agent || ended ? null : queue);
    const look = ended ? `ended ${asked?.score ?? ""}` : "composer";
    if (this.below.dataset.look === look) return;
    this.below.dataset.look = look;
    this.below.replaceChildren(ended ? this.#ending(asked) : this.composer.node);
    this.log.bottom();
  }

  /** The place in line, or that we are closed; and where answers go if the customer leaves. */
  #drawPlace(queue) {
    const { open } = this.session.status;
    const known = this.session.visit.email || profile().email;
    const look = JSON.stringify([queue, known, open]);
    if (this.above.dataset.look === look) return;
    this.above.dataset.look = look;
    if (!queue && open) {
      this.above.replaceChildren();
      return;
    }
    const minutes = queue?.wait_s == null ? null : Math.max(1, Math.round(queue.wait_s / 60));
    const place = queue?.position === 1 ? t("next_in_line") : t("place_in_line", { position: queue?.position });
    const [title, more] = queue
      ? [place, minutes && t("about_minutes", { n: minutes })]
      : [t("closed"), this.#opens() && t("back_at", { when: this.#opens() })];
    // The nodes stay: a live region that is made anew is not spoken, and a button that is loses its focus.
    const line = (this.placeLine ??= h("p", { role: "status" }));
    const way = (this.placeWay ??= h("div", {}));
    this.placeNode ??= h("div", { class: "place" }, icon("clock"), h("div", {}, line, way));
    if (!this.placeNode.isConnected) this.above.replaceChildren(this.placeNode);
    line.replaceChildren(...[h("strong", {}, title), more && h("span", {}, more)].filter(Boolean));
    if (way.dataset.known === (known || "")) return;
    way.dataset.known = known || "";
    way.replaceChildren(
      known
        ? h("p", { class: "soft" }, t("answers_also_to", { email: known }))
        : h("button", { type: "button", class: "link", onclick: () => this.#askMail("profile") }, t("leave_email")),
    );
  }

  #ending(asked) {
    const again = h("button", { type: "button", class: "primary", onclick: () => this.session.anew() }, t("start_again"));
    const mail = h("button", { type: "button", class: "link", onclick: () => this.#askMail("transcript") }, t("transcript"));
    const rate = (score, comment) => this.session.command("csat", { score, comment });
    const form = asked && !asked.score ? survey({ onScore: rate }) : null;
    const thanks = asked?.score ? h("p", { class: "rated" }, icon("check"), t("thanks_rating")) : null;
    return h("div", { class: "ending" }, h("h2", { class: "hidden" }, t("ended")), form, thanks, h("div", { class: "buttons" }, again, mail));
  }

  async #leaveMail(data) {
    await this.session.refreshStatus();
    const body = JSON.stringify({ ...data, ticket: this.session.status.ticket, locale: config.locale, page: this.bridge.page, invitation: this.bridge.invited?.id ?? 0 });
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${config.base}/offline`, { method: "POST", body, headers });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  // ---- small dialogs

  #askMail(kind) {
    const [label, button] = kind === "profile" ? ["email", "save"] : ["transcript_to", "send_transcript"];
    const onMail = (email) => {
      sheet.remove();
      if (kind === "profile") storage.set("profile", JSON.stringify({ ...profile(), email }));
      this.session.command(kind, kind === "profile" ? { name: profile().name ?? "", email } : { email });
      this.#draw();
      this.#focus();
    };
    const email = this.session.visit.email || profile().email;
    const form = mailForm({ label: t(label), button: t(button), email, onMail });
    const sheet = this.#sheet(t(label), form);
    form.querySelector("input").focus();
  }

  #askEnd() {
    const yes = () => {
      sheet.remove();
      this.session.command("end");
    };
    const confirm = h("button", { type: "button", class: "primary", onclick: yes }, t("end"));
    const sheet = this.#sheet(t("end_sure"), h("p", { class: "ask" }, t("end_sure")), confirm);
    confirm.focus();
  }

  /** Lies over the lower part of the conversation; Escape or Cancel gives the focus back. */
  #sheet(label, ...content) {
    this.body.querySelector(".sheet")?.remove();
    const cancel = () => {
      sheet.remove();
      this.#focus();
    };
    const button = h("button", { type: "button", class: "link", onclick: cancel }, t("cancel"));
    const sheet = h("div", { class: "sheet", role: "dialog", "aria-label": label }, content, button);
    sheet.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      cancel();
    });
    this.body.append(sheet);
    return sheet;
  }
}

export const start = (bridge) => new App(bridge);
