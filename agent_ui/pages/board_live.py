"""The board's live side: a renderer for the hub, and the pulse that asks for it at most once a second."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from agent_ui.own import AWAY
from agent_ui.pages.board_alerts import alerts
from agent_ui.pages.board_view import sparkline, tiles
from contact_center.core.bus import Poke
from contact_center.core.clock import monotonic, utcnow
from contact_center.core.hub import frame
from contact_center.core.i18n import gettext
from contact_center.core.loops import sleep
from contact_center.core.services import Services
from contact_center.core.sockets import Frame
from contact_center.core.templates import Templates
from contact_center.reports.definitions import AGES
from contact_center.reports.floor import Board, History, Scope
from contact_center.reports.history import history
from contact_center.reports.live import present

KIND = "board"
PUSHED_EVERY = 1.0
# The last hour and last week move slowly: read again after this many seconds.
HISTORY_KEPT = 10.0
# What a newcomer and a lost connection to other processes have in common: nobody knows what was seen.
WHOLE_AFTER = {"join", "resync"}
AGE_NAMES = tuple(name for _, name in AGES)
PARTS = ("stamp", "alerts", "deferred", "tiles", "queues", "agents", "waiting", "ages")


def topic_of(scope: Scope) -> str:
    """The topic that shows a scope: `board`, or `board:{queue}-{team}` with 0 for all."""
    if scope == Scope():
        return KIND
    return f"{KIND}:{scope.queue_id or 0}-{scope.team_id or 0}"


def scope_of(topic: str) -> Scope:
    """The scope behind a topic; what cannot be read is the whole floor."""
    queue, _, team = topic.partition(":")[2].partition("-")
    return Scope(_id(queue), _id(team))


def _id(raw: str) -> int | None:
    return int(raw) if raw.isdecimal() and len(raw) < 19 and int(raw) else None


def read_board(tx: Connection, scope: Scope, *, zone: str, now: datetime, known: History | None = None) -> Board:
    """The whole board; `known` spares reading the history again."""
    return Board(scope, present(tx, scope, zone=zone, now=now), known or history(tx, scope, zone=zone, now=now))


def render_parts(templates: Templates, locale: str, board: Board) -> list[tuple[str, str]]:
    """(part, html) in the order of the page; the first page and every push use the same templates."""
    values = shown(board, locale)
    return [(part, templates.render(locale, f"board/{part}.html", **values)) for part in PARTS]


def shown(board: Board, locale: str) -> dict[str, Any]:
    """What the parts' templates show."""
    return {
        "board": board,
        "tiles": tiles(board),
        "alerts": alerts(board),
        "sparkline": sparkline,
        "ages": AGE_NAMES,
        "away": partial(away_name, locale),
    }


def away_name(locale: str, reason: str | None) -> str:
    """An away reason in words; what people have typed themselves stays as it is."""
    return gettext(locale, AWAY.get(reason or "", reason or ""))


class BoardRenderer:
    """Renders a board topic, once per language. A push holds only the parts that changed since the last one.

    Whoever has just joined gets everything; the next push is whole then too, because the newcomer may have seen a
    state between two pushes.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self._history: dict[str, tuple[float, History]] = {}
        self._sent: dict[tuple[str, str], dict[str, str]] = {}

    async def __call__(self, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Mapping[str, Sequence[Frame]]:
        scope = scope_of(topic)
        read_at, known = self._history.get(topic, (0.0, None))
        fresh = known is not None and monotonic() - read_at < HISTORY_KEPT
        board = await self.services.db.read(
            read_board,
            scope,
            zone=self.services.settings.timezone,
            now=utcnow(),
            known=known if fresh else None,
        )
        if not fresh:
            self._forget()
            self._history[topic] = (monotonic(), board.history)
        whole = any(poke.data.get("event") in WHOLE_AFTER for poke in pokes)
        by_locale = {locale: self._frames(topic, locale, board, whole=whole) for locale in _locales(variants)}
        return {variant: by_locale[_locale(variant)] for variant in variants}

    def _frames(self, topic: str, locale: str, board: Board, *, whole: bool) -> list[Frame]:
        parts = render_parts(self.services.templates, locale, board)
        before = {} if whole else self._sent.get((topic, locale), {})
        self._sent[topic, locale] = {} if whole else dict(parts)
        changed = [
            {"to": f"board-{part}", "how": "fill", "html": html} for part, html in parts if before.get(part) != html
        ]
        return [frame("fragments", topic=topic, parts=changed)]

    def _forget(self) -> None:
        """Drop what nobody looks at any more."""
        watched = set(self.services.hub.watched_topics(KIND))
        self._history = {topic: kept for topic, kept in self._history.items() if topic in watched}
        self._sent = {key: parts for key, parts in self._sent.items() if key[0] in watched}


def _locale(variant: str) -> str:
    return variant.partition(":")[0]


def _locales(variants: set[str]) -> set[str]:
    return {_locale(variant) for variant in variants}


class BoardPulse:
    """The step of a loop in every web process: woken by changes on the floor, it asks for new boards, not too often."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._pushed_at = 0.0

    async def step(self) -> bool:
        topics = self.services.hub.watched_topics(KIND)
        if not topics:
            return False
        wait = self._pushed_at + PUSHED_EVERY - monotonic()
        if wait > 0:
            await sleep(wait)
        self._pushed_at = monotonic()
        self.services.hub.poke([Poke(topic, {"event": "pulse"}) for topic in topics])
        return False
