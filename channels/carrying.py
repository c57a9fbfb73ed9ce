"""What each channel can carry beside words: mail and chat take files, text messages pictures where the number can."""

from collections.abc import Mapping, Sequence
from typing import Any

from channels.messaging.apps import CARRY_FILES
from channels.sms.gateway.config import is_gateway, of
from channels.sms.numbers import Kind, identify
from contact_center.core.errors import Invalid
from tickets.inbound import StoredFile
from tickets.states import Channel

# Carriers turn anything else into a link or drop it.
MMS_TYPES = frozenset({"image/jpeg", "image/png", "image/gif"})
MMS_BYTES = 5 * 1024 * 1024
# What Twilio hands on to WhatsApp, one a message.
WHATSAPP_BYTES = 16 * 1024 * 1024
WHATSAPP_TYPES = MMS_TYPES - {"image/gif"} | {
    "application/msword",
    "application/pdf",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "audio/aac",
    "audio/amr",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "image/webp",
    "text/vcard",
    "video/mp4",
}
# Pictures by text message exist in North America; elsewhere only where the account says so (`mms`).
MMS_COUNTRY = "+1"


def carries_files(channel: Channel, address: str, settings: Mapping[str, Any]) -> bool:
    """Whether anything but words can leave by this account."""
    if channel is Channel.SMS:
        return not is_gateway(settings) and bool(settings.get("mms", address.startswith(MMS_COUNTRY)))
    if channel is Channel.MESSAGING:
        return settings.get("app") in CARRY_FILES
    return channel in (Channel.EMAIL, Channel.CHAT, Channel.WHATSAPP)


def takes_answers(channel: Channel, address: str, settings: Mapping[str, Any]) -> bool:
    """Whether customers can answer to this account's sender; a brand name takes none unless a short code does."""
    if channel is not Channel.SMS:
        return True
    if is_gateway(settings):
        return of(settings).receives
    party = identify(address, str(settings.get("region") or "US"))
    return party is not None and party.kind is not Kind.ALPHANUMERIC


def check(channel: Channel, address: str, settings: Mapping[str, Any], files: Sequence[StoredFile]) -> None:
    """Raise Invalid, with what to do, for files that cannot leave by this account."""
    if not files:
        return
    if not carries_files(channel, address, settings):
        raise Invalid("This account cannot send files. Answer by e-mail, or take the files off.", field="files")
    if channel is Channel.WHATSAPP:
        _check_whatsapp(files)
    if channel is not Channel.SMS:
        return
    for file in files:
        if file.content_type not in MMS_TYPES:
            raise Invalid(
                "Text messages carry only pictures. Answer by e-mail, or take “{name}” off.",
                field="files",
                name=file.filename,
            )
    if sum(file.size for file in files) > MMS_BYTES:
        raise Invalid(
            "The pictures of a text message together may have {most} MB. Answer by e-mail, or take some off.",
            field="files",
            most=MMS_BYTES // 1_048_576,
        )


def _check_whatsapp(files: Sequence[StoredFile]) -> None:
    if len(files) > 1:
        raise Invalid("WhatsApp carries one file a message. Send the others after it.", field="files")
    [file] = files
    if file.content_type not in WHATSAPP_TYPES:
        raise Invalid(
            "WhatsApp does not carry files such as “{name}”. Answer by e-mail, or take it off.",
            field="files",
            name=file.filename,
        )
    if file.size > WHATSAPP_BYTES:
        raise Invalid(
            "WhatsApp carries files of at most {most} MB. Answer by e-mail, or take it off.",
            field="files",
            most=WHATSAPP_BYTES // 1_048_576,
        )
