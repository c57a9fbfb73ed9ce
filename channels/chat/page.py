"""The frame page: its settings and texts as data, its template, and the policy under which it runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from channels.chat.asking import Choice, Hours
from channels.chat.parse import FILES_PER_MESSAGE, TEXT_CHARACTERS
from channels.chat.texts import widget_texts

FILE_BYTES = 10 * 1024 * 1024
FILE_TYPES = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/pdf",
    "text/plain",
    "text/csv",
    "application/zip",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
LOCALES = ("en", "vi")
DEFAULT_ACCENT = "#2457d6"


# What a shop may say in its own words, with the greatest length.
CUSTOM = {
    "greeting": 120,
    "greeting_more": 300,
    "choice": 60,
    "offline": 300,
    "form": 120,
    "form_more": 300,
    "consent": 300,
}


FORM_LIMIT = 5


@dataclass(frozen=True, slots=True)
class Widget:
    """One configured widget: its look, what it asks and the origins of the pages that may show it ("*": any)."""

    key: str
    name: str
    accent: str = DEFAULT_ACCENT
    ask_name: str = "required"  # never, optional, required
    ask_email: str = "optional"
    ask_phone: str = "never"
    # What a chat may be about; none: nobody is asked.
    choices: tuple[Choice, ...] = ()
    side: str = "right"
    consent_url: str = ""
    # Locale -> key of CUSTOM -> the shop's own words; what is empty stays ours.
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    # The contact form: whether it is there, and how many an internet address may send in an hour.
    form_on: bool = True
    form_limit: int = FORM_LIMIT


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)


def choose_locale(wanted: str) -> str:
    """The best of our languages for a browser's tag like "vi-VN"."""
    language = wanted.replace("_", "-").split("-")[0].lower()
    return language if language in LOCALES else LOCALES[0]


def status(hours: Hours, ticket: str, choices: Sequence[Choice] = ()) -> dict[str, Any]:
    """What `/widget/{key}/status` answers; `closed`: choices nobody answers now, each with its next opening."""
    closed = {str(one.id): _opens(one.hours) for one in choices if not one.hours.open}
    told = {"open": hours.open, "opens_at": _opens(hours), "wait_s": hours.wait_s, "closed": closed}
    return {**told, "ticket": ticket}


def _opens(hours: Hours) -> str | None:
    return hours.opens_at.isoformat() if hours.opens_at else None


def frame_page(
    widget: Widget,
    hours: Hours,
    *,
    locale: str,
    theme: str,
    ticket: str,
    assets: str,
    _: Callable[[str], str],
    invitations: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The page in the iframe; `assets` is the folder of scripts with a slash at its end."""
    texts = widget_texts(_) | custom_texts(widget.texts.get(locale, {}))
    config = {
        "key": widget.key,
        "base": f"/widget/{widget.key}",
        "locale": locale,
        "ticket": ticket,
        "widget": {
            "name": widget.name,
            "accent": widget.accent,
            "asks": {"name": widget.ask_name, "email": widget.ask_email, "phone": widget.ask_phone},
            "choices": [{"id": one.id, "name": one.name(locale)} for one in widget.choices],
            "side": widget.side,
            "consent_url": widget.consent_url,
        },
        "status": status(hours, ticket, widget.choices),
        "invitations": invitations,
        "limits": {
            "text": TEXT_CHARACTERS,
            "file": FILE_BYTES,
            "files": FILES_PER_MESSAGE,
            "types": FILE_TYPES,
        },
        "texts": texts,
    }
    return _environment.get_template("frame.html").render(
        locale=locale,
        theme=theme if theme in ("light", "dark") else "",
        title=texts["title"].format(name=widget.name),
        launcher=texts["launcher"],
        noscript=_("This chat needs JavaScript."),
        assets=assets,
        config=_script_data(config),
    )


def custom_texts(own: Mapping[str, str]) -> dict[str, str]:
    """A shop's own words by the keys of the widget's texts; `{when}` in the offline text is the next opening."""
    texts = {key: own[key] for key in ("greeting", "greeting_more", "choice", "consent") if own.get(key)}
    offline = own.get("offline")
    if offline:
        texts["closed_until"] = offline
        if "{when}" not in offline:
            texts["closed_more"] = offline
    return texts


def _script_data(value: dict[str, Any]) -> Markup:
    """JSON that can stand in a script element: no `<` can end it."""
    return Markup(orjson.dumps(value).decode().replace("<", "\\u003c"))


def content_policy(widget: Widget, own_origin: str) -> str:
    """Scripts, styles and lines of our own host only; framed by the widget's origins only."""
    socket = own_origin.replace("http", "ws", 1)
    ancestors = "*" if "*" in widget.origins else " ".join(("'self'", *widget.origins))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            f"connect-src 'self' {socket}",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {ancestors}",
        )
    )


def origin_allowed(origin: str | None, own_origin: str, widget: Widget) -> bool:
    """May a page of this origin open a line? Our own frame always; others only if the widget names them."""
    return origin is not None and (origin == own_origin or "*" in widget.origins or origin in widget.origins)
