"""A customer's conversation in a few words, for tests that need one."""

from datetime import timedelta

from sqlalchemy import Connection

from channels.chat import state, visits
from channels.chat.parse import Hello, Send
from channels.chat.tokens import Tokens
from channels.chat.visit import Visit
from channels.chat.visits import Taken
from tests.conftest import NOW
from tests.factories import make_account, make_user
from tickets.replies import Author, Reply, reply
from tickets.states import Channel

TOKENS = Tokens("tests")
MINUTE = timedelta(minutes=1)


def hello(**more: str) -> Hello:
    return Hello(None, 0, "", **{"name": "Ann", "email": "", "locale": "en", "page": "", **more})


def opened(tx: Connection, *, email: str = "", address: str = "192.0.2.1") -> Visit:
    account_id = make_account(tx, Channel.CHAT, name=f"Shop {address} {email}")
    return visits.open_visit(tx, account_id, hello(email=email), locale="en", address=address, now=NOW)


def say(tx: Connection, visit: Visit, text: str, client_id: str = "client-01") -> Taken:
    return visits.take(tx, visit, visits.inbound_of(visit, Send(client_id, text, ()), []), now=NOW)


def answer(tx: Connection, visit: Visit, text: str, *, ago: timedelta = timedelta(0)) -> int:
    assert visit.ticket_id is not None
    user_id = make_user(tx)
    return reply(tx, visit.ticket_id, Reply(text), author=Author(user_id), now=NOW - ago).message_id


def texts(tx: Connection, visit: Visit, since: int = 0) -> list[str]:
    return [one.text for one in state.after(tx, visit, since, TOKENS, "key")]


def begun(tx: Connection, **more: str) -> Visit:
    return say(tx, opened(tx, **more), "Where is my order?").visit
