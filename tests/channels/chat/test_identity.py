"""Signed identities: what a token must say, and whose conversation a visit is then, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from channels.chat import identity, visits
from channels.chat.frames import EndedBy
from channels.chat.identity import Claims, Keys
from channels.chat.models import ChatIdentityToken
from channels.chat.parse import Hello, Send
from channels.chat.tokens import TICKET_LIFE, Identity, Tokens
from channels.chat.visit import Visit
from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Forbidden, Invalid
from tests.conftest import NOW
from tests.factories import make_account, make_user
from tickets import identity_checks
from tickets.customers import contacts
from tickets.customers.merge import CustomerMerge, merges_of
from tickets.customers.recognise import Person, recognise
from tickets.identity_checks import IdentityCheck, Method
from tickets.inbound import Address
from tickets.models import ContactPoint, Customer, Message, Ticket
from tickets.states import Channel, ContactKind

SECRET = "a-secret-of-the-shop-with-more-than-32-bytes"
KEYS = Keys((SECRET,), "g1")
MINUTE = timedelta(minutes=1)
ANN = "ann@shop.example"


def token(*, secret: str = SECRET, algorithm: str = "HS256", minutes: float = 5, **claims: Any) -> str:
    exp = int((NOW + minutes * MINUTE).timestamp())
    whole = {"sub": "1001", "email": ANN, "name": "Ann Carter", "exp": exp, "jti": "one", **claims}
    return jwt.encode({key: value for key, value in whole.items() if value is not None}, secret, algorithm)


def claims(subject: str = "1001", email: str = ANN, jti: str = "one") -> Claims:
    return Claims(subject, jti, "Ann Carter", email, NOW + 5 * MINUTE)


def test_a_token_says_who_it_is() -> None:
    assert identity.read_token(token(), KEYS, now=NOW) == claims()
    shouted = identity.read_token(token(email="Ann@Shop.Example", name=None), KEYS, now=NOW)
    assert (shouted.email, shouted.name) == (ANN, "")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (token(secret="another-secret-with-more-than-32-bytes-000"), "not signed with the secret"),
        (token(minutes=-2), "has run out"),
        (token(minutes=12), "at most 10 minutes"),
        (token(exp=None), "needs exp"),
        (token(exp="soon"), "needs exp"),
        (token(jti=None), "needs jti"),
        (token(sub=None), "needs sub"),
        (token(sub="x" * 201), "needs sub"),
        (token(email="nobody"), "no address"),
        (token(name=7), "texts"),
        (token(algorithm="none", secret=""), "signed with HS256"),
        (token(algorithm="HS512", secret=SECRET * 2), "signed with HS256"),
        ("not.a.token", "signed with HS256"),
        ("", "signed with HS256"),
    ],
)
def test_a_token_that_proves_nothing_is_refused_with_its_reason(raw: str, says: str) -> None:
    with pytest.raises(Forbidden, match=says):
        identity.read_token(raw, KEYS, now=NOW)


def test_a_number_as_subject_is_refused_because_languages_spell_numbers_differently() -> None:
    with pytest.raises(Forbidden, match="needs sub"):
        identity.read_token(token(sub=1001), KEYS, now=NOW)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(Forbidden, match="not switched on"):
        identity.read_token(token(), Keys(), now=NOW)


def test_a_rotated_secret_is_believed_for_a_day_unless_it_has_leaked() -> None:
    first = identity.rotated({"other": "kept"}, now=NOW, keep_old=True)
    second = identity.rotated(first, now=NOW, keep_old=True)
    assert second["other"] == "kept"
    old, new = first["identity"]["secret"], second["identity"]["secret"]
    assert identity.keys_of(second, now=NOW).believed == (new, old)
    assert identity.keys_of(second, now=NOW + timedelta(days=1)).believed == (new,)
    assert identity.keys_of(second, now=NOW).generation == identity.keys_of(first, now=NOW).generation
    leaked = identity.keys_of(identity.rotated(second, now=NOW, keep_old=False), now=NOW)
    assert len(leaked.believed) == 1
    assert leaked.generation != identity.keys_of(second, now=NOW).generation


def test_what_the_browser_shows_later_is_bound_to_the_widget_and_the_secret() -> None:
    tokens, known = Tokens("tests"), Identity(7, "1001", "Ann", ANN)
    ours = tokens.identity("shop", "g1", known, now=NOW)
    until = NOW + TICKET_LIFE
    assert tokens.identity_of(ours, "shop", "g1", now=NOW + timedelta(hours=11)) == replace(known, until=until)
    assert tokens.identity_of(ours, "other", "g1", now=NOW) is None
    assert tokens.identity_of(ours, "shop", "g2", now=NOW) is None
    assert tokens.identity_of(ours, "shop", "g1", now=NOW + timedelta(hours=13)) is None
    assert tokens.identity_of(ours + "x", "shop", "g1", now=NOW) is None


def chat(tx: Connection) -> int:
    return make_account(tx, Channel.CHAT)


def accept(tx: Connection, account_id: int, told: Claims, client_id: str = "browser-1") -> Identity:
    return identity.accept(tx, account_id, told, client_id, now=NOW)


def visit(tx: Connection, account_id: int, *, email: str = "", known: Identity | None = None) -> Visit:
    hello = Hello(None, 0, "", "Somebody", email, "en", "")
    return visits.open_visit(tx, account_id, hello, locale="en", address="192.0.2.1", now=NOW, identity=known)


def write(tx: Connection, one: Visit, client_id: str = "client-01") -> Visit:
    return visits.take(tx, one, visits.inbound_of(one, Send(client_id, "Hello", ()), []), now=NOW).visit


def points(tx: Connection, customer_id: int) -> dict[str, bool]:
    rows = tx.execute(
        select(ContactPoint)
        .where(ContactPoint.customer_id == customer_id)
        .with_only_columns(ContactPoint.kind, ContactPoint.verified_at)
    )
    return {row.kind: row.verified_at is not None for row in rows}


async def test_a_token_is_good_once_but_its_own_browser_may_ask_again(db: Database) -> None:
    account_id = await db.write(chat)
    first = await db.write(accept, account_id, claims())
    assert await db.write(accept, account_id, claims()) == first
    with pytest.raises(Forbidden, match="used already"):
        await db.write(accept, account_id, claims(), "browser-2")
    await db.write(identity.forget_used, NOW + 5 * MINUTE)
    assert await db.read(lambda tx: tx.execute(select(ChatIdentityToken.jti)).scalars().all()) == ["one"]
    await db.write(identity.forget_used, NOW + 10 * MINUTE)
    assert await db.read(lambda tx: tx.execute(select(ChatIdentityToken.jti)).scalars().all()) == []


async def test_a_signed_visitor_is_the_customer_whom_the_shop_has_told_us_of(db: Database) -> None:
    account_id = await db.write(chat)
    person = Person("1001", ((ContactKind.EMAIL, ANN),), "Ann Carter")
    shop = await db.write(recognise, person, now=NOW)
    known = await db.write(accept, account_id, claims())
    assert known.customer_id == shop.customer_id
    opened = await db.write(visit, account_id, known=known)
    assert (opened.customer_id, opened.name, opened.email) == (shop.customer_id, "Ann Carter", ANN)
    assert await db.read(points, shop.customer_id) == {"email": True, "visitor": True}
    taken = await db.write(write, opened)
    owner = await db.read(lambda tx: tx.execute(select(Ticket.customer_id)).scalar_one())
    assert (owner, taken.subject) == (shop.customer_id, "1001")


async def test_somebody_who_has_written_by_mail_is_known_by_their_address(db: Database) -> None:
    account_id = await db.write(chat)
    mail = await db.write(contacts.find_or_create, Address(ContactKind.EMAIL, ANN, "Ann"), now=NOW)
    known = await db.write(accept, account_id, claims())
    assert known.customer_id == mail.customer_id
    assert await db.read(points, mail.customer_id) == {"email": True}


async def test_an_address_that_a_stranger_typed_leads_nowhere_and_goes_to_its_owner(db: Database) -> None:
    account_id = await db.write(chat)
    stranger = await db.write(visit, account_id, email=ANN)
    assert await db.read(points, stranger.customer_id) == {"visitor": False, "email": False}
    known = await db.write(accept, account_id, claims())
    assert known.customer_id != stranger.customer_id
    assert await db.read(points, known.customer_id) == {"email": True}
    assert await db.read(points, stranger.customer_id) == {"visitor": False}


async def test_a_typed_address_never_counts_as_proven(db: Database) -> None:
    account_id = await db.write(chat)
    known = await db.write(accept, account_id, claims())
    stranger = await db.write(visit, account_id, email=ANN)
    assert stranger.customer_id != known.customer_id
    assert stranger.subject is None
    assert await db.read(points, stranger.customer_id) == {"visitor": False}


async def test_who_signs_in_during_a_chat_takes_it_along_and_that_can_be_undone(db: Database) -> None:
    account_id = await db.write(chat)
    anonymous = await db.write(visit, account_id, email=ANN)
    anonymous = await db.write(write, anonymous)
    known = await db.write(accept, account_id, claims())
    after = await db.write(visits.resume, anonymous.id, account_id, now=NOW, identity=known)
    again = await db.write(visits.resume, anonymous.id, account_id, now=NOW, identity=known)
    assert after == again
    assert (after.customer_id, after.subject, after.ticket_id) == (known.customer_id, "1001", anonymous.ticket_id)
    owner = await db.read(lambda tx: tx.execute(select(Ticket.customer_id)).scalar_one())
    assert owner == known.customer_id
    (merged,) = await db.read(merges_of, known.customer_id)
    assert (merged.evidence, merged.by_user_id) == (["signed_identity"], None)
    assert await db.read(points, known.customer_id) == {"email": True, "visitor": True}


async def test_a_conversation_of_one_customer_never_becomes_anothers(db: Database) -> None:
    account_id = await db.write(chat)
    ann = await db.write(accept, account_id, claims())
    bob = await db.write(accept, account_id, claims("1002", "bob@shop.example", "two"))
    hers = await db.write(visit, account_id, known=ann)
    with pytest.raises(Conflict):
        await db.write(visits.resume, hers.id, account_id, now=NOW, identity=bob)
    # A person has merged an anonymous visitor into Bob: Ann's browser does not undo that.
    anonymous = await db.write(visit, account_id)
    await db.write(visits.resume, anonymous.id, account_id, now=NOW, identity=bob)
    with pytest.raises(Conflict):
        await db.write(visits.resume, anonymous.id, account_id, now=NOW, identity=ann)
    assert await db.read(lambda tx: len(tx.execute(select(CustomerMerge.id)).all())) == 1
    names = await db.read(lambda tx: tx.execute(select(Customer.external_id).order_by(Customer.id)).scalars().all())
    assert names == ["1001", "1002", None]


HOUR = timedelta(hours=1)


def signed_in(tx: Connection, account_id: int, *, hours: int = 12, jti: str = "one") -> Identity:
    return replace(accept(tx, account_id, claims(jti=jti)), until=NOW + hours * HOUR)


def badges(tx: Connection) -> list[tuple[str, str, int | None, Any]]:
    """The checks that have not been ended: how, what is told, by whom, until when."""
    of = IdentityCheck
    return [
        tuple(row)
        for row in tx.execute(
            select(of.method, of.note, of.user_id, of.valid_until).where(of.ended_at.is_(None)).order_by(of.id)
        )
    ]


def told_of(tx: Connection) -> list[str]:
    rows = tx.execute(select(Message.meta).where(Message.kind == "event").order_by(Message.id)).scalars()
    return [row["name"] for row in rows]


async def test_a_chat_of_a_signed_in_customer_says_so_until_the_login_runs_out_or_the_chat_ends(db: Database) -> None:
    def run(tx: Connection) -> None:
        account_id = chat(tx)
        one = write(tx, visit(tx, account_id, known=signed_in(tx, account_id)))
        assert badges(tx) == [("signed_in", "Ann Carter (1001)", None, NOW + 12 * HOUR)]
        # A newer login lengthens it, without another line.
        visits.resume(tx, one.id, account_id, now=NOW + HOUR, identity=signed_in(tx, account_id, hours=13))
        assert badges(tx) == [("signed_in", "Ann Carter (1001)", None, NOW + 13 * HOUR)]
        visits.end(tx, one.id, EndedBy.CUSTOMER, now=NOW + 2 * HOUR)
        assert badges(tx)[0][3] == NOW + 2 * HOUR
        assert one.ticket_id is not None
        visits.go_on(tx, one.ticket_id, now=NOW + 3 * HOUR)
        assert [badge[3] for badge in badges(tx)] == [NOW + 13 * HOUR]
        assert told_of(tx) == ["identity_confirmed", "chat_ended", "identity_confirmed"]

    await db.write(run)


async def test_who_signs_in_during_a_chat_gets_the_badge_and_a_withdrawn_one_does_not_come_back(db: Database) -> None:
    def run(tx: Connection) -> None:
        account_id, user_id = chat(tx), make_user(tx)
        one = write(tx, visit(tx, account_id))
        assert badges(tx) == []
        one = visits.resume(tx, one.id, account_id, now=NOW, identity=signed_in(tx, account_id))
        assert [badge[0] for badge in badges(tx)] == ["signed_in"]
        assert one.ticket_id is not None
        identity_checks.withdraw(tx, one.ticket_id, user_id=user_id, now=NOW + HOUR)
        visits.resume(tx, one.id, account_id, now=NOW + HOUR, identity=signed_in(tx, account_id, hours=13))
        assert badges(tx) == []

    await db.write(run)


async def test_a_login_takes_no_colleagues_check_away(db: Database) -> None:
    def run(tx: Connection) -> None:
        account_id, user_id = chat(tx), make_user(tx)
        one = write(tx, visit(tx, account_id))
        assert one.ticket_id is not None
        checked = {"minutes": 15, "note": "", "user_id": user_id, "now": NOW}
        identity_checks.confirm(tx, one.ticket_id, Method.DOCUMENT, **checked)
        visits.resume(tx, one.id, account_id, now=NOW, identity=signed_in(tx, account_id))
        assert [badge[0] for badge in badges(tx)] == ["document"]
        for method in (Method.CODE, Method.SIGNED_IN):
            with pytest.raises(Invalid):
                identity_checks.confirm(tx, one.ticket_id, method, **checked)

    await db.write(run)


async def test_what_a_browser_says_of_itself_makes_no_badge(db: Database) -> None:
    def run(tx: Connection) -> None:
        account_id = chat(tx)
        accept(tx, account_id, claims())
        one = write(tx, visit(tx, account_id, email=ANN))
        visits.set_profile(tx, one, "Ann Carter (1001)", ANN, now=NOW)
        write(tx, one, "client-02")
        run_out = visit(tx, account_id, known=signed_in(tx, account_id, hours=0))
        write(tx, run_out)
        assert badges(tx) == []

    await db.write(run)


@given(st.integers(0, 10_000), st.characters(codec="ascii"), st.text(max_size=12))
def test_no_changed_identity_is_believed(at: int, put: str, more: str) -> None:
    ours = Tokens("tests").identity("shop", "g1", Identity(7, "1001", "Ann", ANN), now=NOW)
    at %= len(ours)
    for forged in (ours[:at] + put + ours[at + 1 :], ours[:at] + more, more + ours[at:], more):
        believed = Tokens("tests").identity_of(forged, "shop", "g1", now=NOW)
        # The last letter of base64 has bits that say nothing: whatever passes says what we have signed.
        assert believed is None or (believed.customer_id, believed.subject, believed.email) == (7, "1001", ANN)


@given(st.sampled_from(["none", "HS256", "HS384", "HS512"]), st.text(min_size=1, max_size=60), st.integers(0, 400))
def test_no_token_is_believed_that_the_shop_has_not_signed(algorithm: str, secret: str, at: int) -> None:
    key = "" if algorithm == "none" else (secret + "x" * 64)
    with pytest.raises(Forbidden):
        identity.read_token(token(secret=key, algorithm=algorithm), KEYS, now=NOW)
    # Another customer's claims under a true signature.
    head, _, signature = token().split(".")
    _, body, _ = token(sub="2002", jti=f"j{at}").split(".")
    with pytest.raises(Forbidden):
        identity.read_token(f"{head}.{body}.{signature}", KEYS, now=NOW)
