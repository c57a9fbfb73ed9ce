"""`python -m contact_center.demo.past N …`: writes one stretch of the demo's past into a file of its own.

The demo starts it as a process of its own, so that the floor keeps its core. The live file is only read.
"""

import os
import shutil
import sys
from datetime import datetime
from pathlib import Path

from contact_center import migrate, wiring
from contact_center.core.db import sqlite_engine
from contact_center.core.events import Handlers
from contact_center.core.settings import Settings
from contact_center.demo import mark, seed
from contact_center.demo.history import TICK
from contact_center.demo.month import Stretch
from contact_center.demo.reserve import reserved
from knowledge_base import harvest, topic_lessons

# The floor, and whoever looks at it, come first.
NICENESS = 10
COPY = ".copy"
# The shop began to learn from its cases yesterday: a month's drafts would bury those that wait today, and what words
# count for a topic is one sum of all lessons, which no file of its own can bring.
NOT_YET = {harvest.on_ticket_resolved, harvest.on_survey_answered, topic_lessons.on_ticket_updated}
HANDLERS: Handlers = {
    name: [handler for handler in handlers if handler not in NOT_YET] for name, handlers in wiring.HANDLERS.items()
}


def finished_file(folder: Path, number: int) -> Path:
    """Where a stretch lies when it is whole."""
    return folder / f"history-{number}.db"


def unfinished_files(folder: Path) -> list[Path]:
    """Stretches that are being written, or that nobody will finish."""
    return sorted(folder.glob("history-*.part"))


def files(folder: Path) -> list[Path]:
    """Every stretch that lies there, finished, begun or about to begin."""
    return [*folder.glob("history-[0-9]*.db"), *unfinished_files(folder), *_copies(folder)]


def clear(folder: Path) -> None:
    """Delete what nobody will finish."""
    for path in [*unfinished_files(folder), *_copies(folder)]:
        remove(path)


def write(settings: Settings, stretch: Stretch, *, until: datetime) -> None:
    """Let the stretch happen, and put its file in place when it is whole."""
    part = settings.data_dir / f"history-{stretch.number}-{os.getpid()}.part"
    copy = part.with_suffix(COPY)
    parent = os.getppid()

    def report(_done: float, _opened: int) -> None:
        # Whoever started this is gone: the next start begins the stretch anew.
        if os.getppid() != parent:
            raise SystemExit(1)

    try:
        # Readers look into what is called a part: half a copy would look broken to them.
        shutil.copyfile(seed.base_path(settings), copy)
        copy.rename(part)
        engine = sqlite_engine(f"sqlite:///{part}", synchronous="OFF")
        with reserved(part, stretch.first_id):
            seed.write(engine, settings, stretch, handlers=HANDLERS, until=until, report=report, tick=TICK)
        engine.dispose()
        finished_file(settings.data_dir, stretch.number).hardlink_to(part)
    finally:
        remove(part)
        remove(copy)


def _copies(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"history-*{COPY}"))


def remove(path: Path) -> None:
    """Delete an SQLite file with what lies beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def arguments(settings: Settings) -> list[str]:
    """What `main` needs to find the same files; everything else it reads as the demo did."""
    return [settings.database, str(settings.data_dir.absolute()), settings.base_url]


def main(number: str, database: str, data_dir: str, base_url: str) -> None:
    """Write the stretch with this number of the demo that lies there."""
    os.nice(NICENESS)
    settings = Settings(database_url=database, data_dir=Path(data_dir), public_url=base_url)
    stored = migrate.run(settings.database, mark.read)
    write(settings, mark.month(stored)[int(number)], until=datetime.fromisoformat(stored["seeded_at"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
