"""Inbound forms: the captured ones, pictures, and hostile bodies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.parse import BadForm, Media, parse_inbound
from tests.channels.sms.corpus import load

LEAST = {"MessageSid": "SM1", "AccountSid": "AC1", "From": "+84903123456", "To": "+15005550006"}


def form(**more: str) -> list[tuple[str, str]]:
    return list({**LEAST, **more}.items())


@pytest.mark.parametrize(("name", "body"), [("1", "Ldfhxhcuffufuf. "), ("2", "Follow-up"), ("3", "new 2")])
def test_it_reads_the_captured_messages(name: str, body: str) -> None:
    found = parse_inbound(list(load(f"sms/inbound_sms{name}.json").items()))
    assert found.sid.startswith("SM1bd5330f81336e8b54c2d3d9fc1bcb6")
    assert (found.sender, found.recipient) == ("+491710000000", "+4915700000000")
    assert found.body.startswith(body)
    assert (found.media, found.segments, found.country, found.opt_out) == ((), 1, "DE", "")


def test_pictures_keep_their_order_and_type() -> None:
    found = parse_inbound(
        form(NumMedia="2", MediaUrl0="https://m/0", MediaContentType0="Image/JPEG", MediaUrl1="https://m/1")
    )
    assert found.media == (Media("https://m/0", "image/jpeg"), Media("https://m/1", "application/octet-stream"))
    assert found.body == ""


@pytest.mark.parametrize("count", ["0", "-3", "x", "99999999999999999999", "٣", ""])
def test_a_wrong_count_of_pictures_or_segments_loses_nothing(count: str) -> None:
    found = parse_inbound(form(NumMedia=count, NumSegments=count, MediaUrl0="https://m/0"))
    assert len(found.media) == 1
    assert found.segments == 1


@pytest.mark.parametrize("missing", ["MessageSid", "AccountSid", "From", "To"])
def test_a_form_without_its_identity_is_refused_by_name(missing: str) -> None:
    with pytest.raises(BadForm, match=missing):
        parse_inbound([(name, value) for name, value in form() if name != missing])


def test_old_accounts_send_the_sid_under_other_names() -> None:
    assert parse_inbound([("SmsSid", "SM9"), *form()[1:]]).sid == "SM9"


def test_an_appended_copy_of_a_field_changes_nothing() -> None:
    assert parse_inbound([*form(Body="mine"), ("Body", "theirs"), ("From", "+1")]).body == "mine"


def test_the_carriers_own_reading_of_a_keyword_is_kept() -> None:
    assert parse_inbound(form(Body="Pare", OptOutType="stop")).opt_out == "STOP"


def test_hostile_bodies_come_through_unchanged() -> None:
    for text in load("naughty_strings.json"):
        if "\x00" not in text:
            assert parse_inbound(form(Body=text)).body == text


def test_what_no_database_stores_is_replaced_and_the_rest_kept() -> None:
    assert parse_inbound(form(Body="a\x00b\ud800c")).body.startswith("a\ufffdb\ufffd")


@given(st.text(alphabet=st.characters(codec=None, categories=None)))
def test_any_text_can_be_stored_afterwards(text: str) -> None:
    kept = parse_inbound(form(Body=text)).body
    assert "\x00" not in kept
    kept.encode("utf-8")
