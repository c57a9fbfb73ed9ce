"""Addresses: what counts as the same, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.customers.identities import (
    BadAddress,
    is_mobile,
    normalise,
    normalise_email,
    normalise_phone,
    normalise_visitor,
    shown_email,
    shown_phone,
)
from tickets.states import ContactKind


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("Foo.Bar+Shop@Example.COM ", "foo.bar+shop@example.com"),
        ("<mailto:a@b.vn>", "a@b.vn"),
        ("jo@BÜCHER.de", "jo@xn--bcher-kva.de"),
        ("nguye\u0302\u0303n@example.vn", "nguyễn@example.vn"),
        ("root@localhost.", "root@localhost"),
        ('"a b"@x.vn', '"a b"@x.vn'),
        ("ops@_dmarc.example.org", "ops@_dmarc.example.org"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
    ],
)
def test_an_email_address_has_one_spelling(raw: str, value: str) -> None:
    assert normalise_email(raw) == value
    assert normalise_email(value) == value


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "@x.vn",
        "a@",
        "a b@x.vn",
        "a@x..vn",
        "a@x@",
        "a\u200b@x.vn",
        "a@x.vn\x00",
        "a\nb@x.vn",
        "x" * 65 + "@a.vn",
    ],
)
def test_what_is_no_email_address_is_refused(raw: str) -> None:
    with pytest.raises(BadAddress):
        normalise_email(raw)


def test_domains_are_shown_in_their_own_letters() -> None:
    assert shown_email("jo@xn--bcher-kva.de") == "jo@bücher.de"
    assert shown_email("jo@_x.de") == "jo@_x.de"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("0912 345 678", "+84912345678"),
        ("84912345678", "+84912345678"),
        ("+84 (0) 912-345-678", "+84912345678"),
        ("0084912345678", "+84912345678"),
        ("tel:+84-912-345-678", "+84912345678"),
        ("０９１２３４５６７８", "+84912345678"),
        ("01623456789", "+84323456789"),
        ("+84 120 345 6789", "+84703456789"),
        ("+84 199 345 6789", "+84593456789"),
        ("028 3822 1234", "+842838221234"),
        ("+15417543010", "+15417543010"),
        ("918080808080", "+918080808080"),
        ("0912345678 ext. 5", "+84912345678"),
        ("+ 640003070(3)", "+6430703"),
    ],
)
def test_a_phone_number_has_one_spelling(raw: str, value: str) -> None:
    assert normalise_phone(raw) == value
    assert normalise_phone(value) == value


@pytest.mark.parametrize(
    "raw", ["", "anonymous", "+266696687", "VIETTEL", "113", "555-1234", "+123456", "(541) 754-3010", "phone"]
)
def test_what_is_no_reachable_number_is_refused(raw: str) -> None:
    with pytest.raises(BadAddress):
        normalise_phone(raw)


def test_a_number_without_a_country_belongs_to_the_region() -> None:
    assert normalise_phone("(541) 754-3010", "US") == "+15417543010"
    assert normalise_phone("089 63648018", "DE") == "+498963648018"


def test_numbers_are_shown_as_people_write_them() -> None:
    assert shown_phone("+84912345678") == "0912 345 678"
    assert shown_phone("+15417543010") == "+1 541-754-3010"
    assert is_mobile("+84912345678")
    assert not is_mobile("+842838221234")


def test_a_visitor_id_is_kept_as_it_is() -> None:
    assert normalise_visitor(" aB3_-xyz9 ") == "aB3_-xyz9"
    with pytest.raises(BadAddress):
        normalise_visitor("short")


@given(st.sampled_from(list(ContactKind)), st.text(max_size=60))
def test_any_text_is_refused_or_has_a_stable_spelling(kind: ContactKind, raw: str) -> None:
    try:
        value = normalise(kind, raw)
    except BadAddress:
        return
    assert normalise(kind, value) == value


@given(st.from_regex(r"\+?[0-9 ().-]{5,18}", fullmatch=True))
def test_digits_are_refused_or_have_a_stable_spelling(raw: str) -> None:
    try:
        value = normalise_phone(raw)
    except BadAddress:
        return
    assert normalise_phone(value) == value
