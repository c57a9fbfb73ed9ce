"""The contact form as a page without scripts: a ticket once, with its files; what is wrong is said, robots are not."""

import re
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, select

from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, open_console
from tests.factories import make_account, make_queue, make_user
from tickets import blocks
from tickets.blocks import Scope
from tickets.models import Attachment, ChannelAccount, JournalItem, Ticket
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}
SAID = {"name": "Ann Carter", "email": "ann@home.test", "text": "The lamp flickers.\r\nWhat now?"}
SETTINGS = {
    "origins": ["https://shop.example"],
    "ask_name": "optional",
    "texts": {"vi": {"form": "Gửi lời nhắn"}},
    "region": "VN",
}


@pytest.fixture
async def console(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Console]:
    async with open_console(sqlite_url, tmp_path) as opened:
        yield opened


def shop(tx: Connection, **settings: Any) -> int:
    make_account(tx, Channel.EMAIL)
    make_account(tx, Channel.CHAT, key="shop", settings={**SETTINGS, **settings})
    return make_queue(tx, "Repairs")


def visitor(console: Console) -> httpx2.AsyncClient:
    """A browser with scripts switched off."""
    http = console.browser()
    http.headers.update({**SAME_ORIGIN, "accept": "text/html"})
    return http


async def hidden(http: httpx2.AsyncClient) -> dict[str, str]:
    """What the empty page carries along."""
    page = (await http.get("/contact/shop")).text
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


async def tickets(console: Console) -> list[Any]:
    columns = (Ticket.id, Ticket.channel, Ticket.subject, Ticket.locale, Ticket.queue_id, Ticket.topic_id)
    return await console.db.read(lambda tx: tx.execute(select(*columns).order_by(Ticket.id)).all())


async def test_a_form_sent_twice_is_one_conversation_and_its_receipt_says_the_number(console: Console) -> None:
    await console.write(shop)
    http = visitor(console)
    form = {**await hidden(http), **SAID}
    first, second = [await http.post("/contact/shop", data=form) for _ in range(2)]
    assert [answer.status_code for answer in (first, second)] == [303, 303]
    (ticket,) = await tickets(console)
    assert (ticket.channel, ticket.subject) == ("email", "The lamp flickers.")
    for answer in (first, second):
        page = await http.get(answer.headers["location"])
        assert f"Your number is #{ticket.id + 99}. We answer to ann@home.test." in page.text
    # Back in the browser, and something else is written: that is a message of its own.
    await http.post("/contact/shop", data={**form, "text": "And the shade is torn."})
    assert len(await tickets(console)) == 2
    assert (await http.get("/contact/shop/sent?receipt=forged")).status_code == 404


async def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(console: Console) -> None:
    await console.write(shop, ask_name="required", ask_phone="optional")
    http = visitor(console)
    wrong = {**await hidden(http), **SAID, "name": "", "email": "ann@", "phone": "12", "text": "Lamp <b>&"}
    answer = await http.post("/contact/shop?lang=vi", data=wrong)
    assert answer.status_code == 422
    assert "Gửi lời nhắn" in answer.text
    assert answer.text.count('aria-invalid="true"') == 3
    assert "Lamp &lt;b&gt;&amp;" in answer.text
    assert 'value="ann@"' in answer.text
    assert await tickets(console) == []


async def test_a_choice_leads_to_its_queue_and_a_number_is_read_for_the_shops_country(console: Console) -> None:
    repairs = await console.write(shop, ask_phone="required")

    def choose(tx: Connection) -> None:
        names = {"en": "A repair", "vi": "Sửa chữa"}
        settings = {**SETTINGS, "ask_phone": "required", "choices": [{"id": 1, "queue_id": repairs, "names": names}]}
        make_account(tx, Channel.CHAT, key="other", settings=settings)

    await console.write(choose)
    http = visitor(console)
    page = await http.get("/contact/other?lang=vi")
    assert '<option value="1">Sửa chữa</option>' in page.text
    held = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    nowhere = {**held, **SAID, "phone": "0912 345 678", "choice": "7"}
    assert (await http.post("/contact/other", data=nowhere)).status_code == 422
    assert (await http.post("/contact/other", data={**nowhere, "choice": "1"})).status_code == 303
    (ticket,) = await tickets(console)
    assert ticket.queue_id == repairs


async def test_files_come_along_and_those_of_a_blocked_writer_are_kept(console: Console) -> None:
    await console.write(shop)
    user_id = await console.write(make_user)
    http = visitor(console)
    sheet = ("files", ("../bill.pdf", b"%PDF-1.4 " + b"x" * 70_000, "application/pdf"))
    form = {**await hidden(http), **SAID}
    assert (await http.post("/contact/shop", data=form, files=[sheet])).status_code == 303
    file = await console.db.read(lambda tx: tx.execute(select(Attachment.__table__)).one())
    assert (file.filename, file.size, file.content_type) == ("bill.pdf", 70_009, "application/pdf")
    assert console.services.files.get(file.digest).startswith(b"%PDF")
    await console.write(blocks.add, Scope.EMAIL, "ad@ads.test", reason="", user_id=user_id, now=utcnow())
    advert = {**form, "email": "ad@ads.test"}
    receipt = await http.post("/contact/shop", data=advert, files=[sheet])
    assert "Your number" not in (await http.get(receipt.headers["location"])).text
    item = await console.db.read(
        lambda tx: tx.execute(select(JournalItem.__table__).order_by(JournalItem.id.desc()).limit(1)).one()
    )
    assert (item.state, item.raw) == ("suppressed", None)
    kept = message_from_bytes(console.services.files.get(item.raw_digest), policy=default)
    assert [part.get_filename() for part in kept.iter_attachments()] == ["bill.pdf"]
    assert len(await tickets(console)) == 1


@pytest.mark.parametrize(
    ("name", "data", "kind", "status"),
    [
        ("x.exe", b"MZ", "application/x-msdownload", 422),
        ("x.png", b"no picture", "image/png", 422),
        ("x.txt", b"y" * (21 * 1024 * 1024), "text/plain", 413),
    ],
)
async def test_a_file_that_may_not_be_sent_is_named(
    console: Console, name: str, data: bytes, kind: str, status: int
) -> None:
    await console.write(shop)
    http = visitor(console)
    answer = await http.post(
        "/contact/shop", data={**await hidden(http), **SAID}, files=[("files", (name, data, kind))]
    )
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert await tickets(console) == []


async def test_robots_and_other_sites_write_nothing(console: Console) -> None:
    await console.write(shop)
    http = visitor(console)
    held = await hidden(http)
    trapped = await http.post("/contact/shop", data={**held, **SAID, "website": "https://spam.example"})
    assert trapped.status_code == 303
    for changed in ({"ticket": "forged"}, {"form": "x"}, {"form": ""}):
        assert (await http.post("/contact/shop", data={**held, **SAID, **changed})).status_code == 403
    across = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert (await http.post("/contact/shop", data={**held, **SAID}, headers=across)).status_code == 403
    assert (await http.get("/contact/nothing")).status_code == 404
    assert await tickets(console) == []


async def test_a_flood_is_slowed_down_and_says_so_on_the_page(console: Console) -> None:
    await console.write(shop)
    http = visitor(console)
    held = await hidden(http)
    codes = []
    for number in range(6):
        answer = await http.post("/contact/shop", data={**held, **SAID, "text": f"Again {number}"})
        codes.append(answer.status_code)
    assert codes == [303] * 5 + [429]
    assert "Too many attempts" in answer.text
    assert "Again 5" in answer.text


async def test_its_limit_is_the_widgets_own_and_counts_nothing_else(console: Console) -> None:
    await console.write(shop, form_limit=2)
    http = visitor(console)
    held = await hidden(http)
    codes = [(await http.post("/contact/shop", data={**held, **SAID, "text": f"No {n}"})).status_code for n in range(3)]
    assert codes == [303, 303, 429]
    ticket = (await http.get("/widget/shop/status")).json()["ticket"]
    closed = {"client_id": "closed-hours-1", "ticket": ticket, "locale": "en", "page": "", "website": ""}
    origin = {"origin": "https://shop.example"}
    answer = await http.post("/widget/shop/offline", json={**SAID, **closed}, headers=origin)
    assert answer.status_code == 201


async def test_a_form_that_is_switched_off_says_so_and_keeps_what_was_being_written(console: Console) -> None:
    await console.write(shop)
    http, admin = visitor(console), await console.sit(Role.ADMIN)
    held = await hidden(http)
    widget = select(ChannelAccount.id).where(ChannelAccount.key == "shop")
    path = f"/admin/channels/{await console.db.read(lambda tx: tx.execute(widget).scalar_one())}/appearance"
    look = {"accent": "#112233", "ask_name": "optional", "ask_email": "optional", "ask_phone": "never", "side": "right"}
    assert (await admin.post(path, FORM, **look, form_limit="7")).status_code == 303
    assert 'id="form-off"' in (await admin.page(path)).text
    off = await http.get("/contact/shop")
    assert (off.status_code, "This form is switched off" in off.text, "<textarea" in off.text) == (404, True, False)
    late = await http.post("/contact/shop", data={**held, **SAID})
    assert (late.status_code, "Your message was not sent." in late.text, "The lamp flickers." in late.text) == (
        404,
        True,
        True,
    )
    assert (await tickets(console), (await http.get("/contact")).status_code) == ([], 404)
    assert (await admin.post(path, FORM, **look, form_on="1", form_limit="0")).status_code == 422
    assert (await admin.post(path, FORM, **look, form_on="1", form_limit="7")).status_code == 303
    assert (await http.get("/contact/shop")).status_code == 200


async def test_only_the_shops_own_pages_show_it_in_a_frame(console: Console) -> None:
    await console.write(shop)
    http = visitor(console)
    led = await http.get("/contact?embed")
    assert led.headers["location"] == "/contact/shop?embed"
    page = await http.get("/contact/shop?embed")
    assert "frame-ancestors 'self' https://shop.example" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    assert 'class="site"' not in page.text
    assert "<script" not in page.text


async def test_the_editor_shows_where_the_form_is(console: Console) -> None:
    await console.write(shop)
    admin = await console.sit(Role.ADMIN)
    widget = select(ChannelAccount.id).where(ChannelAccount.key == "shop")
    account_id = await console.db.read(lambda tx: tx.execute(widget).scalar_one())
    page = await admin.page(f"/admin/channels/{account_id}/appearance")
    assert "/contact/shop?embed&#34; title=" in page.text
    assert "&lt;iframe src=" in page.text
