"""Macros: what an agent does with one click. Written, listed for whoever may use them, and run once per click."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, or_, select, update

from contact_center.accounts import audit
from contact_center.accounts.models import Team, TeamMember, User
from contact_center.accounts.permissions import Permission, Role, may
from contact_center.automations import actions as acts
from contact_center.automations import doing
from contact_center.automations.actions import FOR_MACROS, Action
from contact_center.automations.doing import By
from contact_center.automations.models import Macro, MacroRun
from contact_center.core.errors import Conflict, Forbidden, Invalid, NotFound
from contact_center.core.upsert import insert_once
from tickets import identity_checks, lifecycle
from tickets.timeline import add_event

LONGEST_NAME = 80
ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A macro as somebody wrote it. `scope`: "all", "team:3" or "user:5"."""

    name: str
    scope: str
    actions: tuple[Action, ...]
    requires_identity: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A macro as its reader may use it; `whose` names its team or owner, "" for everybody's."""

    id: int
    name: str
    scope: str
    whose: str
    actions: tuple[Action, ...]
    requires_identity: bool
    used: int
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run gave: the seq before its entries, and the text for the composer."""

    after_seq: int
    draft: str


def scopes_of(user_id: int) -> ColumnElement[bool]:
    """Whether a macro is everybody's, of one of the user's teams, or their own."""
    teams = select(TeamMember.team_id).where(TeamMember.user_id == user_id)
    return or_(Macro.scope == ALL, Macro.user_id == user_id, Macro.team_id.in_(teams))


_LISTED = (
    select(Macro.__table__, Team.name.label("team"), User.name.label("owner"))
    .outerjoin(Team, Team.id == Macro.team_id)
    .outerjoin(User, User.id == Macro.user_id)
    .order_by(Macro.name, Macro.id)
)


def of(tx: Connection, user_id: int, role: Role | None = None) -> Sequence[Listed]:
    """What somebody uses, by name; by their role also what they may write: the macros of every team."""
    usable = scopes_of(user_id)
    if role is not None and may(role, Permission.SHARE_MACROS):
        usable = or_(usable, Macro.user_id.is_(None))
    return [_listed(row) for row in tx.execute(_LISTED.where(usable))]


def access(tx: Connection, macro_id: int, user_id: int, role: Role) -> Listed:
    """One macro that somebody may use; NotFound for what is not theirs."""
    found = next((one for one in of(tx, user_id, role) if one.id == macro_id), None)
    if found is None:
        raise NotFound("There is no such macro.")
    return found


def _listed(row: Row[Any]) -> Listed:
    actions = acts.read(row.actions, allowed=FOR_MACROS)
    whose = row.team or row.owner or ""
    return Listed(row.id, row.name, row.scope, whose, actions, row.requires_identity, row.used, row.last_used_at)


def may_write(scope: str, user_id: int, role: Role) -> bool:
    """Whether somebody may write or delete a macro of this scope."""
    if scope == f"user:{user_id}":
        return may(role, Permission.HANDLE)
    return not scope.startswith("user:") and may(role, Permission.SHARE_MACROS)


def create(tx: Connection, wanted: Wanted, *, user_id: int, role: Role, now: datetime) -> int:
    """Add a macro; Conflict for a name that is in use beside it."""
    values = _values(tx, wanted, user_id, role)
    macro_id = insert_once(
        tx, Macro, key=["scope", "name"], values={**values, "used": 0, "last_used_at": None, "created_at": now}
    )
    if macro_id is None:
        raise Conflict("There is already a macro called {name}.", name=wanted.name)
    _note_down(tx, "macro.created", macro_id, wanted.name, wanted.scope, user_id=user_id, now=now)
    return macro_id


def change(tx: Connection, macro_id: int, wanted: Wanted, *, user_id: int, role: Role, now: datetime) -> None:
    """Change a macro, and whose it is."""
    before = access(tx, macro_id, user_id, role)
    _check_right(before.scope, user_id, role)
    values = _values(tx, wanted, user_id, role)
    taken = select(Macro.id).where(Macro.scope == wanted.scope, Macro.name == wanted.name, Macro.id != macro_id)
    if tx.execute(taken).first() is not None:
        raise Conflict("There is already a macro called {name}.", name=wanted.name)
    tx.execute(update(Macro).where(Macro.id == macro_id).values(values))
    _note_down(tx, "macro.changed", macro_id, wanted.name, wanted.scope, user_id=user_id, now=now)


def remove(tx: Connection, macro_id: int, *, user_id: int, role: Role, now: datetime) -> None:
    """Delete a macro; the timelines keep its name."""
    before = access(tx, macro_id, user_id, role)
    _check_right(before.scope, user_id, role)
    tx.execute(delete(Macro).where(Macro.id == macro_id))
    _note_down(tx, "macro.removed", macro_id, before.name, before.scope, user_id=user_id, now=now)


def _check_right(scope: str, user_id: int, role: Role) -> None:
    if not may_write(scope, user_id, role):
        raise Forbidden("Only supervisors and administrators write macros of teams and of everybody.")


def _values(tx: Connection, wanted: Wanted, user_id: int, role: Role) -> dict[str, Any]:
    if not wanted.name.strip() or len(wanted.name) > LONGEST_NAME:
        raise Invalid("A macro needs a name of at most {most} characters.", field="name", most=LONGEST_NAME)
    _check_right(wanted.scope, user_id, role)
    kind, _, number = wanted.scope.partition(":")
    if kind == "team" and tx.execute(select(Team.id).where(Team.id == int(number))).first() is None:
        raise Invalid("There is no such team.", field="scope")
    doing.check(tx, wanted.actions)
    return {
        "name": wanted.name.strip(),
        "scope": wanted.scope,
        "team_id": int(number) if kind == "team" else None,
        "user_id": int(number) if kind == "user" else None,
        "actions": acts.write(wanted.actions),
        "requires_identity": wanted.requires_identity,
    }


def _note_down(tx: Connection, what: str, macro_id: int, name: str, scope: str, *, user_id: int, now: datetime) -> None:
    # What people keep for themselves is nobody's record.
    if not scope.startswith("user:"):
        details = {"name": name, "scope": scope}
        audit.record(tx, what, f"macro:{macro_id}", now=now, user_id=user_id, details=details)


def run(tx: Connection, ticket_id: int, macro_id: int, *, by: By, role: Role, now: datetime) -> Ran | None:
    """Do all of a macro to a conversation or, if a part is refused, nothing of it; None when this click ran before.

    Conflict where it wants to know who the customer is and nobody has made sure.
    """
    assert by.user_id is not None
    macro = access(tx, macro_id, by.user_id, role)
    # Work locks before its ticket, so the ticket is not locked here; of two equal clicks the insert decides.
    ticket = lifecycle.access(tx, ticket_id)
    click = {"macro_id": macro_id, "ticket_id": ticket_id, "key": f"{by.user_id}:{by.client_id}", "ran_at": now}
    if insert_once(tx, MacroRun, key=["key"], values=click) is None:
        return None
    if macro.requires_identity and not identity_checks.stands(tx, ticket_id, now):
        raise Conflict(
            "“{name}” wants to know that the customer is who they say. Confirm their identity first.", name=macro.name
        )
    done = doing.do_all(tx, ticket_id, macro.actions, by=by, now=now)
    add_event(tx, ticket_id, "macro_ran", {"macro": macro.name}, now=now, user_id=by.user_id)
    used = {"used": Macro.used + 1, "last_used_at": now}
    tx.execute(update(Macro).where(Macro.id == macro_id).values(used))
    return Ran(ticket.seq, done.draft)
