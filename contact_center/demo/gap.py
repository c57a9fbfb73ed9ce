"""After hours or days switched off: the colleagues work through what has waited before the doors open.

Nothing is then absurdly old: what waited was answered soon after it came, what was due was closed, and a few
customers have written since.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from contact_center import wiring
from contact_center.core.db import sqlite_engine
from contact_center.core.settings import Settings
from contact_center.demo import mark, seed
from contact_center.demo.history import TICK, History

# The floor itself catches up with less.
SHORTEST = timedelta(minutes=15)
# Played through after the last moment worked, and before the present; in between only timers run.
FIRST, LAST = timedelta(days=1), timedelta(days=2)
AN_HOUR = 4.0
MOST_CUSTOMERS = 60
TICKS = 200


def of(stored: dict[str, Any], now: datetime) -> timedelta | None:
    """How long nobody has worked, if it is long enough to matter."""
    gap = now - datetime.fromisoformat(stored["worked_until"])
    return gap if gap > SHORTEST else None


def work(settings: Settings, stored: dict[str, Any], *, now: datetime) -> int:
    """Let the time since the demo was stopped happen; how many matters were opened meanwhile."""
    begun = datetime.fromisoformat(stored["worked_until"])
    engine = sqlite_engine(settings.database, synchronous="NORMAL")
    rng = random.Random(begun.isoformat())
    with engine.connect() as connection:

        def commit(moment: datetime) -> Connection:
            # Together with what has happened until then: killed, it goes on from here.
            mark.write(connection, worked_until=moment.isoformat())
            return seed.next_transaction(connection)

        connection.begin()
        history = seed.assemble(connection, settings, wiring.HANDLERS, rng, key=f"gap-{begun:%Y%m%d%H%M%S%f}")
        _plan(history, begun, now)
        history.run(now, commit)
        connection.commit()
    engine.dispose()
    return history.customers.opened


def _plan(history: History, begun: datetime, now: datetime) -> None:
    lately = max(begun, now - LAST)
    customers = min(MOST_CUSTOMERS, round((now - lately) / timedelta(hours=1) * AN_HOUR))
    history.plan_customers(lately, now, customers)
    # Whoever was at work when it was switched off has gone home meanwhile.
    history.plan_handover(begun)
    tick = max(TICK, (now - begun) / TICKS)
    if begun + FIRST < lately:
        history.plan_work(begun, begun + FIRST, tick=tick)
        history.plan_timers(begun + FIRST, lately, tick=tick)
        history.plan_handover(lately)
        history.plan_work(lately, now, tick=tick)
    else:
        history.plan_work(begun, now, tick=tick)
