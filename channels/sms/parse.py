"""Twilio's inbound form of SMS, MMS and WhatsApp, turned into one frozen value (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from channels.sms.whatsapp import NOTHING, Told, read_told
from contact_center.core.schema import clean_text

Form = Sequence[tuple[str, str]]

MAX_FIELDS = 300  # Twilio sends about 30; the rest is somebody filling memory
MAX_MEDIA = 10  # Twilio's own limit for one MMS
MAX_BODY = 1_600 * 4  # four times Twilio's limit: longer is not an SMS


class BadForm(ValueError):
    """The carrier's request cannot be a message; its text says which field is wrong."""


@dataclass(frozen=True, slots=True)
class Media:
    """One picture or file of an MMS: where to fetch it (with the account's credentials) and its stated type."""

    url: str
    content_type: str


@dataclass(frozen=True, slots=True)
class InboundSms:
    """One received message; numbers as the carrier wrote them, `opt_out` is its own reading of STOP/START/HELP."""

    sid: str
    account_sid: str
    service_sid: str
    sender: str
    recipient: str
    body: str
    media: tuple[Media, ...]
    segments: int
    country: str
    opt_out: str
    told: Told = NOTHING


def read_form(raw: bytes) -> Form:
    """The name and value pairs of a posted form, blank values kept: they are part of the signature."""
    try:
        text = raw.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    except ValueError as error:
        raise BadForm(f"not a form: {error}") from error


def first_values(form: Form) -> dict[str, str]:
    """The form as a dictionary; a repeated name keeps its first value, so an appended copy changes nothing."""
    values: dict[str, str] = {}
    for name, value in form:
        values.setdefault(name, value)
    return values


def required(values: dict[str, str], *names: str) -> str:
    """The first of these fields that is filled; raises BadForm naming them."""
    for name in names:
        if value := values.get(name, "").strip():
            return clean_text(value)
    raise BadForm(f"{names[0]} is missing")


def parse_inbound(form: Form) -> InboundSms:
    """One inbound message; raises BadForm where the sid, a number or the account is missing."""
    values = first_values(form)
    return InboundSms(
        sid=required(values, "MessageSid", "SmsMessageSid", "SmsSid"),
        account_sid=required(values, "AccountSid"),
        service_sid=values.get("MessagingServiceSid", "").strip(),
        sender=required(values, "From"),
        recipient=required(values, "To"),
        body=clean_text(values.get("Body", ""))[:MAX_BODY],
        media=_media(values),
        segments=_count(values.get("NumSegments", ""), at_least=1),
        country=values.get("FromCountry", "").strip().upper()[:2],
        opt_out=values.get("OptOutType", "").strip().upper(),
        told=read_told(values),
    )


def _media(values: dict[str, str]) -> tuple[Media, ...]:
    """What was attached, by the addresses present: NumMedia is only the carrier's count of them."""
    found = []
    for index in range(MAX_MEDIA):
        if url := values.get(f"MediaUrl{index}", "").strip():
            kind = values.get(f"MediaContentType{index}", "").strip().lower()
            found.append(Media(url=clean_text(url), content_type=clean_text(kind) or "application/octet-stream"))
    return tuple(found)


def _count(text: str, *, at_least: int) -> int:
    """A small number of the form, or the least it can be when it is not one."""
    return max(at_least, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else at_least
