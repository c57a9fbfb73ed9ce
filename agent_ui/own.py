"""A person's own state as the frame shows it: presence, load, offers, wrap-ups. Only for those who handle work."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request

from contact_center.accounts.users import Person
from contact_center.core.services import Services
from contact_center.core.templates import Templates


async def state(request: Request) -> dict[str, Any]:
    """The parts of the shell that are this person's own."""
    return {}


def read(tx: Connection, user_id: int, *, now: datetime) -> Any:
    return None


def parts(templates: Templates, locale: str, user_id: int, held: Any) -> Mapping[str, str]:
    """Element id -> fresh content."""
    return {}


@contextlib.asynccontextmanager
async def connected(services: Services, person: Person) -> AsyncIterator[None]:
    yield
