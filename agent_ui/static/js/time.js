/* Times as the reader's clock and language say them. Loaded in the head without `defer`: the observer finishes every
 * <time data-as> while the page is parsed, and in every fragment that arrives later, before it is painted.
 * It also puts a line between two days of a timeline, because only the browser knows where a day ends. */
(() => {
  "use strict";
  const lang = document.documentElement.lang || "en";
  const fmt = (options) => new Intl.DateTimeFormat(lang, options);
  const CLOCK = fmt({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const SECOND = fmt({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const WEEKDAY = fmt({ weekday: "short" });
  const DAY = fmt({ day: "numeric", month: "short" });
  const DATE = fmt({ day: "numeric", month: "short", year: "numeric" });
  const FULL = fmt({ dateStyle: "full", timeStyle: "short" });
  const LONG_DAY = fmt({ weekday: "long", day: "numeric", month: "long" });
  // 45s, 12m, 3h, 5d, or in words where a language has no letters for them.
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].map(([unit, size]) =>
    [new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "narrow" }), size]);
  const TICKING = new Set(["ago", "left", "timer", "down"]);
  const live = new Set();
  let words = null;
  let skew = 0;

  const now = () => Date.now() + skew;
  const startOfDay = (ms) => new Date(ms).setHours(0, 0, 0, 0);

  function span(seconds) {
    const sign = seconds < 0 ? "−" : "";
    const rest = Math.floor(Math.abs(seconds));
    const [unit, size] = UNITS.find((found) => rest >= found[1]) || UNITS.at(-1);
    return sign + unit.format(Math.floor(rest / size));
  }

  function minutes(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole >= 86400) return span(whole);
    const two = (n) => String(n).padStart(2, "0");
    if (whole >= 3600) return Math.floor(whole / 3600) + ":" + two(Math.floor(whole / 60) % 60) + ":" + two(whole % 60);
    return Math.floor(whole / 60) + ":" + two(whole % 60);
  }

  function smart(at) {
    const days = Math.round((startOfDay(now()) - startOfDay(at)) / 864e5);
    if (days === 0) return CLOCK.format(at);
    if (days > 0 && days < 7) return WEEKDAY.format(at);
    return days < 300 ? DAY.format(at) : DATE.format(at);
  }

  function text(as, at) {
    switch (as) {
      case "clock": return CLOCK.format(at);
      case "second": return SECOND.format(at);
      case "moment": return startOfDay(at) === startOfDay(now()) ? CLOCK.format(at) : WEEKDAY.format(at) + " " + CLOCK.format(at);
      case "date": return DATE.format(at);
      case "full": return FULL.format(at);
      case "ago": return span((now() - at) / 1000);
      case "left": return span((at - now()) / 1000);
      case "timer": return minutes((now() - at) / 1000);
      case "down": return minutes(Math.ceil((at - now()) / 1000));
      default: return smart(at);
    }
  }

  function show(el) {
    const at = Date.parse(el.dateTime);
    if (Number.isNaN(at)) return;
    const said = text(el.dataset.as, at);
    if (el.textContent !== said) el.textContent = said;
    if (!el.title && el.dataset.as !== "down") el.title = FULL.format(at);
    if (el.dataset.as === "left") {
      const chip = el.closest("[data-sla]");
      if (chip) {
        chip.classList.toggle("breached", at <= now());
        chip.classList.toggle("risk", at > now() && Boolean(chip.dataset.warn) && Date.parse(chip.dataset.warn) <= now());
      }
    }
    if (TICKING.has(el.dataset.as)) live.add(el);
  }

  function said(key) {
    words ??= JSON.parse(document.getElementById("strings")?.textContent ?? "{}");
    return words[key] ?? "";
  }

  function dayName(ms) {
    const days = Math.round((startOfDay(now()) - startOfDay(ms)) / 864e5);
    return (days === 0 && said("today")) || (days === 1 && said("yesterday")) || LONG_DAY.format(ms);
  }

  function days(timeline) {
    let last = null;
    for (const item of [...timeline.children]) {
      if (item.classList.contains("day")) { item.remove(); continue; }
      const el = item.querySelector("time[datetime]");
      if (!el) continue;
      const at = Date.parse(el.dateTime);
      const day = startOfDay(at);
      if (day !== last) {
        const line = document.createElement("div");
        line.className = "day";
        line.dataset.day = String(day);
        line.textContent = dayName(at);
        timeline.insertBefore(line, item);
        last = day;
      }
    }
  }

  function visit(root) {
    if (root.nodeType !== 1) return;
    if (root.matches("time[data-as]")) show(root);
    for (const el of root.querySelectorAll("time[data-as]")) show(el);
  }

  const timelines = () => document.querySelectorAll("#timeline");
  const observer = new MutationObserver((changes) => {
    let grew = false;
    for (const change of changes) {
      if (change.type === "attributes") { show(change.target); continue; }
      // A morph may put the server's text back into a <time> that stays.
      const written = (change.target.nodeType === 3 ? change.target.parentElement : change.target)?.closest("time[data-as]");
      if (written) { show(written); continue; }
      for (const node of change.addedNodes) {
        visit(node);
        grew ||= node.nodeType === 1 && !node.classList.contains("day") && (node.matches(".msg, .event") || node.querySelector(".timeline") !== null);
      }
    }
    if (grew) timelines().forEach(days);
  });
  observer.observe(document.documentElement, { childList: true, characterData: true, subtree: true, attributes: true, attributeFilter: ["datetime"] });

  setInterval(() => {
    for (const el of live) {
      if (el.isConnected) show(el);
      else live.delete(el);
    }
    // What holds until a moment goes at that moment, not with the next change.
    for (const el of document.querySelectorAll("[data-holds-until]")) el.hidden = Date.parse(el.dataset.holdsUntil) <= now();
  }, 1000);
  document.addEventListener("DOMContentLoaded", () => { words = null; timelines().forEach(days); });

  window.clock = { now, minutes, span, days, setServerTime: (ms) => { skew = ms - Date.now(); } };
})();
