"""Every page that a person can reach by links answers, for each role, over a floor that has something to show."""

import re
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
import time_machine

from contact_center.accounts.permissions import Role
from contact_center.core.settings import Settings
from tests.agent_ui.console import Console, open_console
from tests.conftest import NOW

REFERENCE = re.compile(r"""\s(?:href|hx-get|src)=["']([^"'#]+)""")
# Signing out ends the walk, and what leaves the console is not ours to open.
NEVER = re.compile(r"^/(logout|static|files)\b")


@pytest.fixture
async def console(small_demo: Settings) -> AsyncIterator[Console]:
    with time_machine.travel(NOW):
        async with open_console(small_demo.database, small_demo.data_dir) as opened:
            yield opened


def kind(address: str) -> str:
    """What a page is, whichever it is: numbers and keys left out, and of a query only the names."""
    parts = urlsplit(address)
    path = re.sub(r"(?<=/)(\d+|[\w-]*\d[\w-]{7,})(?=/|$)", "N", parts.path)
    return f"{path}?{'&'.join(sorted(pair.partition('=')[0] for pair in parts.query.split('&')))}"


def links(page: httpx2.Response) -> Iterator[str]:
    """The addresses of this server that a page names."""
    if "html" not in page.headers.get("content-type", ""):
        return
    base = str(page.url)
    for found in REFERENCE.findall(page.text):
        to = urlsplit(urljoin(base, found.replace("&amp;", "&")))
        if to.netloc == urlsplit(base).netloc and to.scheme.startswith("http") and not NEVER.match(to.path):
            yield to.path + (f"?{to.query}" if to.query else "")


async def walk(http: httpx2.AsyncClient, start: str) -> tuple[set[str], list[str]]:
    """Follow links from a page, one of each kind: the kinds that were opened, and what did not answer with a page."""
    opened: set[str] = set()
    broken: list[str] = []
    waiting = [(start, "the beginning")]
    while waiting:
        address, linked_by = waiting.pop(0)
        if kind(address) in opened:
            continue
        opened.add(kind(address))
        answer = await http.get(address, headers={"accept": "text/html"}, follow_redirects=True)
        if answer.status_code >= 400:
            broken.append(f"{answer.status_code} {address}, linked by {linked_by}")
        waiting += [(link, address) for link in dict.fromkeys(links(answer))]
    return opened, broken


@pytest.mark.parametrize(
    ("role", "locale"), [(Role.AGENT, "en"), (Role.SUPERVISOR, "vi"), (Role.QA, "en"), (Role.ADMIN, "vi")]
)
async def test_every_link_of_the_console_leads_to_a_page(console: Console, role: Role, locale: str) -> None:
    seat = await console.sit(role, locale=locale)
    opened, broken = await walk(seat.http, "/")
    assert broken == []
    assert len(opened) > 10


async def test_every_link_of_the_help_center_leads_to_a_page(console: Console) -> None:
    _, broken = await walk(console.browser(), "/help")
    assert broken == []
    found = await console.browser().get("/help?q=refund")
    assert found.status_code == 200
    assert "refund" in found.text
