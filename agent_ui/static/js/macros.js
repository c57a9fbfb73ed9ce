/* Macros in the composer: found by typing, each shown with what it would do here before Enter runs it, once a click. */
import { insert, settle } from "./composer.js";
import { apply } from "./parts.js";
import { failure, toast, word } from "./words.js";

const dialog = () => document.getElementById("macro-dialog");
const options = () => [...document.querySelectorAll("#macros .macro")];
const shown = () => options().filter((one) => !one.hidden);
const chosen = () => options().find((one) => one.getAttribute("aria-selected") === "true");

const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase().trim();

/** Whether all letters of what was typed come in this order; the earlier and closer, the lower. -1: no. */
function distance(wanted, name) {
  let at = -1;
  let far = 0;
  for (const letter of wanted) {
    const next = name.indexOf(letter, at + 1);
    if (next < 0) return -1;
    far += next - at - 1;
    at = next;
  }
  return name.includes(wanted) ? name.indexOf(wanted) : 100 + far;
}

function choose(option) {
  for (const one of options()) {
    const on = one === option;
    one.setAttribute("aria-selected", String(on));
    document.getElementById(one.dataset.preview).hidden = !on;
  }
  document.getElementById("macro-find")?.setAttribute("aria-activedescendant", option?.id ?? "");
  option?.scrollIntoView({ block: "nearest" });
}

function filter() {
  const wanted = fold(document.getElementById("macro-find").value).replaceAll(" ", "");
  const ranked = [];
  for (const one of options()) {
    const far = distance(wanted, one.dataset.find.replaceAll(" ", ""));
    one.hidden = far < 0;
    if (far >= 0) ranked.push([far, one]);
  }
  ranked.sort((a, b) => a[0] - b[0] || a[1].dataset.find.localeCompare(b[1].dataset.find));
  const list = document.getElementById("macro-list");
  for (const [, one] of ranked) list.append(one);
  document.getElementById("macro-none").hidden = ranked.length > 0;
  choose(ranked[0]?.[1]);
}

async function run(form) {
  const button = form.querySelector("[type=submit]");
  if (button.disabled) return;
  button.disabled = true;
  const composer = document.getElementById("composer");
  // What is being typed must not be older on the server than what comes now.
  await settle();
  const response = await fetch(form.action, {
    method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" }, credentials: "same-origin",
  }).catch(() => null);
  button.disabled = false;
  if (response?.status === 401) document.dispatchEvent(new CustomEvent("session-ended"));
  const told = await response?.json().catch(() => ({}));
  if (!response?.ok) { toast(failure(response?.status ?? 0, told?.detail, told?.request_id), { bad: true }); return; }
  dialog().close();
  if (composer !== document.getElementById("composer")) return;
  await apply(told.parts);
  if (told.draft) insert(told.draft);
  toast(word("macro_ran", { name: form.dataset.name }), { seconds: 3 });
}

document.addEventListener("htmx:after:swap", () => {
  if (!dialog()?.open || !document.getElementById("macro-find") || chosen()) return;
  filter();
  document.getElementById("macro-find").focus();
});
document.addEventListener("input", (event) => { if (event.target.id === "macro-find") filter(); });
document.addEventListener("click", (event) => {
  const option = event.target.closest("#macros .macro");
  if (option) { choose(option); document.getElementById("macro-find").focus(); }
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("#macros form")) return;
  event.preventDefault();
  void run(event.target);
});
document.addEventListener("keydown", (event) => {
  if (event.target.id === "reply" && event.key === "/" && !event.target.value && !event.isComposing) {
    event.preventDefault();
    dialog()?.showModal();
    return;
  }
  if (event.target.id !== "macro-find" || event.isComposing) return;
  const all = shown();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && all.length) {
    event.preventDefault();
    choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
  }
  if (event.key === "Enter") {
    event.preventDefault();
    const form = document.getElementById(chosen()?.dataset.preview);
    // One that wants a confirmed identity has no button to run it.
    if (form?.querySelector("[type=submit]")) form.requestSubmit();
  }
});
