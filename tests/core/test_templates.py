"""Compiled templates: kept beside their sources, made anew when anything about them is not as it was."""

import sys
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest

from agent_ui import filters
from contact_center import wiring
from contact_center.core.templates import Compiled, Templates


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Templates as a new process finds them, where Python may keep what it compiles."""
    monkeypatch.setattr(Compiled, "kept", {})
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    (tmp_path / "page.html").write_text("Hello {{ name }}")
    return tmp_path


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that were compiled, in order."""
    seen: list[str] = []
    real = jinja2.Environment.compile

    def note(self: jinja2.Environment, source: str, name: str, filename: str) -> object:
        seen.append(name)
        return real(self, source, name, filename)

    monkeypatch.setattr(jinja2.Environment, "compile", note)
    return seen


def begin(folder: Path, **filters: Callable[..., str]) -> Templates:
    """The templates of the next process."""
    Compiled.kept.clear()
    return Templates([folder], filters=filters)


def kept(folder: Path) -> list[Path]:
    """The files beside the template."""
    return list(folder.glob("__pycache__/*"))


def test_the_next_process_compiles_nothing(folder: Path, compiled: list[str]) -> None:
    begin(folder).warm()
    assert compiled == ["page.html"]
    assert begin(folder).render("vi", "page.html", name="Mai") == "Hello Mai"
    assert compiled == ["page.html"]


def test_a_changed_template_is_compiled_anew(folder: Path) -> None:
    begin(folder).warm()
    (folder / "page.html").write_text("Bye {{ name }}")
    assert begin(folder).render("en", "page.html", name="Mai") == "Bye Mai"
    assert len(kept(folder)) == 1


def test_a_filter_that_is_called_otherwise_now_is_called_so(folder: Path) -> None:
    (folder / "page.html").write_text("{{ 120|length_of }}")
    assert begin(folder, length_of=plainly).render("en", "page.html") == "120 s"
    later = begin(folder, length_of=filters.span)
    assert [later.render(locale, "page.html") for locale in ("en", "vi")] == ["2m", "2 phút"]


def plainly(seconds: int) -> str:
    """What a filter once was."""
    return f"{seconds} s"


@pytest.mark.parametrize(
    "left", [b"", b"j2", b"j2\x80\x02K\x05.", b"something else"], ids=["empty", "cut", "head", "other"]
)
def test_a_damaged_file_is_made_anew(folder: Path, compiled: list[str], left: bytes) -> None:
    begin(folder).warm()
    whole = kept(folder)[0].read_bytes()
    for damaged in (left, whole[: len(whole) // 4], whole[: len(whole) // 2]):
        kept(folder)[0].write_bytes(damaged)
        assert begin(folder).render("en", "page.html", name="Mai") == "Hello Mai"
        assert kept(folder)[0].read_bytes() == whole
    assert len(compiled) == 4


def test_nothing_is_written_where_python_may_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert begin(folder).render("en", "page.html", name="Mai") == "Hello Mai"
    assert kept(folder) == []


def test_a_folder_that_cannot_be_written_is_no_harm(folder: Path, compiled: list[str]) -> None:
    (folder / "__pycache__").write_text("in the way")
    templates = begin(folder)
    assert templates.render("en", "page.html", name="Mai") == "Hello Mai"
    assert templates.render("vi", "page.html", name="Mai") == "Hello Mai"
    assert compiled == ["page.html"]


def test_all_apps_of_a_process_share_what_was_loaded(folder: Path) -> None:
    assert wiring.templates() is wiring.templates()
    assert wiring.templates((folder,)) is not wiring.templates()
