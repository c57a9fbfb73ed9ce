/* Offers: they take no focus. Countdown as text and ring, one alert sentence, the time left spoken at 20, 10 and 5 s,
 * a sound that can be muted (one tab only), a browser notification, a mark in the title, Alt+A. */
import { setOffers } from "./title.js";
import { say, toast, word, failure } from "./words.js";

const known = new Set();
let ticking = 0;
let audio = null;

const cards = () => [...document.querySelectorAll("[data-offer]")];

function chime() {
  audio ??= new AudioContext();
  if (audio.state === "suspended") void audio.resume();
  [[0, 660], [0.14, 880]].forEach(([after, pitch]) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const start = audio.currentTime + after;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(0.12, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, start + 0.28);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.3);
  });
}

/** Run `work` in one tab only, however many the person has open. */
function once(name, work) {
  if (!navigator.locks) { work(); return; }
  void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
    if (!lock) return null;
    work();
    return new Promise((resolve) => setTimeout(resolve, 3000));
  });
}

function arrive(card) {
  known.add(card.dataset.offer);
  say(card.dataset.say, true);
  once("offer-" + card.dataset.offer, () => {
    if (document.body.dataset.sound === "on" && navigator.userActivation?.hasBeenActive) chime();
    if (document.hidden && "Notification" in window && Notification.permission === "granted") {
      const note = new Notification(card.dataset.say, { tag: "offer-" + card.dataset.offer });
      note.onclick = () => { window.focus(); note.close(); };
    }
  });
}

function tick() {
  const open = cards();
  for (const card of open) {
    const total = Date.parse(card.dataset.expires) - Date.parse(card.dataset.offered);
    const left = Math.max(0, Date.parse(card.dataset.expires) - clock.now());
    card.querySelector(".arc").setAttribute("stroke-dasharray", `${(100 * left) / total} 100`);
    card.querySelector(".ring").toggleAttribute("data-low", left < 10000);
    const seconds = Math.ceil(left / 1000);
    if ([20, 10, 5].includes(seconds) && card.dataset.said !== String(seconds) && total > seconds * 1000) {
      card.dataset.said = String(seconds);
      say(word("seconds_left", { n: seconds }));
    }
  }
  if (!open.length) { clearInterval(ticking); ticking = 0; }
}

function look() {
  const open = cards();
  for (const card of open) if (!known.has(card.dataset.offer)) arrive(card);
  setOffers(open.length, word("offer_title"));
  if (open.length && !ticking) { ticking = setInterval(tick, 250); tick(); }
}

async function answer(form, body) {
  const response = await fetch(form.action, {
    method: "POST", body: new URLSearchParams(body), headers: { Accept: "application/json" }, credentials: "same-origin",
  }).catch(() => null);
  const told = response ? await response.json().catch(() => ({})) : {};
  const card = form.closest("[data-offer]");
  if (response?.ok) {
    card?.remove();
    look();
    return told;
  }
  if (response?.status === 401) document.dispatchEvent(new CustomEvent("session-ended"));
  else if (response?.status === 409) { card?.remove(); look(); toast(told.detail || word("taken")); }
  else toast(failure(response?.status ?? 0, told.detail, told.request_id), { bad: true });
  return null;
}

async function accept(form) {
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  performance.mark("accept");
  const told = await answer(form, {});
  delete form.dataset.busy;
  if (!told) return;
  if (document.getElementById("ticket")) document.dispatchEvent(new CustomEvent("open-ticket", { detail: { url: told.url, focus: "reply" } }));
  else location.assign(told.url + "?focus=reply");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.accept) { event.preventDefault(); void accept(form); }
  else if (form.dataset.decline) { event.preventDefault(); void answer(form, { reason: event.submitter.value }); }
});
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyA") return;
  const first = document.querySelector("form[data-accept]");
  if (first) { event.preventDefault(); void accept(first); }
});
document.addEventListener("parts", (event) => { if (event.detail.to === "offers") look(); });
look();
