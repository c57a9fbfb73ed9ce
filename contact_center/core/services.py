"""What an edge needs to do its work, opened once per process and handed down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import HTTPConnection

from contact_center.core.bus import Bus
from contact_center.core.db import Database
from contact_center.core.files import FileStore
from contact_center.core.hub import Hub
from contact_center.core.secrets import Vault
from contact_center.core.settings import Settings
from contact_center.core.templates import Templates


@dataclass(frozen=True, slots=True)
class Services:
    """The open parts of a process; `tables` holds the composition root's tables for those below it."""

    settings: Settings
    db: Database
    bus: Bus
    hub: Hub
    vault: Vault
    files: FileStore
    templates: Templates
    tables: Mapping[str, Any] = field(default_factory=dict)


class Stores(Protocol):
    """The parts of Services that the command line opens too."""

    @property
    def db(self) -> Database: ...

    @property
    def vault(self) -> Vault: ...

    @property
    def files(self) -> FileStore: ...


def services(connection: HTTPConnection) -> Services:
    """The services of the process that serves a request or a WebSocket."""
    found: Services = connection.app.state.services
    return found
