"""Logins: server-side, revocable, listed per device."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contact_center.accounts import limits
from contact_center.accounts.audit import record
from contact_center.accounts.models import LoginSession, User
from contact_center.accounts.passwords import matches
from contact_center.accounts.permissions import Role
from contact_center.accounts.users import Person
from contact_center.core.errors import DomainError, NotFound, TooMany
from contact_center.core.events import emit

FAILURES_PER_ADDRESS = 30
FAILURES_PER_USER = 8
WINDOW = timedelta(minutes=15)
# `seen_at` is written this often at most: a login must not cost a write per request.
SEEN_EVERY = timedelta(minutes=5)


class LoginFailed(DomainError):
    """Wrong address or password; the answer does not say which."""

    code = "login_failed"
    status = 401


def find_login(tx: Connection, email: str) -> Row[int, str] | None:
    """The id and password hash behind an address that may log in."""
    return tx.execute(select(User.id, User.password).where(User.email == email.strip().lower(), User.active)).first()


def check_limits(tx: Connection, email: str, address: str, *, now: datetime) -> None:
    """Raise TooMany when this address or this user had too many failures."""
    for key, limit in ((f"login:ip:{address}", FAILURES_PER_ADDRESS), (f"login:user:{email}", FAILURES_PER_USER)):
        if limits.counted(tx, key, window=WINDOW, now=now) >= limit:
            raise TooMany("Too many failed logins. Try again in 15 minutes.", retry_after=int(WINDOW.total_seconds()))


def count_failure(tx: Connection, email: str, address: str, *, now: datetime) -> None:
    """Count a failed login against the address and the user, and put it into the audit log."""
    for key in (f"login:ip:{address}", f"login:user:{email}"):
        limits.count(tx, key, window=WINDOW, now=now)
    record(tx, "login.failed", f"email:{email}", now=now, address=address)


def verify_password(found: Row[int, str] | None, password: str) -> int:
    """The user's id, or LoginFailed. Slow on purpose: call it outside any transaction."""
    if not matches(password, found.password if found else None) or found is None:
        raise LoginFailed("Wrong e-mail address or password.")
    user_id: int = found.id
    return user_id


def start(tx: Connection, user_id: int, *, device: str, address: str, days: int, now: datetime) -> str:
    """Begin a login; the token goes into the cookie, only its digest is kept."""
    token = secrets.token_urlsafe(32)
    session_id = tx.execute(
        insert(LoginSession).returning(LoginSession.id),
        {
            "user_id": user_id,
            "digest": _digest(token),
            "device": device[:200],
            "address": address,
            "created_at": now,
            "seen_at": now,
            "expires_at": now + timedelta(days=days),
        },
    ).scalar_one()
    record(tx, "login", f"session:{session_id}", now=now, user_id=user_id, address=address)
    return token


def find(tx: Connection, token: str, *, now: datetime) -> tuple[Person, datetime] | None:
    """Who is behind a token, and when they were last seen; None if it is unknown, ended or revoked."""
    row = tx.execute(
        select(User, LoginSession.id.label("session_id"), LoginSession.seen_at)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.digest == _digest(token),
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > now,
            User.active,
        )
    ).first()
    if row is None:
        return None
    person = Person(
        id=row.id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        locale=row.locale,
        timezone=row.timezone,
        preferences=row.preferences,
        session_id=row.session_id,
    )
    return person, row.seen_at


def touch(tx: Connection, session_id: int, *, days: int, now: datetime) -> None:
    """Note that a login is in use; it ends `days` after its last use."""
    tx.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id)
        .values(seen_at=now, expires_at=now + timedelta(days=days))
    )


def list_open(tx: Connection, user_id: int, *, now: datetime) -> list[Row[Any]]:
    """The user's logins, newest use first."""
    return list(
        tx.execute(
            select(LoginSession.__table__)
            .where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None), LoginSession.expires_at > now)
            .order_by(LoginSession.seen_at.desc())
        )
    )


def revoke(tx: Connection, session_id: int, *, user_id: int, now: datetime) -> None:
    """End one login of a user; its sockets close within a second."""
    done = tx.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    if done.rowcount == 0:
        raise NotFound("This login has already ended.")
    record(tx, "session.revoked", f"session:{session_id}", now=now, user_id=user_id)
    emit(
        tx,
        "session.revoked",
        {"user_id": user_id, "session_id": session_id},
        now=now,
        topics=[f"access:{user_id}"],
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
