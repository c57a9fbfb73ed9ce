// The order of a conversation: what is known, up to where it is complete, and what came too early.

export class Thread {
  constructor() {
    this.reset();
  }

  reset() {
    this.id = 0;
    this.messages = new Map();
    this.first = 1;
    this.last = 0;
    this.clientIds = new Set();
  }

  /** A replay from the start begins at this public_seq; everything before it is fetched on request. */
  begin(first) {
    this.first = first;
    this.last = first - 1;
  }

  /** "new", "known" (came already) or "gap" (something before it is missing: ask for it, take nothing). */
  add(message) {
    if (this.messages.has(message.public_seq)) return "known";
    if (message.public_seq > this.last + 1) return "gap";
    this.last = message.public_seq;
    this.#keep(message);
    return "new";
  }

  /** Older messages, ascending, that end right before the first one known; returns those that are new. */
  prepend(messages) {
    const older = messages.filter((message) => message.public_seq < this.first);
    older.forEach((message) => this.#keep(message));
    if (older.length) this.first = older[0].public_seq;
    return older;
  }

  #keep(message) {
    this.messages.set(message.public_seq, message);
    if (message.client_id) this.clientIds.add(message.client_id);
  }

  /** How many answers the customer has not seen. */
  unread(seen) {
    let count = 0;
    for (const [seq, message] of this.messages) if (seq > seen && message.author.kind === "agent") count += 1;
    return count;
  }
}
