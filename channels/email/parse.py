"""One raw e-mail into a ParsedMail: pure, and it never raises. `reader` adds the time limit."""

import email
import email.policy
import re
from email.message import Message
from html import unescape

from channels.email import limits
from channels.email.addresslist import first_mailbox, mailboxes
from channels.email.bodies import Bodies, Part, read_bodies
from channels.email.bounces import Suspect, read_bounce
from channels.email.charsets import without_controls
from channels.email.forwards import Clues, clues, read_forward
from channels.email.headers import Headers
from channels.email.htmltext import MAX_HTML, Line, has_marks, html_lines, joined, too_deep
from channels.email.newsletters import newsletter_of
from channels.email.parsed import Attachment, Forwarded, Mailbox, Outcome, ParsedMail, Passed
from channels.email.repair import repaired
from channels.email.robots import judge, refusal
from channels.email.visible import Split, split_lines, split_text

# Of the mails that are attached to one.
MOST_OTHERS = 50
_TAGS = re.compile(r"<[^<>]{0,2000}>")


def parse(raw: bytes) -> ParsedMail:
    """Everything that is known of a mail; what cannot be read comes back quarantined with its reason."""
    try:
        limits.check(raw)
        message = email.message_from_bytes(repaired(raw), Part, policy=email.policy.compat32)
        return _read(message)
    except limits.UnreadableMail as error:
        return quarantined(str(error))
    except Exception as error:  # noqa: BLE001 - the mail-parse guard: a mail must never stop a mailbox
        return quarantined(f"the mail cannot be read ({type(error).__name__})")


def quarantined(reason: str) -> ParsedMail:
    """A mail that is kept raw and shown in the console with the reason."""
    return ParsedMail(outcome=Outcome.QUARANTINED, reason=reason, answerable=False)


def _read(message: Message) -> ParsedMail:
    head = Headers(message)
    bodies = read_bodies(message)
    if too_deep(bodies.html):
        _put_aside(bodies)
    lines = html_lines(bodies.html) if bodies.html else []
    text = without_controls(bodies.text)
    if not text.strip() and lines:
        text = joined(lines)
    sender = _sender(head)
    return_path = _return_path(head)
    subject = head.text("subject")
    found = clues(subject, sender, replies="in-reply-to" in head or "references" in head)
    split = _split(bodies, text, lines, continues=found.answers or found.forwards)
    to, cc = mailboxes(head.raw("to")), mailboxes(head.raw("cc"))
    robot = judge(head, sender, return_path, subject, bodies.content_types)
    own = frozenset(box.address.lower() for box in (*to, *cc))
    bounce = read_bounce(Suspect(head, bodies, text, sender, return_path, subject, own))
    reason = "" if bounce else refusal(head, subject, bodies.content_types)
    forwarded = None
    if bounce is None and not robot.auto_submitted:
        shown = (text.split("\n"), [line.text for line in lines])
        shown_head = read_forward(found, shown)
        whole = None if shown_head and shown_head.sender.address else _attached(found, bodies.embedded)
        forwarded = whole or shown_head
    return ParsedMail(
        outcome=Outcome.SUPPRESSED if reason else Outcome.ACCEPTED,
        reason=reason,
        message_id=next(iter(head.message_ids("message-id")), ""),
        in_reply_to=head.message_ids("in-reply-to"),
        references=head.message_ids("references"),
        thread_index=head.text("thread-index"),
        sender=sender,
        return_path=return_path,
        reply_to=mailboxes(head.raw("reply-to")),
        to=to,
        cc=cc,
        delivered_to=_delivered_to(head),
        subject=subject,
        date=head.date("date"),
        text=text,
        html=without_controls(bodies.html),
        reply_text=split.reply,
        quoted_text=split.quoted,
        attachments=tuple(bodies.attachments),
        auto_submitted=robot.auto_submitted or bounce is not None,
        out_of_office=robot.out_of_office and bounce is None,
        answerable=robot.answerable and bounce is None and not reason,
        newsletter="" if bounce or forwarded else newsletter_of(head, sender, mailboxes(head.raw("reply-to"))),
        bounce=bounce,
        forwarded=forwarded,
        authentication_results=tuple(head.raw_all("authentication-results")),
    )


def _put_aside(bodies: Bodies) -> None:
    """HTML that nobody can render is kept as a file; its words are all that is shown."""
    html = bodies.html
    bodies.attachments.append(Attachment("message.html", "text/html", html.encode()))
    bodies.text = bodies.text or unescape(_TAGS.sub(" ", html))[:MAX_HTML]
    bodies.html = ""


def _attached(found: Clues, embedded: list[Message]) -> Forwarded | None:
    """The first mail that came as a file, where we are not answered: its head, its words, its files; and the others."""
    if not embedded or found.answers:
        return None
    head = Headers(embedded[0])
    sender = first_mailbox(head.raw("from"))
    if not sender.address:
        return None
    bodies = read_bodies(embedded[0])
    if too_deep(bodies.html):
        _put_aside(bodies)
    return Forwarded(
        sender,
        mailboxes(head.raw("to")),
        head.text("subject"),
        head.date("date"),
        text=without_controls(bodies.text) or (joined(html_lines(bodies.html)) if bodies.html else ""),
        html=without_controls(bodies.html),
        attachments=tuple(bodies.attachments),
        others=tuple(_passed(other) for other in embedded[1:MOST_OTHERS]),
    )


def _passed(message: Message) -> Passed:
    head = Headers(message)
    return Passed(first_mailbox(head.raw("from")), head.text("subject"), head.date("date"))


def _split(bodies: Bodies, text: str, lines: list[Line], *, continues: bool) -> Split:
    """The mail program's own marks first, then the rules for plain text."""
    if lines and (has_marks(lines) or not bodies.text.strip()):
        return split_lines(lines, continues=continues)
    return split_text(text, continues=continues)


def _sender(head: Headers) -> Mailbox:
    """From, else whoever the other fields name."""
    first = first_mailbox(head.raw("from"))
    if first.address:
        return first
    for name in ("reply-to", "sender", "return-path", "x-original-from"):
        other = first_mailbox(head.raw(name))
        if other.address:
            return Mailbox(first.name or other.name, other.address)
    return first


def _return_path(head: Headers) -> str | None:
    """The envelope sender; empty for the null sender of reports, None where the server did not note it."""
    if "return-path" not in head:
        return None
    return first_mailbox(head.raw("return-path")).address


def _delivered_to(head: Headers) -> tuple[str, ...]:
    """Where the servers on our side put it: plus-addresses survive here when To was rewritten."""
    found: dict[str, None] = {}
    for name in ("delivered-to", "x-original-to", "envelope-to", "x-forwarded-to", "x-envelope-to"):
        for value in head.raw_all(name)[:10]:
            found.update(dict.fromkeys(box.address for box in mailboxes(value) if box.address))
    return tuple(found)
