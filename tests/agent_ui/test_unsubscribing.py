"""Unsubscribing from surveys: one click of a mail program, a page for people, a ledger, and answers as before."""

from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import Connection, select

from channels import loading
from channels.email import unsubscribing
from channels.email.compose import composed
from channels.email.send import MailSender
from channels.email.unsubscribing import Link
from contact_center.accounts.permissions import Role
from tests.agent_ui.console import PAGE, Console
from tests.agent_ui.test_ticket import make_mail
from tests.conftest import NOW
from tests.factories import make_user
from tickets import lifecycle
from tickets.customers import unsubscribes
from tickets.customers.unsubscribes import Unsubscribe, What
from tickets.models import Message
from tickets.quality import surveys
from tickets.quality.models import Survey
from tickets.replies import Author, Reply, reply
from tickets.states import Status

SOON = NOW + timedelta(minutes=11)
URL = "https://desk.test"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def path_of(console: Console, locale: str = "en") -> str:
    return unsubscribing.url(console.services.vault, "", Link(1, What.SURVEYS, locale))


def rows(tx: Connection, model: Any) -> list[Any]:
    return list(tx.execute(select(model.__table__).order_by(model.id)).all())


def resolved(tx: Connection) -> int:
    ticket_id = make_mail(tx)
    user_id = make_user(tx)
    reply(tx, ticket_id, Reply("It left today."), author=Author(user_id), now=NOW)
    lifecycle.resolve(tx, ticket_id, user_id=user_id, now=NOW)
    surveys.plan(tx, ticket_id, now=NOW)
    return ticket_id


async def mail_of(console: Console, message_id: int, public_url: str = URL) -> Any:
    (outbound,) = await console.db.read(loading.load, [(message_id, 1)], console.services.vault)
    sender = MailSender(console.services.vault, console.services.files, public_url=public_url)
    return message_from_bytes(composed(sender.letter(outbound, "1@shop.test")), policy=default)


async def test_a_survey_says_how_to_end_surveys_and_an_answer_does_not(console: Console) -> None:
    await console.write(resolved)
    await console.write(surveys.send_due, SOON, base_url=URL)
    answer, survey = [row for row in await console.db.read(rows, Message) if row.kind == "outbound"]
    mail = await mail_of(console, survey.id)
    link = mail["List-Unsubscribe"].strip("<>")
    assert link.startswith(f"{URL}/unsubscribe/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [link in part.get_content() for part in mail.iter_parts()] == [True, True]
    assert (await mail_of(console, answer.id))["List-Unsubscribe"] is None
    assert (await mail_of(console, survey.id, "http://127.0.0.1"))["List-Unsubscribe-Post"] is None


async def test_a_mail_program_ends_them_with_one_click_however_often(console_on_both: Console) -> None:
    console = console_on_both
    await console.write(resolved)
    stranger = console.browser()
    for _ in range(2):
        done = await stranger.post(path_of(console), data=ONE_CLICK)
        assert done.status_code == 200
    (kept,) = await console.db.read(rows, Unsubscribe)
    assert (kept.source, kept.what, kept.contact_point_id) == ("one_click", "surveys", 1)


async def test_looking_ends_nothing_and_the_button_does(console: Console) -> None:
    await console.write(resolved)
    stranger = console.browser()
    page = await stranger.get(path_of(console, "vi"), headers=PAGE)
    assert (page.status_code, "Đừng hỏi tôi nữa" in page.text) == (200, True)
    assert "Do not ask me again" in (await stranger.get(path_of(console) + "?lang=en", headers=PAGE)).text
    assert await console.db.read(rows, Unsubscribe) == []
    done = await stranger.post(path_of(console), headers={"origin": "http://console.test"})
    assert "We will not ask you again" in done.text
    assert (await console.db.read(rows, Unsubscribe))[0].source == "page"


@pytest.mark.parametrize("token", ["x", "WzEsInN1cnZleXMiLCJlbiJd.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"])
async def test_a_forged_link_ends_nothing(console: Console, token: str) -> None:
    await console.write(resolved)
    stranger = console.browser()
    assert (await stranger.get(f"/unsubscribe/{token}", headers=PAGE)).status_code == 404
    assert (await stranger.post(f"/unsubscribe/{token}", data=ONE_CLICK)).status_code == 404
    elsewhere = unsubscribing.url(console.services.vault, "", Link(99, What.SURVEYS, "en"))
    assert (await stranger.post(elsewhere, data=ONE_CLICK)).status_code == 404
    assert await console.db.read(rows, Unsubscribe) == []


async def test_who_wants_none_is_asked_nothing_and_answered_as_before(console: Console) -> None:
    ticket_id = await console.write(resolved)
    await console.browser().post(path_of(console), data=ONE_CLICK)
    await console.write(surveys.send_due, SOON, base_url=URL)
    assert [row.state for row in await console.db.read(rows, Survey)] == ["canceled"]
    lan = Author(await console.write(make_user))
    sent = await console.write(reply, ticket_id, Reply("And one more thing."), author=lan, now=SOON)
    (outbound,) = await console.db.read(loading.load, [(sent.message_id, 1)], console.services.vault)
    assert outbound.suppressed is None

    def again(tx: Connection) -> int | None:
        lifecycle.set_status(tx, ticket_id, Status.OPEN, user_id=lan.user_id, now=SOON)
        lifecycle.resolve(tx, ticket_id, user_id=lan.user_id, now=SOON)
        return surveys.plan(tx, ticket_id, now=SOON)

    assert await console.write(again) is None


async def test_the_customers_page_shows_it_and_a_supervisor_lifts_it(console: Console) -> None:
    await console.write(resolved)
    await console.browser().post(path_of(console), data=ONE_CLICK)
    agent, boss = await console.sit(), await console.sit(Role.SUPERVISOR, name="Sara Lind")
    lift = "/customers/1/unsubscribes/1/lift"
    assert "Wants no surveys" in (await agent.page("/customers/1")).text
    assert lift not in (await agent.page("/customers/1")).text
    assert lift in (await boss.page("/customers/1")).text
    assert (await agent.post(lift, reason="She asked by phone")).status_code == 403
    assert (await boss.post(lift, reason="no")).status_code == 422
    assert (await boss.post(lift, reason="She asked by phone")).status_code == 303
    page = (await boss.page("/customers/1")).text
    assert "Surveys again: lifted by Sara Lind" in page
    assert "She asked by phone" in page
    assert (await boss.post(lift, reason="She asked by phone")).status_code == 422
    # She may end them once more: the ledger keeps both.
    assert await console.write(unsubscribes.stop, 1, What.SURVEYS, unsubscribes.Source.PAGE, now=SOON)
    assert len(await console.db.read(rows, Unsubscribe)) == 2
