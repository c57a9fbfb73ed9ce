"""The frame page: its settings and texts as data, its template, and the policy under which it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

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


@dataclass(frozen=True, slots=True)
class Widget:
    """One configured widget: its look, what it asks and the origins of the pages that may show it ("*": any)."""

    key: str
    name: str
    accent: str = DEFAULT_ACCENT
    greeting: str = ""
    ask_email: str = "optional"  # never, optional, required
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hours:
    """Open now? If not, when again (if known). The estimated wait of a new chat in seconds, if known."""

    open: bool
    opens_at: datetime | None = None
    wait_s: int | None = None


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)


def choose_locale(wanted: str) -> str:
    """The best of our languages for a browser's tag like "vi-VN"."""
    language = wanted.replace("_", "-").split("-")[0].lower()
    return language if language in LOCALES else LOCALES[0]


def status(hours: Hours, ticket: str) -> dict[str, Any]:
    """What `/widget/{key}/status` answers."""
    opens_at = hours.opens_at.isoformat() if hours.opens_at else None
    return {"open": hours.open, "opens_at": opens_at, "wait_s": hours.wait_s, "ticket": ticket}


def frame_page(
    widget: Widget, hours: Hours, *, locale: str, theme: str, ticket: str, assets: str, _: Callable[[str], str]
) -> str:
    """The page in the iframe; `assets` is the folder of scripts with a slash at its end."""
    texts = widget_texts(_)
    config = {
        "key": widget.key,
        "base": f"/widget/{widget.key}",
        "locale": locale,
        "ticket": ticket,
        "widget": {
            "name": widget.name,
            "accent": widget.accent,
            "greeting": widget.greeting,
            "ask_email": widget.ask_email,
        },
        "status": status(hours, ticket),
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
