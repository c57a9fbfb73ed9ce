"""Mails in their frame: pictures from elsewhere are held back until asked for, and then come through our own door."""

import re
from html import unescape
from typing import Any

import pytest
from sqlalchemy import Connection, select
from starlette.applications import Starlette
from starlette.middleware import Middleware

from agent_ui.pages import pictures
from channels.email.sanitize import sanitised
from contact_center.app import on_domain_error
from contact_center.core import outbound
from contact_center.core.errors import DomainError
from contact_center.core.outbound import CannotFetch, Fetched
from contact_center.core.web import RequestContext
from tests.agent_ui.console import Console, Seat
from tests.agent_ui.test_ticket import make_mail
from tickets.inbound import StoredFile
from tickets.models import Message

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
MAIL = '<p>Look</p><img src="http://shop.example/a.png?x=1&amp;y=2"><img src="cid:logo@mail"><img src="cid:gone">'


async def mail_of(console: Console, **values: Any) -> int:
    """The message of a mail with a picture elsewhere and one of its own."""
    digest = console.services.files.put(PNG)
    own = StoredFile(digest, "logo.png", "image/png", len(PNG), inline=True, content_id="<logo@mail>")

    def make(tx: Connection) -> int:
        ticket_id = make_mail(tx, html=sanitised(MAIL), attachments=(own,), **values)
        return tx.execute(select(Message.id).where(Message.ticket_id == ticket_id)).scalar_one()

    return await console.write(make)  # type: ignore[no-any-return]


def sources(page: str) -> list[str]:
    return [
        unescape(found)
        for found in re.findall(r'<img[^>]* src="([^"]*)"|<img src="([^"]*)"', page)
        for found in found
        if found
    ]


async def shown(console: Console, url: str, data: bytes) -> Any:
    """What the door answers for a signed address when the other side gives `data`; and what was asked for."""
    asked: list[str] = []

    async def fetch(url: str, *, most_bytes: int) -> Fetched:
        asked.append(url)
        if not data:
            raise CannotFetch("it is not a public host")
        return Fetched(data, "image/png")

    handlers = {DomainError: on_domain_error}
    app = Starlette(routes=pictures.routes(fetch), exception_handlers=handlers, middleware=[Middleware(RequestContext)])
    app.state.services = console.services
    async with Console(console.services, app, []).browser() as http:
        return await http.get(url), asked


async def test_nothing_from_elsewhere_is_loaded_until_it_is_asked_for(console: Console) -> None:
    seat = await console.sit()
    message_id = await mail_of(console)
    page = await seat.page(f"/messages/{message_id}/original")
    assert len(sources(page.text)) == 1
    own = await seat.page(sources(page.text)[0])
    assert (own.content, own.headers["content-type"]) == (PNG, "image/png")
    policy = page.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "https:" not in policy
    assert page.headers["referrer-policy"] == "no-referrer"


async def test_asked_for_they_come_by_signed_addresses_of_ours_only(console: Console) -> None:
    seat = await console.sit()
    message_id = await mail_of(console)
    page = await seat.page(f"/messages/{message_id}/original?images=1")
    found = sources(page.text)
    assert len(found) == 2
    assert all(one.startswith("/pictures/") for one in found)
    answer, asked = await shown(console, found[0], PNG)
    assert asked == ["http://shop.example/a.png?x=1&y=2"]
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, PNG, "image/png")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("data", [SVG, b"<html>", b""])
async def test_what_is_no_picture_or_not_public_shows_nothing(console: Console, data: bytes) -> None:
    url = pictures.address_of(console.services.vault, {"url": "http://shop.example/a.png"})
    answer, _ = await shown(console, url, data)
    assert answer.status_code == 404


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/healthz", "http://localhost/", "http://169.254.169.254/"])
async def test_the_door_does_not_lead_into_the_house(console: Console, url: str) -> None:
    signed = pictures.address_of(console.services.vault, {"url": url})
    answer = await console.browser().get(signed)
    assert answer.status_code == 404
    with pytest.raises(CannotFetch):
        await outbound.fetch(url, most_bytes=10)


async def test_an_address_that_we_did_not_sign_is_no_relay(console: Console) -> None:
    signed = console.services.vault.sign("something-else", {"url": "http://shop.example/a.png"})
    assert (await shown(console, f"/pictures/{signed}", PNG))[1] == []
    assert (await console.browser().get("/pictures/http:%2F%2Fshop.example%2Fa.png")).status_code == 404


async def test_a_stranger_sees_no_mail(console: Console) -> None:
    message_id = await mail_of(console)
    assert (await console.browser().get(f"/messages/{message_id}/original")).status_code in (303, 401)


async def test_the_conversation_says_how_many_are_held_back(console: Console) -> None:
    seat: Seat = await console.sit()
    await mail_of(console)
    page = await seat.page("/tickets/100")
    assert "1 image from elsewhere is blocked" in page.text
    assert "Show images" in page.text
