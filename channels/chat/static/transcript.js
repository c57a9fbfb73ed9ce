// The conversation as a text file, made of what is on the screen: nothing is asked of the server.
import { config, h, t } from "./base.js";

const time = new Intl.DateTimeFormat(config.locale, { dateStyle: "medium", timeStyle: "short" });

function said({ author, text, attachments, sent_at: at }) {
  const name = author.kind === "customer" ? t("you") : author.name || t("agent");
  const files = (attachments ?? []).map((file) => `[${file.name}]`);
  const words = [text, ...files].filter(Boolean).join("\n");
  return author.kind === "system" ? words : `${name} (${time.format(new Date(at))})\n${words}`;
}

/** Saves these messages, in their order, under the widget's name and the day. */
export function saveTranscript(messages) {
  const lines = messages.slice().sort((a, b) => a.public_seq - b.public_seq).map(said).filter(Boolean);
  const url = URL.createObjectURL(new Blob([`${config.widget.name}\n\n${lines.join("\n\n")}\n`], { type: "text/plain;charset=utf-8" }));
  h("a", { href: url, download: `${config.widget.name} ${new Date().toISOString().slice(0, 10)}.txt` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
