"""Days switched off: the colleagues work through them first."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from contact_center.core.db import one_shot
from contact_center.core.settings import Settings
from contact_center.demo import gap, mark
from tests.conftest import NOW
from tests.demo import books
from tickets.models import Ticket
from tickets.states import OPEN_STATUSES

OPEN = [status.value for status in OPEN_STATUSES]


def state_of(settings: Settings) -> dict[str, Any]:
    with one_shot(settings.database) as tx:
        return mark.read(tx) or {}


def work_until(settings: Settings, now: datetime) -> int:
    state = state_of(settings)
    assert gap.of(state, now) is not None
    return gap.work(settings, state, now=now)


@pytest.mark.parametrize("days", [3, 20])
def test_nothing_is_absurdly_old_after_days_switched_off(small_demo: Settings, days: int) -> None:
    now = NOW + timedelta(days=days)
    came = work_until(small_demo, now)
    assert 0 < came <= gap.MOST_CUSTOMERS
    books.check(small_demo, now=now)
    with one_shot(small_demo.database) as tx:
        oldest = tx.execute(select(func.min(Ticket.waiting_since)).where(Ticket.status.in_(OPEN))).scalar_one()
        assert oldest is None or now - oldest < timedelta(days=3)
        kept = select(func.min(Ticket.resolved_at)).where(Ticket.status == "resolved")
        resolved = tx.execute(kept).scalar_one()
        assert resolved is None or now - resolved < timedelta(days=7, hours=3)
        newest = tx.execute(select(func.max(Ticket.created_at))).scalar_one()
        assert newest is not None
        assert newest > now - gap.LAST
    assert state_of(small_demo)["worked_until"] == now.isoformat()
    assert gap.of(state_of(small_demo), now) is None


def test_a_gap_worked_in_two_pieces_is_one(small_demo: Settings) -> None:
    first = work_until(small_demo, NOW + timedelta(hours=4))
    assert state_of(small_demo)["worked_until"] == (NOW + timedelta(hours=4)).isoformat()
    second = work_until(small_demo, NOW + timedelta(hours=8))
    assert first > 0
    assert second > 0
    books.check(small_demo, now=NOW + timedelta(hours=8))
    with one_shot(small_demo.database) as tx:
        came = select(func.count()).select_from(Ticket).where(Ticket.created_at > NOW)
        assert tx.execute(came).scalar_one() == first + second


def test_a_short_pause_is_left_to_the_floor() -> None:
    state = {"worked_until": NOW.isoformat()}
    assert gap.of(state, NOW + timedelta(minutes=5)) is None
    assert gap.of(state, NOW + timedelta(hours=5)) == timedelta(hours=5)
