/* Selecting conversations of the list: by box, by x, a range by Shift, the whole view. What is selected is kept by
 * number, so that rows may move, come and go under it. Changes go to the server a few at a time. */
import { failure, say, toast, word } from "./words.js";

const AT_ONCE = 25;
const $ = (id) => document.getElementById(id);
const picked = new Set();
let last = null;
let first = false;
let opener = null;

export const any = () => picked.size > 0;

const boxes = () => [...document.querySelectorAll("#rows [data-pick]")];

function show() {
  const bar = $("picked");
  if (!bar) return;
  const all = boxes();
  for (const box of all) box.checked = picked.has(box.dataset.pick);
  const on = picked.size > 0;
  const within = bar.contains(document.activeElement);
  bar.hidden = !on;
  for (const el of document.querySelectorAll(".list-top > :not(.picked)")) el.inert = on;
  if (!on && within) document.querySelector("#rows .trow")?.focus();
  const shown = all.filter((box) => box.checked).length;
  $("pick-all").checked = all.length > 0 && shown === all.length;
  $("pick-all").indeterminate = shown > 0 && shown < all.length;
  $("pick-view").hidden = first || !document.querySelector("#rows .more");
  $("picked-n").textContent = word(first ? "picked_first" : "picked", { n: picked.size });
  if (on) mode(true);
}

function mode(on) {
  $("rows").toggleAttribute("data-picking", on);
  $("pick-mode").setAttribute("aria-pressed", String(on));
}

function tell() {
  show();
  say(word("picked", { n: picked.size }));
}

function set(number, on) {
  first = false;
  if (on) picked.add(number);
  else picked.delete(number);
}

/** Select what lies between the last one and this one as this one. */
function pick(box, on, range) {
  const all = boxes();
  const from = range ? all.findIndex((one) => one.dataset.pick === last) : -1;
  const to = all.indexOf(box);
  const part = from < 0 ? [box] : all.slice(Math.min(from, to), Math.max(from, to) + 1);
  for (const one of part) set(one.dataset.pick, on);
  last = box.dataset.pick;
  tell();
}

/** The row in focus, else the one that is open; x selects it, X all from the last one on. */
export function pickHere(range) {
  if (!$("picked")) return;
  const row = document.activeElement?.closest?.("#rows li") ?? document.querySelector("#rows .trow[aria-current]")?.closest("li");
  const box = row?.querySelector("[data-pick]") ?? boxes()[0];
  if (!box) return;
  pick(box, range || !picked.has(box.dataset.pick), range);
  box.closest("li").querySelector(".trow").focus();
}

export function clear() {
  picked.clear();
  last = null;
  first = false;
  mode(false);
  tell();
}

async function wholeView() {
  const { view, sort } = $("rows").dataset;
  const response = await fetch("/inbox/numbers?" + new URLSearchParams({ view, sort }), { credentials: "same-origin" }).catch(() => null);
  if (!response?.ok) { toast(failure(response?.status ?? 0), { bad: true }); return; }
  const told = await response.json();
  picked.clear();
  for (const number of told.numbers) picked.add(String(number));
  first = told.more;
  tell();
}

/** Ask what to do with the selection; `preset` is what a button or key has chosen already. */
export async function ask(preset = "") {
  opener = document.activeElement;
  const dialog = $("bulk-dialog");
  dialog.showModal();
  const response = await send("/inbox/bulk/look", [...picked]);
  if (!response?.ok) {
    dialog.close();
    const told = await response?.json().catch(() => ({}));
    toast(failure(response?.status ?? 0, told?.detail, told?.request_id), { bad: true });
    return;
  }
  $("bulk-body").innerHTML = await response.text();
  if (preset === "me") $("bulk-assignee").value = $("bulk-assignee").querySelector("[data-me]").value;
  else if (preset) $("bulk-status").value = preset;
  (preset ? $("bulk-go") : $("bulk-assignee")).focus();
}

const send = (url, numbers, fields = []) => {
  const body = new URLSearchParams(fields);
  for (const number of numbers) body.append("number", number);
  return fetch(url, { method: "POST", body, headers: { Accept: "application/json" }, credentials: "same-origin" }).catch(() => null);
};

async function change(form) {
  const fields = [...new FormData(form)];
  const all = [...picked];
  const refused = [];
  let done = 0;
  busy(form, true);
  while (done + refused.length < all.length) {
    const at = done + refused.length;
    const response = await send("/inbox/bulk", all.slice(at, at + AT_ONCE), fields);
    const told = await response?.json().catch(() => ({}));
    if (response?.status === 401) document.dispatchEvent(new CustomEvent("session-ended"));
    if (!response?.ok) { stopped(form, failure(response?.status ?? 0, told?.detail, told?.request_id), done, refused, all.slice(at)); return; }
    done += told.done;
    refused.push(...told.refused);
    $("bulk-progress").value = done + refused.length;
    say(word("bulk_progress", { n: done + refused.length, all: all.length }));
  }
  finished(done, refused);
}

function busy(form, on) {
  form.setAttribute("aria-busy", String(on));
  form.querySelector("fieldset").disabled = on;
  $("bulk-go").disabled = on;
  $("bulk-progress").hidden = !on;
  $("bulk-error").hidden = true;
}

/** The line or the server failed on the way: what is done is done, the rest stays selected. */
function stopped(form, why, done, refused, left) {
  picked.clear();
  for (const number of [...refused.map((one) => String(one.number)), ...left]) picked.add(number);
  show();
  busy(form, false);
  const error = $("bulk-error");
  error.textContent = done || refused.length ? `${why} ${word("bulk_done", { n: done })} ${word("bulk_left", { n: left.length })}` : why;
  error.hidden = false;
}

function finished(done, refused) {
  picked.clear();
  for (const one of refused) picked.add(String(one.number));
  first = false;
  last = null;
  if (!refused.length) {
    $("bulk-dialog").close();
    mode(false);
    show();
    toast(word("bulk_done", { n: done }));
    return;
  }
  show();
  const body = document.createElement("div");
  body.className = "dialog-body";
  const line = (text, name = "p") => { const el = document.createElement(name); el.textContent = text; return el; };
  if (done) body.append(line(word("bulk_done", { n: done })));
  const list = document.createElement("ul");
  list.className = "bulk-refused";
  for (const one of refused) list.append(line(`#${one.number} ${one.customer}: ${one.why}`, "li"));
  body.append(line(word("bulk_refused", { n: refused.length })), list);
  const foot = document.createElement("div");
  foot.className = "dialog-foot";
  const close = line(word("close"), "button");
  close.type = "button";
  close.className = "btn btn-primary";
  close.addEventListener("click", () => $("bulk-dialog").close());
  foot.append(close);
  $("bulk-body").replaceChildren(body, foot);
  close.focus();
  say(body.textContent, true);
}

if ($("picked")) {
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-pick]");
    if (box) { pick(box, box.checked, event.shiftKey); return; }
    const act = event.target.closest("[data-bulk]");
    if (act) void ask(act.dataset.bulk);
    else if (event.target.closest("#pick-none")) clear();
    else if (event.target.closest("#pick-view")) void wholeView();
    else if (event.target.closest("#pick-mode")) mode($("pick-mode").getAttribute("aria-pressed") === "false");
    else if (event.target.id === "pick-all") {
      for (const one of boxes()) set(one.dataset.pick, event.target.checked);
      if (!event.target.checked) picked.clear();
      tell();
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "bulk-form") return;
    event.preventDefault();
    void change(event.target);
  });
  $("bulk-dialog").addEventListener("close", () => { if (opener?.checkVisibility?.()) opener.focus(); });
  // Rows that came or moved show whether they are selected.
  document.addEventListener("parts", (event) => { if (event.detail.to === "rows-first") show(); });
  document.addEventListener("htmx:after:swap", (event) => { if (picked.size && event.target.closest?.("#rows, body")) show(); });
}
