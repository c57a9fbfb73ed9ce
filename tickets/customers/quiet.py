"""Quiet hours: when nothing that we start should ring on somebody's phone. Answers are never held.

A number tells its country, not its town: where a country has several zones, it must be day in all of them.
"""

from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from babel.core import get_global

# The widest night that the rules we know ask for: 21:00 to 8:00 in the United States (47 CFR 64.1200), 22:00 to 7:00 in
# Viet Nam (decree 91/2020/ND-CP).
BEGIN, END = time(21), time(8)
STEP = timedelta(minutes=30)
MOST_STEPS = 48


def quiet_until(number: str, now: datetime) -> datetime | None:
    """When the quiet hours at an E.164 number end, or None where it is day, or nobody knows where it is."""
    zones = zones_of(number)
    if not _is_quiet(zones, now):
        return None
    # Days begin on the half hour nearly everywhere, so half hours are tried in turn.
    first = now.replace(minute=0, second=0, microsecond=0)
    for step in range(1, MOST_STEPS + 1):
        moment = first + step * STEP
        if moment > now and not _is_quiet(zones, moment):
            return moment
    return None  # a country round the world has no hour of day in common


def zones_of(number: str) -> tuple[ZoneInfo, ...]:
    """The time zones of a number's country; none for a number of no country."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return ()
    return _zones(region) if region and region.isalpha() else ()


@cache
def _zones(region: str) -> tuple[ZoneInfo, ...]:
    found = []
    for name in get_global("territory_zones").get(region, ()):
        try:
            found.append(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return tuple(found)


def _is_quiet(zones: tuple[ZoneInfo, ...], moment: datetime) -> bool:
    walls = (moment.astimezone(zone).time() for zone in zones)
    return any(wall >= BEGIN or wall < END for wall in walls)
