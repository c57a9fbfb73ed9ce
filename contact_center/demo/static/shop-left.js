// The customer has just signed out: the chat forgets them, in every tab. Runs before the loader is there.
window.ContactCenter ||= function () {
  (ContactCenter.q ||= []).push(arguments);
};
ContactCenter("reset");
