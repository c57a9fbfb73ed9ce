/* What a text takes as SMS, said while it is written outside of the composer. */
const AFTER = 300;
let timer = null;

async function say(area) {
  const place = document.getElementById(area.dataset.measure);
  const text = area.value;
  if (!text) { place.textContent = ""; return; }
  try {
    const response = await fetch("/sms/measure", { method: "POST", body: new URLSearchParams({ text }), credentials: "same-origin" });
    if (response.ok && area.value === text) place.textContent = (await response.json()).said;
  } catch {
    place.textContent = "";
  }
}

const all = () => document.querySelectorAll("[data-measure]").forEach(say);

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-measure]")) return;
  clearTimeout(timer);
  timer = setTimeout(() => say(event.target), AFTER);
});
document.addEventListener("htmx:after:swap", all);
all();
