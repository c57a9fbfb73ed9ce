"""The widget's scripts and styles: read once, packed once, served from memory under the digest of all of them."""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from contact_center.core.assets import content

FOLDER = Path(__file__).parent / "static"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Asset:
    type: str
    plain: bytes
    packed: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by name; `version` changes when any of them does, because they import one another by relative names."""

    version: str
    files: dict[str, Asset]


def load_assets(folder: Path = FOLDER) -> Assets:
    """Reads every script and style of the folder; one that is a folder itself is joined of its parts."""
    contents = {path.name: content(path) for path in sorted(folder.iterdir()) if path.suffix in TYPES}
    files = {name: _asset(name, data) for name, data in contents.items()}
    digest = sha256(b"".join(name.encode() + b"\0" + data for name, data in contents.items()))
    return Assets(digest.hexdigest()[:12], files)


def _asset(name: str, data: bytes) -> Asset:
    packed = gzip.compress(data, 9, mtime=0)
    return Asset(TYPES[Path(name).suffix], data, packed, f'"{sha256(data).hexdigest()[:16]}"')
