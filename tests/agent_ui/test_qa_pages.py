"""The quality pages through the whole web process."""

from functools import partial

from sqlalchemy import Connection, select

from agent_ui import sentences
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, Seat, statements
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, make_user, unique
from tickets import assignments, lifecycle
from tickets.models import Assignment
from tickets.quality import complaints, scorecard_versions
from tickets.quality.complaint_stages import Opener
from tickets.quality.default_scorecards import CONVERSATION
from tickets.quality.models import Complaint
from tickets.states import AssignmentReason

FORM = {**PAGE, **SAME_ORIGIN}
ALL_GOOD = {f"a.{question.key}": "yes" for question in CONVERSATION.questions}


def complained(tx: Connection) -> int:
    ticket_id = make_ticket(tx, account_id=make_account(tx, address=unique("+1500555"))).ticket_id
    return complaints.open_(tx, ticket_id, opener=Opener.CUSTOMER, user_id=None, summary="Rude courier", now=NOW)


def handled(tx: Connection, agent_id: int | None = None) -> int:
    """The id of an assignment whose ticket is resolved."""
    agent_id = agent_id or make_user(tx)
    ticket_id = make_ticket(tx, account_id=make_account(tx, address=unique("+1500555"))).ticket_id
    assignments.assign(tx, ticket_id, agent_id, reason=AssignmentReason.TAKEN, by_user_id=agent_id, now=NOW)
    lifecycle.resolve(tx, ticket_id, user_id=agent_id, now=NOW)
    return int(tx.execute(select(Assignment.id).where(Assignment.ticket_id == ticket_id)).scalar_one())


async def begun(console: Console, qa: Seat, assignment_id: int) -> str:
    card = await console.write(scorecard_versions.create, "Card", CONVERSATION, user_id=None, now=NOW)
    values = {"assignment_id": str(assignment_id), "scorecard_id": str(card)}
    started = await qa.post("/qa/evaluations", headers=FORM, **values)
    assert started.status_code == 303
    return str(started.headers["location"])


async def test_a_complaint_is_led_through_its_stages(console_on_both: Console) -> None:
    qa = await console_on_both.sit(Role.QA)
    complaint_id = await console_on_both.write(complained)
    path = f"/qa/complaints/{complaint_id}"
    assert "Rude courier" in (await qa.page("/qa")).text
    early = await qa.post(f"{path}/move", headers=FORM, target="acknowledged", findings="typed")
    assert early.status_code == 422
    assert "Tell the customer that we have the complaint" in early.text
    assert "typed" in early.text
    moved = await qa.post(f"{path}/move", headers=FORM, target="acknowledged", acknowledgement="by mail")
    assert moved.status_code == 303
    page = (await qa.page(path)).text
    assert 'aria-current="step"' in page
    assert "by mail" in page
    jumped = await qa.post(f"{path}/move", headers=FORM, target="closed")
    assert "cannot become closed" in jumped.text


async def test_facts_are_saved_and_logged(console: Console) -> None:
    qa = await console.sit(Role.QA)
    complaint_id = await console.write(complained)
    path = f"/qa/complaints/{complaint_id}"
    saved = await qa.post(path, headers=FORM, summary="Late", severity="high", owner_id=str(qa.user_id))
    assert saved.status_code == 303
    row = await console.db.read(lambda tx: tx.execute(select(Complaint.severity, Complaint.owner_id)).one())
    assert tuple(row) == ("high", qa.user_id)
    assert "Facts changed" in (await qa.page(path)).text
    assert "Rude courier" not in (await qa.page("/qa?mine=1")).text
    assert (await qa.post(path, headers=FORM, summary=" ")).status_code == 422


async def test_agents_do_not_see_complaints(console: Console) -> None:
    agent = await console.sit()
    complaint_id = await console.write(complained)
    assert (await agent.page("/qa")).status_code == 403
    assert (await agent.page(f"/qa/complaints/{complaint_id}")).status_code == 403


async def test_each_answer_gives_the_score_of_the_server(console_on_both: Console) -> None:
    qa = await console_on_both.sit(Role.QA)
    path = await begun(console_on_both, qa, await console_on_both.write(handled))
    part = await qa.post(path, **{"a.greeting": "yes", "a.understood": "no"})
    assert "33.33 %" in part.text
    assert "questions are open" in part.text
    part = await qa.post(path, **{**ALL_GOOD, "a.identity": "no"})
    assert "0.00 %" in part.text
    assert "Failed automatically" in part.text


async def test_an_evaluation_is_finished_and_read_by_its_agent(console: Console) -> None:
    qa, agent = await console.sit(Role.QA), await console.sit()
    path = await begun(console, qa, await console.write(handled, agent.user_id))
    assert (await agent.page(path)).status_code == 403
    unfinished = await qa.post(path, headers=FORM, do="finish")
    assert unfinished.status_code == 422
    assert "Answer all questions first" in unfinished.text
    assert (await qa.post(path, headers=FORM, do="finish", **ALL_GOOD)).status_code == 303
    assert "100.00 %" in (await agent.page(path)).text
    assert path in (await agent.page("/qa/evaluations")).text


async def test_work_to_evaluate_is_offered_with_trouble_first(console: Console) -> None:
    qa = await console.sit(Role.QA)
    await console.write(scorecard_versions.create, "Card", CONVERSATION, user_id=None, now=NOW)

    def troubled(tx: Connection) -> None:
        handled(tx)
        assignment = handled(tx)
        ticket_id = tx.execute(select(Assignment.ticket_id).where(Assignment.id == assignment)).scalar_one()
        complaints.open_(tx, ticket_id, opener=Opener.AGENT, user_id=None, summary="x", now=NOW)
        tx.execute(Assignment.__table__.update().values(started_at=utcnow()))

    await console.write(troubled)
    page = (await qa.page("/qa/candidates")).text
    assert page.index("#101") < page.index("#100")


async def test_a_scorecard_grows_by_buttons_and_is_saved_as_a_version(console: Console) -> None:
    qa = await console.sit(Role.QA)
    first = {
        "name": "Mail",
        "pass_mark": "75",
        "s0.title": "All",
        "s0.weight": "100",
        "s0.q0.text": "Polite",
        "s0.q0.weight": "1",
    }
    grown = await qa.post("/qa/scorecards/new", headers=FORM, **first, do="add-question:0")
    assert "s0.q1.text" in grown.text
    made = await qa.post("/qa/scorecards/new", headers=FORM, **first, do="save")
    assert made.status_code == 303
    again = await qa.post("/qa/scorecards/new", headers=FORM, **first, do="save")
    assert "already a scorecard" in again.text
    empty = await qa.post("/qa/scorecards/new", headers=FORM, **{**first, "s0.q0.text": "", "name": "B"}, do="save")
    assert "Write at least one question." in empty.text
    more = {**first, "s0.q1.text": "Verified", "s0.q1.kind": "must", "s0.q1.weight": "2"}
    assert (await qa.post("/qa/scorecards/1", headers=FORM, **more, do="save")).status_code == 303
    version = await console.db.read(scorecard_versions.current, 1)
    assert (version.number, len(version.definition.questions)) == (2, 2)
    assert version.definition.questions[1].options[1].auto_fail


async def test_the_list_costs_the_same_whatever_its_length(console: Console) -> None:
    qa = await console.sit(Role.QA)
    counts = []
    for n in (1, 8):
        for _ in range(n):
            await console.write(complained)
        with statements() as seen:
            await qa.page("/qa")
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 7


def test_the_timeline_tells_of_complaints_and_surveys_in_words() -> None:
    moved = {"name": "complaint_moved", "from": "response_proposed", "to": "closed"}
    rated = {"name": "survey_answered", "rating": 2, "comment": "Slow"}
    say = partial(gettext, "en")
    assert sentences.event(moved, {}, None, say) == "Complaint: Response proposed → Closed"
    assert sentences.event(rated, {}, None, say) == "Rated 2 of 5: Fair “Slow”"


async def test_agents_find_what_was_said_of_their_work(console: Console) -> None:
    agent, supervisor = await console.sit(), await console.sit(Role.SUPERVISOR)
    page = (await agent.page("/kb")).text
    assert 'href="/qa/evaluations"' in page
    assert 'href="/qa"' not in page
    assert "No evaluations yet" in (await agent.page("/qa/evaluations")).text
    assert 'href="/qa"' in (await supervisor.page("/qa")).text
