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

// On a phone the navigation is one scrolling line: begin where we are.
document.querySelector(".subnav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
