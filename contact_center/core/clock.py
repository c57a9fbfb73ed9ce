"""The only place that reads the clock; everything else takes `now` as an argument."""

import time
from datetime import UTC, datetime


def utcnow() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a clock that never goes back, for measuring durations."""
    return time.monotonic()
