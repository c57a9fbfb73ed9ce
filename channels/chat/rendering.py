"""From a message's values to what its customer sees. What has no public_seq never comes here."""

from collections.abc import Mapping, Sequence
from typing import Any

from channels.chat.frames import AuthorKind, File, PublicMessage
from channels.chat.tokens import Tokens, Upload
from channels.chat.visit import Visit, client_id_of
from contact_center.core.i18n import gettext, mark
from tickets.inbound import StoredFile
from tickets.states import Channel, MessageKind

RASTER_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

# Public events of a timeline that are worth a line; the others keep their number and show nothing.
EVENT_TEXTS = {
    "chat_ended": mark("The conversation was ended."),
}
ELSEWHERE = {
    Channel.EMAIL.value: mark("We have sent you an e-mail."),
    Channel.SMS.value: mark("We have sent you a text message."),
    Channel.PHONE.value: mark("We spoke on the phone."),
}
FOLLOWED = mark("This answer also went to %(email)s.")
TRANSCRIPT = mark("This conversation was sent to %(email)s.")


def public_message(
    values: Mapping[str, Any],
    files: Sequence[StoredFile],
    *,
    author: str,
    visit: Visit,
    widget_key: str,
    tokens: Tokens,
) -> PublicMessage:
    """The message as its customer sees it; `values` are a message row's columns, `author` the agent's name."""
    kind, text = _said(values, visit)
    return PublicMessage(
        public_seq=values["public_seq"],
        id=values["id"],
        author=kind,
        name=(author or values["meta"].get("sender", "")) if kind is AuthorKind.AGENT else "",
        text=text,
        sent_at=values["created_at"],
        client_id=client_id_of(visit, values["external_id"]),
        files=tuple(file_of(one, visit.id, widget_key, tokens) for one in files) if kind != AuthorKind.SYSTEM else (),
    )


def _said(values: Mapping[str, Any], visit: Visit) -> tuple[AuthorKind, str]:
    """Who said what; what is not this visit's keeps its number and shows nothing."""
    kind, channel, meta = values["kind"], values["channel"], values["meta"]
    if values["public_seq"] < visit.from_seq or "survey_id" in meta:  # the widget asks by itself, without a link
        return AuthorKind.SYSTEM, ""
    if kind == MessageKind.INBOUND.value:
        own = client_id_of(visit, values["external_id"]) is not None
        return (AuthorKind.CUSTOMER, values["text"]) if own else (AuthorKind.SYSTEM, "")
    if kind == MessageKind.OUTBOUND.value and channel == Channel.CHAT.value:
        return AuthorKind.AGENT, values["text"]
    if "chat_follow_up" in meta:
        return AuthorKind.SYSTEM, gettext(visit.locale, FOLLOWED, email=meta["chat_follow_up"])
    if "chat_transcript" in meta:
        return AuthorKind.SYSTEM, gettext(visit.locale, TRANSCRIPT, email=meta["chat_transcript"])
    if kind == MessageKind.EVENT.value:
        return AuthorKind.SYSTEM, gettext(visit.locale, EVENT_TEXTS.get(meta.get("name", ""), ""))
    return AuthorKind.SYSTEM, gettext(visit.locale, ELSEWHERE.get(channel, ""))


def file_of(file: StoredFile, visit_id: int, widget_key: str, tokens: Tokens) -> File:
    """An attachment with an address that only this visit's customer learns."""
    upload = Upload(file.digest, file.filename, file.content_type, file.size, None, None)
    signed = tokens.upload_id(visit_id, upload)
    return File(
        id=file.digest[:16],
        name=file.filename,
        type=file.content_type,
        size=file.size,
        url=f"/widget/{widget_key}/files/{signed}",
        image=file.content_type in RASTER_TYPES,
    )
