/* Send later: the composer's menu of moments, and the replies that wait below the timeline. */
import { putBack, sendLater, settle } from "./composer.js";
import { apply } from "./parts.js";
import { failure, say, toast, word } from "./words.js";

async function post(of, what, values = {}) {
  const response = await fetch(`/scheduled/${of}/${what}`, {
    method: "POST", body: new URLSearchParams(values), headers: { Accept: "application/json" }, credentials: "same-origin",
  }).catch(() => null);
  const told = response ? await response.json().catch(() => ({})) : {};
  if (response?.status === 401) document.dispatchEvent(new CustomEvent("session-ended"));
  if (response?.ok) {
    await apply(told.parts ?? []);
    return told;
  }
  toast(failure(response?.status ?? 0, told.detail, told.request_id), { bad: true });
  return null;
}

/** The menu of moments for a reply that waits already; one for all cards, because it loads anyway. */
async function openMenu(button) {
  const menu = document.getElementById("move-menu");
  const url = `${document.getElementById("later-menu").getAttribute("hx-get")}?of=${button.dataset.of}`;
  await htmx.ajax("GET", url, { target: menu, swap: "innerHTML", source: menu });
  menu.showPopover({ source: button });
  menu.querySelector(".opt")?.focus();
}

function choose(when, of) {
  const then = document.getElementById("later-then")?.value ?? "";
  for (const menu of document.querySelectorAll("#later-menu:popover-open, #move-menu:popover-open, #send-menu:popover-open")) menu.hidePopover();
  if (of) void post(of, "move", { when }).then((told) => told && say(word("scheduled")));
  else sendLater(when, then);
}

const ACTS = {
  send: async (of) => { if (await post(of, "send")) say(word("sent")); },
  back: async (of) => {
    await settle();
    const told = await post(of, "back");
    if (told) { putBack(told); say(word("undone")); }
  },
};

document.addEventListener("click", (event) => {
  const act = event.target.closest("[data-later]");
  if (act) void (act.dataset.later === "menu" ? openMenu(act) : ACTS[act.dataset.later](act.dataset.of));
  const moment = event.target.closest("[data-when]");
  if (moment) choose(moment.dataset.when, moment.dataset.of);
  const own = event.target.closest("[data-when-own]");
  if (!own) return;
  const field = own.parentElement.querySelector("input");
  if (field.value) choose(field.value, own.dataset.of);
  else field.focus();
});
