"""Where in a recording it was paused: the carrier writes silence meanwhile, so the seconds are those of the talk."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from channels.phone.commands import CommandState, Verb, commands_of

VERBS = frozenset({Verb.RECORD.value, Verb.PAUSE_RECORDING.value, Verb.RESUME_RECORDING.value})


def pauses_of(tx: Connection, recording: Row[Any]) -> list[tuple[int, int]]:
    """(from, to) of each pause of a finished recording, in whole seconds from its beginning, in order."""
    done = [
        one for one in commands_of(tx, recording.call_id) if one.verb in VERBS and one.state == CommandState.DONE.value
    ]
    # The carrier tells of a recording after our request left, maybe before its answer came.
    began = [
        place
        for place, one in enumerate(done)
        if one.verb == Verb.RECORD.value and one.begun_at and one.begun_at <= recording.created_at
    ]
    if not began:
        return []
    start, *after = done[began[-1] :]
    zero = min(start.done_at, recording.created_at)
    found: list[tuple[int, int]] = []
    since: datetime | None = None
    for one in after:
        if one.verb == Verb.RECORD.value:
            break
        if one.verb == Verb.PAUSE_RECORDING.value:
            since = since or one.done_at
        elif since is not None:
            found.append(_within(recording, zero, since, one.done_at))
            since = None
    if since is not None:
        found.append((_within(recording, zero, since, since)[0], recording.seconds))
    return [(begin, end) for begin, end in found if end > begin]


def _within(recording: Row[Any], zero: datetime, since: datetime, until: datetime) -> tuple[int, int]:
    begin, end = (round((at - zero).total_seconds()) for at in (since, until))
    return max(0, min(begin, recording.seconds)), max(0, min(end, recording.seconds))
