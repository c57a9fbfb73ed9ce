/* Writing: two buffers (reply and note) so that a note never becomes a reply by one click, drafts that reach the
 * server within 2 s, sending by Ctrl+Enter (or Enter in chat), never while an input method composes. */
import { typing } from "./live.js";
import * as outbox from "./outbox.js";
import { apply } from "./parts.js";
import { toast, word } from "./words.js";

const SAVE_AFTER = 700;
const SAVE_AT_LATEST = 1800;
const COST_AFTER = 400;

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
    if (composer === form()) draftState(response.ok ? (body.text ? "saved" : "") : "not_saved");
  } catch {
    if (composer === form()) draftState("not_saved");
  }
}

function saveNow() {
  clearTimeout(timer);
  dirtySince = 0;
  const composer = form();
  if (!composer) return;
  const body = { key: key(), text: area().value, seq: document.querySelector("[data-ticket]").dataset.seq };
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

function changed() {
  draftState("saving");
  clearTimeout(costTimer);
  costTimer = setTimeout(showCost, COST_AFTER);
  dirtySince ||= Date.now();
  clearTimeout(timer);
  timer = setTimeout(saveNow, Math.max(0, Math.min(SAVE_AFTER, dirtySince + SAVE_AT_LATEST - Date.now())));
  if (mode() === "reply" && Date.now() - typedAt > 3000) {
    typedAt = Date.now();
    typing(Number(form().dataset.ticket));
  }
}

export function setMode(wanted) {
  const composer = form();
  if (!composer || !composer.querySelector(`input[name=mode][value=${wanted}]`)) return;
  if (composer.dataset.mode !== wanted) {
    if (dirtySince) saveNow();
    const other = document.getElementById("other-text");
    [area().value, other.value] = [other.value, area().value];
    composer.dataset.mode = wanted;
    composer.querySelector(`input[name=mode][value=${wanted}]`).checked = true;
    area().placeholder = wanted === "note" ? area().dataset.note : area().dataset.reply;
  }
  area().focus();
}

function setVia(option) {
  const button = document.getElementById("via-button");
  const old = key();
  form().elements.via.value = option.dataset.via;
  form().elements.via.dataset.channel = option.dataset.channel;
  for (const one of option.parentElement.querySelectorAll(".opt")) one.toggleAttribute("aria-current", one === option);
  button.querySelector("svg").replaceWith(option.querySelector("svg").cloneNode(true));
  for (const part of [".via-name", ".via-to"]) button.querySelector(part).textContent = option.querySelector(part).textContent;
  option.closest("[popover]").hidePopover();
  if (old !== key() && area().value) {
    const composer = form();
    saving = saving.then(() => save(composer, { key: old, text: "", seq: "0" }));
    changed();
  }
  area().focus();
}

async function submit(event) {
  const composer = form();
  if (event.target !== composer) return;
  event.preventDefault();
  const text = area().value.trim();
  if (!text) { toast(word("empty"), { seconds: 3 }); area().focus(); return; }
  const id = crypto.randomUUID();
  const body = { ...Object.fromEntries(new FormData(composer)), text: area().value, client_id: id, then: event.submitter?.value ?? "", key: key() };
  clearTimeout(timer);
  dirtySince = 0;
  area().value = "";
  draftState("");
  void showCost();
  if (body.mode === "reply" && typedAt) typing(Number(composer.dataset.ticket), false);
  typedAt = 0;
  document.querySelector("#send-menu:popover-open")?.hidePopover();
  area().focus();
  // The draft must not be written back by a save that is still under way.
  await saving;
  await outbox.send({ id, url: composer.action, body, ticket: composer.dataset.ticket, mode: body.mode, text });
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
  for (const item of await outbox.waiting()) show("kept", item, null);
}

document.addEventListener("submit", submit);
document.addEventListener("input", (event) => { if (event.target === area()) changed(); });
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
