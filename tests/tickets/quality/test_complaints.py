"""Complaints on both databases: opened in three ways, moved through their stages, logged."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from contact_center.core.db import Database
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.events import Event
from tests.conftest import NOW
from tests.factories import make_ticket, make_user
from tickets.models import Message, Ticket
from tickets.quality import complaints
from tickets.quality.complaint_stages import IllegalMove, Opener, Severity, Stage
from tickets.quality.models import Complaint, ComplaintStep


def opened(tx: Connection) -> int:
    ticket_id = make_ticket(tx).ticket_id
    return complaints.open_(tx, ticket_id, opener=Opener.AGENT, user_id=None, summary="Late again", now=NOW)


def stage(tx: Connection) -> str:
    return str(tx.execute(select(Complaint.stage)).scalar_one())


def steps(tx: Connection) -> list[tuple[str | None, str]]:
    rows = tx.execute(select(ComplaintStep.source, ComplaintStep.target).order_by(ComplaintStep.id))
    return [(row.source, row.target) for row in rows]


async def test_a_ticket_becomes_a_complaint_once(db: Database) -> None:
    first = await db.write(opened)
    again = {"opener": Opener.CUSTOMER, "user_id": None, "summary": "x", "now": NOW}
    assert await db.write(complaints.open_, 1, **again) == first
    assert await db.read(lambda tx: tx.execute(select(Ticket.kind)).scalar_one()) == "complaint"
    assert await db.read(steps) == [(None, "received")]
    with pytest.raises(NotFound):
        await db.write(complaints.open_, 99, **again)


async def test_it_goes_through_its_stages_and_keeps_the_log(db: Database) -> None:
    complaint_id = await db.write(opened)
    owner = await db.write(make_user)

    async def move(target: Stage, **values: Any) -> None:
        await db.write(complaints.move, complaint_id, target, user_id=owner, now=NOW, values=values)

    await move(Stage.ACKNOWLEDGED, acknowledgement="mail")
    await move(Stage.ASSESSED, severity="high", owner_id=owner)
    await move(Stage.INVESTIGATING)
    await move(Stage.RESPONSE_PROPOSED, findings="lost", decision="upheld", reasons="We lost it.", remedy="Refund")
    await move(Stage.DECISION_COMMUNICATED, communicated="mail")
    await move(Stage.CLOSED, root_cause="delivery")
    row = await db.read(lambda tx: tx.execute(select(Complaint.__table__)).one())
    assert (row.stage, row.due_at, row.decided_at, row.closed_at) == ("closed", None, NOW, NOW)
    assert [target for _, target in await db.read(steps)] == [s.value for s in Stage]


async def test_a_move_that_is_refused_writes_nothing(db: Database) -> None:
    complaint_id = await db.write(opened)
    values = {"acknowledgement": "", "findings": "something"}
    with pytest.raises(IllegalMove) as caught:
        await db.write(complaints.move, complaint_id, Stage.ACKNOWLEDGED, user_id=None, now=NOW, values=values)
    assert len(caught.value.problems) == 1
    assert await db.read(stage) == "received"
    assert await db.read(lambda tx: tx.execute(select(Complaint.findings)).scalar_one()) == ""


async def test_changes_are_logged_with_before_and_after(sqlite_db: Database) -> None:
    complaint_id = await sqlite_db.write(opened)
    for severity in (Severity.LOW, Severity.LOW, Severity.HIGH):
        await sqlite_db.write(complaints.change, complaint_id, {"severity": severity.value}, user_id=None, now=NOW)
    changes = await sqlite_db.read(
        lambda tx: tx.execute(select(ComplaintStep.changes).order_by(ComplaintStep.id)).scalars()
    )
    assert list(changes)[1:] == [{"severity": [None, "low"]}, {"severity": ["low", "high"]}]


@pytest.mark.parametrize("values", [{"severity": "awful"}, {"stage": "closed"}, {"root_cause": "x"}, {"summary": " "}])
async def test_it_refuses_facts_it_does_not_know(sqlite_db: Database, values: dict[str, Any]) -> None:
    complaint_id = await sqlite_db.write(opened)
    with pytest.raises(Invalid):
        await sqlite_db.write(complaints.change, complaint_id, values, user_id=None, now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "I want to make a formal complaint about your courier.",
        "We would like to complain!",
        "Tôi muốn khiếu nại về nhân viên giao hàng",
        "toi se gui don khieu nai",
        "Otherwise I go to the Ombudsman.",
    ],
)
def test_the_rule_knows_a_complaint(text: str) -> None:
    assert complaints.complains(text)


@pytest.mark.parametrize(
    "text", ["I can't complain, all fine!", "Where do I find your complaints page?", "Terrible!!!", ""]
)
def test_the_rule_leaves_other_messages_alone(text: str) -> None:
    assert not complaints.complains(text)


@pytest.mark.parametrize(("text", "count"), [("I want to file a complaint", 1), ("Where is it?", 0)])
async def test_the_rule_opens_a_complaint_once(sqlite_db: Database, text: str, count: int) -> None:
    await sqlite_db.write(make_ticket, text=text)
    message_id = await sqlite_db.read(lambda tx: tx.execute(select(Message.id)).scalar_one())
    event = Event(1, "message.created", {"message_id": message_id, "kind": "inbound"}, NOW)
    for _ in range(2):
        await sqlite_db.write(complaints.on_message_created, event, NOW)
    openers = await sqlite_db.read(lambda tx: list(tx.execute(select(Complaint.opener)).scalars()))
    assert openers == ["rule"] * count
