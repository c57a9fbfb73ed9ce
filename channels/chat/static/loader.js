/* Contact center chat: puts our iframe into the page. Needs script-src and frame-src with our host, nothing inline. */
(() => {
  "use strict";
  const early = window.ContactCenter;
  if (early && early.version) return;
  const script = document.currentScript;
  const origin = new URL(script.src).origin;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const listeners = new Set();
  let options = {};
  let frame = null;
  let port = null;
  let waiting = [];
  let open = false;
  let hidden = false;
  let unread = 0;
  let invite = 0; // how high the frame is with an invitation
  let opener = null;

  const theme = () => options.theme || (dark.matches ? "dark" : "light");
  const page = () => location.origin + location.pathname;
  const settings = () => ({ page: page(), user: options.user || null, theme: theme(), side: options.side, hidden, small: innerWidth < 480 });
  const told = () => tell({ t: "update", ...settings() });
  const tell = (message) => (port ? port.postMessage(message) : waiting.push(message));

  function place() {
    if (!frame) return;
    const full = open && innerWidth < 480;
    const side = options.side === "left" ? "left" : "right";
    const edge = full ? "0" : open ? "20px" : "8px";
    Object.assign(frame.style, {
      position: "fixed",
      inset: "auto",
      bottom: edge,
      [side]: edge,
      width: full ? "100%" : open ? "min(380px, calc(100vw - 40px))" : invite ? "min(352px, calc(100vw - 16px))" : "88px",
      height: full ? "100%" : open ? "min(640px, calc(100vh - 40px))" : `${Math.max(invite, 88)}px`,
      border: "0",
      margin: "0",
      padding: "0",
      maxWidth: "none",
      maxHeight: "none",
      zIndex: "2147483000",
      background: "transparent",
      // A frame whose scheme differs from its element's is painted opaque; ours is always light at the root.
      colorScheme: "light",
      borderRadius: open && !full ? "16px" : "0",
      boxShadow: open && !full ? "0 0 0 1px rgb(0 0 0 / .08), 0 12px 40px rgb(0 0 0 / .2)" : "none",
      display: hidden ? "none" : "block",
      visibility: port ? "visible" : "hidden",
    });
    document.documentElement.style.overflow = full ? "hidden" : "";
  }

  function opened(now) {
    if (open === now) return;
    open = now;
    place();
    if (open && !calm.matches)
      frame.animate([{ opacity: 0, transform: "translateY(12px)" }, { opacity: 1, transform: "none" }], {
        duration: 180,
        easing: "ease-out",
      });
    if (!open && opener) opener.focus();
    if (!open) opener = null;
  }

  // Where the browser denies storage to a third-party frame, the page keeps its few entries and its lock.
  const shelf = () => `cc:${options.widget}:`;
  const releases = {};

  function kept() {
    try {
      const entries = Object.entries(localStorage).filter(([key]) => key.startsWith(shelf()));
      return Object.fromEntries(entries.map(([key, value]) => [key.slice(shelf().length), value]));
    } catch {
      return {};
    }
  }

  function keep({ name, value }) {
    try {
      if (value === null) localStorage.removeItem(shelf() + name);
      else localStorage.setItem(shelf() + name, value);
    } catch {
      // blocked here as well: the frame still has it in memory
    }
  }

  function lock({ name }) {
    const granted = () => tell({ t: "locked", name });
    if (!navigator.locks) return granted();
    navigator.locks.request(shelf() + name, () => {
      granted();
      return new Promise((release) => (releases[name] = release));
    });
  }

  function hear({ data }) {
    if (data.t === "keep") keep(data);
    if (data.t === "lock") lock(data);
    if (data.t === "unlock") releases[data.name]?.();
    if (data.t === "open") opened(true);
    if (data.t === "close") opened(false);
    if (data.t === "gone") remove();
    if (data.t === "invite") {
      invite = data.height;
      place();
    }
    if (data.t === "unread" && data.count !== unread) {
      unread = data.count;
      listeners.forEach((listener) => listener(unread));
    }
  }

  function greet(event) {
    if (!frame || event.source !== frame.contentWindow || event.origin !== origin || event.data.cc !== "ready") return;
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = hear;
    frame.title = event.data.title;
    options.side ||= event.data.side;
    const first = { cc: "port", ...settings(), kept: event.data.keep ? kept() : null };
    frame.contentWindow.postMessage(first, origin, [channel.port2]);
    waiting.splice(0).forEach(tell);
    place();
  }

  function remove() {
    opened(false);
    if (frame) frame.remove();
    frame = port = null;
    waiting = [];
    invite = 0;
  }

  const api = {
    boot(given) {
      if (frame) return api.update(given);
      options = { ...script.dataset, ...given };
      if (!options.widget) return console.error("ContactCenter: boot needs the key of a widget");
      const query = new URLSearchParams({ locale: options.locale || navigator.language, theme: theme() });
      frame = document.createElement("iframe");
      frame.src = `${origin}/widget/${encodeURIComponent(options.widget)}/frame?${query}`;
      frame.title = "Chat";
      frame.allow = "clipboard-write";
      place();
      document.body.append(frame);
      if (options.token) api.identify(options.token);
    },
    update(given) {
      Object.assign(options, given);
      told();
      place();
    },
    open(text) {
      if (!frame) api.boot();
      opener = document.activeElement;
      hidden = false;
      place();
      if (frame) frame.focus();
      tell({ t: "open", text: text || "", page: page() });
    },
    close: () => tell({ t: "close" }),
    identify: (token) => tell({ t: "identify", token }),
    reset() {
      options.user = options.token = null;
      tell({ t: "reset" });
    },
    show() {
      hidden = false;
      told();
      place();
    },
    hide() {
      tell({ t: "close" });
      opened(false);
      hidden = true;
      told();
      place();
    },
    shutdown: () => (port ? tell({ t: "shutdown" }) : remove()),
    onUnreadCountChange(listener) {
      listeners.add(listener);
      listener(unread);
    },
  };

  const call = (command, ...rest) => {
    if (!Object.hasOwn(api, command)) return console.error(`ContactCenter: unknown command ${command}`);
    return api[command](...rest);
  };
  call.version = 1;
  window.ContactCenter = call;
  addEventListener("message", greet);
  addEventListener("resize", place);
  addEventListener("storage", ({ key, newValue }) => {
    if (port && key && key.startsWith(shelf())) tell({ t: "stored", name: key.slice(shelf().length), value: newValue });
  });
  dark.addEventListener("change", told);
  if (window.navigation) navigation.addEventListener("navigatesuccess", () => port && told());
  document.documentElement.addEventListener("pointerleave", ({ clientY, pointerType }) => {
    if (port && clientY <= 0 && pointerType === "mouse") tell({ t: "exit" });
  });

  const begin = () => {
    if (script.dataset.widget && script.dataset.boot !== "manual") api.boot();
    ((early && early.q) || []).forEach((args) => call(...args));
  };
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
