"""What operators ask: /metrics with every promise and everything that waits, for loopback or with the token."""

import httpx2
import pytest
import typer

from contact_center import wiring
from contact_center.core import metrics
from contact_center.core.clock import utcnow
from contact_center.core.outbound import trust
from contact_center.running import WORDS
from contact_center.verbs import names_of
from routing import invariants
from tests.agent_ui.console import Console
from tests.factories import make_account
from tickets import inbox
from tickets.inbox import RawItem
from tickets.states import Channel


async def test_each_promise_and_each_kind_of_waiting_has_its_gauge(console_on_both: Console) -> None:
    account_id = await console_on_both.write(make_account)
    item = RawItem(Channel.SMS, account_id, "x-1")
    await console_on_both.write(inbox.quarantine, item, "KeyError: 'x'", now=utcnow())
    names = set(await console_on_both.db.read(invariants.violations, utcnow()))
    # The queue and its account are announced since long, and no relay runs here.
    counts = {"quarantined": 1.0, "events": 2.0}
    text = (await console_on_both.browser().get("/metrics")).text
    for name in names:
        assert f'contact_center_invariant_violations{{name="{name}"}} 0.0' in text
    for kind in WORDS:
        assert f'contact_center_stuck{{kind="{kind}"}} {counts.get(kind, 0.0)}' in text


async def test_strangers_get_no_metrics(console: Console) -> None:
    http = console.browser()
    assert (await http.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"})).status_code == 403
    assert (await http.get("/metrics", headers={"authorization": "Bearer x", "x-forwarded-for": "1.2.3.4"})).is_error


async def test_a_process_without_a_web_server_answers_on_a_port_of_its_own() -> None:
    server = metrics.serve("127.0.0.1", 0)
    try:
        async with httpx2.AsyncClient(verify=trust()) as http:
            answer = await http.get(f"http://127.0.0.1:{server.server_port}/metrics")
        assert "contact_center_events_relayed_total" in answer.text
    finally:
        server.shutdown()
        server.server_close()


async def test_each_loop_can_be_named_and_no_other(console: Console) -> None:
    loops = wiring.loops(console.services, only=None, web=False)
    assert [loop.name for loop in loops] == list(wiring.LOOPS)
    assert names_of("all") is None
    assert names_of("relay, delivery") == ["relay", "delivery"]
    with pytest.raises(typer.BadParameter, match="no loop called routng; there are: routing,"):
        names_of("relay,routng")
    for loop in loops:
        if loop.close is not None:
            await loop.close()
