// Your mailbox: the list of letters follows what comes in and goes out; what is open or being written stays as it is.
(() => {
  const EVERY_MS = 1500;
  const title = document.title;
  let shown = null;

  const refresh = async () => {
    const address = new URL(location.href);
    address.searchParams.set("again", "1");
    const page = new DOMParser().parseFromString(await (await fetch(address)).text(), "text/html");
    const letters = document.querySelector("[data-letters]");
    letters.replaceChildren(...page.querySelector("[data-letters]").childNodes);
    const fresh = letters.querySelectorAll(".unread").length;
    document.title = fresh ? `(${fresh}) ${title}` : title;
  };

  const look = async () => {
    try {
      const answer = await fetch("/demo/mailbox/state");
      const { state } = await answer.json();
      if (shown !== null && state !== shown) await refresh();
      shown = state;
    } catch {
      // The line is cut or the server is away: the next look finds it again.
    }
    setTimeout(look, EVERY_MS);
  };
  void look();
})();
