"""Where the shared material lies, and a skip where it does not."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared" / "corpora"


def load(name: str) -> Any:
    path = SHARED / name
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip("../shared is not here")
    return json.loads(path.read_text("utf-8"))
