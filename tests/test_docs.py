"""Every setting, event, frame, metric and verb is in the docs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from contact_center import wiring
from contact_center.cli import VERBS, load
from contact_center.core.db import Database
from contact_center.core.metrics import REGISTRY
from contact_center.core.settings import PREFIX, Settings
from contact_center.running import WORDS
from routing.invariants import violations
from tests.conftest import NOW

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PACKAGES = ("contact_center", "channels", "routing", "tickets", "agent_ui", "knowledge_base")
EMITTED = re.compile(r'\b(?:emit\(\s*tx,|Announcement\(|_told\(\s*ticket,)\s*"([a-z_]+\.[a-z_]+)"')
FRAMES = re.compile(r'\bframe\(\s*"([a-z_]+)"')


def sources() -> Iterator[str]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.read_text("utf-8")


def verbs() -> list[str]:
    """All verbs: `serve`, `kb import`, …"""
    found = []
    for name, sub in ((name, load(name)) for name in sorted(VERBS)):
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


def commands() -> list[tuple[str, list[str]]]:
    """Each verb with its options."""
    found = []
    for name, sub in ((name, load(name)) for name in sorted(VERBS)):
        for child, verb in sorted(getattr(sub, "commands", {"": sub}).items()):
            options = [option for one in verb.params for option in (*one.opts, *one.secondary_opts)]
            found.append(
                (f"{name} {child}".strip(), [one for one in options if one.startswith("--") and one != "--help"])
            )
    return found


@pytest.mark.parametrize(("verb", "options"), [one for one in commands() if one[1]], ids=lambda one: str(one)[:20])
def test_each_option_is_documented_under_its_verb(verb: str, options: list[str]) -> None:
    text = (DOCS / "cli.md").read_text("utf-8")
    section = text.split(f"**`contact-center {verb}`**", 1)[1].split("\n**`", 1)[0]
    assert {option for option in options if f"`{option}`" not in section} == set()


PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The names that a heading gets where Markdown is shown."""
    texts = HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text("utf-8")):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_each_page_is_in_the_index() -> None:
    text = (DOCS / "README.md").read_text("utf-8")
    pages = {page.name for page in DOCS.glob("*.md")} - {"README.md", "benchmarks.md"}
    assert {name for name in pages if f"({name}" not in text} == set()
    assert "(docs/README.md)" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_variable_is_a_real_setting(page: Path) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(rf"\b{PREFIX}[A-Z][A-Z_]*", page.read_text("utf-8")))
    # Two variables of the demo and the bench are no settings of the product.
    assert {name.removesuffix("_FILE") for name in named if not name.startswith(f"{PREFIX}DEMO")} <= known


def test_each_variable_of_the_compose_file_is_documented() -> None:
    variables = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text("utf-8")))
    text = (DOCS / "operations.md").read_text("utf-8")
    assert variables
    assert {name for name in variables if f"`{name}`" not in text} == set()


def test_each_loop_is_documented() -> None:
    text = (DOCS / "operations.md").read_text("utf-8")
    assert {name for name in wiring.LOOPS if f"`{name}`" not in text} == set()


async def test_each_promise_and_each_kind_of_waiting_is_documented(sqlite_db: Database) -> None:
    text = (DOCS / "metrics.md").read_text("utf-8")
    names = {*await sqlite_db.read(violations, NOW), *WORDS}
    assert {name for name in names if f"| `{name}` |" not in text} == set()


def test_the_alerts_ask_for_metrics_that_exist() -> None:
    block = (DOCS / "metrics.md").read_text("utf-8").split("```yaml\n")[1].split("```")[0]
    rules = yaml.safe_load(block)["groups"][0]["rules"]
    named = {name for rule in rules for name in re.findall(r"contact_center_\w+", rule["expr"])}
    samples = {f"{metric.name}{end}" for metric in REGISTRY.collect() for end in ("", "_total", "_bucket")}
    assert named
    assert named <= samples


def findings() -> Iterator[str]:
    """The longest fixed part of everything that `check` may complain about: the first texts that it marks."""
    for name in ("check", "running"):
        tree = ast.parse((ROOT / "contact_center" / f"{name}.py").read_text("utf-8"))
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Name(id="Finding"),
                    args=[ast.Constant(value="warning" | "error"), ast.Call(args=[ast.Constant(value=str(text))]), *_],
                ):
                    yield longest(text)
    for text, _ in WORDS.values():
        yield longest(text)


def longest(text: str) -> str:
    return max(re.split(r"%\(\w+\)s", text), key=len).strip(" .:(")


def test_each_finding_of_check_has_its_line_in_troubleshooting() -> None:
    text = (DOCS / "troubleshooting.md").read_text("utf-8")
    found = set(findings())
    assert len(found) > 12
    assert {one for one in found if one not in text} == set()
