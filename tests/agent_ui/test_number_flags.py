"""Flags of phone numbers in the console: set, shown wherever the number is, lifted."""

from typing import Any

from sqlalchemy import Connection, select, update

from contact_center.accounts.permissions import Role
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console
from tests.factories import make_ticket
from tickets.models import Customer, Ticket
from tickets.numbers import number_of

FORM = {**PAGE, **SAME_ORIGIN}
NOTICE = "Several people use this number"


def mai(tx: Connection) -> Any:
    """The ticket of a customer with a name and a number."""
    ticket_id = make_ticket(tx, sender="+84912345678").ticket_id
    tx.execute(update(Customer).values(name="Mai"))
    return tx.execute(select(Ticket.__table__).where(Ticket.id == ticket_id)).one()


async def test_a_flag_is_seen_in_the_panel_the_head_the_composer_and_on_the_page(console: Console) -> None:
    ticket = await console.write(mai)
    seat = await console.sit(name="Lan Pham")
    path = f"/tickets/{number_of(ticket.id)}"
    number = f"{path}/numbers/{ticket.contact_point_id}"
    before = (await seat.page(path)).text
    assert NOTICE not in before
    assert f'action="{number}/flag"' in before
    answer = await seat.post(f"{number}/flag", FORM, flag="family", note="The grandmother answers")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = (await seat.page(path)).text
    for text in (NOTICE, 'via-flag">family number<', "flagged by Lan Pham", "The grandmother answers"):
        assert text in page
    assert "is a family&#39;s number: The grandmother answers · Lan Pham" in page
    profile = (await seat.page(f"/customers/{ticket.customer_id}")).text
    assert "flagged by Lan Pham" in profile
    watching = await console.sit(Role.QA)
    assert f'action="{number}/flag"' not in (await watching.page(path)).text
    await seat.post(f"{number}/unflag", FORM)
    assert NOTICE not in (await seat.page(path)).text


async def test_the_customers_page_sets_and_lifts(console: Console) -> None:
    ticket = await console.write(mai)
    seat = await console.sit(name="Lan Pham", locale="vi")
    page = f"/customers/{ticket.customer_id}"
    point = f"{page}/addresses/{ticket.contact_point_id}"
    assert (await seat.post(f"{point}/flag", FORM, flag="switchboard")).status_code == 303
    assert "Lan Pham đánh dấu" in (await seat.page(page)).text
    assert (await seat.post(f"{point}/unflag", FORM)).status_code == 303
    assert "Lan Pham đánh dấu" not in (await seat.page(page)).text
    assert (await seat.post(f"{point}/unflag", FORM)).status_code == 422


async def test_what_is_no_flag_or_not_theirs_is_refused(console: Console) -> None:
    ticket = await console.write(mai)
    seat = await console.sit()
    number = f"/tickets/{number_of(ticket.id)}/numbers/{ticket.contact_point_id}"
    assert (await seat.post(f"{number}/flag", FORM, flag="haunted")).status_code == 422
    page = f"/customers/{ticket.customer_id}"
    refused = await seat.post(f"{page}/addresses/{ticket.contact_point_id}/flag", FORM, flag="recycled")
    assert refused.status_code == 422
    assert NOTICE not in (await seat.page(f"/tickets/{number_of(ticket.id)}")).text
