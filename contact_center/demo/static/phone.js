// The customer's phone: shows what the carrier holds, posts what the person does.
(() => {
  const handset = document.querySelector(".handset");
  const texts = handset.querySelector(".texts");
  const form = handset.querySelector("form");
  const field = form.elements.body;
  const chosen = handset.querySelector(".chosen");
  const words = handset.dataset;
  const apps = [...handset.querySelectorAll(".apps input")];
  let shown = 0;
  const call = window.phoneCall(handset);

  const add = (text) => {
    const item = document.createElement("li");
    if (text.mine) item.className = "mine";
    // Calls stand in both lists.
    if (!text.call) item.dataset.app = text.app;
    if (text.call) {
      item.className = "call";
      text.body = `${words.called}: ${call.ended(text.call, text.seconds)}`;
    }
    for (const address of text.photos) {
      const image = document.createElement("img");
      image.src = address;
      image.alt = words.photo;
      item.append(image);
    }
    item.append(text.body);
    item.title = new Date(text.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    texts.append(item);
    if (!text.mine && !text.call && text.app !== app()) dot(text.app).hidden = false;
  };

  const app = () => form.elements.app.value;
  const dot = (name) => apps.find((one) => one.value === name).parentElement.querySelector(".fresh");

  const showApp = () => {
    handset.dataset.app = app();
    dot(app()).hidden = true;
    handset.querySelector(".no-texts").hidden = [...texts.children].some((one) => (one.dataset.app ?? app()) === app());
    texts.scrollTop = texts.scrollHeight;
  };

  const show = (state) => {
    if (state.texts.length < shown) { texts.replaceChildren(); shown = 0; }
    const fresh = state.texts.slice(shown);
    fresh.forEach(add);
    shown = state.texts.length;
    if (fresh.length) showApp();
    call.show(state.call);
  };

  const ask = async (path, options) => {
    try {
      const answer = await fetch(`/demo/phone/${path}`, options);
      const found = await answer.json();
      if (answer.ok) show(found);
      chosen.hidden = answer.ok ? !form.elements.photo.files.length : false;
      if (!answer.ok) chosen.textContent = found.detail;
      return answer.ok;
    } catch {
      chosen.hidden = false;
      chosen.textContent = words.failed;
      return false;
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData(form);
    if (!field.value.trim() && !form.elements.photo.files.length) return;
    if (await ask("text", { method: "POST", body })) {
      field.value = "";
      form.elements.photo.value = "";
    }
    chosen.hidden = true;
    field.focus();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.elements.photo.addEventListener("change", () => {
    const [file] = form.elements.photo.files;
    chosen.hidden = !file;
    chosen.textContent = file ? file.name : "";
  });
  for (const button of document.querySelectorAll(".phone-stage [data-do]"))
    button.addEventListener("click", () => ask(`${button.dataset.do}?app=${app()}`, { method: "POST" }));
  for (const one of apps) one.addEventListener("change", showApp);
  showApp();

  const look = () => { if (!document.hidden) ask("state"); };
  look();
  setInterval(look, 1000);
})();
