"""Display names: what a person gets called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.customers.names import clean_name, display_name, is_better
from tickets.states import ContactKind

EMAIL, PHONE, VISITOR = ContactKind.EMAIL, ContactKind.PHONE, ContactKind.VISITOR


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ('"Smith, Jane"', "Jane Smith"),
        ("  Nguyễn   Văn\tA ", "Nguyễn Văn A"),
        ("Acme, Inc., Support", "Acme, Inc., Support"),
        ("jane@example.com", ""),
        ("12345", ""),
        ("\u202eevil", "evil"),
        ("", ""),
    ],
)
def test_names_are_cleaned(raw: str, name: str) -> None:
    assert clean_name(raw) == name


@pytest.mark.parametrize(
    ("kind", "value", "name"),
    [
        (EMAIL, "jane.smith+shop@example.com", "Jane Smith"),
        (EMAIL, "no-reply@example.com", "no-reply@example.com"),
        (EMAIL, "jsmith7@example.com", "jsmith7@example.com"),
        (PHONE, "+84912345678", "0912 345 678"),
        (VISITOR, "a1b2c3d4e5f6", "Visitor e5f6"),
    ],
)
def test_without_a_name_the_address_gives_one(kind: ContactKind, value: str, name: str) -> None:
    assert display_name("", kind, value) == name
    assert display_name("An", kind, value) == "An"


def test_only_a_makeshift_name_is_replaced() -> None:
    assert is_better("Lê Thị Bình", "0912 345 678", ("0912 345 678",))
    assert is_better("Lê Thị Bình", "", ())
    assert not is_better("Bình", "Lê Thị Bình", ("0912 345 678",))
    assert not is_better("binh@example.vn", "0912 345 678", ("0912 345 678",))


@given(st.text(max_size=300))
def test_a_clean_name_stays_as_it_is_and_short(raw: str) -> None:
    name = clean_name(raw)
    assert len(name) <= 120
    assert "\n" not in name
