"""What is signed for one purpose serves no other, and nobody else's visit."""

from datetime import UTC, datetime, timedelta

from channels.chat.tokens import TICKET_LIFE, Tokens, Upload

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TOKENS = Tokens("a secret of the tests")


def test_a_token_is_bound_to_one_visit_of_one_widget() -> None:
    token = TOKENS.visit_token("shop", 7)
    assert TOKENS.visit_of(token, "shop") == 7
    assert TOKENS.visit_of(token, "other") is None


def test_a_changed_or_foreign_token_is_nothing() -> None:
    token = TOKENS.visit_token("shop", 7)
    assert TOKENS.visit_of(token[:-1] + ("a" if token[-1] != "a" else "b"), "shop") is None
    assert Tokens("another secret").visit_of(token, "shop") is None
    assert TOKENS.visit_of("", "shop") is None


def test_one_kind_never_passes_for_another() -> None:
    assert TOKENS.visit_of(TOKENS.upload_id(7, Upload("d", "n", "t", 1, None, None)), "shop") is None
    assert TOKENS.visit_of(TOKENS.ticket("shop", now=NOW), "shop") is None


def test_a_ticket_ends_after_its_life() -> None:
    ticket = TOKENS.ticket("shop", now=NOW)
    assert TOKENS.ticket_fits(ticket, "shop", now=NOW + TICKET_LIFE)
    assert not TOKENS.ticket_fits(ticket, "shop", now=NOW + TICKET_LIFE + timedelta(seconds=1))
    assert not TOKENS.ticket_fits(ticket, "shop", now=NOW - timedelta(hours=1))
    assert not TOKENS.ticket_fits(ticket, "other", now=NOW)


def test_an_upload_belongs_to_the_visit_that_made_it() -> None:
    upload = Upload("d1", "a.png", "image/png", 12, 4, 3)
    upload_id = TOKENS.upload_id(7, upload)
    assert TOKENS.upload_of(upload_id, 7) == upload
    assert TOKENS.upload_of(upload_id, 8) is None
    assert TOKENS.upload(upload_id) == upload
    assert TOKENS.upload(upload_id[:-2]) is None
