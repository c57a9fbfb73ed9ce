/* Colleagues to choose from while "@name" is typed in a note. The focus stays in the text; the list is its listbox. */
import { plain } from "./plain.js";
import { say, word } from "./words.js";

const MOST = 6;
// "@" after the beginning or a sign that belongs to no word, and what was typed since.
const BEGUN = /(?:^|[^\p{L}\p{N}])@([^@\n]{0,40})$/u;

let people = null;
let shown = [];
let at = 0;

const area = () => document.getElementById("reply");
const list = () => document.getElementById("mentions");
const open = () => Boolean(list()) && !list().hidden;

/** Everybody who may be told, asked for once a page. */
async function colleagues() {
  if (people) return people;
  const response = await fetch("/colleagues", { headers: { Accept: "application/json" }, credentials: "same-origin" }).catch(() => null);
  if (response?.ok) people = await response.json();
  return people ?? [];
}

/** What stands after the "@" before the caret; null where no name is being typed. */
function begun() {
  const text = area();
  if (!text || text.form.dataset.mode !== "note" || text.selectionStart !== text.selectionEnd) return null;
  return BEGUN.exec(text.value.slice(0, text.selectionStart))?.[1] ?? null;
}

/** Those whose name, or a word of it, begins like what was typed. */
function fitting(all, typed) {
  const wanted = plain(typed);
  const rank = (name) => (name.startsWith(wanted) ? 0 : name.includes(" " + wanted) ? 1 : 2);
  const ranked = all.map((one) => ({ one, rank: rank(plain(one.name)) })).filter((entry) => entry.rank < 2);
  return ranked.sort((a, b) => a.rank - b.rank).slice(0, MOST).map((entry) => entry.one);
}

function close() {
  shown = [];
  if (!list()) return;
  list().hidden = true;
  area().removeAttribute("aria-activedescendant");
}

function mark(index) {
  at = (index + shown.length) % shown.length;
  for (const [n, el] of [...list().children].entries()) el.setAttribute("aria-selected", String(n === at));
  list().children[at].scrollIntoView({ block: "nearest" });
  area().setAttribute("aria-activedescendant", list().children[at].id);
}

function option(one, index) {
  const el = document.createElement("li");
  el.className = "opt";
  el.id = "mention-" + index;
  el.setAttribute("role", "option");
  const face = document.createElement("span");
  face.className = "avatar agent s20";
  face.dataset.i = one.initials;
  face.setAttribute("aria-hidden", "true");
  el.append(face, one.name);
  return el;
}

async function look() {
  if (begun() === null) { close(); return; }
  const all = await colleagues();
  const typed = begun();
  const found = typed === null ? [] : fitting(all, typed);
  if (!found.length || !list()) { close(); return; }
  const news = !open() || found.length !== shown.length;
  shown = found;
  list().replaceChildren(...found.map(option));
  list().hidden = false;
  mark(0);
  if (news) say(word("colleagues", { n: found.length }));
}

/** Put the whole name where its beginning was typed. */
function take(index) {
  const text = area();
  const from = text.selectionStart - begun().length;
  text.setRangeText(shown[index].name + " ", from, text.selectionStart, "end");
  close();
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("input", (event) => { if (event.target === area()) void look(); });
document.addEventListener("click", (event) => { if (event.target === area()) void look(); });
document.addEventListener("focusout", (event) => { if (event.target === area()) close(); });
// The focus never leaves the text for a choice by pointer.
document.addEventListener("pointerdown", (event) => { if (event.target.closest?.("#mentions")) event.preventDefault(); });
document.addEventListener("click", (event) => {
  const chosen = event.target.closest?.("#mentions .opt");
  if (chosen) take([...list().children].indexOf(chosen));
});
document.addEventListener("keydown", (event) => {
  if (event.target !== area() || !open() || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = {
    ArrowDown: () => mark(at + 1),
    ArrowUp: () => mark(at - 1),
    Enter: () => take(at),
    Tab: () => take(at),
    Escape: close,
  }[event.key];
  if (!act || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}, true);
