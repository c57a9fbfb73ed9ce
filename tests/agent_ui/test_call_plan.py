"""The page of a line's call plan: what is wrong stands at its field, and all of it is read as text."""

from typing import Any

from sqlalchemy import select

from agent_ui.pages.admin_call_plan import values_of
from channels.phone.flow.plan import Option, Plan, plan_of
from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, Seat
from tests.factories import make_account, make_queue
from tickets import channel_accounts
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}


async def open_line(console: Console) -> tuple[Seat, str, int]:
    account_id = await console.write(make_account, Channel.PHONE)
    return await console.sit(Role.ADMIN), f"/admin/channels/{account_id}/plan", account_id


async def stored(console: Console, account_id: int) -> Any:
    return (await console.db.read(channel_accounts.by_id, console.services.vault, account_id)).settings


def form(**values: str) -> dict[str, str]:
    return {**{name: value for name, value in values_of({}).items() if value}, "enabled": "1", **values}


async def test_a_plan_is_saved_audited_and_shown_again(console: Console) -> None:
    seat, path, account_id = await open_line(console)
    billing = await console.write(make_queue, "Hóa đơn")
    answer = await seat.post(
        path, FORM, **form(digit_2="2", queue_2=str(billing), locale_2="vi", greeting_vi="Xin chào!", tries="2")
    )
    assert answer.status_code == 303
    plan = plan_of(await stored(console, account_id))
    assert plan is not None
    assert (plan.options, plan.tries) == ((Option("2", billing, "vi"),), 2)
    assert plan.texts == {"greeting": {"vi": "Xin chào!"}}
    page = (await seat.page(path)).text
    assert "Để gặp Hóa đơn, hãy bấm phím 2." in page
    assert "Xin chào!" in page


async def test_what_would_strand_a_caller_is_said_at_its_field_and_nothing_is_saved(console: Console) -> None:
    seat, path, account_id = await open_line(console)
    answer = await seat.post(path, FORM, **form(digit_0="1", digit_1="1", music="ftp://x", interval="2"))
    assert answer.status_code == 422
    for text in ("This key leads somewhere already.", "begins with https://", "from 15 to 120", 'value="ftp://x"'):
        assert text in answer.text
    assert "plan" not in await stored(console, account_id)


async def test_what_is_typed_can_be_heard_before_it_is_saved(console: Console) -> None:
    seat, path, account_id = await open_line(console)
    heard = await seat.post(f"{path}/heard", **form(record="1", consent="ask", consent_en="Record you?"))
    assert "Record you?" in heard.text
    assert "The caller does not agree" in heard.text
    refused = await seat.post(f"{path}/heard", **form(tries="9"))
    assert "Correct what is marked" in refused.text
    assert "plan" not in await stored(console, account_id)


async def test_only_administrators_change_plans_and_only_lines_have_them(console: Console) -> None:
    seat, path, _ = await open_line(console)
    agent = await console.sit(Role.AGENT)
    assert (await agent.post(path, FORM, **form())).status_code == 403
    sms = await console.write(make_account, Channel.SMS)
    assert (await seat.page(f"/admin/channels/{sms}/plan")).status_code == 404


async def test_saving_the_account_keeps_its_plan(console: Console) -> None:
    seat, path, account_id = await open_line(console)
    await seat.post(path, FORM, **form())
    account = await console.db.read(channel_accounts.by_id, console.services.vault, account_id)
    saved = await seat.post(
        f"/admin/channels/{account_id}", FORM, name=account.name, queue_id=str(account.queue_id), region="VN"
    )
    assert saved.status_code == 303
    assert plan_of(await stored(console, account_id)) == Plan()


async def test_how_long_a_line_keeps_recordings_is_entered_on_its_account_and_audited(console: Console) -> None:
    seat, _, account_id = await open_line(console)
    path = f"/admin/channels/{account_id}"
    assert (
        'name="keep_recordings_days" type="number" value="365"' in (await seat.page("/admin/channels/new/phone")).text
    )
    # A line from before keeps them for ever, until somebody enters days.
    assert 'name="keep_recordings_days" type="number" value=""' in (await seat.page(path)).text
    account = await console.db.read(channel_accounts.by_id, console.services.vault, account_id)
    known = {"name": account.name, "queue_id": str(account.queue_id), "region": "VN"}
    assert (await seat.post(path, FORM, **known, keep_recordings_days="0")).status_code == 422
    assert (await seat.post(path, FORM, **known, keep_recordings_days="90")).status_code == 303
    assert (await stored(console, account_id))["keep_recordings_days"] == 90
    audited = select(AuditEntry.details).where(AuditEntry.action == "channel_account.changed")
    [details] = await console.db.read(lambda tx: tx.execute(audited).scalars().all())
    assert details["settings"]["keep_recordings_days"] == 90
    assert (await seat.post(path, FORM, **known, keep_recordings_days="")).status_code == 303
    assert "keep_recordings_days" not in await stored(console, account_id)
