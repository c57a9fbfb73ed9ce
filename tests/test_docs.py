"""Every setting, event, frame, metric and verb is in the docs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from contact_center.cli import app
from contact_center.core.metrics import REGISTRY
from contact_center.core.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PACKAGES = ("contact_center", "channels", "routing", "tickets", "agent_ui", "knowledge_base")
EMITTED = re.compile(r'\bemit\(\s*tx,\s*"([a-z_]+\.[a-z_]+)"')
FRAMES = re.compile(r'\bframe\(\s*"([a-z_]+)"')


def sources() -> Iterator[str]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.read_text("utf-8")


def verbs() -> list[str]:
    """All verbs: `serve`, `kb import`, …"""
    command = typer.main.get_command(app)
    found = []
    for name, sub in sorted(command.commands.items()):  # type: ignore[attr-defined]
        children = getattr(sub, "commands", None)
        found += [f"{name} {child}" for child in children] if children else [name]
    return found


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_each_setting_is_documented(name: str) -> None:
    assert f"`{PREFIX}{name.upper()}`" in (DOCS / "settings.md").read_text("utf-8")


@pytest.mark.parametrize("verb", verbs())
def test_each_verb_is_documented(verb: str) -> None:
    assert f"contact-center {verb}" in (DOCS / "cli.md").read_text("utf-8")


def test_each_event_is_documented() -> None:
    text = (DOCS / "events.md").read_text("utf-8")
    names = {name for source in sources() for name in EMITTED.findall(source)}
    assert len(names) > 30
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_each_frame_is_documented() -> None:
    text = (DOCS / "frames.md").read_text("utf-8") + (DOCS / "widget-protocol.md").read_text("utf-8")
    kinds = {kind for source in sources() for kind in FRAMES.findall(source)}
    assert kinds
    assert {kind for kind in kinds if f"`{kind}`" not in text} == set()


def test_each_metric_is_documented() -> None:
    text = (DOCS / "metrics.md").read_text("utf-8")
    names = {metric.name for metric in REGISTRY.collect()}
    assert {name for name in names if f"`{name}" not in text} == set()
