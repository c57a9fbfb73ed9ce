"""One IMAP connection, blocking: used from a thread of its own. Mails come as raw bytes and stay unread."""

import contextlib
import imaplib
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from imap_tools.errors import ImapToolsError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted

from channels.email.limits import MAX_BYTES

TIMEOUT_SECONDS = 60
BATCH = 50
BATCH_BYTES = 16 * 1024 * 1024
# UIDs per search: small enough that a line which breaks every few kilobytes still gets on.
WINDOW = 1_000
# Heads per fetch: some hundred bytes each.
HEADS = 200
_PORTS = {"tls": 993, "starttls": 143, "none": 143}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")

MailboxErrors = (imaplib.IMAP4.error, ImapToolsError, OSError, EOFError)


def arrival(line: bytes) -> datetime | None:
    """The INTERNALDATE of an answer to FETCH; None where a server writes none that can be read."""
    local = imaplib.Internaldate2tuple(line)
    # The tuple is in this machine's zone.
    return datetime.fromtimestamp(time.mktime(local), UTC) if local else None


def external_id_of(uidvalidity: int, uid: int) -> str:
    """The name of a mail in the journal: a UID means something only together with its UIDVALIDITY."""
    return f"imap:{uidvalidity}:{uid}"


class TokenRefused(imaplib.IMAP4.error):
    """The server does not take the access token; another one may do."""


class NotSetUp(Exception):
    """The account names no server; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail of the mailbox; `raw` holds only the head of mails that are larger than a mail may be."""

    uid: int
    raw: bytes
    oversize: bool = False
    # When the server took it; it keeps that time when mailboxes are moved.
    arrived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The fields by which a mail is recognised, as the server has them; fetched without its body."""

    fields: bytes
    arrived_at: datetime | None


class Mailbox:
    """A logged-in connection with one folder selected."""

    def __init__(self, server: Mapping[str, Any], login: Mapping[str, Any]) -> None:
        if not server.get("host"):
            raise NotSetUp("No incoming mail server is set for this mailbox.")
        security = str(server.get("security") or "tls")
        port = int(server.get("port") or _PORTS.get(security, 993))
        kind: type[BaseMailBox] = {"tls": MailBox, "starttls": MailBoxStartTls}.get(security, MailBoxUnencrypted)
        self.folder = str(server.get("folder") or "INBOX")
        self._box = kind(str(server["host"]), port, timeout=TIMEOUT_SECONDS)  # type: ignore[call-arg]
        self._client = self._box.client
        self.uidvalidity = 0
        self.uidnext = 1
        # How many mails lie in the folder.
        self.size = 0
        try:
            self._log_in(login)
            self.select()
        except MailboxErrors:
            self.close()
            raise

    def _log_in(self, login: Mapping[str, Any]) -> None:
        """With the password, or with an access token where the login has one."""
        user = str(login.get("user") or "")
        if "token" not in login:
            self._box.login(user, str(login.get("password") or ""), initial_folder=None)
            return
        # A refusal comes as a challenge, which wants an empty answer before the server says NO.
        answers = iter([f"user={user}\1auth=Bearer {login['token']}\1\1".encode()])
        try:
            self._client.authenticate("XOAUTH2", lambda _: next(answers, b""))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise TokenRefused(str(error)) from error

    @property
    def can_idle(self) -> bool:
        return "IDLE" in self._client.capabilities

    def select(self) -> None:
        """Select the folder read-only and note its UIDVALIDITY and UIDNEXT."""
        status, data = self._client.select(f'"{self.folder}"', readonly=True)
        if status != "OK":
            raise imaplib.IMAP4.error(f"there is no folder {self.folder}")
        self.size = int(data[0] or 0)
        self.uidvalidity = self._number("UIDVALIDITY")
        self.uidnext = max(self._number("UIDNEXT"), 1)

    def new_uids(self, last_uid: int, *, upto: int | None = None, since: date | None = None) -> list[int]:
        """UIDs above `last_uid` in rising order, at most a window of them; [] when there are none.

        `upto`: the last UID to look at; `since`: only what arrived on this day or later, in the server's zone.
        """
        arrived = f" SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}" if since else ""
        start = last_uid + 1
        while upto is None or start <= upto:
            # What the server tells while it searches is not in the result: `wait` looks for it.
            self._client.untagged_responses.pop("EXISTS", None)
            bounded = start + WINDOW < (upto or self.uidnext)
            status, data = self._client.uid(
                "SEARCH", f"UID {start}:{start + WINDOW if bounded else upto or '*'}{arrived}"
            )
            if status != "OK":
                raise imaplib.IMAP4.error(f"search failed: {data!r}")
            found = sorted(uid for uid in map(int, (data[0] or b"").split()) if uid > last_uid)
            if found or not bounded:
                return found
            start += WINDOW
        return []

    def fetch(self, uids: list[int], most: int = BATCH) -> tuple[list[Fetched], int]:
        """The first mails of `uids` that are still there, fewer when they are large; and the last UID dealt with."""
        asked = uids[:most]
        listed = self._listed(asked)
        sizes = {uid: size for uid, (size, _) in listed.items()}
        wanted: list[int] = []
        total = 0
        for uid in sorted(sizes):
            if wanted and total + sizes[uid] > BATCH_BYTES:
                break
            wanted.append(uid)
            total += sizes[uid]
        done = wanted[-1] if len(wanted) < len(sizes) else asked[-1]
        if len(wanted) == 1 and sizes[wanted[0]] > MAX_BYTES:
            head = self._bodies(wanted, "BODY.PEEK[HEADER]<0.65536>").get(wanted[0], b"")
            return [Fetched(wanted[0], head, oversize=True, arrived_at=listed[wanted[0]][1])], done
        bodies = self._bodies(wanted, "BODY.PEEK[]") if wanted else {}
        return [Fetched(uid, bodies[uid], arrived_at=listed[uid][1]) for uid in wanted if uid in bodies], done

    def heads(self, uids: list[int]) -> dict[int, Head]:
        """Sender, date, subject and Message-ID of mails by UID, of those that are still there."""
        found: dict[int, Head] = {}
        for start in range(0, len(uids), HEADS):
            part = uids[start : start + HEADS]
            arrived = self._listed(part)
            fields = self._bodies(part, "BODY.PEEK[HEADER.FIELDS (FROM DATE SUBJECT MESSAGE-ID)]")
            found |= {uid: Head(raw, arrived[uid][1]) for uid, raw in fields.items() if uid in arrived}
        return found

    def wait(self, seconds: float) -> bool:
        """IDLE until something happens or the time is over; True when something happened."""
        if "EXISTS" in self._client.untagged_responses:
            return True
        idle: Any = self._box.idle
        idle.start()
        try:
            return self._said_already() or bool(idle.poll(timeout=seconds))
        finally:
            idle.stop()

    def _said_already(self) -> bool:
        """Whether news came in one packet with the answer to IDLE: then the socket itself stays silent."""
        client: Any = self._client
        reader = getattr(client, "_file", None) or client.file
        client.sock.settimeout(0)
        try:
            return bool(reader.peek(1))
        except OSError:
            return False
        finally:
            client.sock.settimeout(TIMEOUT_SECONDS)

    def close(self) -> None:
        """Log out where the server still listens."""
        with contextlib.suppress(*MailboxErrors):
            self._box.logout()
        with contextlib.suppress(OSError):
            self._client.shutdown()

    def abort(self) -> None:
        """Cut the line, from any thread: whatever waits on it fails at once."""
        with contextlib.suppress(OSError):
            self._client.sock.shutdown(socket.SHUT_RDWR)

    def _number(self, name: str) -> int:
        _, data = self._client.response(name)
        values = [item for item in data or [] if item]
        return int(values[-1]) if values else 0

    def _listed(self, uids: list[int]) -> dict[int, tuple[int, datetime | None]]:
        """Size and time of arrival by UID, of those that are still there."""
        status, data = self._client.uid("FETCH", ",".join(map(str, uids)), "(UID RFC822.SIZE INTERNALDATE)")
        if status != "OK":
            raise imaplib.IMAP4.error(f"fetch failed: {data!r}")
        listed: dict[int, tuple[int, datetime | None]] = {}
        for item in data:
            line = item if isinstance(item, bytes) else b""
            uid, size = _UID.search(line), _SIZE.search(line)
            if uid and size:
                listed[int(uid[1])] = int(size[1]), arrival(line)
        return listed

    def _bodies(self, uids: list[int], what: str) -> dict[int, bytes]:
        """Literals by UID; the UID may stand before or after its literal."""
        status, data = self._client.uid("FETCH", ",".join(map(str, uids)), f"(UID {what})")
        if status != "OK":
            raise imaplib.IMAP4.error(f"fetch failed: {data!r}")
        bodies: dict[int, bytes] = {}
        for position, item in enumerate(data):
            if not isinstance(item, tuple) or len(item) < 2:
                continue
            after = data[position + 1] if position + 1 < len(data) else b""
            uid = _UID.search(item[0]) or _UID.search(after if isinstance(after, bytes) else b"")
            if uid:
                bodies[int(uid[1])] = item[1]
        return bodies
