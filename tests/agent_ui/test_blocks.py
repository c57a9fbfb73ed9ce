"""The page of blocked senders, and letting one message through in the journal."""

from sqlalchemy import select

from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console
from tests.conftest import NOW
from tests.factories import inbound, make_account
from tickets import intake
from tickets.models import JournalItem
from tickets.numbers import number_of
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}


async def test_a_block_is_added_seen_released_and_lifted(console: Console) -> None:
    admin = await console.sit(Role.ADMIN)
    assert "Nobody is blocked" in (await admin.page("/admin/blocks")).text
    added = await admin.post("/admin/blocks", headers=FORM, scope="phone", value="+84903123456", reason="ads", term="7")
    assert added.status_code == 303
    account = await console.write(make_account)
    message = inbound(account, sender="+84903123456", raw=b"Body=hello")
    await console.write(intake.receive, message, now=NOW)
    assert "1 message stopped" in (await admin.page("/admin/blocks")).text
    assert "The sender is blocked: +84903123456." in (await admin.page("/admin/journal/1")).text
    assert (await admin.post("/admin/journal/1/release", headers=FORM)).status_code == 303
    state = await console.db.read(lambda tx: tx.execute(select(JournalItem.state)).scalar_one())
    assert state == "received"
    assert (await admin.post("/admin/blocks/1/lift", headers=FORM)).status_code == 303
    assert "Nobody is blocked" in (await admin.page("/admin/blocks")).text


async def test_a_supervisor_sees_who_blocked_whom_and_lifts_it(console: Console) -> None:
    boss = await console.sit(Role.SUPERVISOR, name="Sara Lind")
    form = {"scope": "domain", "value": "ads.test", "reason": "leaflets", "term": ""}
    assert (await boss.post("/admin/blocks", headers=FORM, **form)).status_code == 303
    page = (await boss.page("/admin/blocks")).text
    for text in ("ads.test", "leaflets", "by Sara Lind", "until lifted", "where an administrator can let it through"):
        assert text in page
    assert 'href="/admin/users"' not in page, "the navigation of the administration"
    assert (await (await console.sit()).post("/admin/blocks/1/lift", headers=FORM)).status_code == 403
    assert (await boss.post("/admin/blocks/1/lift", headers=FORM)).status_code == 303
    said = (
        select(AuditEntry.action, AuditEntry.user_id).where(AuditEntry.action.like("block.%")).order_by(AuditEntry.id)
    )
    assert await console.db.read(lambda tx: [tuple(row) for row in tx.execute(said)]) == [
        ("block.added", boss.user_id),
        ("block.lifted", boss.user_id),
    ]


async def test_the_sender_of_a_conversation_is_blocked_from_it(console: Console) -> None:
    account = await console.write(make_account, Channel.EMAIL)
    mail = inbound(account, channel=Channel.EMAIL, sender="win@gmail.com", raw=b"From: x")
    number = number_of((await console.write(intake.receive, mail, now=NOW)).ticket_id)
    agent = await console.sit(name="Lan")
    fields = (await agent.part(f"/tickets/{number}/block")).text
    assert 'value="domain" disabled' in fields
    assert "strangers would be blocked with it" in fields
    refused = await agent.post(f"/tickets/{number}/block", scope="email", days="3000")
    assert refused.status_code == 422
    done = await agent.post(f"/tickets/{number}/block", scope="email", days="30", reason="lottery", spam="yes")
    assert done.headers["HX-Redirect"] == f"/tickets/{number}"
    page = (await agent.page(f"/tickets/{number}")).text
    assert "Sender blocked: win@gmail.com · Lan" in page
    assert "it is in no number" in page
    again = inbound(account, channel=Channel.EMAIL, sender="win@gmail.com", raw=b"From: x")
    assert (await console.write(intake.receive, again, now=NOW)).outcome == "suppressed"
    qa = await console.sit(Role.QA)
    assert (await qa.post(f"/tickets/{number}/block", scope="email", days="")).status_code == 403


async def test_a_mistake_keeps_what_was_typed(console: Console) -> None:
    admin = await console.sit(Role.ADMIN)
    answer = await admin.post("/admin/blocks", headers=FORM, scope="domain", value="gmail.com", reason="ads")
    assert answer.status_code == 422
    assert "Everybody has an address there" in answer.text
    agent = await console.sit()
    assert (await agent.page("/admin/blocks")).status_code == 403
