"""Skills: what work asks for and agents know. Adding, renaming, re-levelling and removing one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError

from contact_center.core.errors import Conflict, Invalid, NotFound
from routing import agents, profiles, queue_settings
from routing.models import OPEN_WORK, AgentSkill, Skill, WorkItem
from tickets.models import Queue

LONGEST_NAME = 60


def rename(tx: Connection, skill_id: int, name: str) -> None:
    """Give a skill another name; whoever knows it still does. Conflict if another skill has the name."""
    if not name.strip():
        raise Invalid("Give the skill a name.", field="name")
    try:
        done = tx.execute(update(Skill).where(Skill.id == skill_id).values(name=name.strip()))
    except IntegrityError as error:
        raise Conflict("There is already a skill called {name}.", name=name.strip()) from error
    if not done.rowcount:
        raise NotFound("There is no such skill.")


def set_levels(tx: Connection, skill_id: int, levels: Mapping[int, int], *, now: datetime) -> dict[int, int]:
    """Agent id -> level from 1 to 5, 0 = not at all; agents who are not named keep theirs. Returns what changed."""
    if tx.execute(select(Skill.id).where(Skill.id == skill_id)).first() is None:
        raise NotFound("There is no such skill.")
    rows = tx.execute(select(AgentSkill.user_id, AgentSkill.level).where(AgentSkill.skill_id == skill_id))
    present = {row.user_id: row.level for row in rows}
    changed = {user: level for user, level in sorted(levels.items()) if level != present.get(user, 0)}
    for user_id, level in changed.items():
        profiles.set_skill(tx, user_id, skill_id, level, now=now)
    return changed


def queues_that_ask(tx: Connection, skill_id: int) -> list[str]:
    """The names of the queues that require the skill or ask for it in a ring."""
    rows = tx.execute(select(Queue.name, Queue.routing).order_by(Queue.name))
    return [row.name for row in rows if skill_id in asked_by(queue_settings.read(row.routing))]


def asked_by(settings: queue_settings.QueueSettings) -> set[int]:
    """The ids of the skills that a queue requires or asks for in a ring."""
    return {*settings.skills, *(skill for step in settings.steps for skill in step.needs)}


def remove(tx: Connection, skill_id: int, *, now: datetime) -> None:
    """Forget a skill: no agent knows it and no open work wishes for it any more. Conflict while a queue asks for it,
    because its work would then wait for nobody."""
    asking = queues_that_ask(tx, skill_id)
    if asking:
        raise Conflict("{queues} ask for this skill. Take it out there first.", queues=", ".join(asking))
    _forget(tx, skill_id)
    knowing: Sequence[int] = (
        tx.execute(select(AgentSkill.user_id).where(AgentSkill.skill_id == skill_id).order_by(AgentSkill.user_id))
        .scalars()
        .all()
    )
    for user_id in knowing:
        agents.state_of(tx, user_id, now=now)
    tx.execute(delete(AgentSkill).where(AgentSkill.skill_id == skill_id))
    if not tx.execute(delete(Skill).where(Skill.id == skill_id)).rowcount:
        raise NotFound("There is no such skill.")
    for user_id in knowing:
        agents.change(tx, user_id, now=now)


def _forget(tx: Connection, skill_id: int) -> None:
    """Open work asked for it as its customer's language, or before its queue stopped asking."""
    statement = select(WorkItem.id, WorkItem.skills, WorkItem.wishes).where(sql(OPEN_WORK))
    for item in tx.execute(statement.order_by(WorkItem.id).with_for_update()).all():
        skills = [one for one in item.skills if one[0] != skill_id]
        wishes = [one for one in item.wishes if one != skill_id]
        if (skills, wishes) != (item.skills, item.wishes):
            values = {"skills": skills, "wishes": wishes, "version": WorkItem.version + 1}
            tx.execute(update(WorkItem).where(WorkItem.id == item.id).values(values))
