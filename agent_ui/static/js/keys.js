/* Single keys. Off while typing, in dialogs and menus, with a modifier, and when the person turned them off. */
import { setMode } from "./composer.js";
import * as picking from "./picking.js";
import { undoLast } from "./undo.js";

// So long after g its second key is waited for.
const LEADS_FOR = 1500;
const EDITABLE = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

function move(step) {
  const rows = [...document.querySelectorAll("#rows .trow")];
  if (!rows.length) return;
  const here = rows.findIndex((row) => row === document.activeElement || row.getAttribute("aria-current"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, here + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

const press = (selector) => document.querySelector(selector)?.click();
const resolve = () => document.querySelector('#status-menu [name=status][value=resolved]');

/* Resolve and next: the row below (else above) is opened once the server has resolved this one. */
let next = null;

function resolveAndNext() {
  const button = resolve();
  if (!button) return;
  const rows = [...document.querySelectorAll("#rows .trow")];
  const here = rows.findIndex((row) => row.getAttribute("aria-current"));
  const row = rows[here + 1] ?? rows[here - 1];
  next = { form: button.form, url: row?.getAttribute("href") ?? "" };
  button.click();
}

document.addEventListener("htmx:after:swap", (event) => {
  if (!next || event.detail.ctx?.sourceElement !== next.form) return;
  const { url } = next;
  next = null;
  if (event.detail.ctx.response.status >= 400) return;
  if (url) document.dispatchEvent(new CustomEvent("open-ticket", { detail: { url, focus: "subject" } }));
  else press('.thead a[href^="/inbox"]');
});

/* g, then a place: each is a link of the rail, so nobody is led where they may not go. */
const PLACES = { i: "/inbox", c: "/customers", k: "/kb", b: "/board", s: "/settings" };
let going = 0;

function go(key) {
  if (key === "q") location.assign("/inbox?view=unassigned");
  else press(`.rail a[href="${PLACES[key]}"]`);
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  r: () => setMode("reply"),
  n: () => setMode("note"),
  m: () => document.getElementById("macro-dialog")?.showModal(),
  // With a selection they mean the selection, else the open conversation.
  e: () => picking.any() ? picking.ask("resolved") : resolve()?.click(),
  i: () => picking.any() ? picking.ask("me") : document.querySelector(".assign-me:not([hidden])")?.click(),
  "!": () => picking.any() ? picking.ask("spam") : document.getElementById("mark-spam")?.click(),
  x: () => picking.pickHere(false),
  X: () => picking.pickHere(true),
  E: resolveAndNext,
  a: () => press(".thead [popovertarget=assign-menu]"),
  p: () => press(".thead [popovertarget=priority-menu]"),
  t: () => press(".thead [commandfor=tags-dialog]"),
  h: () => { press(".thead [popovertarget=status-menu]"); press("#status-menu [popovertarget=snooze-menu]"); },
  z: undoLast,
  u: () => press('.thead a[href^="/inbox"]'),
  "/": () => document.getElementById("search")?.focus(),
  "?": () => document.getElementById("keys-sheet")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && event.target.matches(EDITABLE)) { event.target.blur(); return; }
  if (event.target.closest(EDITABLE) || document.querySelector("dialog[open], :popover-open")) return;
  if (event.key === "Escape" && picking.any()) { picking.clear(); return; }
  if (document.body.dataset.keys !== "on") return;
  const led = event.timeStamp - going < LEADS_FOR;
  going = event.key === "g" ? event.timeStamp : 0;
  if (led && (event.key === "q" || PLACES[event.key])) { event.preventDefault(); go(event.key); return; }
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});
