/* Where the focus goes: into the first field of a dialog, back to the row one came from, never nowhere; and letters
 * that lead to a choice of an open menu. */
import { plain } from "./plain.js";

const FIELDS = "input:not([type=hidden]):not([type=file]):not([hidden]):not(:disabled), select:not(:disabled), textarea:not(:disabled)";
const CAME_FROM = "came-from";
const TYPED_FOR = 700;

/** The first field of a dialog that has just opened or loaded; what the person has reached meanwhile stays. */
function enter(dialog) {
  const here = document.activeElement;
  if (here && here !== document.body && here !== dialog && !here.closest(".dialog-head")) return;
  const first = [...dialog.querySelectorAll(FIELDS)].find((el) => el.checkVisibility?.() ?? true);
  const group = first?.type === "radio" ? dialog.querySelector(`input[name="${first.name}"]:checked`) : null;
  (group ?? first)?.focus();
}

document.addEventListener("toggle", (event) => {
  if (event.newState === "open" && event.target.matches("dialog")) enter(event.target);
}, true);

/* A menu that was opened by a key, not by its button, gives the focus back to the button or the heading. */
document.addEventListener("toggle", (event) => {
  if (event.newState !== "closed" || !event.target.matches(".menu") || document.activeElement !== document.body) return;
  const button = [...document.querySelectorAll(`[popovertarget="${event.target.id}"]`)].find((el) => el.checkVisibility());
  (button ?? (event.target.closest(".pane-ticket") && document.getElementById("subject")))?.focus();
}, true);

/* A command that takes its own button away leaves the focus at the heading of its conversation. */
let before = null;
document.addEventListener("htmx:before:swap", () => { before = document.activeElement; });
document.addEventListener("htmx:after:swap", (event) => {
  const dialog = event.target.closest?.("dialog[open]");
  if (dialog) enter(dialog);
  const held = before && before !== document.body;
  before = null;
  if (held && document.activeElement === document.body && event.target.id === "thead") document.getElementById("subject")?.focus();
});

/* Back in the list: the row of the conversation that one has left. */
document.addEventListener("click", (event) => {
  const back = event.target.closest('.thead a[href^="/inbox"]');
  const number = back && document.querySelector(".pane-ticket[data-number]")?.dataset.number;
  if (number) sessionStorage.setItem(CAME_FROM, number);
}, true);
const from = sessionStorage.getItem(CAME_FROM);
sessionStorage.removeItem(CAME_FROM);
if (from && !document.querySelector(".pane-ticket")) {
  (document.getElementById("row-" + from) ?? document.querySelector("#rows .trow"))?.focus();
}

/* Letters lead to the choice that begins with them; accents may be left out. */
let typed = "";
let typedAt = 0;
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".menu:popover-open");
  if (!menu || event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select")) return;
  typed = event.timeStamp - typedAt < TYPED_FOR ? typed + event.key : event.key;
  typedAt = event.timeStamp;
  const begun = plain(typed);
  const found = [...menu.querySelectorAll(".opt")].find((el) => el.checkVisibility() && plain(el.innerText.trim()).split("\n")[0].startsWith(begun));
  if (found) { event.preventDefault(); found.focus(); }
});
