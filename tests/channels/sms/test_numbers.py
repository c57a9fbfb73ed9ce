"""Numbers in one form, whatever way people and exchanges write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.numbers import Kind, identify, to_e164


@pytest.mark.parametrize(
    ("written", "region", "e164"),
    [
        ("0903 123 456", "VN", "+84903123456"),
        ("0903.123.456", "vn", "+84903123456"),
        ("+84 (0) 903-123-456", "US", "+84903123456"),
        ("84903123456", "VN", "+84903123456"),
        ("0084903123456", "DE", "+84903123456"),
        ("tel:+84903123456", "", "+84903123456"),
        ("0168 345 6789", "VN", "+84383456789"),
        ("+841683456789", "US", "+84383456789"),
        ("0120 123 4567", "VN", "+84701234567"),
        ("(415) 867-5309", "US", "+14158675309"),
        ("14158675309", "VN", "+14158675309"),
        ("02214710334", "DE", "+492214710334"),
        ("493055571600", "DE", "+493055571600"),
        ("\u202a+84 903 123 456\u202c", "VN", "+84903123456"),
        ("+15005550006", "VN", "+15005550006"),
    ],
)
def test_it_writes_numbers_in_one_form(written: str, region: str, e164: str) -> None:
    assert to_e164(written, region) == e164


@pytest.mark.parametrize(
    "written", ["", "+", "42", "0", "113", "call me", "0903-CALL", "sip:an@x", "1' OR 1=1", "0903123456x", "9" * 40]
)
def test_what_is_no_number_is_none(written: str) -> None:
    assert to_e164(written, "VN") is None


@pytest.mark.parametrize(
    ("written", "kind", "address"),
    [
        ("+84903123456", Kind.NUMBER, "+84903123456"),
        ("1414", Kind.SHORT_CODE, "1414"),
        ("+12345", Kind.SHORT_CODE, "12345"),
        ("VIETCOMBANK", Kind.ALPHANUMERIC, "VIETCOMBANK"),
        ("anonymous", Kind.HIDDEN, ""),
        ("Restricted", Kind.HIDDEN, ""),
        ("+266696687", Kind.HIDDEN, ""),
        ("", Kind.HIDDEN, ""),
    ],
)
def test_senders_that_cannot_be_answered_are_told_apart(written: str, kind: Kind, address: str) -> None:
    party = identify(written, "VN")
    assert party is not None
    assert (party.kind, party.address) == (kind, address)


def test_an_address_of_another_channel_is_no_party() -> None:
    assert identify("whatsapp:+84903123456", "VN") is None


@given(st.text(max_size=40), st.sampled_from(["VN", "US", "", "zz"]))
def test_it_never_raises_and_its_own_form_is_stable(written: str, region: str) -> None:
    found = to_e164(written, region)
    if found is not None:
        assert to_e164(found, "VN") == found
    identify(written, region)
