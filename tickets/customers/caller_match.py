"""Who may be calling: what stands about a number at other customers, as evidence in an order. Pure; people decide.

Only a number in E.164 is asked about. A contact point that equals it is certain and never comes here.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tickets.customers.suggestions import addresses_in

MOST = 3
# What stays of a number whatever country and old prefix it was written with, and what people remember of one.
NATIONAL = 9
REMEMBERED = 7


class Place(StrEnum):
    """Where a trace of a number was found."""

    ADDRESS = "address"
    TEXT = "text"
    TICKET = "ticket"


class Sign(StrEnum):
    """What a trace says, the strongest first."""

    USED_BEFORE = "used_before"
    OTHER_FORM = "other_form"
    WRITTEN = "written"
    SAME_END = "same_end"


ORDER = list(Sign)


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that may concern a number: an address, a text, or an older conversation of a customer."""

    customer_id: int
    name: str
    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sign with the address that it rests on; the detail is empty where there is none."""

    sign: Sign
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Maybe:
    """A customer who may be calling, and why, the strongest sign first."""

    customer_id: int
    name: str
    evidence: tuple[Evidence, ...]


def candidates(number: str, traces: Iterable[Trace], *, region: str) -> list[Maybe]:
    """At most `MOST` customers, the strongest sign first, then who has more of them, then the newest."""
    signs: dict[int, dict[Sign, Evidence]] = defaultdict(dict)
    names: dict[int, str] = {}
    for trace in traces:
        found = _sign(number, trace, region)
        if found is not None:
            signs[trace.customer_id].setdefault(found.sign, found)
            names[trace.customer_id] = trace.name
    people = [
        Maybe(customer_id, names[customer_id], tuple(own[sign] for sign in ORDER if sign in own))
        for customer_id, own in signs.items()
    ]
    people.sort(key=lambda one: (ORDER.index(one.evidence[0].sign), -len(one.evidence), -one.customer_id))
    return people[:MOST]


def _sign(number: str, trace: Trace, region: str) -> Evidence | None:
    if trace.place is Place.TICKET:
        return Evidence(Sign.USED_BEFORE, trace.name)
    if trace.place is Place.TEXT:
        return Evidence(Sign.WRITTEN) if number in addresses_in([trace.text], region=region) else None
    mine, theirs = _digits(number), _digits(trace.text)
    if len(theirs) < REMEMBERED:
        return None
    if len(mine) >= NATIONAL and mine[-NATIONAL:] == theirs[-NATIONAL:]:
        return Evidence(Sign.OTHER_FORM, trace.text)
    return Evidence(Sign.SAME_END, trace.text) if mine[-REMEMBERED:] == theirs[-REMEMBERED:] else None


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isascii() and sign.isdigit())
