"""Users: who works here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection, select, update

from contact_center.accounts.audit import record
from contact_center.accounts.models import LoginSession, User
from contact_center.accounts.passwords import hash_password
from contact_center.accounts.permissions import Role
from contact_center.core.errors import Conflict, Invalid
from contact_center.core.events import emit
from contact_center.core.upsert import insert_once


@dataclass(frozen=True, slots=True)
class Person:
    """A user as the edges know them after login."""

    id: int
    name: str
    email: str
    role: Role
    locale: str | None
    timezone: str | None
    preferences: dict[str, Any]
    session_id: int


def normalise_email(address: str) -> str:
    """The address in the form that is stored and compared; Invalid if it is none."""
    try:
        return validate_email(address.strip(), check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as error:
        raise Invalid("This is not an e-mail address.", field="email") from error


def create(
    tx: Connection, *, email: str, name: str, role: Role, password: str, now: datetime, locale: str | None = None
) -> int:
    """Add a user; Conflict if the address is taken."""
    return add(tx, email=email, name=name, role=role, password_hash=hash_password(password), now=now, locale=locale)


def add(
    tx: Connection, *, email: str, name: str, role: Role, password_hash: str, now: datetime, locale: str | None = None
) -> int:
    """Add a user whose password is hashed already."""
    user_id = insert_once(
        tx,
        User,
        key=["email"],
        values={
            "email": normalise_email(email),
            "name": name.strip(),
            "role": role.value,
            "password": password_hash,
            "locale": locale,
            "preferences": {},
            "active": True,
            "created_at": now,
        },
    )
    if user_id is None:
        raise Conflict("Somebody already has the address {email}.", email=email)
    emit(tx, "user.created", {"user_id": user_id, "role": role.value}, now=now, topics=[f"user:{user_id}"])
    return user_id


def change(
    tx: Connection,
    user_id: int,
    *,
    now: datetime,
    by_user_id: int | None,
    name: str | None = None,
    role: Role | None = None,
    active: bool | None = None,
) -> None:
    """Change what is given; another role or activity ends the user's open sockets within a second."""
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = name.strip()
    if role is not None:
        values["role"] = role.value
    if active is not None:
        values["active"] = active
    if not values:
        return
    tx.execute(update(User).where(User.id == user_id).values(**values))
    if active is False:
        tx.execute(
            update(LoginSession)
            .where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))
            .values(revoked_at=now)
        )
    record(tx, "user.changed", f"user:{user_id}", now=now, user_id=by_user_id, details=values)
    emit(tx, "user.changed", {"user_id": user_id, **values}, now=now, topics=[f"access:{user_id}"])


def set_preferences(tx: Connection, user_id: int, changes: dict[str, Any], *, now: datetime) -> None:
    """Merge screen preferences; `locale` and `timezone` have columns of their own."""
    stored = tx.execute(select(User.preferences).where(User.id == user_id)).scalar_one()
    columns = {name: changes[name] for name in ("locale", "timezone") if name in changes}
    rest = {name: value for name, value in changes.items() if name not in columns}
    tx.execute(update(User).where(User.id == user_id).values(preferences={**stored, **rest}, **columns))
    emit(tx, "user.preferences_changed", {"user_id": user_id}, now=now, topics=[f"user:{user_id}"])


def set_password(tx: Connection, user_id: int, password: str, *, now: datetime, by_user_id: int | None) -> None:
    """Set a new password and end all logins but none of the work."""
    tx.execute(update(User).where(User.id == user_id).values(password=hash_password(password)))
    tx.execute(
        update(LoginSession)
        .where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    record(tx, "user.password_changed", f"user:{user_id}", now=now, user_id=by_user_id)
    emit(tx, "user.password_changed", {"user_id": user_id}, now=now, topics=[f"access:{user_id}"])
