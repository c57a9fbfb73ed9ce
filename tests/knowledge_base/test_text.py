"""Folding, words, stems and likeness of texts."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_center.core.text import fold
from knowledge_base.text import containment, shingles, similarity, stem, terms, trigrams, words


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Đổi trả hàng", "doi tra hang"),
        ("ĐƯỜNG", "duong"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("STRASSE straße", "strasse strasse"),
        ("İstanbul ılık", "istanbul ilik"),
        ("①ﬁ", "1fi"),
        ("Café", "cafe"),
    ],
)
def test_it_folds_case_marks_and_compatibility_forms(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_composed_and_decomposed_writing_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text))


def test_letters_and_digits_are_apart() -> None:
    assert words("COVID19 covid-19") == ["covid", "19", "covid", "19"]


def test_an_apostrophe_does_not_split_a_word() -> None:
    assert words("What's Anna’s") == ["whats", "annas"]


def test_unspaced_scripts_become_pairs_of_characters() -> None:
    assert words("注文状況 ok") == ["注文", "文状", "状況", "ok"]
    assert words("猫") == ["猫"]


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [("deliveries", "delivery"), ("boxes", "box"), ("refunds", "refund"), ("pass", "pass"), ("status", "status")],
)
def test_it_stems_english_plurals_only(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed


def test_vietnamese_with_and_without_marks_has_the_same_terms() -> None:
    assert terms("Làm sao để đổi mật khẩu?") == terms("lam sao de doi mat khau")


@given(st.lists(st.text(min_size=1, max_size=8), max_size=20))
def test_a_text_is_fully_like_itself(parts: list[str]) -> None:
    own = trigrams(parts)
    assert similarity(own, own) == (1.0 if own.total() else 0.0)
    assert containment(shingles(parts), shingles(parts)) == (1.0 if parts else 0.0)


def test_a_quotation_is_contained_and_a_stranger_is_not() -> None:
    whole = shingles(terms("Hold the reset button for ten seconds until the light turns green."))
    assert containment(shingles(terms("press and hold the reset button for ten seconds")), whole) > 0.6
    assert containment(shingles(terms("We ship to Canada twice a week.")), whole) == 0
