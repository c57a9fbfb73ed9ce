"""Pure text for templates: initials, durations, sizes; times are finished in the browser by time.js."""

import re
from datetime import datetime
from typing import Any, Literal

from babel.units import format_unit
from jinja2 import pass_context, pass_eval_context
from jinja2.filters import do_urlize
from jinja2.runtime import Context
from markupsafe import escape

# A telephone number as people write it.
_NUMBER = re.compile(r"\+?\(?\d[\d\s().\-/]*")
# Without one of these there is no address in a text; looking at every word of it takes as long as all the rest.
_ADDRESS = re.compile(r"://|www\.|@|\.(com|net|int|edu|gov|org|info|mil)", re.IGNORECASE)

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def initials(name: str) -> str:
    """Return one or two letters for an avatar: first and last word of a name, or its first sign; "#" for a number."""
    if _NUMBER.fullmatch(name):
        return "#"
    words = [word for word in name.replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return name[:1].upper() or "?"
    if len(words) == 1:
        return words[0][:2].upper()
    return (words[0][0] + words[-1][0]).upper()


def clock(at: datetime) -> str:
    """Return hh:mm in the given zone, the text that stands until the browser knows its own."""
    return at.strftime("%H:%M")


@pass_context
def span(context: Context, seconds: float) -> str:
    """Return a short span such as 45s, 12m, 3h, 5 ngày; a negative one starts with a real minus sign."""
    return short_span(seconds, str(context.environment.globals["locale"]))


def short_span(seconds: float, locale: str) -> str:
    """The largest whole unit in words of a language, as time.js writes it."""
    sign, rest = ("−" if seconds < 0 else ""), abs(int(seconds))
    unit, size = next((found for found in _UNITS if rest >= found[1]), _UNITS[-1])
    # Babel has letters for English only; in other languages its short form is what browsers call narrow.
    length: Literal["narrow", "short"] = "narrow" if locale == "en" else "short"
    return sign + format_unit(rest // size, f"duration-{unit}", length, locale=locale)


def minutes(seconds: float) -> str:
    """Return m:ss, or h:mm:ss from one hour on."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3_600)
    if hours:
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    return f"{rest // 60}:{rest % 60:02d}"


def filesize(size: int) -> str:
    """Return bytes as a short text: 812 B, 14 KB, 2.1 MB."""
    if size < 1_000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{round(size / 1_000)} KB"
    return f"{size / 1_000_000:.1f} MB"


@pass_eval_context
def links(context: Any, text: str, *args: Any, **wishes: Any) -> str:
    """Jinja's `urlize`, at no cost for texts without an address."""
    return do_urlize(context, text, *args, **wishes) if _ADDRESS.search(text) else escape(text)
