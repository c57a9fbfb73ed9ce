"""Files in the composer: uploaded to the draft, sent with the message by what can carry them, refused with a reason."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from channels import carrying
from contact_center.core.errors import Invalid
from tests.agent_ui.console import SCRIPT, Console, Seat
from tests.agent_ui.test_ticket import make_mail, messages, path, row
from tests.factories import make_account, make_ticket
from tickets.draft_files import DraftFile
from tickets.inbound import StoredFile
from tickets.models import Attachment, Message
from tickets.states import Channel

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def make_sms(tx: Connection, address: str) -> int:
    account_id = make_account(tx, Channel.SMS, address=address)
    return make_ticket(tx, account_id=account_id, channel=Channel.SMS, thread_key="t").ticket_id or 0


async def put(seat: Seat, ticket_id: int, name: str, data: bytes, mode: str = "reply") -> Any:
    headers = {**SCRIPT, "content-type": "application/octet-stream", "x-file-name": name}
    return await seat.http.post(path(ticket_id, f"/files?mode={mode}"), content=data, headers=headers)


async def send(seat: Seat, ticket_id: int, via: str, **form: str) -> Any:
    given = {"mode": "reply", "via": via, "text": "Here", "client_id": "c1", **form}
    return await seat.post(path(ticket_id, "/messages"), SCRIPT, **given)


async def test_a_file_is_uploaded_survives_a_reload_and_leaves_with_the_mail(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    answer = await put(seat, ticket_id, "h%C3%B3a%20%C4%91%C6%A1n.png", PNG)
    assert answer.status_code == 201
    assert answer.json()["name"] == "hóa đơn.png"
    page = await seat.page(path(ticket_id))
    assert "hóa đơn.png" in page.text
    point = (await console.db.read(messages, ticket_id))[0].contact_point_id
    sent = await send(seat, ticket_id, f"email:{point}", files=str(answer.json()["id"]))
    assert sent.status_code == 200
    assert "hóa đơn.png" in sent.json()["parts"][0]["html"]
    message = (await console.db.read(messages, ticket_id))[-1]
    stored = await console.db.read(row, Attachment, Attachment.message_id == message.id)
    assert (stored.filename, stored.content_type, stored.size) == ("hóa đơn.png", "image/png", len(PNG))
    assert "hóa đơn.png" not in (await seat.page(path(ticket_id))).text.partition('id="put"')[2].partition("</ul>")[0]


async def test_the_same_post_again_writes_once(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    file_id = (await put(seat, ticket_id, "a.pdf", b"%PDF-1.7")).json()["id"]
    point = (await console.db.read(messages, ticket_id))[0].contact_point_id
    answers = [await send(seat, ticket_id, f"email:{point}", text="", files=str(file_id)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(await console.db.read(messages, ticket_id)) == 2


async def test_a_note_takes_files_too_and_a_removed_one_stays_behind(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    ids = [(await put(seat, ticket_id, name, b"x", "note")).json()["id"] for name in ("a.txt", "b.txt")]
    assert (await seat.post(path(ticket_id, f"/files/{ids[0]}/remove"), SCRIPT)).status_code == 204
    await send(seat, ticket_id, "", mode="note", files=str(ids[1]))
    names = await console.db.read(lambda tx: list(tx.execute(select(Attachment.filename)).scalars()))
    assert names == ["b.txt"]
    gone = await send(seat, ticket_id, "", mode="note", files=str(ids[0]), client_id="c2")
    assert (gone.status_code, "Attach it again" in gone.json()["detail"]) == (404, True)


@pytest.mark.parametrize(("name", "data", "why"), [("a.exe", b"MZ", "program"), ("a.txt", b"", "empty")])
async def test_what_cannot_be_sent_is_refused_at_once(console: Console, name: str, data: bytes, why: str) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    answer = await put(seat, ticket_id, name, data)
    assert (answer.status_code, why in answer.json()["detail"]) == (422, True)
    assert await console.db.read(row, DraftFile) is None


async def test_a_number_without_pictures_refuses_them_and_keeps_the_draft(console: Console) -> None:
    seat = await console.sit(locale="vi")
    ticket_id = await console.write(make_sms, "+842873001234")
    assert 'data-files="no"' in (await seat.page(path(ticket_id))).text
    file_id = (await put(seat, ticket_id, "a.png", PNG)).json()["id"]
    point = (await console.db.read(messages, ticket_id))[0].contact_point_id
    refused = await send(seat, ticket_id, f"sms:{point}", files=str(file_id))
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("Tài khoản này không gửi được tệp.")
    assert (await console.db.read(row, DraftFile)).id == file_id


async def test_a_number_with_pictures_sends_them(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_sms, "+14155550100")
    file_id = (await put(seat, ticket_id, "a.png", PNG)).json()["id"]
    point = (await console.db.read(messages, ticket_id))[0].contact_point_id
    assert (await send(seat, ticket_id, f"sms:{point}", files=str(file_id))).status_code == 200
    assert (await console.db.read(row, Message, Message.kind == "outbound")).delivery == "queued"


async def test_nobody_attaches_without_a_login(console: Console) -> None:
    ticket_id = await console.write(make_mail)
    answer = await console.browser().post(path(ticket_id, "/files"), content=b"x", headers=SCRIPT)
    assert answer.status_code == 401


def file(kind: str, size: int = 10) -> StoredFile:
    return StoredFile("0" * 64, "a", kind, size)


@pytest.mark.parametrize(
    ("files", "why"),
    [([file("application/pdf")], "only pictures"), ([file("image/png", 3_000_000)] * 2, "5 MB")],
)
def test_text_messages_carry_few_pictures_only(files: list[StoredFile], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        carrying.check(Channel.SMS, "+14155550100", {}, files)
    carrying.check(Channel.EMAIL, "a@b.example", {}, files)


def test_an_account_may_say_itself_whether_it_carries_pictures() -> None:
    assert carrying.carries_files(Channel.SMS, "+4930123456", {"mms": True})
    assert not carrying.carries_files(Channel.SMS, "+14155550100", {"mms": False})
    assert not carrying.carries_files(Channel.PHONE, "+14155550100", {})
