/* Writing: two buffers (reply and note) so that a note never becomes a reply by one click, drafts that reach the
 * server within 2 s, sending by Ctrl+Enter (or Enter in chat), never while an input method composes. */
import * as put from "./attach.js";
import * as copies from "./copies.js";
import { typing } from "./live.js";
import * as outbox from "./outbox.js";
import { apply } from "./parts.js";
import * as whatsapp from "./whatsapp.js";
import { say, toast, word } from "./words.js";

const SAVE_AFTER = 700;
const SAVE_AT_LATEST = 1800;
const COST_AFTER = 400;
// A place of a macro's text that had no value.
const PLACE = /\{\{\s*(?:customer\.name|ticket\.number|ticket\.subject|queue\.name|agent\.name)\s*\}\}/;

const form = () => document.getElementById("composer");
const area = () => document.getElementById("reply");
let timer = 0;
let costTimer = 0;
let dirtySince = 0;
let saving = Promise.resolve();
let typedAt = 0;

function mode() {
  return form().dataset.mode;
}

function key() {
  return mode() === "note" ? "note" : form().elements.via.value;
}

function draftState(name) {
  const el = document.getElementById("draft-state");
  if (!el) return;
  el.textContent = name ? word(name) : "";
  el.classList.toggle("bad", name === "not_saved");
}

async function save(composer, body) {
  try {
    const response = await fetch(composer.dataset.draft, {
      method: "POST", body: new URLSearchParams(body), headers: { Accept: "application/json" }, credentials: "same-origin", keepalive: true,
    });
    if (response.status === 401) document.dispatchEvent(new CustomEvent("session-ended"));
    const kept = response.ok ? await response.json() : null;
    if (composer !== form()) return;
    draftState(kept ? (body.text || "cc" in body ? "saved" : "") : "not_saved");
    if (kept && body.key !== "note") copies.note(kept.copies);
  } catch {
    if (composer === form()) draftState("not_saved");
  }
}

function saveNow() {
  clearTimeout(timer);
  dirtySince = 0;
  const composer = form();
  if (!composer) return;
  const own = mode() === "reply" ? copies.typed() : {};
  const body = { ...own, key: key(), text: area().value, seq: document.querySelector("[data-ticket]").dataset.seq };
  // One after the other, so that an older text never lands on a newer one.
  saving = saving.then(() => save(composer, body));
}

/** What the text costs as SMS, asked for once the typing rests. */
async function showCost() {
  const place = document.getElementById("sms-cost");
  const text = area()?.value ?? "";
  if (!place) return;
  if (!text || mode() !== "reply" || form().elements.via.dataset.channel !== "sms") { place.textContent = ""; return; }
  try {
    const response = await fetch("/sms/measure", { method: "POST", body: new URLSearchParams({ text }), credentials: "same-origin" });
    if (response.ok && area().value === text) place.textContent = (await response.json()).said;
  } catch {
    place.textContent = "";
  }
}

function saveSoon() {
  draftState("saving");
  dirtySince ||= Date.now();
  clearTimeout(timer);
  timer = setTimeout(saveNow, Math.max(0, Math.min(SAVE_AFTER, dirtySince + SAVE_AT_LATEST - Date.now())));
}

function changed() {
  saveSoon();
  clearTimeout(costTimer);
  costTimer = setTimeout(showCost, COST_AFTER);
  if (mode() === "reply" && Date.now() - typedAt > 3000) {
    typedAt = Date.now();
    typing(Number(form().dataset.ticket));
  }
}

export function setMode(wanted) {
  const composer = form();
  if (!composer || composer.dataset.busy || !composer.querySelector(`input[name=mode][value=${wanted}]`)) return;
  if (composer.dataset.mode !== wanted) {
    if (dirtySince) saveNow();
    const other = document.getElementById("other-text");
    [area().value, other.value] = [other.value, area().value];
    composer.dataset.mode = wanted;
    composer.querySelector(`input[name=mode][value=${wanted}]`).checked = true;
    area().placeholder = wanted === "note" ? area().dataset.note : area().dataset.reply;
    put.look();
  }
  area().focus();
}

function setVia(option) {
  const button = document.getElementById("via-button");
  const old = key();
  form().elements.via.value = option.dataset.via;
  form().elements.via.dataset.channel = option.dataset.channel;
  form().elements.via.dataset.files = option.dataset.files;
  document.getElementById("one-way").hidden = option.dataset.answers !== "no";
  whatsapp.look();
  put.look();
  for (const one of option.parentElement.querySelectorAll(".opt")) one.toggleAttribute("aria-current", one === option);
  button.querySelector("svg").replaceWith(option.querySelector("svg").cloneNode(true));
  for (const part of [".via-name", ".via-to", ".via-flag"]) button.querySelector(part).textContent = option.querySelector(part).textContent;
  option.closest("[popover]").hidePopover();
  if (old !== key() && area().value) {
    const composer = form();
    saving = saving.then(() => save(composer, { key: old, text: "", seq: "0" }));
    changed();
  }
  area().focus();
}

/** What is being typed is on the server; the draft is no longer older than the screen. */
export async function settle() {
  if (dirtySince) saveNow();
  await saving;
}

/** A reply that was taken back: its text before what was begun since, its files, and the way it went. */
export function putBack(back) {
  const composer = form();
  if (!composer || Number(composer.dataset.ticket) !== back.ticket) return;
  setMode("reply");
  const option = [...document.querySelectorAll("#via-menu [data-via]")].find((one) => one.dataset.via === back.via);
  if (option && composer.elements.via.value !== back.via) setVia(option);
  area().value = back.text + (area().value && back.text ? "\n\n" : "") + area().value;
  put.restore(back.files);
  copies.restore(back);
  changed();
  area().focus();
  area().setSelectionRange(back.text.length, back.text.length);
}

/** A macro's reply: into the reply as if it had been typed, after what is there. */
export function insert(text) {
  setMode("reply");
  if (mode() !== "reply") return;
  const before = area().value.trimEnd();
  area().value = before + (before ? "\n\n" : "") + text;
  changed();
  area().focus();
  const place = PLACE.exec(area().value);
  if (place) area().setSelectionRange(place.index, place.index + place[0].length);
  else area().setSelectionRange(area().value.length, area().value.length);
}

/** Send what is written at a moment (with its offset, or as the customer's clock shows it), and set a status then. */
export const sendLater = (when, then) => void deliver({ when, then });

function submit(event) {
  if (event.target !== form()) return;
  event.preventDefault();
  void deliver({ then: event.submitter?.value ?? "" });
}

async function deliver({ then = "", when = "" }) {
  const composer = form();
  if (composer.dataset.busy) return;
  if (!area().value.trim() && !put.any()) { toast(word("empty"), { seconds: 3 }); area().focus(); return; }
  if (mode() === "reply" && copies.refusal()) { toast(copies.refusal(), { bad: true }); return; }
  const place = mode() === "reply" && PLACE.exec(area().value);
  if (place) {
    toast(word("unfilled", { place: place[0] }), { bad: true });
    area().focus();
    area().setSelectionRange(place.index, place.index + place[0].length);
    return;
  }
  if (put.refusal()) { toast(put.refusal(), { bad: true }); return; }
  if (mode() === "reply" && !when && whatsapp.refusal()) { toast(whatsapp.refusal(), { bad: true }); return; }
  composer.dataset.busy = "1";
  const files = await put.take();
  delete composer.dataset.busy;
  if (!files || composer !== form()) { toast(word("not_uploaded"), { bad: true }); return; }
  const id = crypto.randomUUID();
  const text = area().value.trim();
  const body = {
    mode: mode(), via: composer.elements.via?.value ?? "", text: area().value, files: files.ids.join(","),
    client_id: id, then, when, ...(mode() === "reply" ? copies.taken() : {}),
  };
  clearTimeout(timer);
  dirtySince = 0;
  area().value = "";
  if (body.mode === "reply") copies.reset();
  draftState("");
  void showCost();
  if (body.mode === "reply" && typedAt) typing(Number(composer.dataset.ticket), false);
  typedAt = 0;
  document.querySelector("#send-menu:popover-open")?.hidePopover();
  area().focus();
  // What one has just said is seen, wherever one was reading (the newest is at 0).
  document.getElementById("timeline-scroll").scrollTo({ top: 0 });
  // The draft must not be written back by a save that is still under way.
  await saving;
  await outbox.send({ id, url: composer.action, body, ticket: composer.dataset.ticket, mode: body.mode, text: text || files.names });
}

function pendingBubble(item) {
  const holder = document.getElementById("outbox");
  if (!holder || item.ticket !== form()?.dataset.ticket) return null;
  const id = "out-" + item.id;
  let el = document.getElementById(id);
  if (!el) {
    el = document.getElementById("pending-" + (item.mode === "note" ? "note" : "reply")).content.firstElementChild.cloneNode(true);
    el.id = id;
    el.querySelector(".text").textContent = item.text;
    holder.append(el);
  }
  return el;
}

function show(what, item, answer) {
  if (what === "gone") { document.getElementById("out-" + item.id)?.remove(); return; }
  if (what === "sent") {
    void apply(answer.parts ?? []).then(() => document.getElementById("out-" + item.id)?.remove());
    if (answer.say) toast(answer.say, { seconds: 3 });
    else if (item.ticket !== form()?.dataset.ticket) toast(word("sent"), { seconds: 3 });
    else say(word(item.body.when ? "scheduled" : item.mode === "note" ? "note_added" : "sent"));
    return;
  }
  const el = pendingBubble(item);
  if (!el) return;
  const refused = what === "refused" || item.state === "refused";
  el.querySelector(".state").textContent = refused ? `${word("not_sent")}. ${item.why ?? ""}` : word(what === "posting" ? "sending" : "waiting_send");
  el.querySelector(".delivery").classList.toggle("failed", refused);
  for (const button of el.querySelectorAll("button")) button.hidden = !refused;
}

/** After a conversation was put on the page: show what still waits for it. */
export async function attach() {
  whatsapp.look();
  for (const item of await outbox.waiting()) show("kept", item, null);
}

document.addEventListener("submit", submit);
document.addEventListener("input", (event) => {
  if (event.target === area()) changed();
  else if (event.target.matches?.("#cc, #bcc")) saveSoon();
});
document.addEventListener("change", (event) => {
  if (event.target.name === "mode" && event.target.form === form()) {
    const wanted = event.target.value;
    setMode(wanted);
  }
});
document.addEventListener("click", (event) => {
  const option = event.target.closest("[data-via]");
  if (option) setVia(option);
  const bubble = event.target.closest("#outbox .msg");
  if (bubble && event.target.closest("[data-retry]")) void outbox.retry(bubble.id.slice(4));
  if (bubble && event.target.closest("[data-discard]")) void outbox.discard(bubble.id.slice(4));
});
document.addEventListener("keydown", (event) => {
  if (event.target !== area() || event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
  const chat = mode() === "reply" && form().elements.via?.dataset.channel === "chat" && form().dataset.enter === "sends";
  if (!(event.ctrlKey || event.metaKey || (chat && !event.shiftKey && !event.altKey))) return;
  event.preventDefault();
  form().requestSubmit(form().querySelector(`.if-${mode()} [type=submit], .if-${mode()}[type=submit]`));
});
window.addEventListener("pagehide", () => { if (dirtySince) saveNow(); });
document.addEventListener("htmx:before:swap", () => { if (dirtySince) saveNow(); });
outbox.onChange(show);
