/* Administration: copying addresses and snippets, repeating rows of a form, filters that apply themselves. */
import { toast, word } from "./words.js";

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    try {
      await navigator.clipboard.writeText(copy.dataset.copy);
      toast(word("copied"), { seconds: 2 });
    } catch {
      // No permission: select it, so that the keyboard can.
      getSelection().selectAllChildren(copy.parentElement.querySelector("code"));
    }
    return;
  }
  const insert = event.target.closest("[data-insert]");
  if (insert) {
    const into = document.getElementById(insert.dataset.into);
    into.setRangeText(insert.dataset.insert, into.selectionStart, into.selectionEnd, "end");
    into.dispatchEvent(new Event("input", { bubbles: true }));
    into.focus();
    return;
  }
  const add = event.target.closest("[data-add-row]");
  if (add) {
    const template = document.getElementById(add.dataset.addRow);
    add.closest("[data-rows]").querySelector("[data-rows-body]").append(template.content.cloneNode(true));
    add.closest("[data-rows]").querySelector("[data-rows-body] > :last-child :is(input, select)").focus();
    return;
  }
  event.target.closest("[data-remove-row]")?.closest("[data-row]").remove();
});

for (const form of document.querySelectorAll("form[data-autosubmit]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// The preview of a chat widget: its own page, opened as the loader would, with what the form holds now.
const preview = document.querySelector("[data-preview]");
if (preview) {
  const form = document.getElementById("look");
  const options = document.getElementById("preview-options");
  let later = null;
  const show = () => {
    const query = new URLSearchParams([...new FormData(form), ...new FormData(options)]);
    preview.src = `${preview.dataset.preview}?${query}`;
  };
  const soon = () => {
    clearTimeout(later);
    later = setTimeout(show, 300);
  };
  addEventListener("message", ({ data, source, origin }) => {
    if (source !== preview.contentWindow || data.cc !== "ready") return;
    const { port1, port2 } = new MessageChannel();
    preview.contentWindow.postMessage({ cc: "port", quiet: true, page: "", theme: new URL(preview.src).searchParams.get("theme") }, origin, [port2]);
    port1.postMessage({ t: "open", text: "" });
  });
  form.addEventListener("input", soon);
  options.addEventListener("change", show);
  show();
}

// On a phone the navigation is one scrolling line: begin where we are.
document.querySelector(".subnav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
