"""Writes the demo's past while the floor is open: a child process for each week, whose tickets then come into the
live file a few at a time. Killed at any point, the next start goes on: only whole weeks are merged, and only what
is not there yet.
"""

import asyncio
import os
import sys
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from contact_center.core.bus import Bus, Poke
from contact_center.core.clock import monotonic
from contact_center.core.db import Database
from contact_center.core.loops import Loop
from contact_center.core.settings import Settings
from contact_center.demo import mark, past, seed
from contact_center.demo.merge import Merge, written
from contact_center.demo.month import CUSTOMERS_A_TICKET, Stretch

log = structlog.get_logger()

# Between two transactions everybody else may write.
STEP_SECONDS = 0.1
WRITING_SECONDS = 2.0
STARTS = 3
# One core stays with the floor and its visitors.
WRITERS = max(1, min(4, (os.cpu_count() or 2) - 1))


class Historian:
    """One step a turn: start the next week's process, look how far it is, or merge a few tickets."""

    def __init__(self, settings: Settings, db: Database, bus: Bus) -> None:
        self.settings = settings
        self.db = db
        self.bus = bus
        self.folder = settings.data_dir
        self._parts: list[Stretch] = []
        self._begun = False
        self._merged: list[int] = []
        self.children: dict[int, asyncio.subprocess.Process] = {}
        self._merge: Merge | None = None
        self._starts: dict[int, int] = {}
        self._longest = 0.0
        self._loop = Loop("demo-history", self.step, WRITING_SECONDS, close=self.close)

    def loop(self) -> Loop:
        """The loop to run."""
        return self._loop

    async def step(self) -> bool:
        """Do one thing; True while there is more to do at once."""
        if not self._begun:
            await self._begin()
            self._begun = True
        waiting = [part for part in reversed(self._parts) if part.number not in self._merged]
        if not waiting:
            self._loop.interval = 3600.0
            return False
        finished = [part for part in waiting if past.finished_file(self.folder, part.number).exists()]
        unwritten = [part for part in waiting if part not in finished]
        for part in unwritten[:WRITERS]:
            await self._write(part)
        self._loop.interval = STEP_SECONDS if finished else WRITING_SECONDS
        if finished:
            await self._bring(finished[0])
        else:
            await self._tell(waiting)
        return False

    async def close(self) -> None:
        """End the child processes and give the files back."""
        for child in self.children.values():
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.terminate()
                await child.wait()
        # Ended by us: that is no failure of theirs.
        self.children.clear()
        self._starts.clear()
        self._end_merge()

    async def _begin(self) -> None:
        stored = await self.db.read(mark.read)
        # A database that was not made by `start` has no past to write.
        self._parts = mark.month(stored)[:-1] if stored and "stretches" in stored else []
        self._merged = list(stored["history"]["merged"]) if stored and self._parts else []
        past.clear(self.folder)

    async def _write(self, part: Stretch) -> None:
        """Keep a process at work on this week."""
        child = self.children.get(part.number)
        if child is not None and child.returncode is None:
            return
        starts = self._starts.get(part.number, 0)
        if starts == STARTS:
            return
        if starts:
            log.warning("demo.history_began_anew", stretch=part.number)
        self._starts[part.number] = starts + 1
        self.children[part.number] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", past.__name__, str(part.number), *past.arguments(self.settings)),
            stdin=asyncio.subprocess.DEVNULL,
        )

    async def _bring(self, part: Stretch) -> None:
        """Merge a few tickets; after the last one the week is done with."""
        path = past.finished_file(self.folder, part.number)
        if self._merge is None:
            self._merge = await asyncio.to_thread(Merge, seed.database_path(self.settings), path)
        begun = monotonic()
        came = await asyncio.to_thread(partial(self._merge.step, present_from=self._parts[-1].end))
        self._longest = max(self._longest, monotonic() - begun)
        if came == 0:
            self._end_merge()
            self._merged.append(part.number)
            await self.db.write(_note, merged=list(self._merged), longest=round(self._longest, 3))
            past.remove(path)
            if len(self._merged) == len(self._parts):
                past.remove(seed.base_path(self.settings))
            # Everybody looks again.
            self.bus.publish([Poke("lists"), Poke("floor")])

    def _end_merge(self) -> None:
        if self._merge is not None:
            self._merge.close()
            self._merge = None

    async def _tell(self, waiting: list[Stretch]) -> None:
        """Say how far the past is."""
        files = [*past.unfinished_files(self.folder)]
        now = sum([await asyncio.to_thread(written, path) for path in files])
        done = sum(part.customers for part in self._parts if part not in waiting)
        await self.db.write(_note, written=round((done + now) / CUSTOMERS_A_TICKET))


def _note(tx: Connection, **values: Any) -> None:
    stored = mark.read(tx) or {}
    history = {**stored.get("history", {}), **values}
    history["done"] = len(history["merged"]) == len(mark.month(stored)) - 1
    if history["done"]:
        history["written"] = history["of"]
    mark.write(tx, history=history)
