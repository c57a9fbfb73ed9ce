"""Cutting messages into sentences, and telling what they say from their courtesies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.courtesies import substance
from knowledge_base.sentences import rebuilt, sentences


def said(text: str) -> str:
    return rebuilt(substance(sentences(text)))


def test_it_cuts_at_ends_of_sentences_only() -> None:
    found = sentences("Mr. Lee pays 1.5 dollars. Fine! Is it v2.0? Yes.")
    assert [s.text for s in found] == ["Mr. Lee pays 1.5 dollars.", "Fine!", "Is it v2.0?", "Yes."]
    assert [s.number for s in found] == [1, 2, 3, 4]


def test_it_keeps_lists_as_lists() -> None:
    text = "Do this:\n1. Open the lid. Wait.\n2) Press reset.\n- Done\nBước 3: Khởi động lại."
    assert rebuilt(sentences(text)) == "Do this:\n\n1. Open the lid. Wait.\n2. Press reset.\n- Done\n3. Khởi động lại."


def test_quoted_lines_are_no_part_of_the_message() -> None:
    text = "Yes, on Monday.\n> Can it be Monday?\nOn Tue, 3 Nov 2026, Anna wrote:\nCan it be?"
    assert said(text) == "Yes, on Monday."


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("Hi Anna,\n\nThanks for your message. Hold the button.\n\nBest regards,\nTom\nShop Ltd", "Hold the button."),
        ("Hello Anna, to reset it hold the button.", "To reset it hold the button."),
        ("Chào chị Hoa,\nDạ em cảm ơn chị đã liên hệ. Chị vào mục Cài đặt.\nTrân trọng,\nLan", "Chị vào mục Cài đặt."),
        ("Hold it. Let me know if you need anything else! Have a great day.", "Hold it."),
        ("Giữ nút 10 giây. Nếu cần hỗ trợ thêm anh nhắn em nhé. Chúc anh một ngày vui.", "Giữ nút 10 giây."),
        ("I'm sorry to hear that. Unplug it.\n-- \nTom", "Unplug it."),
        ("Unplug it.\nSent from my iPhone", "Unplug it."),
        ("You're welcome!", ""),
        ("Hi!", ""),
    ],
)
def test_courtesies_go(written: str, left: str) -> None:
    assert said(written) == left


@pytest.mark.parametrize(
    "text",
    [
        "If you have not received the mail after ten minutes, look in the spam folder.",
        "Hinges are sold apart.",
        "Best results come with cold water and a soft cloth that is not too wet.",
        "Thank you for the photo, it shows that the cable sits in the wrong port, so please move it to the blue one.",
        "Nếu chưa nhận được email sau 10 phút, bạn xem trong thư rác.",
    ],
)
def test_what_says_something_stays(text: str) -> None:
    assert said(text) == text


@given(st.text(max_size=300))
def test_any_text_is_cut_without_losing_its_order(text: str) -> None:
    found = sentences(text)
    assert [s.number for s in found] == list(range(1, len(found) + 1))
    assert all(s.text.strip() for s in found)
    kept = substance(found)
    assert [s.number for s in kept] == sorted(s.number for s in kept)
