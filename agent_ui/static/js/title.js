/* The window's title: how many offers wait, else how many messages are unread, then what is on the screen. The tab's
 * mark has a dot while either is so. */
let plain = document.title;
let offers = 0;
let offered = "";
let unread = 0;

function show() {
  const head = offers ? `(${offers}) ${offered} · ` : unread ? `(${unread < 100 ? unread : "99+"}) ` : "";
  document.title = head + plain;
  const mark = document.querySelector("link[rel=icon][data-unread]");
  const wanted = offers || unread ? mark?.dataset.unread : mark?.dataset.plain;
  if (mark && mark.getAttribute("href") !== wanted) mark.setAttribute("href", wanted);
}

/** What is on the screen now. */
export function setTitle(text) {
  plain = text;
  show();
}

export function setOffers(count, word) {
  offers = count;
  offered = word;
  show();
}

export function setUnread(count) {
  unread = count;
  show();
}
