"""The console's static files, and what its templates know beside their values."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent_ui import filters
from contact_center.core.assets import Assets

FOLDER = Path(__file__).parent
STATIC = Assets(FOLDER / "static", "/static")
TEMPLATES = FOLDER / "templates"
MODULES = tuple(sorted(path.name for path in (FOLDER / "static" / "js").glob("*.js")))

FILTERS: Mapping[str, Callable[..., Any]] = {
    "initials": filters.initials,
    "clock": filters.clock,
    "span": filters.span,
    "minutes": filters.minutes,
    "filesize": filters.filesize,
    "urlize": filters.links,
}


def import_map() -> dict[str, dict[str, str]]:
    """Module address -> the address with its digest, so that a browser never mixes two versions."""
    return {"imports": {f"/static/js/{name}": STATIC.url(f"js/{name}") for name in MODULES}}


FUNCTIONS: Mapping[str, Any] = {"static": STATIC.url, "import_map": import_map}
