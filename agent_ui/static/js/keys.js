/* Single keys. Off while typing, in dialogs and menus, with a modifier, and when the person turned them off. */
import { setMode } from "./composer.js";
import * as picking from "./picking.js";
import { undoLast } from "./undo.js";

const EDITABLE = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

function move(step) {
  const rows = [...document.querySelectorAll("#rows .trow")];
  if (!rows.length) return;
  const here = rows.findIndex((row) => row === document.activeElement || row.getAttribute("aria-current"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, here + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  r: () => setMode("reply"),
  n: () => setMode("note"),
  m: () => document.getElementById("macro-dialog")?.showModal(),
  // With a selection they mean the selection, else the open conversation.
  e: () => picking.any() ? picking.ask("resolved") : document.querySelector('#status-menu [name=status][value=resolved]')?.click(),
  i: () => picking.any() ? picking.ask("me") : document.querySelector(".assign-me:not([hidden])")?.click(),
  "!": () => picking.any() ? picking.ask("spam") : document.getElementById("mark-spam")?.click(),
  x: () => picking.pickHere(false),
  X: () => picking.pickHere(true),
  z: undoLast,
  u: () => document.querySelector('.thead a[href^="/inbox"]')?.click(),
  "/": () => document.getElementById("search")?.focus(),
  "?": () => document.getElementById("keys-sheet")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && event.target.matches(EDITABLE)) { event.target.blur(); return; }
  if (event.target.closest(EDITABLE) || document.querySelector("dialog[open], :popover-open")) return;
  if (event.key === "Escape" && picking.any()) { picking.clear(); return; }
  if (document.body.dataset.keys !== "on") return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});
