"""How a day of the demo's shop goes."""

import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from contact_center.demo.cast import AGENTS, ALWAYS_OPEN
from contact_center.demo.days import ZONES, arrivals, shifts
from contact_center.demo.month import Scale, stretches

BEGIN = datetime(2026, 10, 5, tzinfo=UTC)
END = BEGIN + timedelta(days=14)


def test_customers_write_by_day_in_both_languages() -> None:
    found = arrivals(random.Random(1), BEGIN, END, 4_000)
    assert len(found) == 4_000
    assert all(BEGIN <= moment < END for moment, _ in found)
    hours = Counter(moment.astimezone(ZONES[locale]).hour for moment, locale in found)
    assert hours[10] > 4 * hours[3]
    weekdays = Counter(moment.astimezone(ZONES[locale]).weekday() for moment, locale in found)
    assert weekdays[0] > 1.2 * weekdays[6]
    assert Counter(locale for _, locale in found).keys() == {"en", "vi"}


def test_somebody_is_there_for_every_queue_that_is_always_open() -> None:
    agents = list(range(len(AGENTS)))
    found = list(shifts(agents, BEGIN, END))
    moment = BEGIN
    while moment < END:
        there = [shift.user_id for shift in found if shift.begin - timedelta(minutes=9) <= moment < shift.end]
        assert {queue for agent in there for queue in AGENTS[agent].queues} >= set(ALWAYS_OPEN), moment
        moment += timedelta(minutes=30)


def test_nobody_works_twice_a_day_nor_seven_days_a_week() -> None:
    for agent in range(len(AGENTS)):
        mine = sorted(
            (shift for shift in shifts(range(len(AGENTS)), BEGIN, END) if shift.user_id == agent),
            key=lambda shift: shift.begin,
        )
        assert all(first.end < second.begin for first, second in itertools.pairwise(mine))
        assert len(mine) <= 11


def test_the_month_has_no_hole_and_no_ticket_id_twice() -> None:
    now = datetime(2026, 11, 22, 13, 7, tzinfo=UTC)
    scale = Scale()
    parts = stretches(now, scale)
    assert parts[0].begin == now - timedelta(days=scale.days)
    assert parts[-1].end == now
    assert parts[-1].customers == scale.today
    assert 0 <= sum(part.customers for part in parts) - scale.tickets < scale.tickets * 0.03
    for earlier, later in itertools.pairwise(parts):
        assert earlier.end == later.begin
        assert earlier.first_id + earlier.customers < later.first_id


def test_a_demo_of_one_day_has_no_past_to_write() -> None:
    assert len(stretches(END, Scale(days=1, tickets=20, today=20))) == 1
