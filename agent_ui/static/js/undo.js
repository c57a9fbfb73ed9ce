/* Undo: one's own reply can be taken back while the server holds it. The button stands on the message itself; it is
 * shown to its author only, and goes when the time is over. */
import { putBack, settle } from "./composer.js";
import { failure, say, toast, word } from "./words.js";

const LOOK_EVERY = 250;

function look() {
  for (const el of document.querySelectorAll(".undo[data-until]")) {
    const open = el.dataset.by === document.body.dataset.user && Date.parse(el.dataset.until) > clock.now();
    if (el.hidden === open) {
      el.hidden = !open;
      el.parentElement.querySelector(".waits").hidden = open;
    }
  }
}

async function undo(button) {
  button.disabled = true;
  await settle();
  const response = await fetch(`/messages/${button.dataset.undo}/undo`, {
    method: "POST", headers: { Accept: "application/json" }, credentials: "same-origin",
  }).catch(() => null);
  const told = response ? await response.json().catch(() => ({})) : {};
  if (response?.status === 401) document.dispatchEvent(new CustomEvent("session-ended"));
  if (!response?.ok) {
    button.disabled = false;
    toast(failure(response?.status ?? 0, told.detail, told.request_id), { bad: true });
    return;
  }
  putBack(told);
  say(word("undone"));
}

/** The newest reply that can still be taken back. */
export function undoLast() {
  [...document.querySelectorAll(".undo:not([hidden]) [data-undo]")].at(-1)?.click();
}

setInterval(look, LOOK_EVERY);
document.addEventListener("parts", look);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-undo]");
  if (button) void undo(button);
});
