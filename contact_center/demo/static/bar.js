// The demo's bar on every page: doors, how busy the floor is, the checklist, two ways to break things and what they lost.
(() => {
  const OPEN = "demo-panel";
  const SLOW_MS = 2000;
  const FAST_MS = 1000;
  const PATHS = {
    doors: "M4 21h16M7 21V4h10v17M13.5 12.5h.01",
    pause: "M9 5v14M15 5v14",
    calm: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20a7 7 0 0 1 14 0",
    busy: "M9 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 5.3a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8",
    list: "M10 6h10M10 12h10M10 18h10M3.5 6l1.2 1.2L7 5M3.5 12l1.2 1.2L7 11M3.5 18l1.2 1.2L7 17",
    zap: "M13 3 5 14h6l-1 7 8-11h-6z",
    close: "M6 6l12 12M18 6 6 18",
    done: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12.3l2.7 2.7L16 9.5",
    open: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
    waits: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7.5V12l3 2",
  };
  const strip = document.getElementById("demo-bar");
  if (!strip) return;
  const root = strip.attachShadow({ mode: "open" });
  let state = null;
  let parts = null;
  let timer = 0;
  let opener = null;

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  };

  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("d", PATHS[name]);
    svg.append(path);
    return svg;
  };

  /** Sets a text only where it differs, so that nothing is announced, selected or drawn anew without need. */
  const put = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  /** Replaces the children only when what they show has changed. */
  const renew = (element, key, children) => {
    const now = JSON.stringify(key);
    if (element.shownKey === now) return;
    element.shownKey = now;
    element.replaceChildren(...children());
  };

  const isOpen = () => sessionStorage.getItem(OPEN) === "1";

  // ---- what this page knows that the server cannot know

  /** The chat's messages that have not gone out, and the token of its visit: both lie in our own origin's storage. */
  const chat = () => {
    const outbox = [];
    let visit = "";
    for (const [key, value] of Object.entries(localStorage)) {
      if (/^cc:[^:]+:visit$/.test(key)) visit = value;
      if (!/^cc:[^:]+:out:/.test(key)) continue;
      const { client_id, text, at } = JSON.parse(value);
      outbox.push({ client_id, text, at });
    }
    return { outbox, visit };
  };

  /** The console's answers that have not gone out: its outbox lies in this origin's database, if there is one. */
  const answers = async () => {
    const name = `outbox-${document.body.dataset.user}`;
    if (!document.body.dataset.user || !(await indexedDB.databases()).some((one) => one.name === name)) return [];
    return new Promise((resolve) => {
      const opening = indexedDB.open(name);
      opening.onerror = () => resolve([]);
      opening.onsuccess = () => {
        const all = opening.result.transaction("items").objectStore("items").getAll();
        all.onerror = () => resolve([]);
        all.onsuccess = () => {
          opening.result.close();
          resolve(all.result.map(({ id, text, at }) => ({ client_id: id, text, at })));
        };
      };
    });
  };

  const told = async () => {
    const ticket = document.querySelector("[data-ticket][data-seq]")?.dataset.ticket ?? 0;
    const seq = Math.max(0, ...[...document.querySelectorAll("#timeline > [data-seq]")].map((one) => Number(one.dataset.seq)));
    const known = { panel: isOpen(), ticket, seq };
    try {
      const { outbox, visit } = chat();
      return JSON.stringify({ ...known, visit, outbox: state?.cut ? [...outbox, ...(await answers())] : [] });
    } catch {
      // A browser that keeps its storage to itself: what it could not send is counted where it was refused.
      return JSON.stringify(known);
    }
  };

  // ---- asking

  const ask = async (path) => {
    clearTimeout(timer);
    try {
      const answer = await fetch(path, { method: "POST", body: await told(), headers: { "Content-Type": "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      state = await answer.json();
      strip.classList.remove("away");
      show();
    } catch {
      // The server is away (that may be the point); the next look finds it again.
      if (parts) put(parts.away, state.words.away);
    }
    const fast = state && (isOpen() || state.cut || state.killed);
    timer = setTimeout(look, fast ? FAST_MS : SLOW_MS);
  };

  const look = () => {
    if (document.hidden) timer = setTimeout(look, SLOW_MS);
    else void ask("/demo/state");
  };

  const toggle = (wanted, from = null) => {
    sessionStorage.setItem(OPEN, wanted ? "1" : "0");
    if (wanted) opener = from;
    show();
    if (wanted) void ask("/demo/state");
    else if (opener) opener.focus();
  };

  const breakIt = (path) => {
    sessionStorage.setItem(OPEN, "1");
    void ask(path);
  };

  // ---- the bar

  const build = (words) => {
    const paces = ["pause", "calm", "busy"].map((name) =>
      make(
        "button",
        { type: "button", title: words[`${name}_hint`], "data-pace": name, onclick: () => ask(`/demo/pace?is=${name}`) },
        make("span", { class: "narrow" }, icon(name)),
        make("span", { class: "wide" }, words[name]),
        make("span", { class: "narrow sr" }, words[name]),
      ),
    );
    const count = make("span", { class: "count" });
    const list = make(
      "button",
      { type: "button", "aria-controls": "panel", "data-do": "checklist", onclick: () => toggle(!isOpen(), list) },
      icon("list"), make("span", {}, words.checklist), count,
    );
    const fold = make(
      "button",
      { type: "button", class: "narrow", "aria-controls": "panel", "data-do": "break", onclick: () => { toggle(true, fold); parts.again.querySelector("button").focus(); } },
      icon("zap"), words.break,
    );
    const breaker = (name, where) => make("button", { type: "button", class: where, "data-do": name, onclick: () => breakIt(`/demo/${name}`) });
    const cuts = [breaker("cut", "wide"), breaker("cut", "")];
    const kills = [breaker("kill", "wide"), breaker("kill", "")];
    const bar = make(
      "div", { class: "bar" },
      make("span", { class: "name wide" }, words.demo),
      make("a", { class: "home", href: state.home, title: words.doors }, icon("doors"), words.doors),
      make("span", { class: "sep" }),
      make("div", { class: "group", role: "group", "aria-label": words.pace }, ...paces),
      make("span", { class: "sep" }),
      list, make("span", { class: "sep wide" }), cuts[0], kills[0], fold,
    );
    const heading = make("h2", { id: "panel-title" });
    const steps = make("ol", { class: "steps" });
    const breaks = make("div", { class: "breaks" });
    const again = make("div", { class: "again" }, make("h3", {}, words.break), cuts[1], kills[1]);
    const books = make("p");
    const history = make("p", { class: "history" });
    const said = make("p", { class: "sr", role: "status" });
    const away = make("p", { class: "sr", role: "status" });
    const panel = make(
      "section", { class: "panel", id: "panel", "aria-labelledby": "panel-title", hidden: true },
      make("header", {}, heading, make("button", { type: "button", "aria-label": words.close, onclick: () => toggle(false) }, icon("close"))),
      steps, again, breaks,
      make("div", { class: "books" }, make("h3", {}, words.books), books, history), said,
    );
    panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      toggle(false);
    });
    root.append(bar, panel, away);
    return { words, paces, count, list, fold, cuts, kills, heading, steps, breaks, again, books, history, said, away, panel };
  };

  const show = () => {
    if (!state) return;
    if (parts && parts.words.demo !== state.words.demo) {
      root.querySelectorAll(".bar, .panel, .sr").forEach((one) => one.remove());
      parts = null;
    }
    parts ??= build(state.words);
    const { words } = parts;
    const open = isOpen();
    put(parts.away, "");
    for (const button of parts.paces) button.setAttribute("aria-pressed", String(button.dataset.pace === state.pace));
    const count = `${state.steps.filter((step) => step.done).length}/${state.steps.length}`;
    put(parts.count, count);
    put(parts.heading, `${words.checklist} ${count}`);
    for (const one of [parts.list, parts.fold]) one.setAttribute("aria-expanded", String(open));
    for (const [buttons, left, text, now] of [[parts.cuts, state.cut, words.cut, words.cut_now], [parts.kills, state.killed, words.kill, words.killed_now]]) {
      for (const button of buttons) {
        put(button, left ? `${now} ${left} s` : text);
        button.classList.toggle("down", left > 0);
      }
    }
    parts.panel.hidden = !open;
    if (open) fill(words);
  };

  const fill = (words) => {
    const next = state.steps.findIndex((step) => !step.done);
    // Links are signed anew each time: they are no change.
    const shown = state.steps.map(({ link, ...step }) => step);
    renew(parts.steps, shown, () => state.steps.map((step, place) => item(step, place === next, words)));
    renew(parts.breaks, state.breaks, () => state.breaks.map(report));
    put(parts.books, state.safe);
    put(parts.history, state.history);
    const over = state.breaks[0];
    if (over && !over.running) put(parts.said, `${over.title}: ${over.figures.map((one) => `${one.n} ${one.text}`).join(", ")}`);
  };

  const item = (step, next, words) =>
    make(
      "li", { class: step.done ? "done" : next ? "next" : null },
      icon(step.done ? "done" : "open"),
      make(
        "div", {},
        make("span", { class: "sr" }, `${step.done ? words.done : words.open}: `),
        `${step.text} `,
        step.link ? make("a", { href: step.link }, step.link_text) : null,
        step.more ? make("small", {}, step.more) : null,
      ),
    );

  const report = (one) => {
    const clock = (at) => new Date(at).toLocaleTimeString("en-GB");
    return make(
      "section", { class: one.running ? "running" : "over" },
      make("h3", {}, one.title),
      make(
        "dl", { class: "figures" },
        ...one.figures.map((figure) =>
          make("div", { class: figure.bad ? "bad" : figure.zero && !one.running ? "fine" : null }, make("dt", {}, figure.text), make("dd", {}, String(figure.n))),
        ),
      ),
      make(
        "ul", { class: "items" },
        ...one.items.map((entry) =>
          make(
            "li", { class: entry.done ? null : "waits" },
            icon(entry.done ? "done" : "waits"),
            make("time", { datetime: entry.at }, clock(entry.at)),
            make("span", { class: "text" }, entry.text, make("small", {}, entry.state)),
          ),
        ),
      ),
      make("div", { class: "notes" }, ...one.notes.map((note) => make("p", {}, note))),
    );
  };

  const style = make("link", { rel: "stylesheet", href: "/demo/static/bar-inside.css" });
  style.addEventListener("load", look);
  root.append(style);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && state) void ask("/demo/state"); });
})();
