// The panel's head: who is there, the menu, the way out; and under it the strip that tells about the line.
import { config, h, icon, t } from "./base.js";
import { initials } from "./log.js";

const SHOW_AFTER_MS = 1_500;
const NOTE_MS = 6_000;

export class Header {
  #open = false;
  #since = 0;
  #tick = null;

  /** actions: [{id, label, run}] shown when visible(id); onClose; onTry: connect now. */
  constructor({ actions, visible, onClose, onTry, alone }) {
    Object.assign(this, { actions, visible });
    this.face = h("span", { class: "face", "aria-hidden": "true" });
    this.title = h("h1", { id: "title", tabindex: "-1" }, config.widget.name);
    this.line = h("p", { class: "under" });
    this.menu = h("div", { class: "menu", id: "menu", hidden: true });
    this.more = h("button", { type: "button", class: "tool", "aria-label": t("menu"), title: t("menu"), "aria-expanded": "false", "aria-controls": "menu" }, icon("more"));
    this.more.addEventListener("click", () => this.toggle());
    this.close = h("button", { type: "button", class: "tool", "aria-label": t("close"), title: t("close"), hidden: alone, onclick: onClose }, icon("down"));
    const text = h("div", { class: "head-text" }, this.title, this.line);
    this.bar = h("header", { class: "head" }, this.face, text, this.more, this.close, this.menu);
    this.strip = h("div", { class: "strip", role: "status", hidden: true });
    this.stripText = h("span", {});
    this.stripTry = h("button", { type: "button", onclick: onTry }, t("try_now"));
    this.strip.append(this.stripText, this.stripTry);
    document.addEventListener("click", (event) => this.#open && !this.bar.contains(event.target) && this.toggle(false));
    this.bar.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#open) return;
      event.preventDefault();
      this.toggle(false);
      this.more.focus();
    });
  }

  toggle(open = !this.#open) {
    this.#open = open;
    this.menu.hidden = !open;
    this.more.setAttribute("aria-expanded", String(open));
    if (!open) return;
    const shown = this.actions.filter((action) => this.visible(action.id));
    const items = shown.map((action) => {
      const run = () => {
        this.toggle(false);
        action.run();
      };
      return h("button", { type: "button", onclick: run }, action.label);
    });
    this.menu.replaceChildren(...items);
    items[0]?.focus();
  }

  /** Shows the agent, or the team while nobody has answered. */
  who(agent, text) {
    this.title.textContent = agent?.name || config.widget.name;
    this.face.textContent = initials(agent?.name || config.widget.name);
    this.face.classList.toggle("team", !agent);
    this.line.textContent = text;
    this.more.hidden = !this.actions.some((action) => this.visible(action.id));
  }

  note(text) {
    clearTimeout(this.#tick);
    this.stripText.textContent = text;
    this.stripTry.hidden = true;
    this.strip.hidden = false;
    this.#tick = setTimeout(() => this.lineState("live"), NOTE_MS);
  }

  /** The server refuses us: nothing to count down to. */
  refused(text) {
    clearTimeout(this.#tick);
    this.stripText.textContent = text;
    this.stripTry.hidden = true;
    this.strip.hidden = false;
  }

  /** A short break is not worth a word; a longer one counts down to the next attempt. */
  lineState(state, retryAt) {
    clearTimeout(this.#tick);
    if (state === "live" || state === "idle") {
      this.#since = 0;
      this.strip.hidden = true;
      return;
    }
    this.#since ||= Date.now();
    const lost = Date.now() - this.#since;
    this.#tick = setTimeout(() => this.lineState(state, retryAt), lost < SHOW_AFTER_MS ? SHOW_AFTER_MS - lost : 1_000);
    if (lost < SHOW_AFTER_MS) return;
    const seconds = Math.max(0, Math.ceil(((retryAt ?? 0) - Date.now()) / 1_000));
    const text = navigator.onLine === false ? t("offline") : seconds > 1 ? t("reconnecting_in", { n: seconds }) : t("reconnecting");
    this.stripText.textContent = text;
    this.stripTry.hidden = seconds <= 1;
    this.strip.hidden = false;
  }
}
