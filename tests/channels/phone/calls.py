"""Calls for the tests of conferences: one in the ledger with its customer's leg, and what is asked of the carrier."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx2
from sqlalchemy import Connection, insert

from channels.phone import legs
from channels.phone.commands import Verb, command
from channels.phone.legs import LegState, Role
from channels.phone.models import Call
from channels.phone.switchboard import Switchboard
from tests.channels.desk import Desk
from tests.conftest import NOW
from tickets.channel_accounts import Account
from tickets.states import Channel

LINE = "+842873001234"
CUSTOMER = "+84903123456"
AGENT = "+84281112222"


def answer(status: int = 200, **values: Any) -> httpx2.Response:
    """The carrier's answer as JSON."""
    return httpx2.Response(status, json=values)


@dataclass
class Operator:
    """The carrier's REST side: notes each request as (method, path below the account, form) and answers as told."""

    answers: list[httpx2.Response | Exception] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def http(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self._take))

    def _take(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.split("/Accounts/")[1].partition("/")[2]
        self.asked.append((request.method, path, dict(parse_qsl(request.content.decode(), keep_blank_values=True))))
        said = self.answers.pop(0) if self.answers else answer()
        if isinstance(said, Exception):
            raise said
        return said

    @property
    def paths(self) -> list[str]:
        return [f"{method} {path}" for method, path, _ in self.asked]


@dataclass
class Talk:
    """One live call of a line, and the switchboard that moves it."""

    desk: Desk
    account: Account
    call_id: int
    operator: Operator
    switchboard: Switchboard

    async def leg(self, role: Role = Role.AGENT, *, key: str = "k1", **values: Any) -> Any:
        values = {"number": AGENT, **values}
        return await self.desk.db.write(legs.add_leg, self.call_id, role, client_key=key, now=NOW, **values)

    async def wants(self, verb: Verb, **values: Any) -> int:
        return await self.desk.db.write(command, self.call_id, verb, now=NOW, **values)

    async def run(self) -> None:
        """Let the switchboard do everything that is due."""
        while await self.switchboard.run_once():
            pass

    async def says(self, *path: object, **form: str) -> httpx2.Response:
        """A signed callback to an address of this line."""
        tail = "/".join(str(part) for part in path)
        return await self.desk.carrier.post(f"https://desk.test/hooks/twilio/{self.account.key}/{tail}", form)

    async def do(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self.desk.db.write(work, *args, **kwargs)


async def begin(desk: Desk, *, sid: str = "CA-caller", **values: Any) -> Talk:
    """A customer's call that is on the line, not yet in a conference."""
    account = await desk.account(Channel.PHONE, **{"address": LINE, **values})

    def add(tx: Connection) -> int:
        values = {"external_id": sid, "source": "twilio", "direction": "in", "state": "ringing"}
        values |= {"number": CUSTOMER, "live": True, "rang_at": NOW, "created_at": NOW}
        made = insert(Call).values(channel_account_id=account.id, **values).returning(Call.id)
        call_id: int = tx.execute(made).scalar_one()
        state = LegState.RINGING
        legs.add_leg(tx, call_id, Role.CALLER, client_key=f"caller-{call_id}", external_id=sid, state=state, now=NOW)
        return call_id

    operator = Operator()
    return Talk(desk, account, await desk.db.write(add), operator, Switchboard(desk.services, operator.http))
