"""The forms of the kinds of channel account: what each stores as settings, and as secrets that never come back.

The shapes are those that channels.email, channels.sms, channels.phone, channels.chat and channels.messaging read.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from agent_ui.forms import Form
from agent_ui.pages import gateway_forms
from channels.carrying import takes_answers
from channels.history import How
from channels.messaging import apps as messaging
from channels.phone.flow import retention
from channels.sms.gateway.config import PROVIDER, is_gateway
from channels.sms.numbers import Kind, identify
from channels.sms.whatsapp import without_prefix
from contact_center.core.i18n import mark
from tickets.channel_accounts import Account
from tickets.customers.identities import BadAddress, normalise_email, normalise_phone
from tickets.states import Channel

SECURITY = {"tls": mark("TLS from the start"), "starttls": mark("STARTTLS"), "none": mark("None, only for local tests")}
ASKS = {"optional": mark("Ask, but do not insist"), "required": mark("Required"), "never": mark("Do not ask")}
STARTS = {
    "new": mark("Only what comes from now on"),
    "days": mark("The last days as history"),
    "history": mark("Everything as history"),
}
PICTURES = {
    "": mark("As is usual in the number's country"),
    "1": mark("This number can send pictures"),
    "0": mark("This number cannot send pictures"),
}
SIGN_INS = {
    "": mark("User name and password"),
    "google": mark("Permission from Google"),
    "microsoft": mark("Permission from Microsoft 365"),
    "other": mark("Permission from another provider (OAuth 2.0)"),
}
# The servers of the providers that everybody's mailboxes share; filled in where none is named.
SERVERS = {
    "google": {"imap_host": "imap.gmail.com", "smtp_host": "smtp.gmail.com"},
    "microsoft": {"imap_host": "outlook.office365.com", "smtp_host": "smtp.office365.com"},
}
DEFAULT_PORTS = {"imap": 993, "smtp": 587}
REGION = re.compile(r"[A-Z]{2}")
# Form field -> (section of the secrets or "", key).
SECRETS: Mapping[Channel, Mapping[str, tuple[str, str]]] = {
    Channel.EMAIL: {
        "imap_user": ("imap", "user"),
        "imap_password": ("imap", "password"),
        "smtp_user": ("smtp", "user"),
        "smtp_password": ("smtp", "password"),
        "oauth_client_secret": ("oauth", "client_secret"),
    },
    Channel.SMS: {
        "account_sid": ("", "account_sid"),
        "auth_token": ("", "auth_token"),
        **{name: ("", name) for name in gateway_forms.SECRETS},
    },
    Channel.WHATSAPP: {"account_sid": ("", "account_sid"), "auth_token": ("", "auth_token")},
    Channel.PHONE: {
        "account_sid": ("", "account_sid"),
        "auth_token": ("", "auth_token"),
        "cti_token": ("", "cti_token"),
    },
    Channel.CHAT: {},
    Channel.MESSAGING: {name: ("", name) for names in messaging.SECRETS.values() for name in names},
}
# What may be shown again: it names an account and opens nothing.
SHOWN = frozenset({"imap_user", "smtp_user", "account_sid"})


def defaults(channel: Channel, region: str) -> dict[str, str]:
    """The form of a new account."""
    values = {"region": region, "start": "new", "days": "30", "folder": "INBOX"}
    if channel is Channel.EMAIL:
        values |= {"imap_security": "tls", "smtp_security": "starttls", "imap_port": "993", "smtp_port": "587"}
        values |= {"oauth_sends": "1", "newsletters_apart": "1"}
    if channel is Channel.PHONE:
        values[retention.KEEP_DAYS] = str(retention.USUAL_DAYS)
    return values


def stored(channel: Channel, settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, str]:
    """An account's settings as the values of its form, and of its secrets only what opens nothing."""
    values = defaults(channel, "")
    # What a line leaves empty was chosen: for ever.
    values.pop(retention.KEEP_DAYS, None)
    for name, value in settings.items():
        match value:
            case bool():
                values[name] = "1" if value else ""
            case list():
                values[name] = "\n".join(str(one) for one in value)
            case dict():
                values |= {f"{name}_{key}": "" if one is False else str(one) for key, one in value.items()}
            case _:
                values[name] = str(value)
    if "mms" in settings:
        values["mms"] = "1" if settings["mms"] else "0"
    values["provider"] = str(settings.get("provider") or gateway_forms.TWILIO)
    if "imap_folder" in values:
        values["folder"] = values["imap_folder"]
    if "imap_days" in values:
        values["days"] = values["imap_days"]
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
            case Channel.SMS:
                return _sender(raw, region) if raw else ""
            case Channel.PHONE:
                return normalise_phone(raw, region) if raw else ""
            case Channel.WHATSAPP:
                return normalise_phone(without_prefix(raw) or raw, region) if raw else ""
            case _:
                return raw
    except BadAddress as error:
        form.fail("address", str(error))
        return ""


def _sender(raw: str, region: str) -> str:
    """Our sender: a number, a short code, or a brand name, which customers cannot answer."""
    party = identify(raw, region)
    if party is None or party.kind is Kind.HIDDEN:
        raise BadAddress(mark("Write a number, a short code, or a brand name of at most 11 letters and digits."))
    return party.address


def read_settings(form: Form, channel: Channel, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a posted form; what the form does not show is kept."""
    match channel:
        case Channel.EMAIL:
            # Most people expect their own question below the answer; who has an account already chooses it.
            changed = {**({} if kept else {"quote": How.LAST.value}), **_email(form)}
        case Channel.SMS if form.values.get("provider") == PROVIDER:
            changed = {"region": _region(form), **gateway_forms.read(form)}
        case Channel.SMS:
            changed = {
                "provider": None,
                "messaging_service_sid": form.text("messaging_service_sid"),
                "region": _region(form),
                "mms": {"1": True, "0": False}.get(form.one_of("mms", list(PICTURES))),
            }
        case Channel.WHATSAPP:
            changed = {"messaging_service_sid": form.text("messaging_service_sid"), "region": _region(form)}
        case Channel.PHONE:
            changed = {
                "region": _region(form),
                "ring_agents": form.flag("ring_agents"),
                "forward_to": form.text("forward_to"),
                # Cleared, it is kept no more: for ever.
                retention.KEEP_DAYS: form.number(retention.KEEP_DAYS, *retention.LIMITS, default=0) or None,
            }
        case Channel.MESSAGING:
            changed = _messaging(form)
        case _:
            changed = _chat(form)
    return {name: value for name, value in {**kept, **changed}.items() if value not in ("", None)}


def _email(form: Form) -> dict[str, Any]:
    changed: dict[str, Any] = {
        "sender_name": form.text("sender_name"),
        "aliases": form.text("aliases", longest=5_000).lower().split(),
        "receiver": form.flag("receiver"),
        "newsletters_apart": form.flag("newsletters_apart"),
        "trusted_host": form.text("trusted_host"),
        "oauth": _oauth(form),
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
            "days": form.number("days", 1, 3650, default=30),
        }
    return changed


def _oauth(form: Form) -> dict[str, Any] | None:
    """How the mailbox is signed in to where that is no password; the provider's servers are filled in."""
    provider = form.one_of("oauth_provider", list(SIGN_INS))
    if not provider:
        return None
    if not form.text("imap_host") and not form.text("smtp_host"):
        form.values |= SERVERS.get(provider, {})
    chosen = {
        "provider": provider,
        "client_id": form.text("oauth_client_id", required=True),
        "sends": form.flag("oauth_sends"),
    }
    if provider == "microsoft":
        chosen["tenant"] = form.text("oauth_tenant")
    if provider == "other":
        chosen |= {name: _safe_url(form, f"oauth_{name}") for name in ("authorize_url", "token_url")}
        chosen["scope"] = form.text("oauth_scope", longest=1_000)
    return chosen


def _safe_url(form: Form, name: str) -> str:
    """An https address; http only to this machine, for tests."""
    url = form.text(name, required=True, longest=500)
    parts = urlsplit(url)
    if url and not (parts.netloc and (parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost"))):
        form.fail(name, mark("Write an address that begins with https://"))
    return url


def _region(form: Form) -> str:
    region = form.text("region").upper()
    if region and not REGION.fullmatch(region):
        form.fail("region", mark("Write a country as two letters, such as VN or DE."))
    return region


def _messaging(form: Form) -> dict[str, Any]:
    target = form.text("target", longest=2_000)
    parts = urlsplit(target)
    if target and (parts.scheme not in ("http", "https") or not parts.netloc):
        form.fail("target", mark("Write an address that begins with https://"))
    return {
        "app": form.one_of("app", list(messaging.NAMES)),
        "target": target,
        "app_id": form.text("app_id"),
        "human_agent": form.flag("human_agent"),
    }


def _chat(form: Form) -> dict[str, Any]:
    origins = form.text("origins", longest=5_000).split()
    for origin in origins:
        parts = urlsplit(origin)
        if origin != "*" and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/")):
            form.fail("origins", mark("%(text)s is not an origin: write https://shop.example.com"), text=origin)
    return {"origins": [origin.rstrip("/") for origin in origins]}


def read_secrets(form: Form, channel: Channel, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The secrets of a posted form; an empty field keeps what is stored."""
    secrets: dict[str, Any] = {name: dict(value) if isinstance(value, dict) else value for name, value in kept.items()}
    for field, (section, key) in SECRETS[channel].items():
        value = form.values.get(field, "").strip()
        if value:
            (secrets.setdefault(section, {}) if section else secrets)[key] = value
    return secrets


def has_secrets(account: Account) -> bool:
    """Whether an account has what opens its provider; one of an app what that very app needs."""
    if account.channel is Channel.MESSAGING:
        return all(account.secrets.get(name) for name in messaging.SECRETS.get(str(account.settings.get("app")), ()))
    return bool(account.secrets)


def gaps(channel: Channel, address: str, settings: Mapping[str, Any], *, has_secrets: bool) -> list[str]:
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
            if is_gateway(settings):
                found += gateway_forms.gaps(settings)
            if not takes_answers(channel, address, settings):
                found.append(mark("sends only: customers cannot answer"))
        case Channel.WHATSAPP:
            if not has_secrets:
                found.append(mark("no credentials"))
        case Channel.MESSAGING:
            if not has_secrets:
                found.append(mark("no credentials"))
            elif settings.get("app") == messaging.WEBHOOK and not settings.get("target"):
                found.append(mark("cannot send: no address"))
        case Channel.CHAT:
            if not settings.get("origins"):
                found.append(mark("shows nowhere: no website allowed"))
        case _:
            pass
    return found
