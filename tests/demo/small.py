"""A small demo, seeded at NOW: a few dozen tickets are enough to see that its books add up."""

import shutil
from pathlib import Path

from contact_center.core.settings import Settings
from contact_center.demo import seed
from contact_center.demo.month import Scale
from tests import databases
from tests.conftest import NOW

SMALL = Scale(customers=60, days=3, tickets=55, today=18)


def settings_in(folder: Path) -> Settings:
    """The settings of a demo that lives in a folder of its own."""
    return Settings(data_dir=folder, database_url=f"sqlite:///{folder}/contact_center.db")


def fill(template: Path, folder: Path) -> None:
    """Seed a demo in an empty folder."""
    made = databases.copy_sqlite(template, folder).removeprefix("sqlite:///")
    Path(made).rename(folder / "contact_center.db")
    seed.fill(settings_in(folder), now=NOW, scale=SMALL, report=lambda done, text: None)


def copy(seeded: Path, folder: Path) -> Settings:
    """A demo of its own, as `fill` left it."""
    shutil.copytree(seeded, folder)
    return settings_in(folder)
