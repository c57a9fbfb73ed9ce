/* Cc and Bcc: what the fields hold goes with a mail and no other message; known addresses are offered while typing. */
import { word } from "./words.js";

const ASK_AFTER = 200;
let timer = 0;

const field = (name) => document.getElementById("composer")?.elements.namedItem(name);
const byMail = () => field("via")?.dataset.channel === "email";

/** The copies of the reply that is about to be sent. */
export const taken = () => (byMail() ? { cc: field("cc")?.value ?? "", bcc: field("bcc")?.value ?? "" } : {});

const plain = (text) => text.replace(/\s/g, "");

/** The same for the draft: nothing as long as they are those that are proposed. */
export function typed() {
  const { cc = "", bcc = "" } = taken();
  return plain(cc) === plain(field("cc")?.dataset.all ?? "") && !bcc ? {} : { cc, bcc };
}

/** What the server finds wrong with the addresses of the draft; "" for nothing. */
export function note(text) {
  const place = document.getElementById("copies-note");
  if (!place) return;
  place.hidden = !text;
  place.querySelector("span").textContent = text;
}

/** Why it cannot leave like this; "" if it can. */
export function refusal() {
  const bad = byMail() && ["cc", "bcc"].map(field).find((one) => one && !one.validity.valid);
  if (!bad) return "";
  bad.closest("details").open = true;
  bad.focus();
  return word("bad_address");
}

/** After sending, the next reply goes to everybody again. */
export function reset() {
  if (field("cc")) field("cc").value = field("cc").dataset.all;
  if (field("bcc")) field("bcc").value = "";
  note("");
}

/** A reply that was taken back brings its copies. */
export function restore(back) {
  for (const name of ["cc", "bcc"]) if (field(name) && back[name]) field(name).value = back[name].join(", ");
  if (back.cc?.length || back.bcc?.length) field("cc").closest("details").open = true;
}

async function offer(input) {
  const begun = input.value.split(",").at(-1).trim();
  if (begun.length < 2) return;
  const before = input.value.slice(0, input.value.length - input.value.split(",").at(-1).length);
  const response = await fetch("/addresses?q=" + encodeURIComponent(begun), { credentials: "same-origin" }).catch(() => null);
  if (!response?.ok) return;
  const options = (await response.json()).map(({ address, name }) => {
    const option = document.createElement("option");
    option.value = before + address;
    option.label = name ? `${name} <${address}>` : address;
    return option;
  });
  document.getElementById("known-addresses")?.replaceChildren(...options);
}

document.addEventListener("input", (event) => {
  if (!event.target.matches?.("#cc, #bcc")) return;
  clearTimeout(timer);
  timer = setTimeout(() => void offer(event.target), ASK_AFTER);
});
