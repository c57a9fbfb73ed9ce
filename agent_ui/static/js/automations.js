/* Forms of macros and rules: what a row asks or does decides which values it can have. */
document.addEventListener("change", (event) => {
  const select = event.target.closest("select[data-swaps]");
  const template = select && document.getElementById(`${select.dataset.swaps}-${select.value}`);
  if (template) select.closest("[data-row]").querySelector(".auto-value").replaceChildren(template.content.cloneNode(true));
});
