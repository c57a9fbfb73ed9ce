"""From a message's values to what its customer sees. What has no public_seq never comes here."""

from collections.abc import Mapping, Sequence
from typing import Any

from channels.chat.frames import AuthorKind, File, PublicMessage
from channels.chat.tokens import Tokens, Upload
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
    visit_id: int,
    widget_key: str,
    locale: str,
    tokens: Tokens,
) -> PublicMessage:
    """The message as its customer sees it; `values` are a message row's columns, `author` the agent's name."""
    kind, text = _said(values, locale)
    return PublicMessage(
        public_seq=values["public_seq"],
        id=values["id"],
        author=kind,
        name=author if kind is AuthorKind.AGENT else "",
        text=text,
        sent_at=values["created_at"],
        client_id=client_id_of(values["external_id"]) if values["channel"] == Channel.CHAT.value else None,
        files=tuple(file_of(one, visit_id, widget_key, tokens) for one in files) if kind != AuthorKind.SYSTEM else (),
    )


def _said(values: Mapping[str, Any], locale: str) -> tuple[AuthorKind, str]:
    kind, channel, meta = values["kind"], values["channel"], values["meta"]
    if kind == MessageKind.INBOUND.value:
        return AuthorKind.CUSTOMER, values["text"]
    if "survey_id" in meta:  # the widget asks by itself, without a link
        return AuthorKind.SYSTEM, ""
    if kind == MessageKind.OUTBOUND.value and channel == Channel.CHAT.value:
        return AuthorKind.AGENT, values["text"]
    if "chat_follow_up" in meta:
        return AuthorKind.SYSTEM, gettext(locale, FOLLOWED, email=meta["chat_follow_up"])
    if "chat_transcript" in meta:
        return AuthorKind.SYSTEM, gettext(locale, TRANSCRIPT, email=meta["chat_transcript"])
    if kind == MessageKind.EVENT.value:
        return AuthorKind.SYSTEM, gettext(locale, EVENT_TEXTS.get(meta.get("name", ""), ""))
    return AuthorKind.SYSTEM, gettext(locale, ELSEWHERE.get(channel, ""))


def external_id(visit_key: str, client_id: str) -> str:
    """The message's external id, unique within the widget: `visit:client_id`."""
    return f"{visit_key}:{client_id}"


def client_id_of(external: str | None) -> str | None:
    """The client id in an external id that we made."""
    return external.partition(":")[2] or None if external else None


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
