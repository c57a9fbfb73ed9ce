"""What the kernel knows of processes: CPU time, memory, cores, and who listens on a port (Linux)."""

import os
import platform
import resource
import socket
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
LISTENING = "0A"
# Servers and clients never share a core, unless there is only one.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[0]
CLIENT_CORE = CORES[-1]


def pin(core: int) -> None:
    """Keep this process, and what it starts from now on, on one core."""
    os.sched_setaffinity(0, {core})


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time that these processes have used so far, by all their threads; a process that is gone counts 0."""
    total = 0
    for pid in pids:
        for task in _entries(PROC / str(pid) / "task"):
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue
    return total / 1e9


def children_seconds() -> float:
    """CPU time of the children of this process that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def own_seconds() -> float:
    """CPU time of this process."""
    return cpu_seconds([os.getpid()])


def private_bytes(pid: int) -> int:
    """Memory that only this process has (what would be free without it)."""
    found = 0
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith(("Private_Clean:", "Private_Dirty:")):
            found += int(line.split()[1]) * 1024
    return found


def listens(pid: int, port: int) -> bool:
    """Whether this very process holds the socket that listens on a TCP port of this machine."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for handle in _entries(PROC / str(pid) / "fd"):
        try:
            if str(handle.readlink()) in wanted:
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False


def _listening_inodes(port: int) -> list[str]:
    found = []
    for table in ("tcp", "tcp6"):
        for line in (PROC / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                found.append(fields[9])
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def described() -> str:
    """This machine in a few words, for the record beside figures."""
    return f"{len(CORES)} cores, {platform.machine()}, Python {platform.python_version()}"
