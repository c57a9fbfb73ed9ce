"""What every command-line verb that works on the database shares: opening it, and errors as one sentence."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from contact_center.core.db import Database, open_database
from contact_center.core.errors import DomainError
from contact_center.core.output import complain
from contact_center.core.settings import Settings

T = TypeVar("T")


def run_on_database(work: Callable[[Database, Settings], Awaitable[T]]) -> T:
    """Do the work on the configured database; what a person can mend becomes one sentence and exit code 1."""

    async def opened() -> T:
        settings = Settings()
        db = open_database(settings.database)
        try:
            return await work(db, settings)
        finally:
            await db.close()

    try:
        return asyncio.run(opened())
    except DomainError as error:
        complain(error.detail)
    except ValidationError as error:
        complain("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()))
    except DBAPIError as error:
        complain(f"The database is not ready ({str(error.orig).splitlines()[0]}): run contact-center migrate.")
    except OSError as error:
        complain(f"{error.strerror or error}: {error.filename or 'is the server running?'}")
    except ValueError as error:
        complain(f"The database cannot be opened: {error}")
    raise typer.Exit(1)
