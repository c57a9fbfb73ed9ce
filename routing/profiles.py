"""Routing profiles: which queues an agent serves, what they know, how much they hold."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from contact_center.core.errors import Conflict, Invalid
from contact_center.core.events import Event
from contact_center.core.upsert import insert_once, upsert
from routing import agents, leaving
from routing.models import AgentSkill, AgentState, ProfileRow, Skill
from routing.states import OfflineReason, Presence

LEVELS = range(1, 6)
PRIORITIES = range(1, 10)


def set_row(tx: Connection, user_id: int, queue_id: int, *, priority: int = 1, delay: int = 0, now: datetime) -> None:
    """The agent serves this queue: priority 1 is served first, `delay` waits so many seconds before helping out."""
    if priority not in PRIORITIES:
        raise Invalid("A priority is a number from 1 to 9.", field="priority")
    if delay < 0:
        raise Invalid("A delay cannot be negative.", field="delay")
    agents.state_of(tx, user_id, now=now)
    values = {"user_id": user_id, "queue_id": queue_id, "priority": priority, "delay": delay}
    upsert(tx, ProfileRow, key=["user_id", "queue_id"], values=values)
    agents.change(tx, user_id, now=now)


def drop_row(tx: Connection, user_id: int, queue_id: int, *, now: datetime) -> None:
    """The agent no longer serves this queue; what they have of it stays theirs."""
    agents.state_of(tx, user_id, now=now)
    tx.execute(delete(ProfileRow).where(ProfileRow.user_id == user_id, ProfileRow.queue_id == queue_id))
    agents.change(tx, user_id, now=now)


def add_skill(tx: Connection, name: str) -> int:
    """A new skill; name languages by their locale code (fr, vi), then customers' languages find them."""
    if not name.strip():
        raise Invalid("Give the skill a name.", field="name")
    skill_id = insert_once(tx, Skill, key=["name"], values={"name": name.strip()})
    if skill_id is None:
        raise Conflict("There is already a skill called {name}.", name=name)
    return skill_id


def skill_by_name(tx: Connection, name: str) -> int | None:
    """The id of a skill."""
    return tx.execute(select(Skill.id).where(Skill.name == name)).scalar_one_or_none()


def set_skill(tx: Connection, user_id: int, skill_id: int, level: int, *, now: datetime) -> None:
    """The agent knows this skill at a level from 1 to 5; 0 means not at all."""
    if level != 0 and level not in LEVELS:
        raise Invalid("A level is a number from 1 to 5.", field="level")
    agents.state_of(tx, user_id, now=now)
    if level == 0:
        tx.execute(delete(AgentSkill).where(AgentSkill.user_id == user_id, AgentSkill.skill_id == skill_id))
    else:
        values = {"user_id": user_id, "skill_id": skill_id, "level": level}
        upsert(tx, AgentSkill, key=["user_id", "skill_id"], values=values)
    agents.change(tx, user_id, now=now)


def set_pools(tx: Connection, user_id: int, *, live: int = 100, deferred: int = 100, now: datetime) -> None:
    """How much the agent holds: 100 is one call or four chats, and ten mails; a trainee has half."""
    if not (0 <= live <= 1000 and 0 <= deferred <= 1000):
        raise Invalid("A pool is a number from 0 to 1000.", field="live")
    agents.state_of(tx, user_id, now=now)
    agents.change(tx, user_id, now=now, live_capacity=live, deferred_capacity=deferred)


def set_out_until(tx: Connection, user_id: int, until: datetime | None, *, now: datetime) -> None:
    """T17: out until a moment (sick, leave): nothing is given to them or kept for them, and what they have goes back
    to its queues with its age."""
    if until is not None and until > now:
        leaving.return_everything(tx, user_id, "absence", now=now)
    agents.state_of(tx, user_id, now=now)
    agents.change(tx, user_id, now=now, out_until=until)


def on_user_changed(tx: Connection, event: Event, now: datetime) -> None:
    """A deactivated user hands everything back; a new role is seen at the next decision."""
    user_id = event.payload["user_id"]
    if tx.execute(select(AgentState.user_id).where(AgentState.user_id == user_id)).first() is None:
        return
    active = event.payload.get("active")
    if active is False:
        leaving.return_everything(tx, user_id, "deactivated", now=now)
        agent = agents.state_of(tx, user_id, now=now)
        agents.become(tx, agent, Presence.OFFLINE, now=now, reason=OfflineReason.ABSENT.value)
    agents.change(tx, user_id, now=now, **({} if active is None else {"active": active}))
