/* The original mail stands in a sandboxed frame, loaded when asked for; pictures from elsewhere only by the button,
 * and then through our own address, so that nobody outside learns that the mail was read. */
function load(details, images) {
  const frame = details.querySelector("iframe") ?? document.createElement("iframe");
  frame.className = "mail-frame";
  frame.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
  frame.title = details.querySelector("summary").textContent;
  frame.src = details.dataset.src + (images ? "?images=1" : "");
  details.append(frame);
}

document.addEventListener("toggle", (event) => {
  const details = event.target;
  if (details.matches?.("details.original") && details.open && !details.querySelector("iframe")) load(details, false);
}, true);

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show-images]");
  if (!button) return;
  const details = button.closest(".bubble").querySelector("details.original");
  load(details, true);
  details.open = true;
  details.querySelector("summary").focus();
  button.closest(".pictures-held").remove();
});
