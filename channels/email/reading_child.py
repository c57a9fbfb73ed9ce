"""The process that reads large mails for `reader`: it may be killed at any time, and imports little to start fast."""

import pickle
import resource
import signal
import struct
import sys
from typing import IO

from channels.email.parse import parse

# Processor time that one mail may take; a busy machine may make the same mail wait longer.
LIMIT_SECONDS = 2.0
MEMORY_BYTES = 2 * 1024 * 1024 * 1024
HEAD = struct.Struct(">Q")
READY = b"ready\n"


def _serve(stdin: IO[bytes], stdout: IO[bytes], limit: float) -> None:
    """The child: length and bytes in, length and pickled ParsedMail out, until stdin closes."""
    stdout.write(READY)
    stdout.flush()
    while len(head := stdin.read(HEAD.size)) == HEAD.size:
        raw = stdin.read(HEAD.unpack(head)[0])
        # SIGPROF ends the process, whatever C code is running.
        signal.setitimer(signal.ITIMER_PROF, limit)
        answer = pickle.dumps(parse(raw))
        signal.setitimer(signal.ITIMER_PROF, 0)
        stdout.write(HEAD.pack(len(answer)))
        stdout.write(answer)
        stdout.flush()


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    _limit_memory()
    _serve(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[1]))
