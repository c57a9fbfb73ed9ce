// Help articles that fit what the customer is writing, shown under the field while they write. Silent when there are none.
import { config, h, icon, t } from "./base.js";

const PAUSE_MS = 500;
const LEAST = 8;

/** A list that follows a field: it asks after a pause in the writing, and a newer question wins over an older one. */
export function suggestions(field) {
  const list = h("ul", {});
  const node = h("div", { class: "helps", role: "status", hidden: true }, h("p", {}, t("perhaps")), list);
  let timer = null;
  let asking = null;
  const show = (articles) => {
    node.hidden = articles.length === 0;
    const links = articles.map(({ title, url }) => h("a", { href: url, target: "_blank", rel: "noopener" }, icon("file"), h("span", {}, title)));
    list.replaceChildren(...links.map((link) => h("li", {}, link)));
  };
  const ask = async () => {
    asking?.abort();
    const text = field.value.trim();
    if (text.length < LEAST) return show([]);
    asking = new AbortController();
    const query = new URLSearchParams({ q: text.slice(0, 300), locale: config.locale });
    try {
      const answer = await fetch(`${config.base}/articles?${query}`, { signal: asking.signal });
      return show(answer.ok ? (await answer.json()).articles : []);
    } catch {
      return undefined; // aborted, or offline: help is a bonus
    }
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  });
  return node;
}
