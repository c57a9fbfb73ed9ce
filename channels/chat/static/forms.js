// The forms around a conversation: before it (who are you), instead of it (we are closed), after it (survey, transcript).
import { suggestions } from "./articles.js";
import { config, h, icon, storage, t } from "./base.js";
import { newId } from "./outbox.js";

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

export function profile() {
  try {
    return JSON.parse(storage.get("profile")) ?? {};
  } catch {
    return {};
  }
}

function hero(title, text) {
  return h("div", { class: "hero" }, h("h2", {}, title), h("p", {}, text));
}

/** Asks for what the widget wants to know, and for the first message; onStart(text). */
export function welcome({ user, text, onStart }) {
  const known = { ...profile(), ...user };
  const asks = config.widget.ask_email;
  const name = input({ name: "name", autocomplete: "name", value: known.name ?? "" });
  const email = input({ name: "email", type: "email", autocomplete: "email", inputmode: "email", value: known.email ?? "" });
  const message = h("textarea", { name: "text", rows: "4", maxlength: String(config.limits.text) });
  message.value = text || storage.get("draft") || "";
  message.addEventListener("input", () => storage.set("draft", message.value));
  message.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) node.requestSubmit();
  });
  const submit = (event) => {
    event.preventDefault();
    const mailNeeded = asks === "required";
    const fine = check([
      [name, name.value.trim() !== "", t("need_name")],
      [email, asks === "never" || mailFine(email, mailNeeded), t("need_email")],
      [message, message.value.trim() !== "", t("need_text")],
    ]);
    if (!fine) return;
    const given = { name: name.value.trim(), email: email.value.trim() };
    storage.set("profile", JSON.stringify(given));
    storage.remove("draft");
    onStart(message.value.trim());
  };
  const node = h(
    "form",
    { class: "form", novalidate: true, onsubmit: submit },
    labelled(t("name"), name),
    asks !== "never" && labelled(t("email"), email, { optional: asks !== "required" }),
    asks !== "never" && h("p", { class: "hint" }, t("email_why")),
    labelled(t("how_can_we_help"), message),
    suggestions(message),
    h("button", { type: "submit", class: "primary" }, t("start")),
  );
  return h("div", { class: "view" }, hero(config.widget.greeting || t("greeting"), t("greeting_more")), node);
}

/** Closed: the message becomes an e-mail ticket. onSubmit(data): promise of {number}; one client id until it worked. */
export function offline({ user, text, when, onSubmit }) {
  const known = { ...profile(), ...user };
  const clientId = newId();
  const name = input({ name: "name", autocomplete: "name", value: known.name ?? "" });
  const email = input({ name: "email", type: "email", autocomplete: "email", inputmode: "email", value: known.email ?? "" });
  const message = h("textarea", { name: "text", rows: "5", maxlength: String(config.limits.text) });
  message.value = text || storage.get("draft") || "";
  message.addEventListener("input", () => storage.set("draft", message.value));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "primary" }, t("send_mail"));
  const submit = async (event) => {
    event.preventDefault();
    const fine = check([
      [name, name.value.trim() !== "", t("need_name")],
      [email, mailFine(email, true), t("need_email")],
      [message, message.value.trim() !== "", t("need_text")],
    ]);
    if (!fine || button.disabled) return;
    const given = { name: name.value.trim(), email: email.value.trim() };
    button.disabled = true;
    problem.hidden = true;
    try {
      const { number } = await onSubmit({ client_id: clientId, ...given, text: message.value.trim() });
      storage.set("profile", JSON.stringify(given));
      storage.remove("draft");
      node.replaceWith(thanks(t("mail_taken"), t("mail_taken_more", { email: given.email, number })));
    } catch {
      problem.textContent = t("mail_failed");
      problem.hidden = false;
    }
    button.disabled = false;
  };
  const node = h(
    "form",
    { class: "form", novalidate: true, onsubmit: submit },
    labelled(t("name"), name),
    labelled(t("email"), email),
    labelled(t("message"), message),
    suggestions(message),
    problem,
    button,
  );
  return h("div", { class: "view" }, hero(t("closed"), when ? t("closed_until", { when }) : t("closed_more")), node);
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
