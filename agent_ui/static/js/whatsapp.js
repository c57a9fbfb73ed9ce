/* WhatsApp's 24 hours: the line of the chosen way to answer, fetched anew when the customer writes or the time is over. */
const LOOK_EVERY = 15_000;

const via = () => document.getElementById("composer")?.elements.via;
const place = () => document.getElementById("windows");
const line = () => [...(place()?.querySelectorAll("[data-of]") ?? [])].find((one) => one.dataset.of === via()?.value);
const isOver = (one) => !one.dataset.until || Date.parse(one.dataset.until) <= window.clock.now();

export function look() {
  const shown = line();
  for (const one of place()?.querySelectorAll("[data-of]") ?? []) one.hidden = one !== shown;
}

/** Why free text may not leave now by the chosen way; "" if it may. */
export function refusal() {
  const shown = line();
  return shown && isOver(shown) ? shown.textContent.trim() : "";
}

async function again() {
  const target = place();
  if (!target || !line()) return;
  try {
    const response = await fetch(target.dataset.url, { credentials: "same-origin" });
    if (!response.ok || target !== place()) return;
    target.innerHTML = await response.text();
    htmx.process(target);
    look();
  } catch {
    // The line on the page stays; the server refuses what it must.
  }
}

const PLACE = /{{\s*(\w+)\s*}}/g;

/** How the template will read with what is typed. */
function preview(fields) {
  const target = fields.querySelector(".template-preview");
  const value = (name) => fields.querySelector(`[name="v_${name}"]`)?.value.trim();
  target.textContent = target.dataset.body.replace(PLACE, (place, name) => value(name) || place);
}

/** The same for all that is on the page: a template that is shown again comes with what was typed. */
function previews() {
  for (const fields of document.querySelectorAll(".template-fields")) preview(fields);
}

document.addEventListener("input", (event) => {
  const fields = event.target.closest(".template-fields");
  if (fields) preview(fields);
});
document.addEventListener("htmx:after:swap", previews);
previews();
document.addEventListener("click", (event) => {
  const via = event.target.closest("[data-template-via]")?.dataset.templateVia;
  if (via) document.getElementById("template-via").value = via;
});
document.addEventListener("parts", (event) => { if (event.detail.to === "timeline") void again(); });
setInterval(() => {
  const shown = line();
  if (shown?.dataset.until && isOver(shown)) void again();
}, LOOK_EVERY);
