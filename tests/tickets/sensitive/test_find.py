"""What is found and masked, what is not, and that masking does nothing else."""

import csv
import json
import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.sensitive.find import Kind, find, mask, scan
from tickets.sensitive.markup import mask_html

CORPORA = Path(__file__).parents[4] / "shared" / "corpora" / "kb"

MASKED = [
    ("my card 4111 1111 1111 1111 please", "my card [card number] please"),
    ("4111-1111-1111-1111", "[card number]"),
    ("378282246310005", "[card number]"),
    ("Amex 3782 822463 10005", "Amex [card number]"),
    ("9704 0000 0000 0018 là thẻ của em", "[card number] là thẻ của em"),
    ("4111111111111111 12 27 123", "[card number]"),
    ("4111 1111 1111 1111 12/27, thanks", "[card number], thanks"),
    ("４１１１１１１１１１１１１１１１", "[card number]"),
    ("4111\u200b1111\u200b1111\u200b1111", "[card number]"),
    ("the CVV is 123", "the CVV is [card number]"),
    ("079201001234", "[id number]"),
    ("số căn cước của tôi là 079 201 001 234 nhé", "số căn cước của tôi là [id number] nhé"),
    ("so CCCD 999999999999", "so CCCD [id number]"),
    ("CMND 012345678", "CMND [id number]"),
    ("SSN: 123456789", "SSN: [id number]"),
    ("it is 123-45-6789.", "it is [id number]."),
    ("NI AB 12 34 56 C", "NI [id number]"),
    ("hộ chiếu số B1234567", "hộ chiếu số [id number]"),
    ("OTP là 123456", "OTP là [one-time code]"),
    ("Mã xác thực của bạn: 482913.", "Mã xác thực của bạn: [one-time code]."),
    ("ma xac nhan em nhan duoc la 482913", "ma xac nhan em nhan duoc la [one-time code]"),
    ("your code is 123456", "your code is [one-time code]"),
    ("123 456 is your verification code", "[one-time code] is your verification code"),
    ("G-482913 is your Google verification code", "[one-time code] is your Google verification code"),
    ("001099012345 4111 1111 1111 1111", "[id number] [card number]"),
    ("https://pay.test/c?card=4111111111111111&exp=1227", "https://pay.test/c?card=[card number]&exp=1227"),
    ("www.pay.test/4111-1111-1111-1111", "www.pay.test/[card number]"),
    ("https://x.test/991 4111 1111 1111 1111", "https://x.test/991 [card number]"),
]
KEPT = [
    "order 4111111111111111",
    "mã vận đơn 4111111111111111",
    "4111 1111 1111 1112",
    "tracking 9400 1000 0000 0000 0000 00",
    "https://shop.test/orders/4111111111111111",
    "https://shop.test/a-4111111111111111",
    "see 12/4111111111111111",
    "1234567890123456",
    "call +84 912 345 678 or 0912 345 678",
    "STK 001099012345",
    "sdt 0843512345",
    "000-12-3456 and 666-12-3456",
    "2026-11-02 09:00, 1.234.567 đ, 12.5 %",
    "promo code is 202456",
    "zip code: 902100",
    "error code: 50012",
    "mã xác nhận đặt phòng 123456",
    "I never got the OTP for order 48213",
    "OTP was wrong in 2024",
    "barcode 4006381333931",
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_sensitive_numbers_are_masked(text: str, expected: str) -> None:
    assert mask(text).text == expected


@pytest.mark.parametrize("text", KEPT)
def test_other_numbers_stay(text: str) -> None:
    assert mask(text).text == text


def test_a_kind_that_is_switched_off_stays() -> None:
    text = "4111 1111 1111 1111 and OTP 123456"
    assert mask(text, {Kind.CODE}).text == "4111 1111 1111 1111 and OTP [one-time code]"
    assert mask(text, frozenset()).text == text


def test_placeholders_speak_the_language_of_the_message() -> None:
    assert mask("thẻ 4111111111111111", locale="vi").text == "thẻ [số thẻ]"


DIGITS = st.text("0123456789 -.", min_size=1, max_size=30)
WORDS = st.sampled_from(
    ["OTP", "mã xác thực", "code is", "card", "CCCD", "order", "4111 1111 1111 1111", "079201001234", "123-45-6789"]
)
TEXTS = st.lists(st.one_of(DIGITS, WORDS, st.text(max_size=20)), max_size=10).map(" ".join)


@given(TEXTS)
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text).text
    assert mask(once).text == once
    assert find(once) == []


@given(TEXTS)
def test_everything_else_stays_as_it_was(text: str) -> None:
    """Between the findings of each round not a character changes, and no run of a finding's digits is left there."""
    spans = find(text)
    kept, at = [], 0
    for span in spans:
        kept.append(text[at : span.start])
        at = span.end
    kept.append(text[at:])
    masked = mask(text).text
    if not spans:
        assert masked == text
    pattern = r".*?".join(re.escape(part) for part in kept)
    if not find("".join(kept)) and masked.count("[") == text.count("[") + len(spans):
        assert re.fullmatch(pattern, masked, re.DOTALL)


@given(st.sampled_from(["4111111111111111", "5555555555554444", "378282246310005", "079201001234"]), st.text("ab ,.\n"))
def test_no_run_of_the_originals_digits_is_left(number: str, around: str) -> None:
    masked = mask(f"{around} {number} {around}").text
    assert not any(char.isdigit() for char in masked)


@given(st.integers(1, 14), st.sampled_from(["b", "span", "i"]))
def test_a_number_that_runs_through_elements_is_masked(cut: int, tag: str) -> None:
    number = "4111111111111111"
    masked = mask_html(f'<p class="c1">card {number[:cut]}<{tag}>{number[cut:]}</{tag}> ok</p>')
    assert not any(char.isdigit() for char in masked.replace("c1", ""))
    assert masked.startswith('<p class="c1">card [card number]')


def test_two_cells_are_not_one_number() -> None:
    markup = "<table><td>41111111</td><td>11111111</td></table>"
    assert mask_html(markup) == markup


def test_character_references_are_read() -> None:
    assert mask_html("<p>4111&nbsp;1111&#32;1111 1111</p>") == "<p>[card number]</p>"


def test_markup_without_findings_is_the_same_object_of_text() -> None:
    markup = '<a href="https://shop.test/4111111111111112" title="a > b">order &amp; more</a>'
    assert mask_html(markup) == markup


@pytest.mark.parametrize(
    ("markup", "masked"),
    [
        (
            '<a href="https://pay.test/?card=4111111111111111&amp;x=1">pay</a>',
            "https://pay.test/?card=[card-number]&amp;x=1",
        ),
        ("<a class=b href='https://pay.test/4111-1111-1111-1111'>pay</a>", "'https://pay.test/[card-number]'"),
        ("<a href=https://pay.test/4111111111111111>pay</a>", "href=https://pay.test/[card-number]>"),
        ('<a href="mailto:a@x.test?body=4111%201111%201111%201111">m</a>', "body=[card-number]"),
        ('<a href="https://pay.test/?c=4111+1111+1111+1111">m</a>', "c=[card-number]"),
        ('<a href="https://pay.test/?c=4111&#32;1111&nbsp;1111 1111">m</a>', "c=[card-number]"),
        ('<img src="https://t.test/4111111111111111.gif">', "t.test/[card-number].gif"),
        ('<img alt="my card 4111 1111 1111 1111">', 'alt="my card [card number]"'),
        ('<p title="4111 1111 1111 1111">4111 1111 1111 1111</p>', '<p title="[card number]">[card number]</p>'),
    ],
)
def test_a_card_in_an_attribute_is_masked(markup: str, masked: str) -> None:
    found = mask_html(markup)
    assert masked in found
    assert "1111" not in found
    assert mask_html(found) == found
    assert mask_html(markup, {Kind.CODE}) == markup or "<p" in markup


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="cid:4111111111111111@mail.test">',
        '<a href="https://shop.test/?code=482913">sign in</a>',
        '<a href="https://shop.test/track/079201001234">parcel</a>',
        '<td width="4111" height="1111">1</td>',
    ],
)
def test_links_that_work_stay(markup: str) -> None:
    assert mask_html(markup) == markup


@pytest.mark.parametrize("unit", ["<a href='1", '<a x="1111111111111 ', "<a 1=1 ", "<a href=4%204", "1&nbsp;"])
def test_hostile_markup_ends(unit: str) -> None:
    markup = unit * (50_000 // len(unit))
    began = time.process_time()
    mask_html(markup)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("text", ["1 " * 50_000, "1" * 100_000, "4111 " * 20_000, "OTP " * 30_000 + "1", "a1" * 50_000])
def test_hostile_texts_end(text: str) -> None:
    assert mask(mask(text).text).found.total() == 0


def test_a_text_is_scanned_once_for_what_is_then_masked() -> None:
    text = "card 4111 1111 1111 1111, code: 482913, 079201001234"
    for kinds in (frozenset(Kind), {Kind.CARD}, {Kind.CODE, Kind.NATIONAL_ID}):
        assert mask(text, kinds, seen=scan(text)) == mask(text, kinds)


@pytest.mark.skipif(not CORPORA.exists() and not os.environ.get("CI"), reason="the corpora are not on this machine")
def test_false_alarms_in_what_customers_write_to_a_bank() -> None:
    """The two findings are people who tell their PIN: no false alarm in 28,203 sentences."""
    with (CORPORA / "banking77_train.csv").open() as file:
        sentences = [row["text"] for row in csv.DictReader(file)]
    clinc = json.loads((CORPORA / "clinc150_train_val.json").read_text())
    sentences += [one if isinstance(one, str) else one[0] for part in clinc.values() for one in part]
    found = [sentence for sentence in sentences if find(sentence)]
    assert len(sentences) > 20_000
    assert all("pin to" in sentence for sentence in found)
    assert len(found) <= 2


@given(
    st.lists(
        st.sampled_from(
            ["card", "CMND", "order", "my", "is", "passport", "id card", "1111", "4111", "079", "123-45-6789"]
        )
        | st.integers(0, 10**17).map(str),
        max_size=12,
    ).map(" ".join)
)
def test_what_is_passed_over_quickly_holds_nothing(text: str) -> None:
    # A word for a code makes it look at every number closely; here it stands too far away to belong to one.
    closely = "code" + "." * 100 + "\n" + text
    assert [closely[span.start : span.end] for span in find(closely)] == [
        text[span.start : span.end] for span in find(text)
    ]
