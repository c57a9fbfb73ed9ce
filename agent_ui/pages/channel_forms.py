"""The forms of the four kinds of channel account: what each stores as settings, and as secrets that never come back.

The shapes are those that channels.email, channels.sms, channels.phone and channels.chat read.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from agent_ui.forms import Form
from contact_center.core.i18n import mark
from tickets.customers.identities import BadAddress, normalise_email, normalise_phone
from tickets.states import Channel

SECURITY = {"tls": mark("TLS from the start"), "starttls": mark("STARTTLS"), "none": mark("None, only for local tests")}
ASKS = {"optional": mark("Ask, but do not insist"), "required": mark("Required"), "never": mark("Do not ask")}
STARTS = {"new": mark("Only what comes from now on"), "all": mark("Everything in the folder")}
DEFAULT_PORTS = {"imap": 993, "smtp": 587}
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
REGION = re.compile(r"[A-Z]{2}")
# Form field -> (section of the secrets or "", key).
SECRETS: Mapping[Channel, Mapping[str, tuple[str, str]]] = {
    Channel.EMAIL: {
        "imap_user": ("imap", "user"),
        "imap_password": ("imap", "password"),
        "smtp_user": ("smtp", "user"),
        "smtp_password": ("smtp", "password"),
    },
    Channel.SMS: {"account_sid": ("", "account_sid"), "auth_token": ("", "auth_token")},
    Channel.PHONE: {
        "account_sid": ("", "account_sid"),
        "auth_token": ("", "auth_token"),
        "cti_token": ("", "cti_token"),
    },
    Channel.CHAT: {},
}
# What may be shown again: it names an account and opens nothing.
SHOWN = frozenset({"imap_user", "smtp_user", "account_sid"})


def defaults(channel: Channel, region: str) -> dict[str, str]:
    """The form of a new account."""
    values = {"region": region, "ask_email": "optional", "accent": "#2457d6", "start": "new", "folder": "INBOX"}
    if channel is Channel.EMAIL:
        values |= {"imap_security": "tls", "smtp_security": "starttls", "imap_port": "993", "smtp_port": "587"}
    return values


def stored(channel: Channel, settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, str]:
    """An account's settings as the values of its form, and of its secrets only what opens nothing."""
    values = defaults(channel, "")
    for name, value in settings.items():
        match value:
            case bool():
                values[name] = "1" if value else ""
            case list():
                values[name] = "\n".join(str(one) for one in value)
            case dict():
                values |= {f"{name}_{key}": str(one) for key, one in value.items()}
            case _:
                values[name] = str(value)
    if "imap_folder" in values:
        values["folder"] = values["imap_folder"]
    if "imap_start" in values:
        values["start"] = values["imap_start"]
    for field, (section, key) in SECRETS[channel].items():
        held = secrets.get(section, {}) if section else secrets
        if field in SHOWN and held.get(key):
            values[field] = str(held[key])
    return values


def known_secrets(channel: Channel, secrets: Mapping[str, Any]) -> frozenset[str]:
    """The names of the fields behind which a secret is stored."""
    return frozenset(
        field
        for field, (section, key) in SECRETS[channel].items()
        if (secrets.get(section, {}) if section else secrets).get(key)
    )


def read_address(form: Form, channel: Channel, region: str) -> str:
    """What customers write to or call, in its normal spelling."""
    raw = form.text("address", required=channel is not Channel.CHAT)
    try:
        match channel:
            case Channel.EMAIL:
                return normalise_email(raw) if raw else ""
            case Channel.SMS | Channel.PHONE:
                return normalise_phone(raw, region) if raw else ""
            case _:
                return raw
    except BadAddress as error:
        form.fail("address", str(error))
        return ""


def read_settings(form: Form, channel: Channel, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a posted form; what the form does not show is kept."""
    match channel:
        case Channel.EMAIL:
            changed = _email(form)
        case Channel.SMS:
            changed = {"messaging_service_sid": form.text("messaging_service_sid"), "region": _region(form)}
        case Channel.PHONE:
            changed = {
                "region": _region(form),
                "ring_agents": form.flag("ring_agents"),
                "forward_to": form.text("forward_to"),
            }
        case _:
            changed = _chat(form)
    return {name: value for name, value in {**kept, **changed}.items() if value not in ("", None)}


def _email(form: Form) -> dict[str, Any]:
    changed: dict[str, Any] = {
        "sender_name": form.text("sender_name"),
        "aliases": form.text("aliases", longest=5_000).lower().split(),
        "receiver": form.flag("receiver"),
        "trusted_host": form.text("trusted_host"),
    }
    for alias in changed["aliases"]:
        if "@" not in alias:
            form.fail("aliases", mark("%(text)s is not an e-mail address."), text=alias)
    for section in ("imap", "smtp"):
        host = form.text(f"{section}_host")
        if not host:
            changed[section] = None
            continue
        changed[section] = {
            "host": host,
            "port": form.number(f"{section}_port", 1, 65_535, default=DEFAULT_PORTS[section]),
            "security": form.one_of(f"{section}_security", list(SECURITY)),
        }
    if changed["imap"]:
        changed["imap"] |= {
            "folder": form.text("folder") or "INBOX",
            "start": form.one_of("start", list(STARTS)),
        }
    return changed


def _region(form: Form) -> str:
    region = form.text("region").upper()
    if region and not REGION.fullmatch(region):
        form.fail("region", mark("Write a country as two letters, such as VN or DE."))
    return region


def _chat(form: Form) -> dict[str, Any]:
    accent = form.text("accent")
    if accent and not COLOUR.fullmatch(accent):
        form.fail("accent", mark("Write a colour as #rrggbb."))
    origins = form.text("origins", longest=5_000).split()
    for origin in origins:
        parts = urlsplit(origin)
        if origin != "*" and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/")):
            form.fail("origins", mark("%(text)s is not an origin: write https://shop.example.com"), text=origin)
    return {
        "accent": accent,
        "greeting": form.text("greeting", longest=300),
        "ask_email": form.one_of("ask_email", list(ASKS)),
        "origins": [origin.rstrip("/") for origin in origins],
    }


def read_secrets(form: Form, channel: Channel, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The secrets of a posted form; an empty field keeps what is stored."""
    secrets: dict[str, Any] = {name: dict(value) if isinstance(value, dict) else value for name, value in kept.items()}
    for field, (section, key) in SECRETS[channel].items():
        value = form.values.get(field, "").strip()
        if value:
            (secrets.setdefault(section, {}) if section else secrets)[key] = value
    return secrets


def gaps(channel: Channel, settings: Mapping[str, Any], *, has_secrets: bool) -> list[str]:
    """What keeps an account from working although nothing has failed yet."""
    found = []
    match channel:
        case Channel.EMAIL:
            if not (settings.get("smtp") or {}).get("host"):
                found.append(mark("cannot send: no SMTP server"))
            if not (settings.get("imap") or {}).get("host") and not settings.get("receiver"):
                found.append(mark("takes nothing: no IMAP server"))
        case Channel.SMS:
            if not has_secrets:
                found.append(mark("no credentials"))
        case Channel.CHAT:
            if not settings.get("origins"):
                found.append(mark("shows nowhere: no website allowed"))
        case _:
            pass
    return found
