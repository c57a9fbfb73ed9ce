// The launcher: all that runs before the first open. It talks to the loader over a port and brings in the chat when it is needed.
import { config, h, newId, paint, storage, t } from "./base.js";

const launcher = document.getElementById("launcher");
const badge = document.getElementById("badge");
const panel = document.getElementById("panel");
const alone = window.parent === window;
let port = null;
let app = null;
let open = false;
let invitations = null;
let asked = 0; // who the page says that its customer is: only the last word counts

const AGAIN_MS = [1_000, 5_000, 20_000];
const tell = (message) => port?.postMessage(message);

/** What the chat may ask of the page around it. */
const bridge = {
  panel,
  alone,
  page: "",
  user: null,
  identity: null,
  invited: null, // the invitation that was opened
  isOpen: () => open,
  busy: () => open || Boolean(storage.get("visit") && !storage.get("ended")) || storage.names("out:").length > 0,
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
  invitations?.withdraw();
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

/** Trades the page's signed token, which is good once, for what we say in every hello. */
async function identify(token) {
  asked += 1;
  const mine = asked;
  const body = JSON.stringify({ token, client_id: newId() }); // one id: a lost answer can be asked for again
  for (let attempt = 0; ; attempt += 1) {
    const answer = await fetch(`${config.base}/identity`, { method: "POST", body }).catch(() => null);
    if (mine !== asked) return;
    if (answer?.ok) return believed(await answer.json());
    if (answer && answer.status < 500 && answer.status !== 429) return console.error(`ContactCenter: ${(await answer.json()).detail}`);
    if (attempt === AGAIN_MS.length) return;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS[attempt]));
    if (mine !== asked) return;
  }
}

function believed(identity) {
  bridge.identity = identity;
  app?.then((chat) => chat.identified());
}

/** Nobody is signed in any more: this browser forgets whose conversation it had, in every tab. */
function reset() {
  asked += 1;
  bridge.identity = bridge.user = null;
  // The other tabs hear it in this order: what their forms would show goes first.
  for (const name of ["profile", "draft"]) storage.remove(name);
  storage.set("reset", String(Date.now()));
  bridge.invited = null;
  const done = () => {
    storage.clear();
    bridge.unread(0);
    close();
  };
  if (app) app.then((chat) => chat.reset()).then(done, done);
  else done();
}

/** The shop's invitations, where there are any; they come after the page's own work. */
async function invite() {
  if (bridge.quiet || !config.invitations.length) return;
  const [{ Invitations }] = await Promise.all([import("./invite.js"), styles("invite.css")]);
  const accepted = (rule) => {
    bridge.invited = rule;
    show("");
  };
  invitations = new Invitations({ bridge, launcher, tell, open: accepted });
}

function hear({ data }) {
  if (data.page && data.page !== bridge.page) {
    bridge.page = data.page;
    invitations?.moved();
  }
  if (data.t === "exit") invitations?.exit();
  if (data.t === "open") show(data.text);
  if (data.t === "close") close();
  if (data.t === "shutdown") forget();
  if (data.t === "identify") identify(data.token);
  if (data.t === "reset") reset();
  if (data.t === "stored" || data.t === "locked") storage.hear(data);
  if (data.t === "update") {
    Object.assign(bridge, { user: data.user, hidden: data.hidden, small: data.small });
    document.documentElement.dataset.side = data.side || config.widget.side;
    paint(data.theme);
  }
}

function meet(event) {
  if (event.source !== window.parent || event.data.cc !== "port") return;
  [port] = event.ports;
  port.onmessage = hear;
  storage.connect(tell, event.data.kept);
  bridge.quiet = event.data.quiet; // a preview beside a form: the focus stays where it is
  hear({ data: { ...event.data, t: "update" } });
  const chatting = storage.get("visit") && !storage.get("ended");
  if (chatting || storage.names("out:").length) load().catch(() => {});
  invite().catch(() => {}); // a bonus
}

storage.watch((name, value) => {
  if (name !== "reset" || !value) return;
  asked += 1;
  believed((bridge.user = null)); // another tab has signed out
});
paint(document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
launcher.addEventListener("click", () => (invitations?.visible ? invitations.accept() : show("")));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && !event.isComposing) close();
});
if (alone) {
  show("");
} else {
  addEventListener("message", meet);
  const hello = { cc: "ready", title: t("title", { name: config.widget.name }), side: config.widget.side, keep: storage.needsPage };
  window.parent.postMessage(hello, "*");
}
