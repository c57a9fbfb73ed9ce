// The forms around a conversation: before it (who are you), instead of it (we are closed), after it (survey, transcript).
import { suggestions } from "./articles.js";
import { config, h, icon, newId, storage, t } from "./base.js";
import { initials } from "./log.js";

const PHONE_MS = 4_000;
const MAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
let count = 0;

function labelled(label, control, { optional = false } = {}) {
  count += 1;
  control.id ||= `field-${count}`;
  const note = optional && h("span", { class: "optional" }, t("optional"));
  const error = h("p", { class: "error", id: `${control.id}-error`, hidden: true });
  control.setAttribute("aria-describedby", error.id);
  control.addEventListener("input", () => complain(control, ""));
  const node = h("div", { class: "line" }, h("label", { for: control.id }, label, note), control, error);
  return node;
}

function complain(control, text) {
  const error = control.getRootNode().getElementById?.(`${control.id}-error`);
  if (!error) return;
  error.textContent = text;
  error.hidden = !text;
  if (text) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

/** Marks every wrong field and puts the focus on the first one; true if nothing is wrong. */
function check(rules) {
  const wrong = rules.filter(([control, fine, text]) => {
    complain(control, fine ? "" : text);
    return !fine;
  });
  wrong[0]?.[0].focus();
  return wrong.length === 0;
}

const input = (props) => h("input", { autocomplete: "off", maxlength: "200", ...props });
const mailFine = (control, needed) => (control.value.trim() ? MAIL.test(control.value.trim()) : !needed);

const filled = (control, needed) => control.value.trim() !== "" || !needed;

const digits = (control, needed) => (control.value.trim() ? control.value.replace(/\D/g, "").length >= 6 : !needed);

/** What the form before a chat may ask for. */
const FIELDS = {
  name: { props: { autocomplete: "name" }, fine: filled, wrong: "need_name" },
  email: { props: { type: "email", autocomplete: "email", inputmode: "email" }, fine: mailFine, wrong: "need_email" },
  phone: { props: { type: "tel", autocomplete: "tel", inputmode: "tel", maxlength: "40" }, fine: digits, wrong: "need_phone" },
};

export function profile() {
  try {
    return JSON.parse(storage.get("profile")) ?? {};
  } catch {
    return {};
  }
}

/** What an identity says about somebody, without what it does not say. */
export function told(identity) {
  return Object.fromEntries(["name", "email"].filter((key) => identity?.[key]).map((key) => [key, identity[key]]));
}

/** A field that no person sees or reaches; who fills it in is a program. */
function honeypot() {
  const field = input({ name: "website", tabindex: "-1" });
  return h("label", { class: "trap", "aria-hidden": "true" }, "Website", field);
}

/** The shop's line about what happens to the customer's words, with its link. */
function consent() {
  const text = config.texts.consent;
  const { consent_url: url } = config.widget;
  if (!text) return null;
  return h("p", { class: "consent" }, url ? h("a", { href: url, target: "_blank", rel: "noopener" }, text) : text);
}

/** What we have said first: it stands above the form as it will stand in the conversation. */
function greeting({ name, text }) {
  const face = h("span", { class: "face", "aria-hidden": "true" }, initials(name));
  const said = h("div", { class: "said" }, h("div", { class: "who" }, name), h("div", { class: "bubble" }, text));
  return h("div", { class: "greeting row agent first last" }, face, said);
}

function hero(title, text) {
  return h("div", { class: "hero" }, h("h2", {}, title), h("p", {}, text));
}

/** What it may be about; its first line chooses nothing. */
function choices(given) {
  const { choices: offered } = config.widget;
  if (!offered.length) return null;
  const options = offered.map(({ id, name }) => h("option", { value: String(id), selected: given === id }, name));
  return h("select", { name: "choice", "aria-required": "true" }, h("option", { value: "" }, t("choose")), options);
}

/** A number as the server reads it; "" if nobody could dial it, as it is if nobody can be asked. */
async function dialled(number) {
  try {
    const query = new URLSearchParams({ number });
    const answer = await fetch(`${config.base}/phone?${query}`, { signal: AbortSignal.timeout?.(PHONE_MS) });
    if (answer.ok) return (await answer.json()).phone;
    return answer.status === 422 ? "" : number;
  } catch {
    return number;
  }
}

/**
 * The form before a chat: what the widget wants to know and the page has not proved, and the first message; onStart(text).
 * While nobody answers, or not what was chosen, its message becomes a mail: onMail(data): promise of {number}.
 * closed(choice id or 0): null while somebody answers, or when they are back ("" if unknown).
 */
export function intro({ user, identity, text, invited, closed, onStart, onMail }) {
  const known = identity ? user : { ...profile(), ...user };
  const { asks } = config.widget;
  const clientId = newId(); // one until it worked
  const choice = choices(profile().choice);
  const chosen = () => Number(choice?.value ?? 0);
  const away = () => closed(chosen());
  const needs = (id) => asks[id] === "required" || (id === "email" && away() !== null);
  const lines = {};
  const controls = {};
  for (const id of Object.keys(FIELDS).filter((one) => !identity?.[one])) {
    controls[id] = input({ name: id, value: known[id] ?? "", ...FIELDS[id].props });
    lines[id] = labelled(t(id), controls[id], { optional: true });
  }
  const message = h("textarea", { name: "text", rows: "4", "aria-required": "true", maxlength: String(config.limits.text) });
  message.value = text || storage.get("draft") || "";
  message.addEventListener("input", () => storage.set("draft", message.value));
  message.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) node.requestSubmit();
  });
  const messageLine = labelled(t("message"), message);
  const trap = honeypot();
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "primary" });
  const why = h("p", { class: "hint", id: "email-why" }, t("email_why"));
  const top = h("div", { class: "top", "aria-live": "polite" });
  const asked = () => Object.keys(controls).filter((id) => !lines[id].hidden);

  /** Follows the choice: a chat, or a mail while nobody answers it. */
  const dress = () => {
    const when = away();
    const live = when === null;
    for (const id of Object.keys(lines)) {
      lines[id].hidden = asks[id] === "never" && (live || id === "phone");
      lines[id].querySelector(".optional").hidden = needs(id);
      controls[id].setAttribute("aria-required", String(needs(id)));
    }
    why.hidden = !lines.email || lines.email.hidden || !live;
    // What is hidden would still be read as a description.
    controls.email?.setAttribute("aria-describedby", `${controls.email.id}-error${why.hidden ? "" : ` ${why.id}`}`);
    button.textContent = t(live ? "start" : "send_mail");
    messageLine.firstChild.firstChild.textContent = t(live && !invited ? "how_can_we_help" : "message");
    const said = live ? !invited && [t("greeting"), t("greeting_more")] : [t("closed"), when ? t("closed_until", { when }) : t("closed_more")];
    if (top.dataset.said === String(said)) return;
    top.dataset.said = String(said);
    top.replaceChildren(...[invited && greeting(invited), said && hero(...said)].filter(Boolean));
  };
  choice?.addEventListener("change", dress);

  const mail = async (given) => {
    const data = { client_id: clientId, ...given, choice: chosen(), website: trap.lastChild.value, text: message.value.trim() };
    try {
      const { number } = await onMail(data);
      storage.remove("draft");
      node.replaceWith(thanks(t("mail_taken"), t("mail_taken_more", { email: data.email, number })));
    } catch {
      problem.textContent = t("mail_failed");
      problem.hidden = false;
    }
  };
  const submit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    const fine = check([
      ...asked().map((id) => [controls[id], FIELDS[id].fine(controls[id], needs(id)), t(FIELDS[id].wrong)]),
      ...(choice ? [[choice, choice.value !== "", t("need_choice")]] : []),
      [message, message.value.trim() !== "", t("need_text")],
    ]);
    if (!fine) return;
    const live = away() === null;
    if (live && trap.lastChild.value) return;
    button.disabled = true;
    problem.hidden = true;
    const given = Object.fromEntries(asked().map((id) => [id, controls[id].value.trim()]));
    if (given.phone) given.phone = await dialled(given.phone);
    if (asked().includes("phone") && controls.phone.value.trim() && !given.phone) check([[controls.phone, false, t("need_phone")]]);
    else {
      const kept = identity ? { phone: given.phone } : given;
      storage.set("profile", JSON.stringify({ ...kept, choice: chosen() }));
      if (live) {
        storage.remove("draft");
        onStart(message.value.trim());
      } else await mail({ name: "", ...told(identity), ...given });
    }
    button.disabled = false;
  };
  const node = h(
    "form",
    { class: "form", novalidate: true, onsubmit: submit },
    identity && h("p", { class: "signed" }, icon("check"), t("signed_in", { name: identity.name || identity.email || identity.subject })),
    lines.name,
    lines.email && [lines.email, why],
    lines.phone,
    choice && labelled(t("choice"), choice),
    messageLine,
    suggestions(message),
    trap,
    consent(),
    problem,
    button,
  );
  dress();
  return h("div", { class: "view" }, top, node);
}

function thanks(title, text) {
  const heading = h("h2", { tabindex: "-1" }, title);
  requestAnimationFrame(() => heading.focus());
  return h("div", { class: "thanks", role: "status" }, icon("check"), heading, h("p", {}, text));
}

/** One to five, as radio buttons that look like stars, each with its word. onScore(score, comment). */
export function survey({ onScore }) {
  const words = ["poor", "fair", "good", "great", "excellent"].map((word) => t(word));
  const word = h("span", { class: "word", "aria-hidden": "true" }, t("tap_a_star"));
  const comment = h("textarea", { rows: "2", maxlength: "2000", placeholder: t("comment"), "aria-label": t("comment") });
  const send = h("button", { type: "submit", class: "secondary" }, t("send_rating"));
  const more = h("div", { class: "more", hidden: true }, comment, send);
  const stars = words.map((label, at) => {
    const radio = h("input", { type: "radio", name: "score", value: String(at + 1), class: "hidden", "aria-label": label });
    radio.addEventListener("change", () => choose(at + 1));
    return h("label", { class: "star", title: label }, radio, icon("star"));
  });
  const fill = (until) => stars.forEach((star, at) => star.classList.toggle("on", at < until));
  let chosen = 0;
  function choose(value) {
    chosen = value;
    fill(value);
    word.textContent = words[value - 1];
    more.hidden = false;
  }
  const submit = (event) => {
    event.preventDefault();
    if (chosen) onScore(chosen, comment.value.trim());
  };
  return h(
    "form",
    { class: "survey", onsubmit: submit },
    h("fieldset", {}, h("legend", {}, t("how_was_it")), h("div", { class: "stars" }, stars), word),
    more,
  );
}

/** Asks for an address; onMail(email). */
export function mailForm({ label, button, email, onMail }) {
  const field = input({ type: "email", autocomplete: "email", inputmode: "email", value: email ?? "" });
  const submit = (event) => {
    event.preventDefault();
    if (check([[field, mailFine(field, true), t("need_email")]])) onMail(field.value.trim());
  };
  return h(
    "form",
    { class: "mail", novalidate: true, onsubmit: submit },
    labelled(label, field),
    h("button", { type: "submit", class: "secondary" }, button),
  );
}
