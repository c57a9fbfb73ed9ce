"""Work is counted from outside: a side that does less than it says is found out."""

import asyncio
import os
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from bench import machine
from bench.fanout import FRAME, Crowd
from bench.line import Line
from bench.raw import Wire, framed, ready_frame


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def test_a_listener_is_known_by_its_process(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    assert machine.listens(os.getpid(), port)
    assert not machine.listens(os.getppid(), port)
    assert not machine.listens(os.getpid(), machine.free_port())


def test_cpu_is_that_of_the_process_and_nobody_elses() -> None:
    before = machine.own_seconds()
    while machine.own_seconds() - before < 0.02:
        sum(range(10_000))
    assert machine.cpu_seconds([2**22 + 1]) == 0.0


def test_a_process_has_private_memory() -> None:
    assert machine.private_bytes(os.getpid()) > 2**20


async def test_frames_that_do_not_arrive_end_the_stage() -> None:
    crowd = Crowd(SimpleNamespace(cpu=lambda: 0.0), lambda: None)  # type: ignore[arg-type]
    crowd.sockets = 3
    crowd.patience = 0.05
    with pytest.raises(SystemExit, match="0 frames of 6 have arrived"):
        await crowd.slice(0.01)


async def test_frames_that_arrive_are_counted_at_every_socket() -> None:
    def send() -> None:
        for _ in range(3):
            crowd.count(b"x" * FRAME)

    crowd = Crowd(SimpleNamespace(cpu=lambda: 0.0), send)  # type: ignore[arg-type]
    crowd.sockets = 3
    assert (await crowd.slice(0.01)).units == 6


async def test_the_raw_server_echoes_and_fans_out_to_the_light_client() -> None:
    server = await asyncio.get_running_loop().create_server(Wire, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    got: list[bytes] = []
    enough = asyncio.Event()

    def take(text: bytes) -> None:
        got.append(text)
        if len(got) == 3:
            enough.set()

    talker, listener = await Line.open(port, "/"), await Line.open(port, "/", take)
    listener.send_text(b"hello")
    listener.send_text("ä".encode() * 20_000)
    talker.send_text(b"fan 1000")
    await asyncio.wait_for(enough.wait(), 5)
    talker.close()
    listener.close()
    server.close()
    await server.wait_closed()
    assert sorted(map(len, got)) == [5, 1000, 40_000]


def test_a_ready_frame_carries_exactly_its_size() -> None:
    assert len(ready_frame(1000)) == 1000 + 4
    assert [len(framed(b"x" * size)) - size for size in (1, 125, 126, 65_536)] == [2, 2, 4, 10]
