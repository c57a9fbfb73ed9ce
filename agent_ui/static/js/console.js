/* Starts every signed-in page: the socket, the open conversation, panels, errors of commands, the session dialog. */
import * as composer from "./composer.js";
import * as live from "./live.js";
import { hideJump } from "./parts.js";
import { setTitle } from "./title.js";
import { failure, toast, word } from "./words.js";
import "./attempts.js";
import "./bell.js";
import "./callbar.js";
import "./focus.js";
import "./keys.js";
import "./later.js";
import "./macros.js";
import "./mail.js";
import "./measure.js";
import "./mentions.js";
import "./offers.js";
import "./picking.js";

const $ = (id) => document.getElementById(id);
const workspace = $("workspace");
const CONTEXT = "context-closed";

/* Who owned the open conversation when the line was cut: a colleague may have it when we are back. */
let before = null;
const ownerOf = () => document.querySelector(".assign-me")?.dataset.assignee ?? "";
const shownTicket = () => document.querySelector(".pane-ticket[data-ticket]")?.dataset.ticket ?? "";
document.addEventListener("line-cut", () => { before ??= { ticket: shownTicket(), owner: ownerOf() }; });
document.addEventListener("line-back", () => {
  const was = before;
  before = null;
  const me = document.body.dataset.user;
  if (!was?.ticket || was.ticket !== shownTicket() || was.owner !== me || ownerOf() === me) return;
  toast(word("reassigned", { name: document.querySelector("[popovertarget=assign-menu]").textContent.trim() }), { bad: true });
});

/* The open conversation: its topic, its row in the list, what is mine about it. */
function ticketShown(focus) {
  const pane = document.querySelector("[data-number]#ticket > *, .pane-ticket[data-number]");
  for (const topic of live.joined()) {
    if (topic.startsWith("ticket:") && topic !== "ticket:" + pane?.dataset.ticket) live.leave(topic);
  }
  if (pane) live.join("ticket:" + pane.dataset.ticket, Number(pane.dataset.seq));
  if (workspace) workspace.dataset.pane = pane ? "ticket" : "list";
  markRows();
  markMine();
  if (!pane) return;
  setTitle(`#${pane.dataset.number} ${$("subject").textContent}`);
  markRead();
  void composer.attach();
  const target = focus === "reply" ? $("reply") : focus === "subject" ? $("subject") : null;
  target?.focus({ preventScroll: true });
  // What people wait for after Accept; tests and the profiler of a browser read it.
  if (focus === "reply" && performance.getEntriesByName("accept").length) performance.measure("accept-to-composer", "accept");
}

function markRows() {
  const number = document.querySelector(".pane-ticket[data-number]")?.dataset.number;
  for (const row of document.querySelectorAll("#rows .trow")) {
    if (row.dataset.number === number) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function markMine() {
  for (const el of document.querySelectorAll(".assign-me")) el.hidden = el.dataset.assignee === document.body.dataset.user;
}

/** The list that is open, as a query string: a reload and the way back lead to it. */
function listQuery() {
  const here = new URLSearchParams(location.search);
  const kept = new URLSearchParams([...here].filter(([name]) => name === "view" || name === "sort"));
  return kept.size ? "?" + kept : "";
}

async function openTicket(url, focus) {
  // What is being written in the conversation that we leave is saved by the composer before the swap.
  await htmx.ajax("GET", url, { target: "#ticket", swap: "innerHTML", push: url + listQuery() });
  document.querySelector("#workspace")?.setAttribute("data-drawer", "closed");
  ticketShown(focus);
}

document.addEventListener("open-ticket", (event) => void openTicket(event.detail.url, event.detail.focus));

document.addEventListener("click", (event) => {
  const row = event.target.closest("a.trow, a[data-open-ticket]");
  if (row && $("ticket") && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    void openTicket(row.getAttribute("href"), "subject");
    return;
  }
  const back = event.target.closest('.thead a[href="/inbox"]');
  if (back && listQuery()) { event.preventDefault(); location.assign("/inbox" + listQuery()); }
  const toggle = event.target.closest("[data-toggle-context]");
  if (toggle && workspace) toggleContext();
  if (event.target.closest("#jump")) $("timeline-scroll").scrollTo({ top: 0, behavior: "smooth" });
  // A button in a menu that opens a dialog, or any command, ends the menu.
  const menu = event.target.closest("[popover]");
  if (menu && event.target.closest(".opt:not([data-keep])") && !event.target.closest("[popovertarget]")) menu.hidePopover();
});

function toggleContext() {
  if (matchMedia("(max-width: 1239px)").matches) {
    workspace.dataset.drawer = workspace.dataset.drawer === "open" ? "closed" : "open";
    if (workspace.dataset.drawer === "open") $("context").querySelector("button").focus();
    else document.querySelector(".thead [data-toggle-context]").focus();
    return;
  }
  const closed = workspace.dataset.context !== "closed";
  workspace.dataset.context = closed ? "closed" : "open";
  localStorage.setItem(CONTEXT, closed ? "1" : "");
}

if (workspace && localStorage.getItem(CONTEXT)) workspace.dataset.context = "closed";

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.id === "f-name") { event.preventDefault(); $("save-view").click(); }
  if (event.key === "Escape" && workspace?.dataset.drawer === "open") toggleContext();
  const menu = event.target.closest?.(".menu:popover-open");
  if (menu && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const options = [...menu.querySelectorAll(".opt")].filter((el) => !el.hidden);
    const here = options.indexOf(document.activeElement);
    options[(here + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length]?.focus();
    event.preventDefault();
  }
});

/* What loads when it is opened; a menu then has its first choice in focus. */
document.addEventListener("toggle", (event) => {
  if (event.newState !== "open" || !event.target.matches(".menu, dialog")) return;
  for (const el of [event.target, ...event.target.querySelectorAll("[hx-trigger=opened]")]) {
    if (el.getAttribute("hx-trigger") === "opened") htmx.trigger(el, "opened");
  }
  if (event.target.matches(".menu")) event.target.querySelector(".opt[aria-current], .opt")?.focus();
}, true);

/* Browsers without invoker commands (before 2025). */
if (!("command" in HTMLButtonElement.prototype)) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[commandfor]");
    const dialog = button && $(button.getAttribute("commandfor"));
    if (!dialog) return;
    if (button.getAttribute("command") === "show-modal") dialog.showModal();
    else dialog.close();
  });
}

document.addEventListener("scroll", (event) => { if (event.target.id === "timeline-scroll") hideJump(event.target); }, true);

/* Errors of commands: what failed, what is safe, an id. */
document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  const status = ctx.response.status;
  if (status === 401) { document.dispatchEvent(new CustomEvent("session-ended")); return; }
  let told = {};
  try { told = JSON.parse(ctx.text); } catch { /* a page, not a problem */ }
  // What the domain refused stays refused; what broke may be tried again.
  const action = status >= 500 || status === 429 ? again(event.target) : null;
  blockError(event.target) || toast(failure(status, told.detail, told.request_id), { bad: true, action });
});
document.addEventListener("htmx:error", (event) => {
  if (!event.detail.ctx) return;
  blockError(event.target) || toast(word(event.detail.error?.name === "AbortError" ? "slow" : "failed") + " " + word("kept"), { bad: true, action: again(event.target) });
});

function again(el) {
  return { label: word("retry"), run: () => { if (el.isConnected) el.matches("form") ? el.requestSubmit() : el.click(); } };
}

function blockError(el) {
  const block = el.closest?.("[data-lazy]");
  // A form inside has its own words for what was refused, and what is typed in it stays.
  if (!block || el.matches("form")) return false;
  const line = document.createElement("p");
  line.className = "empty inline";
  line.textContent = word("load_failed");
  const again = document.createElement("button");
  again.type = "button";
  again.className = "btn btn-small";
  again.textContent = word("retry");
  again.addEventListener("click", () => htmx.ajax("GET", block.getAttribute("hx-get"), { target: block, swap: "innerHTML", source: block }));
  line.append(again);
  block.replaceChildren(line);
  return true;
}

document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, { bad: Boolean(event.detail.bad) }));

/* A dialog whose command succeeded closes itself; a menu that has loaded has its first choice in focus. */
document.addEventListener("htmx:after:swap", (event) => {
  const source = event.detail.ctx?.sourceElement ?? event.target;
  const refused = (event.detail.ctx?.response?.status ?? 200) >= 400;
  if (source.matches?.("form") && !refused) source.closest("dialog[open]")?.close();
  if (source.matches?.(".menu:popover-open")) source.querySelector(".opt")?.focus();
  markMine();
});
document.addEventListener("parts", (event) => {
  if (event.detail.to === "thead") markMine();
});

/* Signed out elsewhere or too long away: sign in again in place. */
document.addEventListener("session-ended", () => {
  const dialog = $("session-ended");
  if (dialog && !dialog.open) dialog.showModal();
});
$("session-form")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const response = await fetch(form.action, {
    method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" }, credentials: "same-origin",
  }).catch(() => null);
  const told = response ? await response.json().catch(() => ({})) : {};
  form.querySelector(".error").hidden = Boolean(response?.ok);
  if (!response?.ok) return;
  // Somebody else signed in here: nothing of the former person may stay on the screen.
  if (String(told.user_id) !== document.body.dataset.user) { location.assign("/"); return; }
  form.reset();
  $("session-ended").close();
  document.dispatchEvent(new CustomEvent("session-renewed"));
});

/* Lists: the numbers beside the views; a row that moved up is not shown twice. */
document.addEventListener("frame:counts", (event) => {
  for (const [view, count] of Object.entries(event.detail.counts)) {
    for (const el of document.querySelectorAll(`[data-count="${view}"]`)) el.textContent = count < 1000 ? String(count) : "999+";
  }
});
document.addEventListener("parts", (event) => {
  if (event.detail.to !== "rows-first") return;
  const first = new Set([...document.querySelectorAll("#rows-first .trow")].map((row) => row.dataset.number));
  for (const row of document.querySelectorAll("#rows .later .trow")) if (first.has(row.dataset.number)) row.parentElement.remove();
  markRows();
});

/* The customer writes. */
let typingEnds = 0;
document.addEventListener("frame:typing", (event) => {
  const line = $("typing");
  if (!line || !event.detail.topic.endsWith(":" + document.querySelector(".pane-ticket")?.dataset.ticket)) return;
  clearTimeout(typingEnds);
  line.textContent = word("typing", { name: event.detail.name });
  line.hidden = !event.detail.on;
  typingEnds = setTimeout(() => { line.hidden = true; }, 6000);
});

/* Read marks: what the owner has before their eyes. */
let readTimer = 0;
function markRead() {
  clearTimeout(readTimer);
  readTimer = setTimeout(() => {
    const pane = document.querySelector(".pane-ticket[data-number]");
    const last = Math.max(0, ...[...document.querySelectorAll("#timeline > [data-seq]")].map((el) => Number(el.dataset.seq)));
    if (!pane || document.hidden || !$("composer") || last <= Number(pane.dataset.read ?? 0)) return;
    pane.dataset.read = String(last);
    document.querySelector(`#row-${pane.dataset.number} .count`)?.remove();
    void fetch(`/tickets/${pane.dataset.number}/read`, { method: "POST", body: new URLSearchParams({ seq: String(last) }), credentials: "same-origin" }).catch(() => {});
  }, 400);
}
document.addEventListener("visibilitychange", markRead);
document.addEventListener("parts", (event) => { if (event.detail.to === "timeline") markRead(); });

const list = $("rows")?.dataset.topic;
if (list) { live.join(list); live.join("counts"); }
const views = $("rows")?.dataset.viewsTopic;
if (views) live.join(views);
for (const topic of (document.body.dataset.topics ?? "").split(" ").filter(Boolean)) live.join(topic);
ticketShown(new URLSearchParams(location.search).get("focus"));
live.connect();

document.querySelector("dialog[data-open-at-once]")?.showModal();
document.querySelector("[data-ask-notifications]")?.addEventListener("click", async (event) => {
  if ("Notification" in window) event.target.disabled = (await Notification.requestPermission()) === "granted";
});
