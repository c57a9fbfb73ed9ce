"""Marking spam from the console: the head, the list of its own, and who may."""

from contact_center.accounts.permissions import Role
from tests.agent_ui.console import Console
from tests.factories import make_ticket
from tickets.numbers import number_of


async def test_marking_and_taking_back_are_one_click_each(console: Console) -> None:
    number = number_of((await console.write(make_ticket)).ticket_id)
    agent = await console.sit(name="Lan")
    assert "Mark as spam" in (await agent.page(f"/tickets/{number}")).text
    marked = await agent.post(f"/tickets/{number}/spam")
    assert (marked.status_code, marked.headers["HX-Redirect"]) == (204, f"/tickets/{number}")
    page = (await agent.page(f"/tickets/{number}")).text
    assert "it is in no number" in page
    assert 'id="mark-spam"' not in page
    assert "Marked as spam · Lan" in page
    assert "Spam is not answered." in page
    assert f'id="row-{number}"' in (await agent.page("/inbox?view=spam")).text
    assert f'id="row-{number}"' not in (await agent.page("/inbox?view=open")).text
    await agent.post(f"/tickets/{number}/not-spam")
    assert 'id="mark-spam"' in (await agent.page(f"/tickets/{number}")).text
    assert f'id="row-{number}"' in (await agent.page("/inbox?view=open")).text


async def test_what_is_no_spam_cannot_be_taken_back_and_watchers_mark_nothing(console: Console) -> None:
    number = number_of((await console.write(make_ticket)).ticket_id)
    agent, qa = await console.sit(), await console.sit(Role.QA)
    assert (await agent.post(f"/tickets/{number}/not-spam")).status_code == 409
    assert (await qa.post(f"/tickets/{number}/spam")).status_code == 403
    assert (await agent.post("/tickets/999999/spam")).status_code == 404
