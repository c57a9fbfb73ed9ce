"""Reading a mail within a time limit: small ones here, larger ones in a process that can be killed.

Small mail is bounded by its size (every pattern is linear or bounded); what is larger could cost seconds, so
it is handed to a child that has two seconds and a memory limit. A child is reused until it fails.
"""

import contextlib
import os
import pickle
import select
import subprocess
import sys
import threading
from typing import IO

from channels.email import limits
from channels.email.parse import parse, quarantined
from channels.email.parsed import ParsedMail
from channels.email.reading_child import HEAD, LIMIT_SECONDS, READY
from contact_center.core.clock import monotonic
from contact_center.core.settings import child_environment

INLINE_BYTES = 64 * 1024
# How long to wait for those seconds of processor time on a busy machine.
_WAIT_SECONDS = 15.0
_START_SECONDS = 30.0
_TOO_SLOW = "reading the mail took too long"


class ChildFailed(Exception):
    """The child process died or took too long; the message is a sentence for people."""


class Reader:
    """Reads mails one at a time; safe to call from several threads, keeps at most one child process."""

    def __init__(self, limit: float = LIMIT_SECONDS) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def read(self, raw: bytes) -> ParsedMail:
        """The mail, or a quarantined one with the reason. Never raises, never takes much more than the limit."""
        if len(raw) <= INLINE_BYTES:
            return parse(raw)
        with self._lock:
            try:
                limits.check_size(raw)
                limits.check_header(raw)
                return self._in_child(raw)
            except limits.UnreadableMail as error:
                return quarantined(str(error))
            except ChildFailed as error:
                self._stop()
                return quarantined(str(error))
            except (OSError, pickle.UnpicklingError, EOFError) as error:
                self._stop()
                return quarantined(f"the mail cannot be read ({type(error).__name__})")

    def close(self) -> None:
        """End the child process."""
        with self._lock:
            self._stop()

    def _in_child(self, raw: bytes) -> ParsedMail:
        child = self._child if self._child and self._child.poll() is None else self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        deadline = monotonic() + _WAIT_SECONDS
        child.stdin.write(HEAD.pack(len(raw)))
        child.stdin.write(raw)
        child.stdin.flush()
        size = HEAD.unpack(_exactly(child.stdout, HEAD.size, deadline))[0]
        found = pickle.loads(_exactly(child.stdout, size, deadline))
        if not isinstance(found, ParsedMail):
            raise ChildFailed("the mail cannot be read")
        return found

    def _start(self) -> subprocess.Popen[bytes]:
        self._stop()
        child = subprocess.Popen(
            [sys.executable, "-m", "channels.email.reading_child", str(self.limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(PYTHONPATH=os.pathsep.join(path for path in sys.path if path)),
        )
        self._child = child
        assert child.stdout is not None
        # Starting Python is not the mail's fault: its time begins when the child is ready.
        if _exactly(child.stdout, len(READY), monotonic() + _START_SECONDS) != READY:
            raise ChildFailed("the mail reader could not be started")
        return child

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _exactly(stream: IO[bytes], size: int, deadline: float) -> bytes:
    """`size` bytes from the child before `deadline`."""
    chunks: list[bytes] = []
    missing = size
    descriptor = stream.fileno()
    poller = select.poll()
    poller.register(descriptor, select.POLLIN | select.POLLHUP)
    while missing:
        left = deadline - monotonic()
        if left <= 0 or not poller.poll(left * 1000):
            raise ChildFailed(_TOO_SLOW)
        chunk = os.read(descriptor, min(missing, 1 << 20))
        if not chunk:
            raise ChildFailed(_TOO_SLOW)
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)
