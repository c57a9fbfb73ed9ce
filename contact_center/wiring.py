"""The one page that shows what reacts to what: routes, handlers, senders, loops, renderers.

Nothing registers itself. A module that wants to be called is named here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from channels.base import Sender
from channels.delivery import DeliveryLoop
from contact_center.core.clock import utcnow
from contact_center.core.events import OUTBOX_TOPIC, Handlers
from contact_center.core.hub import Renderer
from contact_center.core.loops import Loop
from contact_center.core.relay import Relay
from contact_center.core.services import Services
from contact_center.core.templates import Templates
from tickets import lifecycle

ROOT = Path(__file__).parent.parent

# event -> functions(tx, event, now), in this order, in the relay's transaction.
HANDLERS: Handlers = {}

TABLES: Mapping[str, Any] = {"handlers": HANDLERS}


def senders(services: Services) -> Mapping[str, Sender]:
    """channel -> its sending side."""
    return {}


def renderers(services: Services) -> Mapping[str, Renderer]:
    """topic kind (before the colon) -> what makes frames of it."""
    return {}


def routes() -> list[BaseRoute]:
    """All pages, hooks and sockets."""
    return []


def templates() -> Templates:
    """The template folders of all areas."""
    return Templates([ROOT / "agent_ui" / "templates"])


def loops(services: Services, *, only: Sequence[str] | None, web: bool) -> list[Loop]:
    """All loops of this process: `only` by name; those that belong to a web process run in every one of them."""
    db = services.db
    relay = Relay(db, HANDLERS)
    delivery = DeliveryLoop(services, senders(services))

    async def timers() -> bool:
        woken = await db.write(lifecycle.wake_snoozed, utcnow())
        closed = await db.write(lifecycle.close_resolved, utcnow())
        return woken + closed > 0

    worker = [
        Loop("relay", relay.run_once, 1.0, frozenset({OUTBOX_TOPIC})),
        Loop("delivery", delivery.run_once, 1.0, frozenset({"message"})),
        Loop("timers", timers, 5.0),
        Loop("purge", relay.purge_once, 3600.0),
    ]
    return [loop for loop in worker if only is None or loop.name in only]


async def refresh_metrics(services: Services) -> None:
    """Gauges that are read from the database when somebody asks."""
