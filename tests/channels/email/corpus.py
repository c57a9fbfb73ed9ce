"""The shared real mails, and how alike two bodies are."""

import json
import os
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared" / "corpora" / "email"


def folder(name: str) -> Path:
    """A folder of the shared corpora; skips where they are absent (in CI their absence fails)."""
    path = SHARED / name
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip("../shared is not here")
    return path


def expected(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def letters_of(body: str) -> str:
    """The words of a body without markup, spaces and punctuation, for comparing."""
    return re.sub(r"[\W_]+", "", unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", body, flags=re.DOTALL)).lower())


def lines_of(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
