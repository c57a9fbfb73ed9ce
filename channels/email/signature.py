"""The signature of a queue: a template with placeholders and a little markup, as HTML and as its plain-text twin.

`**bold**`, `[label](https://…)` (also `mailto:` and `tel:`), line breaks, bare addresses made clickable; all else is
text. A placeholder's value is never markup: an agent called `**x**` is called just that.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from channels.email import markup
from contact_center.core.errors import Invalid
from contact_center.core.text import fold

LONGEST = 2_000
PLACEHOLDERS = ("agent.name", "agent.first_name", "queue.name", "company", "mailbox", "ticket.number")
_PLACE = re.compile(r"\{\{([^{}\n]{0,80})\}\}")
_BOLD = re.compile(r"\*\*([^*\n]{1,300}?)\*\*")
_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\(((?:https?://|mailto:|tel:)[^\s()<>\"']{1,1000})\)")
# Vietnamese family names stand first, and people are called by the last word.
_FAMILY_FIRST = frozenset(
    (
        *("nguyen", "tran", "le", "pham", "hoang", "huynh", "phan", "vu", "vo", "dang", "bui", "do", "ho", "ngo"),
        *("duong", "truong", "dinh", "doan", "trinh", "luong"),
    )
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What stands below a reply, twice: as text, and as HTML that needs no sanitising."""

    text: str
    html: str


def facts_of(*, agent: str, queue: str, company: str, mailbox: str, number: int) -> dict[str, str]:
    """The values of all PLACEHOLDERS for one reply."""
    values = (agent, first_name(agent), queue, company, mailbox, str(number))
    return dict(zip(PLACEHOLDERS, values, strict=True))


def first_name(name: str) -> str:
    """What a person is called: the last word of `Nguyễn Thị Lan`, the first one of `Lan Nguyen` and `Anna Berg`."""
    words = name.split()
    if not words:
        return ""
    return words[-1] if fold(words[0]) in _FAMILY_FIRST and len(words) > 1 else words[0]


def check(template: str) -> str:
    """The template; raises Invalid for a placeholder that we cannot fill, with those that we can."""
    for found in _PLACE.finditer(template):
        if found[1].strip() not in PLACEHOLDERS:
            possible = ", ".join(f"{{{{{name}}}}}" for name in PLACEHOLDERS)
            raise Invalid(
                "“{name}” is no placeholder. Possible are: {possible}.",
                field="signature",
                name=found[0],
                possible=possible,
            )
    rest = _PLACE.sub("", template)
    if "{{" in rest or "}}" in rest:
        raise Invalid(
            "A placeholder begins with {begin} and ends with {end}, on one line.",
            field="signature",
            begin="{{",
            end="}}",
        )
    return template


def signature_of(template: str, facts: Mapping[str, str]) -> Signature:
    """The signature with everything filled in; both parts empty for an empty template."""
    template = template.replace("\r\n", "\n").strip()

    def filled(text: str) -> str:
        return _PLACE.sub(lambda place: facts.get(place[1].strip(), ""), text)

    return Signature(_plain(template, filled), _rich(template, filled))


def is_signed(text: str, signature: Signature) -> bool:
    """Whether an agent has put the same signature below their words already."""
    said, own = (" ".join(part.split()) for part in (text, signature.text))
    return bool(own) and said.endswith(own)


def _plain(template: str, filled: Callable[[str], str]) -> str:
    def link(found: re.Match[str]) -> str:
        label, target = filled(found[1]), filled(found[2])
        # A label that says the address already needs no saying twice.
        said = target.endswith(label.removeprefix("www."))
        return label if said else f"{label} ({target.removeprefix('mailto:').removeprefix('tel:')})"

    text = _LINK.sub(link, _BOLD.sub(r"\1", template))
    return "\n".join(line.rstrip() for line in filled(text).split("\n")).strip()


def _rich(template: str, filled: Callable[[str], str]) -> str:
    def plain(text: str) -> str:
        return markup.lines(filled(text))

    def link(found: re.Match[str]) -> str:
        target = _PLACE.sub(lambda place: quote(filled(place[0])), found[2])
        return markup.link(target, filled(found[1]))

    def linked(text: str) -> str:
        return _between(_LINK, text, link, plain)

    return _between(_BOLD, template, lambda found: f"<strong>{linked(found[1])}</strong>", linked)


def _between(
    pattern: re.Pattern[str], text: str, inside: Callable[[re.Match[str]], str], outside: Callable[[str], str]
) -> str:
    out: list[str] = []
    end = 0
    for found in pattern.finditer(text):
        out += [outside(text[end : found.start()]), inside(found)]
        end = found.end()
    return "".join([*out, outside(text[end:])])
