"""Mail servers on loopback: aiosmtpd as somebody else's server, Dovecot as a real mailbox, and a line that is cut."""

import asyncio
import contextlib
import os
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.databases import missing

DOVECOT = shutil.which("dovecot") or "/usr/sbin/dovecot"
USER, PASSWORD = "shop", "secret"


@dataclass
class Other:
    """Another mail server: keeps what it gets; `answers` are its next replies to RCPT or DATA."""

    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt:
            return self.rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        if self.data:
            self.refused.append(envelope.content)
            return self.data.pop(0)
        self.mails.append((envelope.mail_from or "", list(envelope.rcpt_tos), envelope.content))
        return "250 OK queued as 42"


@contextlib.asynccontextmanager
async def other_server() -> AsyncIterator[Other]:
    other = Other()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(other, hostname="mx.test", loop=loop), "127.0.0.1", 0)
    other.port = server.sockets[0].getsockname()[1]
    yield other
    server.close()
    await server.wait_closed()


CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
default_internal_user = {internal}
default_login_user = {login}
first_valid_uid = 1
mail_uid = {uid}
mail_gid = {gid}
auth_mechanisms = {mechanisms}
passdb {{
{passdb}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


OAUTH = """
introspection_mode = get
introspection_url = {url}/introspect?token=
active_attribute = active
active_value = true
username_attribute = username
tokeninfo_url =
"""


@dataclass
class Dovecot:
    """A running Dovecot with one mailbox; mails are put into its Maildir as a delivery agent does."""

    folder: Path
    port: int
    _delivered: int = 0

    def settings(self, port: int | None = None) -> dict[str, Any]:
        return {"imap": {"host": "127.0.0.1", "port": port or self.port, "security": "none"}}

    @property
    def secrets(self) -> dict[str, Any]:
        return {"imap": {"user": USER, "password": PASSWORD}}

    def deliver(self, raw: bytes) -> None:
        self._delivered += 1
        name = f"{int(time.time())}.M{self._delivered:06}P1.test"
        path = self.folder / "mail" / "tmp" / name
        path.write_bytes(raw)
        path.rename(self.folder / "mail" / "new" / name)

    def new_uidvalidity(self) -> None:
        """Forget all UIDs, as after a restore from backup. Dovecot takes the time as the new UIDVALIDITY."""
        old = int((self.folder / "mail" / "dovecot-uidlist").read_text().split(" V")[1].split()[0])
        while int(time.time()) <= old:
            time.sleep(0.05)
        for path in (self.folder / "mail").glob("dovecot*"):
            path.unlink()


@contextlib.contextmanager
def dovecot_server(port: int, *, oauth_url: str = "") -> Iterator[Dovecot]:
    """Dovecot in the foreground with a configuration of its own, as root or as anybody.

    With `oauth_url` it takes access tokens only, and asks that provider about each.
    """
    if not Path(DOVECOT).exists():
        missing("Dovecot", "apt-get install dovecot-imapd")
    # Its unprivileged processes must be able to enter the folder: not below pytest's private one.
    folder = Path(tempfile.mkdtemp(prefix="cc-dovecot-"))
    root = os.getuid() == 0
    owner = pwd.getpwnam("dovecot") if root else pwd.getpwuid(os.getuid())
    login = "dovenull" if root else owner.pw_name
    for name in ("run", "state", "home", "mail/cur", "mail/new", "mail/tmp"):
        (folder / name).mkdir(parents=True)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
        os.chown(path, owner.pw_uid, owner.pw_gid)
    passdb = f"  driver = static\n  args = password={PASSWORD}"
    if oauth_url:
        (folder / "oauth").write_text(OAUTH.format(url=oauth_url))
        passdb = f"  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {folder}/oauth"
    config = folder / "dovecot.conf"
    config.write_text(
        CONFIG.format(
            folder=folder,
            port=port,
            passdb=passdb,
            mechanisms="xoauth2 oauthbearer" if oauth_url else "plain login",
            internal=owner.pw_name,
            login=login,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
        )
    )
    process = subprocess.Popen([DOVECOT, "-F", "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        _until_it_listens(port)
        yield Dovecot(folder, port)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _until_it_listens(port: int, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class CutLine:
    """A TCP line to a server that breaks at random, in the middle of whatever it carries."""

    def __init__(self, port: int, *, seed: int, least: int = 2_000, most: int = 40_000) -> None:
        self.target = port
        self.random = random.Random(seed)
        self.least, self.most = least, most
        self.cutting = True
        self.cuts = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "CutLine":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        there = asyncio.create_task(self._pump(reader, back_writer, None))
        allowed = self.random.randint(self.least, self.most) if self.cutting else None
        try:
            await self._pump(back_reader, writer, allowed)
        finally:
            there.cancel()
            await asyncio.gather(there, return_exceptions=True)
            for stream in (writer, back_writer):
                stream.transport.abort()
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, allowed: int | None) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(4096):
                if allowed is not None:
                    if len(chunk) >= allowed:
                        writer.write(chunk[:allowed])
                        self.cuts += 1
                        return
                    allowed -= len(chunk)
                writer.write(chunk)
                await writer.drain()
