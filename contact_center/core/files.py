"""Bytes by digest: raw mails over 64 KB and all attachments, under DATA_DIR/files.

A file's time says when somebody last wanted it. Cleaning up sets a file aside, looks at that time and only then deletes
it: whoever puts the same bytes meanwhile either finds them (and the time says so) or writes them anew.
"""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

INLINE_LIMIT = 64 * 1024
SHELVES = 256
# Whose the folder is; see `owner`.
MARKER = "installation"
_ASIDE = ".aside"
_UNFINISHED = "tmp"


def digest_of(data: bytes) -> str:
    """The sha256 of some bytes, in hex: their name."""
    return hashlib.sha256(data).hexdigest()


class FileStore:
    """A folder of immutable files named by their digest; web and worker share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Where the bytes with this digest lie, or would lie."""
        if len(digest) != 64 or not all(c in "0123456789abcdef" for c in digest):
            raise ValueError("not a sha256 digest")
        return self.folder / digest[:2] / digest[2:]

    def put(self, data: bytes) -> str:
        """Store bytes durably (write, fsync, rename, fsync the folder) and return their digest.

        Call it before the transaction that refers to them commits.
        """
        digest = digest_of(data)
        path = self.path(digest)
        if self.keep(digest):
            return digest
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_UNFINISHED, delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes; FileNotFoundError if they are not here."""
        return self.path(digest).read_bytes()

    def has(self, digest: str) -> bool:
        return self.path(digest).exists()

    def keep(self, digest: str) -> bool:
        """Say that somebody wants these bytes now, ahead of the row that names them; False if they are not here."""
        try:
            os.utime(self.path(digest))
        except FileNotFoundError:
            return False
        return True

    def unwanted(self, shelf: int, before: float) -> list[str]:
        """Digests on one of the SHELVES that nobody wanted since `before` (a time stamp).

        What a crash left behind goes its way: an unfinished file is deleted, one that was set aside comes back.
        """
        folder = self.folder / f"{shelf:02x}"
        found = []
        for path in sorted(folder.iterdir()) if folder.exists() else ():
            with contextlib.suppress(FileNotFoundError):
                if path.name.endswith(_ASIDE):
                    path = _back(path)
                if path.stat().st_mtime >= before:
                    continue
                if path.name.startswith(_UNFINISHED):
                    path.unlink()
                elif len(path.name) == 62:
                    found.append(folder.name + path.name)
        return found

    def set_aside(self, digest: str) -> bool:
        """The first half of deleting: from now on the bytes are not here. False if they were not."""
        path = self.path(digest)
        try:
            path.replace(path.with_suffix(_ASIDE))
        except FileNotFoundError:
            return False
        return True

    def settle(self, digest: str, before: float) -> int:
        """The second half: back in its place if somebody wanted it since `before`, else gone; the bytes freed."""
        path = self.path(digest)
        aside = path.with_suffix(_ASIDE)
        with contextlib.suppress(FileNotFoundError):
            found = aside.stat()
            if found.st_mtime < before:
                aside.unlink()
                return found.st_size
            aside.replace(path)
        return 0

    def owner(self, installation: str) -> str:
        """The installation that the folder belongs to: the one it is marked with, now `installation` if with none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        marker = self.folder / MARKER
        with contextlib.suppress(FileExistsError), marker.open("x") as file:
            file.write(installation)
        return marker.read_text().strip()


def _back(aside: Path) -> Path:
    """Back in its place, unless somebody has put the same bytes there since: those are younger and stay."""
    path = aside.with_suffix("")
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()
    return path
