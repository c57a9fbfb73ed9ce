"""The doors: one click, on this machine only; and nothing of the demo in what serves customers."""

import re
import subprocess
import sys

import httpx2
import pytest
from starlette.requests import Request

from contact_center.accounts.models import LoginSession, User
from contact_center.demo.doors import DOORS, is_local
from tests.demo.served import Served


async def through(demo: Served, host: str, language: str = "en") -> httpx2.Response:
    """Follow the link of a door from the page that shows them all."""
    page = await demo.http.get(**with_language(demo.at("", "/"), language))
    link = re.search(rf'id="door-{host}" href="http://{host}\.localhost:\d+([^"]+)"', page.text)
    assert link is not None
    return await demo.http.get(**demo.at(host, link[1].replace("&amp;", "&")))


def with_language(request: dict[str, dict[str, str]], language: str) -> dict[str, dict[str, str]]:
    return {**request, "headers": {**request["headers"], "accept-language": language}}


async def test_each_door_signs_in_its_person_under_its_own_host_name(demo: Served) -> None:
    for door in DOORS:
        answer = await through(demo, door.host)
        if door.person:
            assert (answer.status_code, answer.headers["location"]) == (303, door.path)
            assert "domain" not in answer.headers["set-cookie"].lower()
    names = {row.id: row.name for row in await demo.rows(User)}
    assert [names[row.user_id] for row in await demo.rows(LoginSession)] == [d.person for d in DOORS if d.person]


async def test_a_vietnamese_visitor_becomes_somebody_who_reads_and_serves_vietnamese(demo: Served) -> None:
    await through(demo, "agent", "vi")
    await through(demo, "qa", "vi")
    names = {row.id: (row.name, row.locale) for row in await demo.rows(User)}
    entered = [names[row.user_id] for row in await demo.rows(LoginSession)]
    assert entered == [("Mai Tran", "vi"), ("Ines Duarte", "vi")]


async def test_a_doors_own_address_is_that_door_and_one_login_is_enough(demo: Served) -> None:
    there = await demo.http.get(**demo.at("agent", "/"))
    assert there.headers["location"].startswith(f"http://agent.localhost:{demo.port}/demo/enter?token=")
    path = there.headers["location"].removeprefix(f"http://agent.localhost:{demo.port}")
    first = await demo.http.get(**demo.at("agent", path))
    request = demo.at("agent", path)
    request["headers"]["cookie"] = first.headers["set-cookie"].partition(";")[0]
    again = await demo.http.get(**request)
    assert (again.headers["location"], "set-cookie" in again.headers) == ("/inbox", False)
    assert len(await demo.rows(LoginSession)) == 1


async def test_a_link_that_no_page_of_ours_signed_leads_back_to_the_doors(demo: Served) -> None:
    for token in ("", "forged", "WyJFbW1hIENsYXJrZSJd.Zm9v.YmFy"):
        answer = await demo.http.get(**demo.at("agent", f"/demo/enter?token={token}"))
        assert answer.headers["location"] == f"http://127.0.0.1:{demo.port}/"
    assert await demo.rows(LoginSession) == []


@pytest.mark.parametrize("host", ["shop.example", "10.0.0.7", "agent.localhost.evil.example"])
async def test_no_other_name_opens_a_door_or_breaks_anything(demo: Served, host: str) -> None:
    for path in ("/", "/demo/enter?token=x"):
        answer = await demo.http.get(f"http://127.0.0.1:{demo.port}{path}", headers={"host": host})
        assert answer.status_code == 403
    for path in ("/demo/cut", "/demo/kill", "/demo/state", "/demo/pace?is=busy"):
        headers = {"host": host, "origin": f"http://{host}"}
        assert (await demo.http.post(f"http://127.0.0.1:{demo.port}{path}", headers=headers)).status_code == 403
    assert (demo.breaker.cuts, demo.breaker.outage) == ({}, None)


@pytest.mark.parametrize(
    ("peer", "forwarded", "allowed"),
    [("127.0.0.1", False, True), ("::1", False, True), ("10.0.0.7", False, False), ("127.0.0.1", True, False)],
)
def test_only_this_machine_counts_as_local(peer: str, forwarded: bool, allowed: bool) -> None:
    headers = [(b"host", b"agent.localhost:8000"), *([(b"x-forwarded-for", b"10.0.0.7")] if forwarded else [])]
    scope = {"type": "http", "headers": headers, "client": (peer, 1), "path": "/", "query_string": b""}
    assert is_local(Request(scope)) is allowed


@pytest.mark.parametrize("path", ["/demo/state", "/demo/cut", "/demo/kill", "/demo/pace?is=busy"])
async def test_another_sites_page_presses_no_button(demo: Served, path: str) -> None:
    request = demo.at("agent", path)
    request["headers"]["origin"] = "https://evil.example"
    assert (await demo.http.post(**request)).status_code == 403
    assert demo.breaker.cuts == {}


def test_the_verbs_that_serve_customers_load_nothing_of_the_demo() -> None:
    program = (
        "import sys; import contact_center.cli, contact_center.wiring, contact_center.app;"
        "print([name for name in sys.modules if name.startswith('contact_center.demo')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
