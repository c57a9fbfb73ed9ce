"""The page that compares a mailbox: who may open it, what it says while it runs and afterwards, one click or two."""

from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from channels.email import reconcile
from channels.email.models import MailboxReport
from channels.email.reconcile import Missing, Tally, Why
from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console
from tests.conftest import NOW
from tests.factories import make_account
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}
IMAP: dict[str, Any] = {"imap": {"host": "mail.shop.test", "start": "new"}}


def imap_account(tx: Connection) -> int:
    return make_account(tx, Channel.EMAIL, name="Support", settings=IMAP)


async def test_a_report_names_what_is_missing_and_what_can_be_taken(console: Console) -> None:
    seat = await console.sit(Role.ADMIN)
    account_id = await console.write(imap_account)
    path = f"/admin/channels/{account_id}/mailbox"
    assert path in (await seat.page(f"/admin/channels/{account_id}")).text
    assert "Never compared yet" in (await seat.page(path)).text

    assert (await seat.post(path, FORM)).headers["location"] == path
    running = (await seat.page(path)).text
    assert "The worker begins within seconds." in running
    assert "Compare now" not in running
    tally = Tally(total=9, seen=9, taken=6)
    tally.add(Missing(3, NOW, "anna@example.test", "Before us <b>", Why.BEFORE))
    tally.add(Missing(4, None, "", "", Why.QUARANTINED, journal_id=77))
    tally.add(Missing(5, NOW, "anna@example.test", "Gone", Why.DELETED))
    await console.write(reconcile.finish, account_id, tally, now=utcnow())

    done = (await seat.part(f"{path}/report")).text

    assert "Take 1 missing mail<" in done
    assert "Before us &lt;b&gt;" in done
    assert "/admin/journal/77" in done
    assert "Deleted here" in done


async def test_two_clicks_ask_for_one_taking(console: Console) -> None:
    seat = await console.sit(Role.ADMIN)
    account_id = await console.write(imap_account)
    for _ in range(2):
        answer = await seat.post(f"/admin/channels/{account_id}/mailbox", FORM, take="1")
        assert answer.status_code == 303

    rows = await console.db.read(lambda tx: tx.execute(select(MailboxReport.takes)).scalars().all())
    asked = select(func.count()).where(AuditEntry.action == "channel_account.missing_taken")
    assert rows == [True]
    assert await console.db.read(lambda tx: tx.execute(asked).scalar_one()) == 1


async def test_a_failed_comparison_says_why(console: Console) -> None:
    seat = await console.sit(Role.ADMIN, locale="vi")
    account_id = await console.write(imap_account)
    await console.write(reconcile.ask, account_id, takes=False, by=None, now=NOW)
    await console.write(reconcile.finish, account_id, Tally(), now=NOW, error="no route to host")

    page = (await seat.page(f"/admin/channels/{account_id}/mailbox")).text

    assert "no route to host" in page
    assert "Đối chiếu lại" in page


@pytest.mark.parametrize("settings", [{}, {"receiver": True}])
async def test_only_imap_mailboxes_of_administrators_are_compared(console: Console, settings: dict[str, Any]) -> None:
    admin, agent = await console.sit(Role.ADMIN), await console.sit(Role.AGENT)
    other = await console.write(
        lambda tx: make_account(tx, Channel.EMAIL, name="Out", address="out@shop.test", settings=settings)
    )
    account_id = await console.write(imap_account)

    assert (await admin.page(f"/admin/channels/{other}/mailbox")).status_code == 404
    assert (await agent.page(f"/admin/channels/{account_id}/mailbox")).status_code == 403
    assert (await agent.post(f"/admin/channels/{account_id}/mailbox", FORM)).status_code == 403
