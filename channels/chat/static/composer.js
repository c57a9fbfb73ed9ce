// Where the customer writes: text that grows, files with their progress, Enter to send, a draft that survives a reload.
import { config, h, icon, newId, storage, t } from "./base.js";
import { size } from "./log.js";

const TYPING_EVERY_MS = 3_000;
const TYPING_ENDS_MS = 4_000;
const NEAR_LIMIT = 300;

export class Composer {
  #files = [];
  #typed = 0;
  #rest = null;

  /** onSend(text, files); onTyping(on); upload(file, progress): promise of the stored file; say(text) for the screen reader. */
  constructor({ onSend, onTyping, upload, say }) {
    Object.assign(this, { onSend, onTyping, upload, say });
    this.text = h("textarea", {
      id: "message",
      rows: "1",
      maxlength: String(config.limits.text),
      placeholder: t("write"),
      "aria-label": t("write"),
      enterkeyhint: "send",
      oninput: () => this.#changed(),
      onkeydown: (event) => this.#key(event),
      onpaste: (event) => this.#take([...event.clipboardData.files], event),
    });
    this.pick = h("input", { type: "file", multiple: true, hidden: true, tabindex: "-1", "aria-hidden": "true" });
    this.pick.accept = config.limits.types.join(",");
    this.pick.addEventListener("change", () => {
      this.#take([...this.pick.files]);
      this.pick.value = "";
    });
    this.button = h("button", { type: "submit", class: "send", "aria-label": t("send"), title: t("send") }, icon("send"));
    const clip = h("button", { type: "button", class: "tool", "aria-label": t("attach"), title: t("attach"), onclick: () => this.pick.click() });
    clip.append(icon("clip"));
    this.chips = h("ul", { class: "chips", "aria-label": t("attachments"), hidden: true });
    this.count = h("span", { class: "count", hidden: true });
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    const field = h("div", { class: "field" }, clip, this.text, this.count, this.button);
    this.node = h("form", { class: "composer", onsubmit: (event) => this.#submit(event) }, this.problem, this.chips, field, this.pick);
    this.node.addEventListener("dragover", (event) => event.preventDefault());
    this.node.addEventListener("drop", (event) => this.#take([...event.dataTransfer.files], event));
    this.text.value = storage.get("draft") ?? "";
    this.#changed(false);
  }

  focus() {
    this.text.focus({ preventScroll: true });
  }

  fill(text) {
    if (text && !this.text.value.trim()) this.text.value = text;
    this.#changed(false);
  }

  #key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) this.#submit(event);
  }

  #submit(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    const files = this.#files.filter((one) => one.stored).map((one) => one.stored);
    if (this.#files.some((one) => !one.stored)) return this.#complain(t("uploading"));
    if (!text && !files.length) return this.focus();
    this.text.value = "";
    this.#files = [];
    this.#chips();
    this.#changed(false);
    this.#typing(false);
    this.onSend(text, files);
    this.focus();
  }

  #changed(byHand = true) {
    const text = this.text.value;
    if (text) storage.set("draft", text);
    else storage.remove("draft");
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, 132)}px`;
    const left = config.limits.text - text.length;
    this.count.hidden = left > NEAR_LIMIT;
    this.count.textContent = String(left);
    this.#ready();
    if (byHand) {
      this.problem.hidden = true;
      this.#typing(text.trim() !== "");
    }
  }

  #ready() {
    const waiting = this.#files.some((one) => !one.stored);
    const something = this.text.value.trim() !== "" || this.#files.length > 0;
    this.button.classList.toggle("off", waiting || !something);
    this.button.setAttribute("aria-disabled", String(waiting || !something));
  }

  #typing(on) {
    clearTimeout(this.#rest);
    if (on) this.#rest = setTimeout(() => this.#typing(false), TYPING_ENDS_MS);
    const now = Date.now();
    if (on && now - this.#typed < TYPING_EVERY_MS) return;
    if (!on && !this.#typed) return;
    this.#typed = on ? now : 0;
    this.onTyping(on);
  }

  #complain(text) {
    this.problem.textContent = text;
    this.problem.hidden = false;
  }

  #take(files, event) {
    if (!files.length) return;
    event?.preventDefault();
    this.problem.hidden = true;
    for (const file of files) {
      if (this.#files.length >= config.limits.files) return this.#complain(t("too_many_files", { limit: config.limits.files }));
      if (file.size > config.limits.file) this.#complain(t("too_big", { name: file.name, limit: size(config.limits.file) }));
      else if (!config.limits.types.includes(file.type)) this.#complain(t("bad_type", { name: file.name }));
      else this.#start({ id: newId(), file, progress: 0, failed: false, stored: null });
    }
  }

  #start(one) {
    if (!this.#files.includes(one)) this.#files.push(one);
    one.failed = false;
    this.#chips();
    const done = (stored) => {
      one.stored = stored;
      this.say(t("attached", { name: one.file.name }));
      this.#chips();
    };
    const failed = () => {
      one.failed = true;
      this.say(t("upload_failed", { name: one.file.name }));
      this.#chips();
    };
    const progress = (part) => {
      one.bar?.style.setProperty("--part", String(part));
    };
    this.upload(one.file, progress).then(done, failed);
  }

  #chips() {
    this.chips.hidden = this.#files.length === 0;
    this.chips.replaceChildren(...this.#files.map((one) => this.#chip(one)));
    this.#ready();
  }

  #chip(one) {
    const name = one.file.name;
    one.bar = h("span", { class: "bar", hidden: Boolean(one.stored) || one.failed });
    const again = h("button", { type: "button", class: "tool", "aria-label": t("upload_again", { name }), onclick: () => this.#start(one) });
    again.append(icon("retry"));
    const remove = h("button", { type: "button", class: "tool", "aria-label": t("remove_file", { name }) }, icon("close"));
    remove.addEventListener("click", () => {
      this.#files = this.#files.filter((other) => other !== one);
      this.#chips();
      this.focus();
    });
    const state = one.failed ? t("upload_failed_short") : size(one.file.size);
    const text = h("span", { class: "file-text" }, h("span", { class: "file-name" }, name), h("span", { class: "file-size" }, state));
    return h("li", { class: one.failed ? "chip failed" : "chip" }, icon("file"), text, one.failed && again, remove, one.bar);
  }
}

/** Sends the raw bytes with progress; resolves to {id, name, type, size, image, width, height}. */
export function uploadFile(url, token, file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.responseType = "json";
    request.timeout = 120_000;
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => (request.status === 201 ? resolve(request.response) : reject(new Error(String(request.status))));
    request.onerror = request.ontimeout = () => reject(new Error("network"));
    request.send(file);
  });
}
