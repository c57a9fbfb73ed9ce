"""Bytes by digest: raw mails and attachments over 64 KB, under DATA_DIR/files."""

import hashlib
import os
import tempfile
from pathlib import Path

INLINE_LIMIT = 64 * 1024


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
        if path.exists():
            return digest
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
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
