/* The board: joins its topic, can be paused, opens agents and waiting work in a dialog. */
import { join, leave } from "./live.js";

const board = document.getElementById("board");
const pause = document.getElementById("board-pause");
const dialog = document.getElementById("board-detail");

join(board.dataset.topic);

pause.addEventListener("click", () => {
  const paused = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(paused));
  board.toggleAttribute("data-paused", paused);
  // Joining again brings a whole snapshot, so nothing of the pause is missing.
  if (paused) leave(board.dataset.topic);
  else join(board.dataset.topic);
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-detail]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  await htmx.ajax("GET", link.getAttribute("href"), { target: "#board-detail-body", swap: "innerHTML" });
  if (!dialog.open) dialog.showModal();
});

for (const form of document.querySelectorAll("form[data-autosubmit]")) {
  form.addEventListener("change", () => form.requestSubmit());
}
