/* Files of the composer: chosen, pasted or dropped, uploaded at once and bound to the draft, so that a reload keeps
 * them. Each mode (reply, note) has its own. Sending waits for what is still on its way. */
import { failure, say, toast, word } from "./words.js";

// As tickets/draft_files.py has it; said before 18 MB were sent for nothing.
const MOST_BYTES = 18 * 1024 * 1024;
const uploads = new Map();

const form = () => document.getElementById("composer");
const list = () => document.getElementById("put");
const mode = () => form().dataset.mode;
const rows = (wanted) => [...(list()?.querySelectorAll(`.put-file[data-mode="${wanted}"]`) ?? [])];

function size(bytes) {
  if (bytes < 1000) return bytes + " B";
  return bytes < 1e6 ? Math.round(bytes / 1000) + " KB" : (bytes / 1e6).toFixed(1) + " MB";
}

function note(text) {
  const line = document.getElementById("put-note");
  if (!line) return;
  line.hidden = !text;
  line.querySelector("span").textContent = text;
}

/** The reason why the files of this mode cannot leave by the chosen way; "" if they can. */
export function refusal() {
  const via = form().elements.via;
  return mode() === "reply" && via?.dataset.files === "no" && rows("reply").length ? word("no_files") : "";
}

/** After the way or the mode changed. */
export const look = () => note(refusal());

function add(file, said) {
  const row = document.getElementById("put-file").content.firstElementChild.cloneNode(true);
  row.dataset.mode = mode();
  row.querySelector(".name").textContent = file.name;
  row.querySelector(".size").textContent = said;
  row.querySelector("button").setAttribute("aria-label", word("remove_file", { name: file.name }));
  list().append(row);
  return row;
}

/** Files that the server has put to the draft again: {id, name, size}. */
export function restore(files) {
  for (const file of files) add(file, size(file.size)).dataset.file = file.id;
  look();
}

async function upload(file) {
  if (file.size > MOST_BYTES) { toast(word("file_too_large", { name: file.name, most: MOST_BYTES / 1048576 }), { bad: true }); return; }
  const row = add(file, word("uploading"));
  row.setAttribute("aria-busy", "true");
  const url = `${list().dataset.url}?mode=${row.dataset.mode}`;
  const cut = new AbortController();
  const done = (async () => {
    const response = await fetch(url, {
      method: "POST", body: file, credentials: "same-origin", signal: cut.signal,
      headers: { Accept: "application/json", "Content-Type": "application/octet-stream", "X-File-Name": encodeURIComponent(file.name) },
    }).catch(() => null);
    const told = response ? await response.json().catch(() => ({})) : {};
    row.removeAttribute("aria-busy");
    uploads.delete(row);
    if (cut.signal.aborted) return;
    if (response?.ok) {
      row.dataset.file = told.id;
      row.querySelector(".size").textContent = size(told.size);
      return;
    }
    if (response?.status === 401) document.dispatchEvent(new CustomEvent("session-ended"));
    row.classList.add("bad");
    row.querySelector(".size").textContent = word("not_uploaded");
    toast(failure(response?.status ?? 0, told.detail, told.request_id), { bad: true });
  })();
  uploads.set(row, { done, cut });
  await done;
}

function put(files) {
  if (!files.length || !form()) return;
  for (const file of files) void upload(file);
  look();
}

/** What goes with the message: waits for uploads; null when something did not arrive. */
export async function take() {
  const wanted = mode();
  await Promise.all(rows(wanted).map((row) => uploads.get(row)?.done));
  const here = rows(wanted);
  if (here.some((row) => !row.dataset.file)) return null;
  const taken = { ids: here.map((row) => row.dataset.file), names: here.map((row) => row.querySelector(".name").textContent).join(", ") };
  for (const row of here) row.remove();
  look();
  return taken;
}

export const any = () => rows(mode()).length > 0;

document.addEventListener("click", (event) => {
  if (event.target.closest("#attach")) document.getElementById("attach-input").click();
  const off = event.target.closest("[data-take-off]");
  if (!off) return;
  const row = off.closest(".put-file");
  uploads.get(row)?.cut.abort();
  if (row.dataset.file) void fetch(`${list().dataset.url}/${row.dataset.file}/remove`, { method: "POST", credentials: "same-origin" });
  row.remove();
  look();
  document.getElementById("reply").focus();
});
document.addEventListener("change", (event) => {
  if (event.target.id !== "attach-input") return;
  put([...event.target.files]);
  event.target.value = "";
  document.getElementById("reply").focus();
});
document.addEventListener("paste", (event) => {
  if (event.target.id !== "reply" || !event.clipboardData.files.length) return;
  event.preventDefault();
  const files = [...event.clipboardData.files];
  put(files);
  say(word("files_attached", { n: files.length }));
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const box = event.target.closest?.(".pane-ticket");
    if (!box || !form() || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    form().classList.toggle("is-over", kind === "dragover");
    if (kind === "drop") put([...event.dataTransfer.files]);
  });
}
