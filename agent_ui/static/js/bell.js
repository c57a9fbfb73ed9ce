/* The bell and the unread numbers: the server's fragment brings both, the rail and the title follow. */
import { setUnread } from "./title.js";

function show(count) {
  const badge = document.getElementById("rail-unread");
  if (badge) badge.innerHTML = count ? `<span class="count accent">${count < 1000 ? count : "999+"}</span>` : "";
  setUnread(count);
}

function look() {
  const bell = document.querySelector("#bell [data-unread]");
  if (bell) show(Number(bell.dataset.unread));
}

document.addEventListener("parts", (event) => {
  if (event.detail.to !== "bell") return;
  look();
  const menu = document.getElementById("notices");
  if (menu?.matches(":popover-open")) htmx.trigger(menu, "opened");
});
document.addEventListener("frame:counts", (event) => { if ("unread" in event.detail.counts) show(event.detail.counts.unread); });
look();
