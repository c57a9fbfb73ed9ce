/* The call bar is the same for everybody; who is on the call gets its buttons. */
function look() {
  for (const bar of document.querySelectorAll(".callbar[data-people]")) {
    bar.classList.toggle("is-mine", bar.dataset.people.split(" ").includes(document.body.dataset.user));
  }
}

document.addEventListener("parts", look);
document.addEventListener("htmx:after:swap", look);
look();
