// The launcher: all that runs before the first open. It talks to the loader over a port and brings in the chat when it is needed.
import { config, h, paint, storage, t } from "./base.js";

const launcher = document.getElementById("launcher");
const badge = document.getElementById("badge");
const panel = document.getElementById("panel");
const alone = window.parent === window;
let port = null;
let app = null;
let open = false;

const tell = (message) => port?.postMessage(message);

/** What the chat may ask of the page around it. */
const bridge = {
  panel,
  alone,
  page: "",
  user: null,
  isOpen: () => open,
  close,
  unread(count) {
    badge.hidden = count === 0;
    badge.textContent = count > 99 ? "99+" : String(count);
    launcher.setAttribute("aria-label", count ? t("launcher_unread", { n: count }) : t("launcher"));
    tell({ t: "unread", count });
  },
};

function styles(name) {
  return new Promise((resolve, reject) => {
    const link = h("link", { rel: "stylesheet", href: new URL(name, import.meta.url).href });
    link.onload = resolve;
    link.onerror = reject;
    document.head.append(link);
  });
}

function load() {
  app ??= Promise.all([import("./app.js"), styles("panel.css")]).then(([module]) => module.start(bridge));
  app.catch(() => {
    app = null;
  });
  return app;
}

function failed(text) {
  const again = () => {
    panel.replaceChildren();
    show(text);
  };
  panel.replaceChildren(
    h("p", { role: "alert" }, t("load_failed")),
    h("button", { type: "button", onclick: again }, t("try_again")),
    h("button", { type: "button", onclick: close }, t("close")),
  );
}

function show(text) {
  open = true;
  document.documentElement.dataset.view = "panel";
  launcher.hidden = true;
  panel.hidden = false;
  tell({ t: "open" });
  load().then(
    (chat) => open && chat.show(text),
    () => failed(text),
  );
}

function close() {
  if (!open || alone) return;
  open = false;
  document.documentElement.dataset.view = "launcher";
  panel.hidden = true;
  launcher.hidden = false;
  app?.then((chat) => chat.hide());
  launcher.focus();
  tell({ t: "close" });
}

function forget() {
  const done = () => {
    storage.clear();
    tell({ t: "gone" });
  };
  if (app) app.then((chat) => chat.stop()).then(done, done);
  else done();
}

function hear({ data }) {
  if (data.page) bridge.page = data.page;
  if (data.t === "open") show(data.text);
  if (data.t === "close") close();
  if (data.t === "shutdown") forget();
  if (data.t === "stored" || data.t === "locked") storage.hear(data);
  if (data.t === "update") {
    bridge.user = data.user;
    paint(data.theme);
  }
}

function meet(event) {
  if (event.source !== window.parent || event.data.cc !== "port") return;
  [port] = event.ports;
  port.onmessage = hear;
  storage.connect(tell, event.data.kept);
  hear({ data: { ...event.data, t: "update" } });
  const chatting = storage.get("visit") && !storage.get("ended");
  if (chatting || storage.names("out:").length) load().catch(() => {});
}

paint(document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
launcher.addEventListener("click", () => show(""));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && !event.isComposing) close();
});
if (alone) {
  show("");
} else {
  addEventListener("message", meet);
  const hello = { cc: "ready", title: t("title", { name: config.widget.name }), keep: storage.needsPage };
  window.parent.postMessage(hello, "*");
}
