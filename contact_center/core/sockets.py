"""One connected browser: frames go straight to its transport, and only those of a slow reader are queued.

Handing every frame to a task of its own would double what a fan-out costs, and a waiting task for each of thousands
of idle browsers a fifth of their memory.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Generator
from typing import Any, Protocol

from starlette.websockets import WebSocketDisconnect

QUEUE_LIMIT = 256
RESYNC_CODE = 4001
REVOKED_CODE = 4003

Frame = bytes


class Sink(Protocol):
    """The sending side of a WebSocket (Starlette's has both)."""

    async def send_text(self, data: str) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Socket:
    """A browser's line, what it looks at, and the frames that it has not taken yet."""

    __slots__ = (
        "_late",
        "_task",
        "close_code",
        "connection_id",
        "session_id",
        "sink",
        "topics",
        "user_id",
        "variant",
    )

    def __init__(self, sink: Sink, *, variant: str, user_id: int | None = None, session_id: int | None = None) -> None:
        self.sink = sink
        self.variant = variant
        self.user_id = user_id
        self.session_id = session_id
        # The name under which this line stands on the floor; None for whoever handles no work.
        self.connection_id: str | None = None
        self.topics: set[str] = set()
        self.close_code = 0
        # None: the line is free. Else what waits behind a hold or behind a frame that the browser does not take.
        self._late: deque[str] | None = None
        self._task: asyncio.Task[None] | None = None

    def send(self, data: Frame) -> None:
        """Send a frame, in order."""
        self.write(data.decode())

    def write(self, text: str) -> None:
        """The same for a text; a full queue closes the line so that the browser resumes from its last seq."""
        if self.close_code:
            return
        if self._late is not None:
            if len(self._late) >= QUEUE_LIMIT:
                self.cut(RESYNC_CODE)
            else:
                self._late.append(text)
            return
        rest = begin(self.sink.send_text(text))
        if rest is not None:
            self._late = deque()
            self._task = asyncio.create_task(self._go_on(rest), name="slow-socket")

    def hold(self) -> None:
        """Queue what comes from now on, until `release`."""
        if self._late is None:
            self._late = deque()

    def release(self) -> None:
        """Send what was held, in order."""
        held, self._late = self._late, None
        for text in held or ():
            self.write(text)

    def cut(self, code: int) -> None:
        """Close from our side as soon as possible, dropping what is queued."""
        if self.close_code:
            return
        self.close_code = code
        if self._late:
            self._late.clear()
        if self._task is None:
            self._task = asyncio.create_task(self._close(), name="cut-socket")

    def gone(self) -> None:
        """The browser is away: nobody takes what is queued."""
        self.close_code = self.close_code or 1000
        if self._task is not None:
            self._task.cancel()

    async def _go_on(self, rest: "HalfDone") -> None:
        """Wait until the browser takes the frame at which it stalled, and send what has come since."""
        try:
            await rest
            while self._late:
                await self.sink.send_text(self._late.popleft())
        except (WebSocketDisconnect, RuntimeError, OSError):
            return
        self._late, self._task = None, None
        if self.close_code:
            await self._close()

    async def _close(self) -> None:
        try:
            await self.sink.close(self.close_code)
        except (WebSocketDisconnect, RuntimeError, OSError):
            return


class HalfDone:
    """A coroutine that has run up to its first wait; awaiting this runs the rest of it."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self.coroutine = coroutine
        self.waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self.waits_for
        while True:
            try:
                try:
                    answer = yield waits_for
                except BaseException as error:  # noqa: BLE001 - a cancellation belongs to the coroutine inside
                    waits_for = self.coroutine.throw(error)
                else:
                    waits_for = self.coroutine.send(answer)
            except StopIteration:
                return


def begin(sending: Coroutine[Any, Any, None]) -> HalfDone | None:
    """Run a coroutine at once, without a task; what is left of it if it has to wait. A line that is gone is silent."""
    try:
        waits_for = sending.send(None)
    except StopIteration:
        return None
    except (WebSocketDisconnect, RuntimeError, OSError):
        # Its receiving side learns that the browser is away.
        return None
    return HalfDone(sending, waits_for)
