"""Quiet hours by the number's own country."""

from datetime import UTC, datetime

import pytest

from tickets.customers.quiet import quiet_until, zones_of


@pytest.mark.parametrize(
    ("number", "now", "until"),
    [
        ("+84903123456", "2026-11-22T13:59", None),  # 20:59 in Hanoi
        ("+84903123456", "2026-11-22T14:00", "2026-11-23T01:00"),
        ("+84903123456", "2026-11-23T00:59:30", "2026-11-23T01:00"),
        ("+84903123456", "2026-11-23T01:00", None),
        ("+919812345678", "2026-11-22T20:00", "2026-11-23T02:30"),  # India is half an hour off
        ("+12125550123", "2026-11-22T17:00", "2026-11-22T18:00"),  # noon in New York, 7:00 in Hawaii
        ("+12125550123", "2026-11-22T19:00", None),
        ("+4915112345678", "2026-07-01T19:00", "2026-07-02T06:00"),  # summer time
        ("+4915112345678", "2026-12-01T19:00", None),
        ("+870773111632", "2026-11-22T14:00", None),  # a ship's phone is in no country
        ("SHOPVN", "2026-11-22T14:00", None),
    ],
)
def test_a_night_ends_when_it_is_day_all_over_the_numbers_country(number: str, now: str, until: str | None) -> None:
    expected = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    assert quiet_until(number, datetime.fromisoformat(now).replace(tzinfo=UTC)) == expected


def test_a_country_has_all_its_zones() -> None:
    assert [zone.key for zone in zones_of("+84903123456")] == ["Asia/Ho_Chi_Minh"]
    assert len(zones_of("+12125550123")) > 5
