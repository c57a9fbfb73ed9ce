"""Events of the timeline as sentences: the name and values that `tickets.timeline.add_event` stored."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agent_ui import condition_words
from agent_ui.pages.qa_words import STAGES
from contact_center.core.i18n import known, mark
from tickets.customers.identities import shown_phone
from tickets.quality.surveys import RATINGS

Gettext = Callable[..., str]

STATUSES = {
    "new": mark("New"),
    "open": mark("Open"),
    "pending": mark("Pending"),
    "on_hold": mark("On hold"),
    "snoozed": mark("Snoozed"),
    "resolved": mark("Resolved"),
    "closed": mark("Closed"),
    "spam": mark("Spam"),
    "newsletter": mark("Newsletter"),
}
PRIORITIES = {"low": mark("Low"), "medium": mark("Medium"), "high": mark("High"), "urgent": mark("Urgent")}
KINDS = {
    "question": mark("Question"),
    "incident": mark("Incident"),
    "request": mark("Request"),
    "complaint": mark("Complaint"),
    "feedback": mark("Feedback"),
}
LANGUAGES = {"en": mark("English"), "vi": mark("Vietnamese")}
WORDS = {
    "status_changed": STATUSES,
    "priority_changed": PRIORITIES,
    "kind_changed": KINDS,
    "complaint_moved": STAGES,
    "locale_changed": LANGUAGES,
}

ICONS = {
    "assigned": "user-round",
    "unassigned": "user-round",
    "queue_changed": "arrow-left-right",
    "transferred": "arrow-left-right",
    "status_changed": "circle-dot",
    "priority_changed": "flag",
    "kind_changed": "layers",
    "topic_id_changed": "layers",
    "subject_changed": "pencil",
    "locale_changed": "languages",
    "tags_changed": "tag",
    "merged": "merge",
    "merged_into": "merge",
    "unmerged": "undo-2",
    "linked": "link",
    "unlinked": "link",
    "split": "split",
    "moved": "arrow-left-right",
    "offer_declined": "hand",
    "offer_missed": "clock-alert",
    "complaint_opened": "megaphone",
    "complaint_moved": "megaphone",
    "survey_answered": "star",
    "chat_ended": "circle-dot",
    "reminder_planned": "calendar-clock",
    "reminder_done": "check",
    "callback_due": "alarm-clock",
    "no_phone": "phone",
    "not_picked_up": "phone",
    "recording_announced": "circle-dot",
    "recording_began": "circle-dot",
    "recording_paused": "circle-pause",
    "recording_resumed": "circle-dot",
    "mail_bounced": "circle-alert",
    "mail_delayed": "clock-alert",
    "sms_stop": "circle-slash",
    "not_this_person": "circle-slash",
    "number_flagged": "flag",
    "number_unflagged": "undo-2",
    "caller_known": "user-round",
    "caller_unknown": "user-round",
    "sms_start": "message-square-text",
    "said_sent": "check",
    "said_not_sent": "circle-alert",
    "sensitive_shown": "eye",
    "identity_confirmed": "shield-check",
    "identity_withdrawn": "circle-slash",
    "identity_code_sent": "key-round",
    "identity_code_wrong": "circle-alert",
    "identity_code_spent": "circle-alert",
    "identity_code_expired": "clock-alert",
    "marked_spam": "ban",
    "sender_blocked": "ban",
    "not_spam": "undo-2",
    "kept_newsletter": "mail",
    "no_newsletter": "undo-2",
    "macro_ran": "zap",
    "rule_ran": "list-checks",
}
IDENTITY = {
    "questions": mark("security questions"),
    "call_back": mark("a call back to the known number"),
    "document": mark("a document that was seen"),
    "code": mark("a one-time code"),
    "signed_in": mark("a login on the website"),
}
SENSITIVE = {"card": mark("card number"), "national_id": mark("id number"), "code": mark("one-time code")}

CHANGES = {
    "status_changed": mark("Status: %(before)s → %(after)s"),
    "priority_changed": mark("Priority: %(before)s → %(after)s"),
    "kind_changed": mark("Kind: %(before)s → %(after)s"),
    "subject_changed": mark("Subject: %(after)s"),
    "locale_changed": mark("Language: %(after)s"),
    "complaint_moved": mark("Complaint: %(before)s → %(after)s"),
}
ASSIGNED = {
    "offered": mark("%(agent)s accepted the offer"),
    "auto": mark("Assigned to %(agent)s by routing"),
    "taken": mark("%(agent)s took it"),
    "follow_up": mark("Back with %(agent)s, who knows the matter"),
    "transferred": mark("Transferred to %(agent)s"),
}


def why_failed(text: str, _: Gettext) -> str:
    """Why something was not delivered: our own sentence, or what a carrier or mail server said, marked as theirs."""
    if not text or known(text):
        return _(text)
    return _("the other side said “%(words)s”", words=text)


def mentions(meta: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The users, queues and topics whose names an event's sentence needs."""
    for key, value in meta.items():
        if isinstance(value, int) and not isinstance(value, bool):
            for kind in ("user", "queue", "topic"):
                if key.endswith(f"{kind}_id"):
                    yield kind, value
    if meta.get("name") == "topic_id_changed" and isinstance(meta.get("to"), int):
        yield "topic", meta["to"]


def event(meta: Mapping[str, Any], names: Mapping[tuple[str, int], str], by: str | None, _: Gettext) -> str:
    """The sentence of an event, with who did it unless the sentence says so already."""
    name = str(meta.get("name", ""))
    if name == "assigned":
        agent = names.get(("user", _number(meta.get("to_user_id"))), _("an agent"))
        known = ASSIGNED.get(str(meta.get("reason")))
        return _(known, agent=agent) if known else _signed(_("Assigned to %(agent)s", agent=agent), by, _)
    if name in AUTOMATIONS:
        return _signed(_automation(name, meta, _), by, _)
    return _signed(_plain(name, meta, names, _), by, _)


def _plain(name: str, meta: Mapping[str, Any], names: Mapping[tuple[str, int], str], _: Gettext) -> str:
    if name in CHANGES:
        table = WORDS.get(name, {})
        before, after = (_(table.get(str(meta.get(end)), str(meta.get(end) or ""))) for end in ("from", "to"))
        reason = f" ({meta['reason']})" if meta.get("reason") else ""
        return _(CHANGES[name], before=before, after=after) + reason
    match name:
        case "chat_ended":
            return _(CHAT_ENDED.get(str(meta.get("by")), CHAT_ENDED["agent"]))
        case "unassigned":
            return _("Returned to the queue")
        case "queue_changed":
            return _("Moved to queue %(queue)s", queue=names.get(("queue", _number(meta.get("to_queue_id"))), ""))
        case "topic_id_changed":
            return _("Topic: %(topic)s", topic=names.get(("topic", _number(meta.get("to"))), ""))
        case "identity_confirmed" | "identity_code_sent" | "identity_code_wrong":
            return _identity(name, meta, _)
        case "sensitive_shown":
            return _("Looked at what was hidden, because: %(reason)s", reason=meta.get("reason", ""))
        case "tags_changed":
            signs = [f"+{tag}" for tag in meta.get("added", ())] + [f"−{tag}" for tag in meta.get("removed", ())]
            return _("Tags: %(tags)s", tags=", ".join(signs))
        case "survey_answered":
            word = _(RATINGS.get(_number(meta.get("rating")), ""))
            told = _("Rated %(rating)s of 5: %(word)s", rating=meta.get("rating", ""), word=word)
            return f"{told} “{meta['comment']}”" if meta.get("comment") else told
        case "not_this_person" | "caller_known":
            address = shown_phone(str(meta.get("address", "")))
            return _(WHOSE[name], address=address, customer=meta.get("customer", ""))
        case "no_phone" | "not_picked_up":
            return _(PHONES[name], who=names.get(("user", _number(meta.get("user_id"))), ""))
        case "call_passed":
            return _("The call was passed on to %(number)s", number=shown_phone(str(meta.get("number", ""))))
        case "mail_bounced" | "mail_delayed" | "sender_blocked" | "number_flagged" | "number_unflagged":
            return _addressed(name, meta, _)
    if name in TOGETHER:
        here, there = TOGETHER[name]
        told = there if "to_ticket_id" in meta else here
        return _(told, number=meta.get("number", ""))
    return _(MORE[name]) if name in MORE else name.replace("_", " ").capitalize()


AUTOMATIONS = frozenset({"macro_ran", "rule_ran"})


def _automation(name: str, meta: Mapping[str, Any], _: Gettext) -> str:
    """What ran here by one click, or by itself and why."""
    if name == "macro_ran":
        return _("Macro “%(name)s”", name=meta.get("macro", ""))
    why = condition_words.because(meta.get("because", ()), {"status": STATUSES, "priority": PRIORITIES}, _)
    said = _("Rule “%(name)s”, because %(why)s", name=meta.get("rule", ""), why=why or _("it always runs"))
    return said + (". " + _("No reply was sent: %(why)s", why=_(str(meta["held"]))) if meta.get("held") else "")


def _identity(name: str, meta: Mapping[str, Any], _: Gettext) -> str:
    """How it goes with the proof of who the customer is."""
    if name == "identity_code_wrong":
        return _("A wrong code was given, tries left: %(left)s", left=meta.get("left", ""))
    if name == "identity_code_sent":
        return _("Code sent to %(address)s, to confirm who it is", address=noted("code", str(meta.get("address", ""))))
    method, note = str(meta.get("method")), str(meta.get("note") or "")
    if method == "signed_in":
        return _("Signed in on the website as %(name)s", name=note)
    how = _(IDENTITY.get(method, ""))
    told = _("Identity confirmed by %(how)s for %(minutes)s min", how=how, minutes=meta.get("minutes", ""))
    return f"{told}: {noted(method, note)}" if note else told


def noted(method: str, note: str) -> str:
    """The note of a check as people read it: that of a code is the address that it went to."""
    return shown_phone(note) if method == "code" and "@" not in note else note


def _addressed(name: str, meta: Mapping[str, Any], _: Gettext) -> str:
    """What happened to one address; a flag's note is its colleague's own words."""
    address = str(meta.get("address", ""))
    if name.startswith("number_"):
        words = FLAGGED.get(str(meta.get("flag")), "") if name == "number_flagged" else UNFLAGGED
        told, why = _(words, address=shown_phone(address)), str(meta.get("note") or "")
    else:
        told = _(ADDRESSED[name], address=address)
        why = why_failed(str(meta["reason"]), _) if meta.get("reason") else ""
    return f"{told}: {why}" if why else told


FLAGGED = {
    "family": mark("%(address)s is a family's number"),
    "switchboard": mark("%(address)s is a switchboard"),
    "recycled": mark("%(address)s has a new owner"),
}
UNFLAGGED = mark("The flag of %(address)s was lifted")
PHONES = {
    "no_phone": mark("%(who)s accepted the call but has no phone: enter one under Settings"),
    "not_picked_up": mark("%(who)s accepted the call but did not pick up"),
}
WHOSE = {
    "not_this_person": mark("%(address)s is not %(customer)s: the number was taken away, nothing is sent to it"),
    "caller_known": mark("%(address)s is %(customer)s: the number and this conversation are theirs now"),
}
CHAT_ENDED = {
    "customer": mark("The customer ended the chat"),
    "agent": mark("The chat was ended"),
    "timeout": mark("The customer left the chat"),
}
ADDRESSED = {
    "mail_bounced": mark("The mail to %(address)s came back"),
    "sender_blocked": mark("Sender blocked: %(address)s"),
    "mail_delayed": mark("The mail to %(address)s is delayed"),
}
# What happened between two conversations, as told in the one it came to and in the one it came from.
TOGETHER = {
    "merged": (mark("#%(number)s was merged into this conversation"),) * 2,
    "merged_into": (mark("Merged into #%(number)s"),) * 2,
    "unmerged": (mark("The merge with #%(number)s was undone"),) * 2,
    "split": (mark("Split off from #%(number)s"), mark("Messages were split off into #%(number)s")),
    "moved": (mark("A message was moved here"), mark("A message was moved to #%(number)s")),
    "linked": (mark("Linked to #%(number)s"),) * 2,
    "unlinked": (mark("No longer linked to #%(number)s"),) * 2,
}
MORE = {
    "transferred": mark("Transferred"),
    "identity_withdrawn": mark("The identity is not confirmed any more"),
    "identity_code_spent": mark("Too many wrong codes: the identity is not confirmed"),
    "identity_code_expired": mark("The code has run out: the identity is not confirmed"),
    "marked_spam": mark("Marked as spam"),
    "not_spam": mark("Not spam after all: everything is as it was"),
    "kept_newsletter": mark("Kept apart as a newsletter"),
    "no_newsletter": mark("No newsletter after all: everything is as it was"),
    "recording_announced": mark("The customer was told that the call is recorded"),
    "recording_began": mark("The recording began"),
    "recording_paused": mark("The recording was paused"),
    "recording_resumed": mark("The recording went on"),
    "offer_declined": mark("An offer was declined"),
    "offer_missed": mark("An offer was missed"),
    "complaint_opened": mark("Complaint opened"),
    "reminder_planned": mark("A call was planned"),
    "reminder_done": mark("A planned call is done"),
    "callback_due": mark("It is time for the planned call"),
    "caller_unknown": mark("The caller is nobody of those suggested"),
    "sms_stop": mark("The customer opted out of SMS"),
    "sms_start": mark("The customer takes SMS again"),
    "said_sent": mark("Has looked: the message of unknown fate was sent"),
    "said_not_sent": mark("Has looked: the message of unknown fate was not sent"),
}


def _signed(sentence: str, by: str | None, _: Gettext) -> str:
    return f"{sentence} · {by}" if by else sentence


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
