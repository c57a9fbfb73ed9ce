// The demo's bar on every page: doors, how busy the floor is, the checklist, and two ways to break things.
(() => {
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "onclick") element.addEventListener("click", value);
      else if (value !== null) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  let state = null;
  let bar = null;
  let panel = null;

  const post = async (path) => {
    const answer = await fetch(path, { method: "POST" });
    if (answer.ok) show(await answer.json());
  };

  const look = async () => {
    try {
      const answer = await fetch("/demo/state", { headers: { accept: "application/json" } });
      if (answer.ok) show(await answer.json());
    } catch {
      // The server is away (that may be the point); the next look finds it again.
    }
  };

  const show = (next) => {
    state = next;
    const pace = (name) =>
      make("button", { type: "button", "aria-pressed": String(state.pace === name), onclick: () => post(`/demo/pace?is=${name}`) }, state.words[name]);
    const parts = [
      make("span", { class: "demo-name" }, state.words.demo),
      make("a", { href: state.home }, state.words.doors),
      make("span", { class: "demo-sep" }),
      pace("pause"), pace("calm"), pace("busy"),
      make("span", { class: "demo-sep" }),
      make("button", { type: "button", "aria-expanded": String(Boolean(panel)), onclick: toggle }, `${state.words.checklist} ${state.steps.filter((step) => step.done).length}/${state.steps.length}`),
      make("button", { type: "button", class: state.cut ? "demo-down" : null, onclick: () => post("/demo/cut") }, state.cut ? `${state.words.cut_now} ${state.cut} s` : state.words.cut),
      make("button", { type: "button", class: state.killed ? "demo-down" : null, onclick: () => post("/demo/kill") }, state.killed ? `${state.words.killed_now} ${state.killed} s` : state.words.kill),
    ];
    const focused = bar && bar.contains(document.activeElement) ? [...bar.children].indexOf(document.activeElement) : -1;
    if (!bar) {
      bar = make("nav", { class: "demo-bar", "aria-label": state.words.demo });
      document.body.append(bar);
    }
    bar.replaceChildren(...parts);
    if (focused >= 0) bar.children[focused].focus();
    if (panel) fill();
  };

  const fill = () => {
    const steps = state.steps.map((step) =>
      make("li", { class: step.done ? "done" : null }, step.link ? make("span", {}, `${step.text} `, make("a", { href: step.link }, step.link_text)) : step.text),
    );
    panel.replaceChildren(make("h2", {}, state.words.checklist), make("ol", {}, ...steps), make("p", {}, state.safe));
  };

  const toggle = () => {
    if (panel) {
      panel.remove();
      panel = null;
    } else {
      panel = make("section", { class: "demo-panel", "aria-label": state.words.checklist });
      document.body.append(panel);
      fill();
    }
    show(state);
  };

  look();
  setInterval(look, 2000);
})();
