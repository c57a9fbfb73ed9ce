"""What any bus must do: everybody hears everything once, at once in the own process."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable

import pytest
import redis.asyncio

from contact_center.core.bus import Bus, MemoryBus, Poke, RedisBus
from tests.databases import missing

REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")


async def require_redis() -> None:
    client = redis.asyncio.Redis.from_url(REDIS_URL)
    try:
        await client.ping()
    except redis.RedisError as error:
        missing("Redis", f"{error}; start one (apt-get install redis-server) or set TEST_REDIS_URL")
    finally:
        await client.aclose()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Bus, Bus]]:
    """Two ends of one bus: the same object in memory, two processes' worth with Redis."""
    if request.param == "memory":
        bus = MemoryBus()
        yield bus, bus
        return
    await require_redis()
    here, there = RedisBus(REDIS_URL), RedisBus(REDIS_URL)
    await here.start()
    await there.start()
    yield here, there
    await here.stop()
    await there.stop()


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_the_other_end_hears_each_poke_once(pair: tuple[Bus, Bus]) -> None:
    here, there = pair
    heard: list[Poke] = []
    there.listen(heard.extend, lambda: None)
    for n in range(20):
        here.publish([Poke("ticket:1", {"n": n})])
    await eventually(lambda: len(heard) >= 20)
    assert [poke.data["n"] for poke in heard] == list(range(20))


async def test_the_own_end_hears_at_once_with_the_local_values(pair: tuple[Bus, Bus]) -> None:
    here, _ = pair
    heard: list[Poke] = []
    here.listen(heard.extend, lambda: None)
    here.publish([Poke("ticket:1", {}, local={"text": "hello"})])
    assert [poke.local for poke in heard] == [{"text": "hello"}]


@pytest.mark.redis
async def test_what_leaves_together_arrives_in_order_and_is_no_echo(pair: tuple[Bus, Bus]) -> None:
    here, there = pair
    at_home: list[Poke] = []
    abroad: list[Poke] = []
    here.listen(at_home.extend, lambda: None)
    there.listen(abroad.extend, lambda: None)
    fact, other = {"event": "a"}, {"event": "a"}
    sent = [Poke("ticket:1", fact), Poke("lists", fact), Poke("queue:1", other), Poke("outbox"), Poke("lists", fact)]
    here.publish(sent)
    # What comes back from there has passed everything that we sent ourselves.
    there.publish([Poke("done")])
    await eventually(lambda: Poke("done") in at_home)
    await eventually(lambda: len([poke for poke in abroad if poke.topic != "done"]) >= len(sent))
    assert [poke for poke in abroad if poke.topic != "done"] == sent
    assert [poke for poke in at_home if poke.topic != "done"] == sent


@pytest.mark.redis
async def test_losing_redis_leads_to_a_resync() -> None:
    await require_redis()
    bus = RedisBus(REDIS_URL)
    resynced: list[bool] = []
    bus.listen(lambda pokes: None, lambda: resynced.append(True))
    await bus.start()
    killer = redis.asyncio.Redis.from_url(REDIS_URL)
    for client in await killer.client_list(_type="pubsub"):
        await killer.client_kill_filter(_id=client["id"])
    await eventually(lambda: bool(resynced))
    await bus.stop()
    await killer.aclose()
