"""Why an inbound item ended where it did, in words: the journal's states and reasons, and the handlers of events."""

import re
from typing import NamedTuple

from contact_center.core.i18n import gettext, mark
from tickets.states import JournalState

STATES = {
    JournalState.RECEIVED.value: mark("Received"),
    JournalState.ACCEPTED.value: mark("Accepted"),
    JournalState.DUPLICATE.value: mark("Duplicate"),
    JournalState.SUPPRESSED.value: mark("Suppressed"),
    JournalState.QUARANTINED.value: mark("Quarantined"),
}
MEANINGS = {
    JournalState.RECEIVED.value: mark(
        "It waits to be taken, usually for a second. If it stays here, no worker runs for this channel."
    ),
    JournalState.ACCEPTED.value: mark("It was taken."),
    JournalState.DUPLICATE.value: mark("The same item had come before. Nothing was done a second time."),
    JournalState.SUPPRESSED.value: mark("It was kept, but made no conversation."),
    JournalState.QUARANTINED.value: mark("It could not be taken. Nothing is lost: its bytes are kept until it is."),
}
# What the channels write as the reason -> what people read.
REASONS = {
    "test_mail": mark("A test mail of ours that has gone round."),
    "own_mail": mark("We sent this mail ourselves."),
    "read_receipt": mark("A receipt that says somebody has read our mail."),
    "loop": mark("The mail had gone in circles between two robots."),
    "tls_report": mark("A mail server's daily report on encryption."),
    "dmarc_report": mark("A mail server's daily report on forged mail."),
    "absence notice without a ticket": mark("An out-of-office notice that belongs to no conversation."),
    "delay notice": mark("A mail server says that our mail is late; it goes on trying."),
    "a bounce of a mail that we did not send": mark("A bounce of a mail that we did not send."),
    "the same mail was taken before": mark("The same mail had been taken before, maybe by another way."),
    "the message that it became was deleted": mark("Its message was deleted. It is never taken again."),
    "the same bytes were handed in before": mark("The same bytes had been handed in before."),
    "from before the mailbox was connected": mark("A robot's mail from before the mailbox was connected."),
    "sms_stop": mark("The customer wants no more SMS. Nothing goes to this number until START."),
    "sms_start": mark("The customer wants SMS again."),
    "reading the mail took too long": mark("Reading the mail took too long."),
    "the mail is empty": mark("The mail is empty."),
    "the raw mail is not in the file store": mark(
        "Its bytes are not in the data folder. Do all processes share the same folder?"
    ),
}
# The same for reasons with something in them; a group named `place` is filled into the sentence.
PATTERNS = (
    (re.compile(r"the mail is larger than (?P<place>.+)"), mark("The mail is larger than %(place)s.")),
    (
        re.compile(r"the mail has more than (?P<place>\d+) parts"),
        mark("The mail has more than %(place)s parts; ordinary mail has ten."),
    ),
    (
        re.compile(r"the mail's parts are nested more than (?P<place>\d+) levels deep"),
        mark("The parts of the mail are nested more than %(place)s levels deep."),
    ),
    (re.compile(r"the mail's header is larger than (?P<place>.+)"), mark("The mail's head is larger than %(place)s.")),
    (re.compile(r"the mail names no sender: .*"), mark("The mail does not say who sent it.")),
    (re.compile(r"the mail cannot be read \(.*\)"), mark("The mail is broken in a way we cannot read.")),
    (re.compile(r"the mail (cannot be read|reader could not be started)"), mark("The mail could not be read.")),
    (re.compile(r"blocked: (?P<place>.+)"), mark("The sender is blocked: %(place)s.")),
    (re.compile(r"hard bounce: .*"), mark("A mail of ours came back for good. Nothing more goes to this address.")),
    (re.compile(r"soft bounce: .*"), mark("A mail of ours came back; the address may work again.")),
    (re.compile(r"complaint: .*"), mark("The recipient reported our mail as spam. Nothing more goes there.")),
    (re.compile(r"bounce in ticket \d+: .*"), mark("A copy of one of our mails did not arrive.")),
    (re.compile(r"Bad\w*: .*"), mark("What the carrier sent is not what it should send.")),
    (
        re.compile(r"(OperationalError|InterfaceError|DBAPIError|TimeoutError|DataError).*", re.DOTALL),
        mark("The database did not take it at that moment. Trying again usually helps."),
    ),
    (
        re.compile(r"\w+: .*", re.DOTALL),
        mark("Something unexpected went wrong in the program. Try again; if it stays, pass the details on."),
    ),
)
# The module of a handler -> what it does after an event.
HANDLERS = {
    "contact_center.automations.running": mark("Rules"),
    "tickets.customers.last_contact": mark("Note when the customer was last in contact"),
    "channels.chat.ending": mark("Tell the visitor's chat window"),
    "channels.email.acknowledge": mark("Acknowledge receipt by e-mail"),
    "channels.health": mark("Tell who looks after channels"),
    "channels.phone.callbacks": mark("Remind of a callback"),
    "channels.phone.calls": mark("Give the call to its agent"),
    "channels.phone.conference": mark("Keep the parties of the call together"),
    "channels.phone.flow.agents": mark("Ring the agent's phone"),
    "channels.phone.handing_over": mark("Hand the call over"),
    "channels.phone.placing": mark("Dial the customer"),
    "channels.sms.consent": mark("Note that a number takes no SMS"),
    "knowledge_base.harvest": mark("Draft an article from the case"),
    "knowledge_base.topic_lessons": mark("Learn from the topic that was chosen"),
    "routing.placement": mark("Hand out the work"),
    "routing.profiles": mark("Return the work of somebody who left"),
    "tickets.acknowledge": mark("Acknowledge receipt by SMS or chat"),
    "tickets.counters": mark("Count for the sidebars"),
    "tickets.notifications": mark("Notify colleagues"),
    "tickets.quality.complaints": mark("Recognise a complaint"),
    "tickets.quality.surveys": mark("Plan the satisfaction survey"),
    "tickets.scheduled": mark("Hold scheduled replies back"),
    "tickets.search": mark("Make it findable by search"),
    "tickets.sla_clocks": mark("Run the service level's clocks"),
}


class Reason(NamedTuple):
    """`said` is a sentence; `details` what the program wrote, where that says more."""

    said: str
    details: str = ""


def reason_of(locale: str, reason: str | None) -> Reason:
    """The reason of a journal item in words; what nobody has words for is shown as it is."""
    if not reason:
        return Reason("")
    if reason in REASONS:
        return Reason(gettext(locale, REASONS[reason]))
    for pattern, sentence in PATTERNS:
        found = pattern.fullmatch(reason)
        if found:
            named = found.groupdict()
            return Reason(gettext(locale, sentence, **named), "" if named else reason)
    return Reason(reason)


def handler_of(locale: str, name: str) -> str:
    """What a handler does, by its dotted name; "" for one that nobody has words for."""
    words = HANDLERS.get(name.rpartition(".")[0])
    return gettext(locale, words) if words else ""
