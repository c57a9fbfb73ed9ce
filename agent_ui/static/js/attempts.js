/* How a message fared: its menu is loaded when it opens, one for all messages. */
import { failure, say, toast, word } from "./words.js";

const menu = () => document.getElementById("attempts-menu");

async function open(button) {
  await htmx.ajax("GET", `/messages/${button.dataset.attempts}/attempts`, { target: menu(), swap: "innerHTML", source: menu() });
  menu().showPopover({ source: button });
  menu().querySelector(".title")?.focus();
}

async function post(button, url, { body, done = "" } = {}) {
  button.disabled = true;
  const response = await fetch(url, {
    method: "POST", headers: { Accept: "application/json" }, credentials: "same-origin", body,
  }).catch(() => null);
  menu().hidePopover();
  button.disabled = false;
  if (response?.ok) {
    say(done);
    return;
  }
  if (response?.status === 401) document.dispatchEvent(new CustomEvent("session-ended"));
  const told = response ? await response.json().catch(() => ({})) : {};
  toast(failure(response?.status ?? 0, told.detail, told.request_id), { bad: true });
}

document.addEventListener("click", (event) => {
  const details = event.target.closest("[data-attempts]");
  if (details) void open(details);
  const button = event.target.closest("[data-again]");
  if (button) void post(button, `/messages/${button.dataset.again}/again`, { done: word("sending") });
  const known = event.target.closest("[data-settle]");
  if (known) void post(known, `/messages/${known.dataset.settle}/settle`, { body: new URLSearchParams({ sent: known.value }), done: known.textContent.trim() });
});
