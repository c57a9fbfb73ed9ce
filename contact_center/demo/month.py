"""The demo's month in stretches: today, which is written before the first page, and the weeks before it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from contact_center.demo.days import share

TODAY = timedelta(days=1)
WEEK = timedelta(days=7)
# So many customers write for each ticket that opens; the others go on with a matter that is open, or open one again.
CUSTOMERS_A_TICKET = 1.025
# Ids kept free beyond that.
SPARE = 1.03
SPARE_LEAST = 8


@dataclass(frozen=True, slots=True)
class Scale:
    """How much: `days` before the present with `tickets` in all, `today` of them in the last day."""

    customers: int = 1_500
    days: int = 30
    tickets: int = 6_000
    today: int = 150


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the month, written on its own: its customers, and the first ticket id that it may use."""

    number: int
    begin: datetime
    end: datetime
    customers: int
    first_id: int


def stretches(now: datetime, scale: Scale) -> list[Stretch]:
    """Oldest first; the last one is today. The oldest is as long as is left over."""
    begun = now - TODAY
    opened = now - timedelta(days=scale.days)
    borders = [now, begun]
    while borders[-1] - WEEK - WEEK / 2 > opened:
        borders.append(borders[-1] - WEEK)
    if borders[-1] > opened:
        borders.append(opened)
    parts = list(pairwise(reversed(borders)))
    counts = [*_spread(round((scale.tickets - scale.today) * CUSTOMERS_A_TICKET), parts[:-1]), scale.today]
    found, first_id = [], 1
    for number, ((begin, end), count) in enumerate(zip(parts, counts, strict=True)):
        found.append(Stretch(number, begin, end, count, first_id))
        first_id += max(round(count * SPARE), count + SPARE_LEAST)
    return found


def _spread(count: int, parts: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """The count, shared out as busy as each part is."""
    shares = [share(begin, end) for begin, end in parts]
    return [round(count * one / sum(shares)) for one in shares]
