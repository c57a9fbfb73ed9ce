/* Puts pieces of HTML where they belong. A part is {to, how, html}: `to` is an element's id and `how` is
 * append (a list grows; an entry that is already there is replaced), fill (morph the inside) or replace. */
import { say, word } from "./words.js";

const spoken = [];
let speaking = 0;

function nodes(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return [...holder.content.children];
}

/** Read new messages out: each one, or their number when more than 3 come within 5 s. */
function announce(text) {
  spoken.push(text);
  speaking ||= setTimeout(() => {
    say(spoken.length > 3 ? word("new_messages", { n: spoken.length }) : spoken.join(". "));
    spoken.length = 0;
    speaking = 0;
  }, spoken.length > 1 ? 5000 : 600);
}

function append(target, html) {
  let fresh = 0;
  const scroller = target.closest(".timeline-scroll");
  const away = scroller ? Math.abs(scroller.scrollTop) > 48 : false;
  for (const node of nodes(html)) {
    const old = node.id && document.getElementById(node.id);
    if (old) { old.replaceWith(node); htmx.process(node); continue; }
    const seq = Number(node.dataset.seq ?? 0);
    // Entries may arrive out of order after a resume; the timeline is kept by seq.
    const later = seq && [...target.children].reverse().findLast((el) => Number(el.dataset.seq ?? 0) > seq);
    target.insertBefore(node, later || null);
    htmx.process(node);
    if (node.classList.contains("msg")) {
      fresh += node.classList.contains("in") ? 1 : 0;
      if (!node.classList.contains("out")) {
        announce(`${node.querySelector(".from")?.textContent ?? ""}: ${node.querySelector(".bubble")?.innerText ?? ""}`.slice(0, 240));
      }
    }
  }
  if (scroller && away && fresh) showJump(scroller, fresh);
  return fresh;
}

function showJump(scroller, fresh) {
  const jump = scroller.querySelector("#jump");
  const count = Number(jump.dataset.n ?? 0) + fresh;
  jump.dataset.n = String(count);
  jump.querySelector("span").textContent = word("new_messages", { n: count });
  jump.hidden = false;
}

export function hideJump(scroller) {
  const jump = scroller.querySelector("#jump");
  if (jump && !jump.hidden && Math.abs(scroller.scrollTop) < 48) {
    jump.hidden = true;
    jump.dataset.n = "0";
  }
}

/** Apply parts in order; returns how many messages of customers were new. */
export async function apply(parts) {
  let fresh = 0;
  for (const { to, how, html } of parts) {
    const target = document.getElementById(to);
    if (!target) continue;
    if (how === "append") fresh += append(target, html);
    else await htmx.swap({ target, text: html, swap: how === "replace" ? "outerMorph" : "innerMorph", sourceElement: target });
    document.dispatchEvent(new CustomEvent("parts", { detail: { to, how } }));
  }
  return fresh;
}
