"""Reports that our mail did not arrive: RFC 3464 parts where there are any, else the words of the mail system."""

import re
from dataclasses import dataclass, replace

from channels.email import bounce_text
from channels.email.addresslist import addresses_in
from channels.email.bodies import Bodies, Leaf, read_bodies
from channels.email.bounce_reasons import kind_of, status_in
from channels.email.charsets import decode, with_unix_lines
from channels.email.headers import Headers, decoded
from channels.email.parsed import Bounce, BouncedRecipient, BounceKind, Mailbox
from channels.email.robots import is_absence, is_daemon

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{2,40})[ \t]*:[ \t]*(.*)$")
_GROUPS = re.compile(r"\n[ \t]*\n")
_MESSAGE_ID = re.compile(
    r"^(?:X-)?(?:Original-)?Message-I[dD][ \t]*:[ \t]*<([^<>\s]{1,250})>", re.MULTILINE | re.IGNORECASE
)
_TO_FIELD = re.compile(
    r"^(?:To|X-Envelope-To|Envelope-To|X-Original-To)[ \t]*:[ \t]*(.{1,2000})$", re.MULTILINE | re.IGNORECASE
)
_COMPLAINT_SUBJECT = re.compile(r"^complaint about message from [\da-f.:]{7,45}$", re.IGNORECASE)
_ARRIVED = frozenset({"delivered", "relayed", "expanded"})
_NO_RECEIPT = frozenset({"action", "status", "diagnostic-code", "failure", "error"})
_MAX_DIAGNOSTIC = 600
_MAX_RECIPIENTS = 100


@dataclass(frozen=True, slots=True)
class Suspect:
    """A mail that may be a bounce, as far as it has been read."""

    head: Headers
    bodies: Bodies
    text: str
    sender: Mailbox
    return_path: str | None
    subject: str
    own: frozenset[str]


def read_bounce(mail: Suspect) -> Bounce | None:
    """What the report says, or None when the mail is none."""
    groups = [fields for leaf in _reports(mail) for fields in _delivery_fields(leaf)]
    groups += _loose_fields(mail)
    recipients = _reported(groups)
    complaint = _complaint(mail)
    if complaint is not None:
        return complaint
    actions = {fields.get("action", "").lower().split(" ")[0] for fields in groups} - {""}
    if (actions and actions <= _ARRIVED) or _is_receipt(groups, mail):
        return None
    if not recipients and not _from_system(mail) and not bounce_text.is_failure_subject(mail.subject):
        return None
    notice, original = bounce_text.cut(mail.text)
    if not recipients and not _looks_like_bounce(mail, notice):
        return None
    recipients = _explained(recipients, notice) if recipients else _from_words(mail, notice, original)
    ids = _original_ids(mail, original)
    if not recipients and not _certain(mail):
        return None
    delayed = actions == {"delayed"} or (not groups and bounce_text.is_delay(mail.subject, notice))
    if delayed:
        recipients = [replace(found, kind=BounceKind.SOFT) for found in recipients]
    return Bounce(tuple(recipients[:_MAX_RECIPIENTS]), ids, delayed)


def _reports(mail: Suspect) -> list[Leaf]:
    """The machine-readable parts, of a report inside the report too (gateways wrap them once).

    Somebody who attaches the report that they got and writes a word to it asks us about it.
    """
    if not _from_system(mail) and mail.text.strip():
        return mail.bodies.reports
    bodies = mail.bodies
    inner = [message for message in bodies.embedded[:3] if message.get_content_type() == "multipart/report"]
    return bodies.reports + [leaf for message in inner for leaf in read_bodies(message).reports]


def _delivery_fields(leaf: Leaf) -> list[dict[str, str]]:
    """The per-recipient groups of one machine-readable part."""
    if leaf.content_type not in (
        "message/delivery-status",
        "message/disposition-notification",
        "message/global-delivery-status",
    ):
        return []
    text = with_unix_lines(decode(leaf.content, leaf.charset))
    return [fields for group in _GROUPS.split(text) if (fields := _fields(group))]


def _is_receipt(groups: list[dict[str, str]], mail: Suspect) -> bool:
    """A receipt of RFC 8098: read or deleted, it arrived; unless it says that something failed."""
    said = [fields["disposition"].lower() for fields in groups if "disposition" in fields]
    failed = any(_NO_RECEIPT & fields.keys() or "fail" in fields.get("disposition", "").lower() for fields in groups)
    return bool(said) and not failed and not bounce_text.is_failure_subject(mail.subject)


def _fields(group: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in group.split("\n"):
        match = _FIELD.match(line)
        if match:
            name = match[1].lower()
            fields.setdefault(name, match[2].strip())
        elif name and line[:1] in " \t" and line.strip():
            fields[name] = f"{fields[name]} {line.strip()}"[:4000]
        else:
            name = ""
    return fields


def _loose_fields(mail: Suspect) -> list[dict[str, str]]:
    """Status groups that a broken mail carries as text; the words alone make no bounce of a normal mail."""
    if not _from_system(mail) or "final-recipient" not in mail.text.lower():
        return []
    return [fields for group in _GROUPS.split(mail.text) if (fields := _fields(group)).get("final-recipient")]


def _reported(groups: list[dict[str, str]]) -> list[BouncedRecipient]:
    found: dict[str, BouncedRecipient] = {}
    for fields in groups:
        address = _typed_address(fields.get("final-recipient", ""))
        original = _typed_address(fields.get("original-recipient", ""))
        x_actual = _typed_address(fields.get("x-actual-recipient", ""))
        if not (address or original):
            continue
        action = fields.get("action", "").lower()
        if action.startswith(("delivered", "relayed", "expanded")) and "disposition" not in fields:
            continue
        diagnostic = re.sub(r"^[\w-]{1,20}\s*;\s*", "", fields.get("diagnostic-code", ""))
        raw_status = fields.get("status", "")
        status = status_in(raw_status) or ""
        if status in ("", "5.0.0", "4.0.0", "5.0.910") and status_in(diagnostic):
            inner = status_in(diagnostic)
            status = inner if inner[2:] != "0.0" or not status else status
        key = (address or original).lower()
        # We wrote to the original recipient; the final one may be an alias behind it.
        address = original if "@" in original else address
        words = " ".join(filter(None, (diagnostic, re.sub(r"[\d. ]+", " ", raw_status), x_actual)))
        if key not in found or len(diagnostic) > len(found[key].diagnostic):
            found[key] = BouncedRecipient(
                address or original, status, kind_of(status, words), decoded(diagnostic)[:_MAX_DIAGNOSTIC]
            )
    return list(found.values())


def _typed_address(value: str) -> str:
    """`rfc822; anna@example.com` and its broken forms, as the address alone."""
    plain = value.partition(";")[2] or value
    plain = plain.strip().strip("<>").strip()
    inner = addresses_in(plain)
    if inner:
        return inner[0]
    # Anonymised and local recipients keep what stands there.
    return plain if plain and " " not in plain else ""


def _complaint(mail: Suspect) -> Bounce | None:
    """An abuse report (RFC 5965): the reader pressed "spam"; nothing failed, but no survey goes there again."""
    for leaf in mail.bodies.reports:
        if leaf.content_type != "message/feedback-report":
            continue
        fields = _fields(with_unix_lines(decode(leaf.content, leaf.charset)).replace("\n\n", "\n"))
        address = _typed_address(fields.get("original-rcpt-to", "") or fields.get("removal-recipient", ""))
        originals = _embedded_heads(mail)
        if not address:
            boxes = [found for text in originals for found in _to_addresses(text)]
            address = boxes[0] if boxes else ""
        kind = fields.get("feedback-type", "abuse")
        return Bounce(
            (BouncedRecipient(address, "", BounceKind.SOFT, f"Complaint: {kind}"),) if address else (),
            _ids_in("\n".join(originals)),
            complaint=True,
        )
    return _hotmail_complaint(mail)


def _hotmail_complaint(mail: Suspect) -> Bounce | None:
    """Microsoft's junk reports have no feedback part: a fixed subject, and the mail that annoyed."""
    if not _COMPLAINT_SUBJECT.match(mail.subject):
        return None
    heads = _embedded_heads(mail)
    found = [address for text in heads for address in _to_addresses(text)][:1]
    recipients = tuple(BouncedRecipient(address, "", BounceKind.SOFT, "Complaint: abuse") for address in found)
    return Bounce(recipients, _ids_in("\n".join(heads)), complaint=True) if heads else None


def _from_system(mail: Suspect) -> bool:
    return mail.return_path == "" or _named_system(mail)


def _named_system(mail: Suspect) -> bool:
    """Whether the sender or the form of the mail says that a mail system wrote it."""
    return (
        is_daemon(mail.sender.address)
        or bounce_text.SYSTEM_NAME.search(mail.sender.name) is not None
        or bool({"message/delivery-status", "multipart/report"} & mail.bodies.content_types)
        or "report-type" in mail.head.text("content-type").lower()
        or "x-failed-recipients" in mail.head
        or "x-ms-embedded-report" in mail.head
    )


def _looks_like_bounce(mail: Suspect, notice: str) -> bool:
    """Two independent signs: who sent it, what the subject says, what the text says.

    Parcels fail to be delivered too: without a mail system as the sender, the text must talk like one.
    """
    if "x-failed-recipients" in mail.head or "message/delivery-status" in mail.bodies.content_types:
        return True
    subject = bounce_text.is_failure_subject(mail.subject)
    words = bounce_text.is_failure_notice(notice)
    if _named_system(mail):
        return subject or words
    if mail.return_path == "":
        return subject or (words and not is_absence(mail.head, mail.subject))
    return subject and words and bounce_text.is_technical(notice) and not bounce_text.is_letter(notice)


def _certain(mail: Suspect) -> bool:
    """Whether a report that names nobody is one at all: people and parcel services write about failures too."""
    if mail.return_path and mail.sender.address.lower().startswith("postmaster"):
        return False
    return _named_system(mail)


def _explained(recipients: list[BouncedRecipient], notice: str) -> list[BouncedRecipient]:
    """Fill missing words from the human part: many systems put the reason only there."""
    out: list[BouncedRecipient] = []
    for found in recipients:
        said = bounce_text.words_about(found.address, notice)
        status = found.status
        if status in ("", "5.0.0", "4.0.0") and status_in(said):
            status = status_in(said)
        words = found.diagnostic if len(found.diagnostic) > 12 else f"{found.diagnostic} {said}"
        kind = kind_of(status, words)
        out.append(replace(found, status=status, kind=kind, diagnostic=(found.diagnostic or said)[:_MAX_DIAGNOSTIC]))
    return out


def _from_words(mail: Suspect, notice: str, original: str) -> list[BouncedRecipient]:
    """Recipients of a free-form report: named by header, by the text, or by the returned mail's To."""
    named = addresses_in(" ".join(map(decoded, mail.head.raw_all("x-failed-recipients"))))
    own = mail.own | {mail.sender.address.lower()}
    addresses = named or bounce_text.failed_addresses(notice, own)
    if not addresses:
        heads = [*_embedded_heads(mail), original]
        addresses = [found for text in heads for found in _to_addresses(text) if found.lower() not in own][:1]
    out: list[BouncedRecipient] = []
    for address in addresses:
        said = bounce_text.words_about(address, notice)
        status = status_in(said)
        out.append(BouncedRecipient(address, status, kind_of(status, said), said[:_MAX_DIAGNOSTIC]))
    return out


def _embedded_heads(mail: Suspect) -> list[str]:
    """The head of each returned mail as text."""
    heads: list[str] = []
    for leaf in mail.bodies.reports:
        if leaf.content_type in ("message/rfc822", "text/rfc822-headers", "message/global", "message/partial"):
            heads.append(with_unix_lines(decode(leaf.content[:20_000], leaf.charset)).split("\n\n")[0])
    return heads


def _original_ids(mail: Suspect, original: str) -> tuple[str, ...]:
    found = dict.fromkeys(_ids_in("\n".join([*_embedded_heads(mail), original])))
    for name in ("x-original-message-id", "in-reply-to", "references"):
        found.update(dict.fromkeys(mail.head.message_ids(name)))
    return tuple(found)


def _ids_in(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(text)))


def _to_addresses(text: str) -> list[str]:
    return [found for match in _TO_FIELD.finditer(text) for found in addresses_in(match[1])]
