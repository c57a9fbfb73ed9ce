"""The conversation so far, below an answer: with `> ` in the text part, as cited blocks in the HTML.

The line above each one is written as mail programs write it, in the customer's language, so that those programs fold
it and our own reader (channels.email.attributions) knows it when it comes back.
"""

from collections.abc import Sequence

from babel.dates import format_date, format_time

from channels.base import Said
from channels.email import markup
from contact_center.core.i18n import choose, gettext


def as_text(history: Sequence[Said], locale: str) -> str:
    """Newest first; "" without history."""
    return "\n\n".join(f"{attribution(said, locale)}\n{_marked(said.text)}" for said in history)


def as_html(history: Sequence[Said], locale: str) -> str:
    """The same with the classes that mail programs fold by."""
    return "".join(
        f'<div class="gmail_quote"><div class="gmail_attr">{markup.lines(attribution(said, locale))}</div>'
        f'<blockquote type="cite">{markup.paragraphs(said.text)}</blockquote></div>'
        for said in history
    )


def attribution(said: Said, locale: str) -> str:
    """`On 2 November 2026 at 16:00, Mai <mai@example.com> wrote:` in a language of ours; one line."""
    ours = choose(locale)
    day = format_date(said.at, "long", locale="en_GB" if ours == "en" else ours)
    time = format_time(said.at, "HH:mm", tzinfo=said.at.tzinfo, locale=ours)
    zone = " UTC" if said.at.tzname() == "UTC" else ""
    who = f"{said.name} <{said.address}>" if said.name and "@" in said.address else said.name or said.address
    return gettext(
        ours, "On %(day)s at %(time)s, %(who)s wrote:", day=day, time=f"{time}{zone}", who=" ".join(who.split())
    )


def _marked(text: str) -> str:
    return "\n".join(f"> {line}" if line.strip() else ">" for line in text.split("\n"))
