// The call on the customer's phone: who, what was heard, which keys mean something; read aloud where that is wished.
window.phoneCall = (handset) => {
  const screen = handset.querySelector(".call-screen");
  const heard = screen.querySelector(".heard");
  const aloud = screen.querySelector(".aloud");
  const words = handset.dataset;
  const part = (name) => screen.querySelector(name);
  let call = "";
  let shown = 0;
  let endedAt = 0;
  let focusBack = null;
  let music = null;

  const quiet = () => {
    window.speechSynthesis?.cancel();
    music?.pause();
    music = null;
  };

  // Words in the voice of the browser, music from the product's own address; both only once a person asked for it.
  const sound = ({ kind, text, locale }) => {
    if (aloud.getAttribute("aria-pressed") !== "true") return;
    music?.pause();
    if (kind === "play") {
      music = new Audio(text);
      music.play().catch(() => {});
    } else if (window.speechSynthesis) {
      const said = new SpeechSynthesisUtterance(text);
      if (locale) said.lang = locale;
      window.speechSynthesis.speak(said);
    }
  };

  const line = ({ kind, text, locale }) => {
    const item = document.createElement("li");
    item.className = kind;
    item.textContent = kind === "play" ? `♪ ${words.music}` : text;
    if (locale && kind === "say") item.lang = locale;
    heard.append(item);
  };

  const hear = (sounds) => {
    const fresh = sounds.slice(shown);
    for (const one of fresh) {
      line(one);
      sound(one);
    }
    shown = sounds.length;
    if (fresh.length) heard.scrollTop = heard.scrollHeight;
  };

  aloud.addEventListener("click", () => {
    const on = aloud.getAttribute("aria-pressed") !== "true";
    aloud.setAttribute("aria-pressed", String(on));
    if (!on) quiet();
  });

  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

  const begin = (found) => {
    call = found.id;
    shown = 0;
    heard.replaceChildren();
    quiet();
  };

  const open = (going) => {
    if (going && screen.hidden) {
      focusBack = document.activeElement;
      screen.hidden = false;
      part(".end").focus();
    } else if (!going && !screen.hidden && Date.now() - endedAt > 4000) {
      screen.hidden = true;
      quiet();
      focusBack?.focus();
    }
  };

  const show = (found) => {
    const going = Boolean(found) && found.state !== "ended";
    if (going && found.id !== call) begin(found);
    // The screen stays for a moment after the call, so that one reads how it ended.
    if (going) endedAt = 0;
    else if (!endedAt) endedAt = Date.now();
    open(going);
    if (!found || screen.hidden) return;
    hear(found.heard);
    const state = found.state === "talking" ? words.talking.replace("{agent}", found.people.join(", ")) : words[found.state];
    const status = part(".call-state");
    if (status.textContent !== state) status.textContent = state;
    part(".timer").textContent = found.answered ? clock(found.seconds) : "";
    const recorded = part(".being-recorded");
    recorded.hidden = !found.recording;
    recorded.textContent = found.recording === "paused" ? words.paused : words.recording;
    part(".wants").textContent = found.wants === "voice" ? words.speak : "";
    part(".keypad").classList.toggle("is-wanted", Boolean(found.wants));
    for (const key of part(".keypad").children) key.disabled = !found.wants;
    part(".keypad").hidden = found.state === "incoming";
    part(".pick-up").hidden = found.state !== "incoming";
    part(".end").disabled = !going;
  };

  const ended = (ending, seconds) =>
    ending === "missed" ? words.missed : ending === "no-answer" || ending === "busy" ? words.refused : `${words.ended} · ${clock(seconds)}`;

  return { show, ended };
};
