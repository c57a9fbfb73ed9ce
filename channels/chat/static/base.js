// What every part of the widget stands on: settings and texts of the page, storage, elements, icons.

export const config = JSON.parse(document.getElementById("config").textContent);

const plural = new Intl.PluralRules(config.locale);

/** The text of a key; {name} is filled from values, and values.n chooses between "key.one" and "key.other". */
export function t(key, values = {}) {
  const form = values.n === undefined ? key : `${key}.${plural.select(values.n)}`;
  const text = config.texts[form] ?? config.texts[`${key}.other`] ?? config.texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function openStorage() {
  try {
    const storage = window.localStorage;
    storage.setItem("cc:probe", "1");
    storage.removeItem("cc:probe");
    return storage;
  } catch {
    return null; // browsers that block third-party storage: the page around us keeps it, through the loader
  }
}

const disk = openStorage();
const memory = new Map();
const prefix = `cc:${config.key}:`;
const watchers = new Set();
const locked = new Map();
let page = null; // tells the loader, once it is there

function changed(name, value) {
  for (const watcher of watchers) watcher(name, value);
}

/** What must survive a reload: in our origin's storage, or else in the page's, or else in this tab only. */
export const storage = {
  needsPage: !disk,
  get(name) {
    return memory.get(name) ?? disk?.getItem(prefix + name) ?? null;
  },
  set(name, value) {
    try {
      if (!disk) throw new Error("no storage");
      disk.setItem(prefix + name, value);
      memory.delete(name);
    } catch {
      memory.set(name, value); // full or blocked
      page?.({ t: "keep", name, value });
    }
  },
  remove(name) {
    memory.delete(name);
    disk?.removeItem(prefix + name);
    if (!disk) page?.({ t: "keep", name, value: null });
  },
  names(start) {
    const found = [...memory.keys()].filter((name) => name.startsWith(start));
    for (let i = 0; disk && i < disk.length; i += 1) {
      const key = disk.key(i);
      if (key.startsWith(prefix + start)) found.push(key.slice(prefix.length));
    }
    return found.sort();
  },
  clear() {
    for (const name of storage.names("")) storage.remove(name);
  },
  /** Calls back with (name, value or null) when another tab changes something. */
  watch(watcher) {
    watchers.add(watcher);
  },
  /** The page keeps what we may not: `kept` is what it has, `tell` reaches it. */
  connect(tell, kept) {
    if (disk) return;
    for (const [name, value] of Object.entries(kept ?? {})) memory.set(name, value);
    page = tell;
  },
  /** What the loader says about another tab, or about a lock. */
  hear({ t: kind, name, value }) {
    if (kind === "locked") return locked.get(name)?.(() => page({ t: "unlock", name }));
    if (value === null) memory.delete(name);
    else memory.set(name, value);
    return changed(name, value);
  },
};

addEventListener("storage", (event) => event.key?.startsWith(prefix) && changed(event.key.slice(prefix.length), event.newValue));

/** Resolves to the function that releases the lock; one holder among all tabs, where the browser knows locks. */
export function lock(name) {
  return new Promise((granted) => {
    if (disk && navigator.locks) {
      navigator.locks.request(prefix + name, () => new Promise((release) => granted(release)));
    } else if (page) {
      locked.set(name, granted);
      page({ t: "lock", name });
    } else {
      granted(() => {});
    }
  });
}

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";

/** 24 characters with 144 random bits; crypto.randomUUID is missing on plain http. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => ALPHABET[byte & 63]).join("");
}

/** An element: h("button", {class: "x", onclick: f, "aria-label": "y"}, "text", node, null). */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const PATHS = {
  down: "M6 9.5l6 6 6-6",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  clip: "M20.5 11.2l-8.4 8.4a5.2 5.2 0 0 1-7.4-7.4l8.6-8.6a3.5 3.5 0 0 1 4.9 4.9l-8.6 8.6a1.7 1.7 0 0 1-2.4-2.4l7.9-7.9",
  send: "M12 19V5M6 11l6-6 6 6",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  check: "M5 12.5l4.5 4.5L19 7.5",
  checks: "M2.5 12.5L7 17l8.5-9M11.5 16.5l.5.5 9-9.5",
  clock: "M12 7.5V12l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  alert: "M12 8v4.5M12 16h.01M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  file: "M13.5 3.5H7a1.5 1.5 0 0 0-1.5 1.5v14A1.5 1.5 0 0 0 7 20.5h10a1.5 1.5 0 0 0 1.5-1.5V8.5zM13.5 3.5v5h5",
  star: "M12 3.6l2.6 5.3 5.8.8-4.2 4.1 1 5.8-5.2-2.7-5.2 2.7 1-5.8-4.2-4.1 5.8-.8z",
  mail: "M4 6h16v12H4zM4.5 6.5L12 13l7.5-6.5",
  retry: "M20 12a8 8 0 1 1-2.4-5.7M20 4v4.5h-4.5",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `icon icon-${name}`);
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Relative luminance of #rrggbb as WCAG defines it. */
function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Sets the theme and the widget's accent, with ink on it that stays readable. */
export function paint(theme) {
  const root = document.documentElement;
  root.dataset.theme = theme;
  const accent = config.widget.accent;
  root.style.setProperty("--accent", accent);
  root.style.setProperty("--on-accent", luminance(accent) > 0.36 ? "#14171c" : "#ffffff");
}
