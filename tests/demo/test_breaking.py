"""Cut lines and a dead worker: what they stop, what they spare, and the count of what was lost."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from channels.chat.models import ChatVisit
from channels.chat.tokens import Tokens
from contact_center import wiring
from contact_center.core.clock import utcnow
from contact_center.core.loops import Loop, Supervisor
from contact_center.demo import breaking, losses
from contact_center.demo.breaking import SPARED, Breaker
from contact_center.demo.losses import Cut, Outage, Screen, Written
from tests.demo.served import BROWSER, Served
from tests.factories import inbound, make_account, make_ticket, make_user
from tickets import intake, replies
from tickets.models import JournalItem
from tickets.replies import Author, Reply
from tickets.states import Channel, JournalState


async def line(demo: Served, host: str, agent: str = BROWSER) -> ClientConnection:
    """A page's WebSocket under a host name."""
    name = f"{host}.localhost:{demo.port}"
    options: dict[str, Any] = {"origin": f"http://{name}", "user_agent_header": agent}
    return await connect(f"ws://{name}/widget/shop/ws", host="127.0.0.1", port=demo.port, **options)


async def test_a_cut_line_is_dropped_and_refused_and_the_others_go_on(demo: Served) -> None:
    mine, other = await line(demo, "shop"), await line(demo, "agent")
    counterpart = await line(demo, "shop", "demo")
    await demo.http.post(**demo.at("shop", "/demo/cut"))
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(mine.recv(), 5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    with pytest.raises(InvalidStatus):
        await line(demo, "shop")
    page = await demo.http.get(**demo.at("shop", "/demo/shop"))
    assert (page.status_code, "Your line is cut" in page.text, "refresh" in page.headers) == (503, True, True)
    assert (await demo.http.get(**demo.at("agent", "/login"))).status_code == 200
    for open_line in (other, counterpart):
        await open_line.send("{}")
        await open_line.close()
    cut = demo.breaker.cuts["shop.localhost"]
    assert (cut.dropped, cut.refused) == (1, 2)
    await demo.state("shop", panel=True)


async def test_a_cut_of_a_cut_line_changes_nothing_and_it_comes_back_by_itself(
    demo: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(breaking, "monotonic", lambda: now)
    await demo.http.post(**demo.at("shop", "/demo/cut"))
    first = demo.breaker.cuts["shop.localhost"]
    now += breaking.CUT_SECONDS - 1
    await demo.http.post(**demo.at("shop", "/demo/cut"))
    assert demo.breaker.cuts["shop.localhost"] is first
    assert (await demo.state("shop"))["cut"] == 1
    now += 1
    assert (await demo.http.get(**demo.at("shop", "/demo/shop"))).status_code == 200


async def test_what_could_not_be_sent_is_noted_from_the_refusal_and_from_the_pages_outbox(demo: Served) -> None:
    await demo.http.post(**demo.at("agent", "/demo/cut"))
    refused = await demo.http.post(
        **demo.at("agent", "/tickets/100/messages"),
        data={"client_id": "c1", "text": "It is on its way", "mode": "reply"},
    )
    assert (refused.status_code, refused.json()["code"] if "json" in refused.headers["content-type"] else "") in (
        (503, "line_cut"),
        (503, ""),
    )
    shown = await demo.state(
        "agent", panel=True, outbox=[{"client_id": "c2", "text": "Green?", "at": 1_790_000_000_000}]
    )
    assert [one["text"] for one in shown["breaks"][0]["items"]] == ["It is on its way", "Green?"]
    assert {one["state"] for one in shown["breaks"][0]["items"]} == {"waits in your browser"}
    assert figures(shown)["sent"] == 2


def figures(shown: dict[str, Any]) -> dict[str, int]:
    return {one["text"]: one["n"] for one in shown["breaks"][0]["figures"]}


async def test_an_agents_cut_is_over_and_every_message_is_counted(demo: Served) -> None:
    def happen(tx: Connection) -> losses.Report:
        begun = utcnow() - timedelta(seconds=30)
        account, agent = make_account(tx, Channel.SMS), make_user(tx)
        ticket_id = make_ticket(tx, account_id=account, now=begun).ticket_id
        replies.reply(tx, ticket_id, Reply("Before"), author=Author(agent, "c0"), now=begun)
        cut = Cut(begun, begun + timedelta(seconds=20), losses.books(tx), dropped=1)
        cut.written = {name: Written(name, name, begun) for name in ("c1", "c2")}
        later = begun + timedelta(seconds=5)
        tx.exec_driver_sql(f"UPDATE tickets SET assignee_id = {agent}")
        intake.receive(tx, inbound(account, text="Hello?"), now=later)
        replies.reply(tx, ticket_id, Reply("c1"), author=Author(agent, "c1"), now=begun + timedelta(seconds=21))
        replies.reply(tx, ticket_id, Reply("c1"), author=Author(agent, "c1"), now=begun + timedelta(seconds=22))
        return losses.of_cut(tx, cut, Screen(agent, None, ticket_id, 99), utcnow())

    shown = (await demo.services.db.write(happen)).shown("en")
    counted = {one["text"]: (one["n"], one["bad"]) for one in shown["figures"]}
    assert (counted["sent"], counted["arrived"], counted["twice"]) == ((2, False), (1, False), (0, False))
    assert (counted["lost"], counted["reached you"]) == ((1, True), (1, False))
    assert [(one["text"], one["state"]) for one in shown["items"]] == [
        ("c1", "in the books once, 21.0 s later"),
        ("c2", "waits in your browser"),
        ("Hello?", "on your screen"),
    ]


async def test_a_customers_cut_is_counted_by_their_visit(demo: Served) -> None:
    widget = await line(demo, "shop")
    status = (await demo.http.get(**demo.at("shop", "/widget/shop/status"))).json()
    hello = {"t": "hello", "token": None, "since": 0, "ticket": status["ticket"], "name": "Robin", "locale": "en"}
    await widget.send(orjson.dumps(hello).decode())
    await asyncio.wait_for(widget.recv(), 5)
    [visit] = await demo.rows(ChatVisit)
    token = Tokens.of(demo.services.vault).visit_token("shop", visit.id)
    await demo.http.post(**demo.at("shop", "/demo/cut"))
    await widget.wait_closed()
    told = {"panel": True, "visit": token, "outbox": [{"client_id": "x" * 24, "text": "Green?", "at": stamp()}]}
    assert figures(await demo.state("shop", **told)) == {"sent": 1, "arrived": 0, "twice": 0, "written to you": 0}

    def arrive(tx: Connection) -> None:
        values: dict[str, Any] = {"channel": Channel.CHAT, "thread_key": visit.key, "text": "Green?"}
        intake.receive(tx, inbound(visit.account_id, **values, external_id=f"{visit.key}:{'x' * 24}"), now=utcnow())

    await demo.services.db.write(arrive)
    demo.breaker.cuts["shop.localhost"].until = utcnow()
    assert figures(await demo.state("shop", **{**told, "outbox": []})) == {
        "sent": 1,
        "arrived": 1,
        "twice": 0,
        "lost": 0,
        "written to you": 0,
        "reached you": 0,
    }
    forged = await demo.state("shop", panel=True, visit=token + "x")
    assert figures(forged)["arrived"] == 0


def stamp() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


async def test_only_the_workers_loops_die_and_all_of_them_live_again(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: dict[str, int] = {}
    blocked = asyncio.Event()

    def loop(name: str) -> Loop:
        async def step() -> bool:
            steps[name] = steps.get(name, 0) + 1
            await blocked.wait()
            return False

        return Loop(name, step, 60.0)

    supervisor = Supervisor([loop(name) for name in ("relay", "delivery", "board", "demo-mailbox")])
    supervisor.start()
    await asyncio.sleep(0)
    breaker, waking = Breaker(), asyncio.Event()
    monkeypatch.setattr(breaking, "sleep", lambda seconds: waking.wait())

    async def write() -> list[str]:
        return ["SM1"]

    await breaker.kill(supervisor, write, losses.Books(0, 0))
    await breaker.kill(supervisor, write, losses.Books(9, 9))
    await asyncio.sleep(0)
    assert breaker.outage is not None
    assert (breaker.outage.killed, breaker.outage.sent, breaker.outage.books.message_id) == (2, ["SM1"], 0)
    assert steps == {"relay": 1, "delivery": 1, "board": 1, "demo-mailbox": 1}
    waking.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert steps == {"relay": 2, "delivery": 2, "board": 1, "demo-mailbox": 1}
    blocked.set()
    await supervisor.stop()


async def test_what_is_spared_is_what_a_web_process_runs_without_a_worker(demo: Served) -> None:
    web = {loop.name for loop in wiring.loops(demo.services, only=["none"], web=True)}
    assert web == SPARED


async def test_what_came_in_while_the_worker_was_dead_is_counted(demo: Served) -> None:
    def happen(tx: Connection) -> Outage:
        begun = utcnow() - timedelta(seconds=30)
        account = make_account(tx, Channel.SMS)
        outage = Outage(begun, begun + timedelta(seconds=10), losses.books(tx), killed=17, sent=["SM1", "SM2"])
        taken = {"channel": "sms", "external_id": "SM1", "state": JournalState.ACCEPTED.value, "attempts": 1}
        tx.execute(JournalItem.__table__.insert(), [{**taken, "received_at": begun + timedelta(seconds=2)}])
        make_ticket(tx, account_id=account, now=begun + timedelta(seconds=2))
        return outage

    outage = await demo.services.db.write(happen)
    demo.breaker.outage = outage
    shown = await demo.state("agent", panel=True)
    assert figures(shown) == {"sent": 2, "arrived": 1, "twice": 0, "lost": 1, "events": 2, "handled": 0}
    assert [one["text"] for one in shown["breaks"][0]["figures"] if one["bad"]] == ["lost"]
    assert shown["breaks"][0]["items"][0]["state"] == "#100, in its queue"
    await demo.services.db.write(
        lambda tx: tx.exec_driver_sql("UPDATE events SET dispatched_at = created_at")  # type: ignore[arg-type,return-value]
    )
    again = await demo.state("agent", panel=True)
    assert figures(again)["handled"] == 2
    assert again["breaks"][0]["notes"][-1] == "Caught up 0.00 s after its return."
