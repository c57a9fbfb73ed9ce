"""A browser's line: straight through while it reads, in order when it stalls, closed when it falls behind."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.websockets import WebSocketDisconnect

from contact_center.core.sockets import QUEUE_LIMIT, RESYNC_CODE, Socket


class Browser:
    """Takes frames while `takes` is set, as a transport with room in its buffer does."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.closed = 0
        self.takes = asyncio.Event()
        self.takes.set()
        self.away = False

    async def send_text(self, data: str) -> None:
        await self.takes.wait()
        if self.away:
            raise WebSocketDisconnect(1006)
        self.got.append(data)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.closed = code


@pytest.fixture
async def browser() -> Browser:
    return Browser()


@pytest.fixture
async def socket(browser: Browser) -> AsyncIterator[Socket]:
    socket = Socket(browser, variant="en:agent")
    yield socket
    socket.gone()


async def settled() -> None:
    """Let every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_browser_that_reads_has_the_frame_at_once(socket: Socket, browser: Browser) -> None:
    socket.send(b"one")
    assert browser.got == ["one"]


async def test_what_comes_while_a_browser_stalls_keeps_its_order(socket: Socket, browser: Browser) -> None:
    browser.takes.clear()
    for number in range(3):
        socket.send(b"%d" % number)
    await settled()
    assert browser.got == []
    browser.takes.set()
    await settled()
    socket.send(b"3")
    assert browser.got == ["0", "1", "2", "3"]


async def test_a_browser_that_falls_behind_is_told_to_come_again(socket: Socket, browser: Browser) -> None:
    browser.takes.clear()
    for number in range(QUEUE_LIMIT + 2):
        socket.send(b"%d" % number)
    browser.takes.set()
    await settled()
    assert browser.closed == RESYNC_CODE
    assert browser.got == ["0"]


async def test_a_held_line_sends_nothing_before_its_release(socket: Socket, browser: Browser) -> None:
    socket.hold()
    socket.send(b"later")
    assert browser.got == []
    socket.release()
    assert browser.got == ["later"]


async def test_nothing_follows_a_cut(socket: Socket, browser: Browser) -> None:
    socket.cut(4003)
    socket.send(b"too late")
    await settled()
    assert (browser.closed, browser.got) == (4003, [])


async def test_a_browser_that_is_away_disturbs_nobody(socket: Socket, browser: Browser) -> None:
    browser.away = True
    socket.send(b"one")
    browser.takes.clear()
    socket.send(b"two")
    browser.takes.set()
    await settled()
    assert browser.got == []
