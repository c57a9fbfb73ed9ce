/* The words that scripts say (from the catalogs, by templates/parts/strings.html), toasts, and what is spoken. */
const words = JSON.parse(document.getElementById("strings")?.textContent ?? "{}");

/** A string of the catalogs; one that counts has two forms, for one and for many `n`. */
export function word(key, values = {}) {
  const found = words[key] ?? key;
  const text = Array.isArray(found) ? found[Number(values.n) === 1 ? 0 : 1] : found;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Tell screen readers something without moving the focus. */
export function say(text, urgent = false) {
  const region = document.getElementById(urgent ? "alert" : "say");
  if (!region) return;
  // The same sentence twice in a row would not be read again.
  region.textContent = region.textContent === text ? text + "\u00a0" : text;
}

/** A short message at the bottom; `action` is {label, run}. Errors stay until dismissed. */
export function toast(text, { bad = false, action = null, seconds = 5 } = {}) {
  const box = document.createElement("div");
  box.className = bad ? "toast bad" : "toast";
  const line = document.createElement("span");
  line.className = "grow";
  line.textContent = text;
  box.append(line);
  const button = (label, run) => {
    const el = document.createElement("button");
    el.type = "button";
    el.className = "btn btn-small";
    el.textContent = label;
    el.addEventListener("click", () => { box.remove(); run?.(); });
    box.append(el);
  };
  if (action) button(action.label, action.run);
  button(word("dismiss"));
  const all = document.getElementById("toasts");
  while (all.children.length >= 3) all.firstElementChild.remove();
  all.append(box);
  say(text, bad);
  if (!bad) setTimeout(() => box.remove(), seconds * 1000);
}

/** What an answer of the server means to the person. A refusal says its reason; only what broke has an id to report. */
export function failure(status, detail, id) {
  const what = detail || (status === 403 ? word("forbidden") : word("failed"));
  const broke = status >= 500 || status === 0;
  return what + (broke ? " " + word("kept") : "") + (id && (broke || !detail) ? " " + word("error_id", { id }) : "");
}
