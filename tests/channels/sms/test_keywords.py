"""STOP, START, HELP and their Vietnamese words: only as the whole message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.keywords import Wish, recognise


@pytest.mark.parametrize(
    "body",
    [
        "STOP",
        "stop",
        " Stop \n",
        "StopAll",
        "UNSUBSCRIBE",
        "cancel",
        "END",
        "quit",
    ],
)
def test_the_carrier_confirms_its_own_words(body: str) -> None:
    found = recognise(body)
    assert found is not None
    assert (found.wish, found.carrier_answers) == (Wish.STOP, True)


@pytest.mark.parametrize("body", ["Stop.", "STOP!!", "“stop”", "*stop*"])
def test_a_decorated_word_counts_but_the_carrier_does_not_act_on_it(body: str) -> None:
    found = recognise(body)
    assert found is not None
    assert (found.wish, found.carrier_answers) == (Wish.STOP, False)


@pytest.mark.parametrize(
    ("body", "wish"),
    [
        ("HUY", Wish.STOP), ("TC", Wish.STOP), ("hủy", Wish.STOP), ("HUỶ", Wish.STOP), ("Dừng", Wish.STOP),
        ("từ chối", Wish.STOP), ("tu  choi", Wish.STOP), ("Huy dang ky", Wish.STOP), ("DỪNG NHẮN TIN", Wish.STOP),
        ("ho\u0302\u0323i", None), ("hu\u0309y", Wish.STOP), ("đăng ký lại", Wish.START), ("TRO GIUP", Wish.HELP),
        ("Trợ giúp!", Wish.HELP), ("START", Wish.START), ("help", Wish.HELP), ("INFO", Wish.HELP),
    ],
)  # fmt: skip
def test_both_languages_are_understood(body: str, wish: Wish | None) -> None:
    found = recognise(body)
    assert (found.wish if found else None) == wish


@pytest.mark.parametrize(
    "body",
    [
        "Huy",
        "huy",
        "Dung",
        "dung",
        "ĐÚNG",
        "đúng",
        "tc",
        "nhắn tin",
        "Dũng",
        "DUNG",
    ],
)
def test_names_and_everyday_words_are_no_commands(body: str) -> None:
    assert recognise(body) is None


@pytest.mark.parametrize(
    "body",
    [
        "please stop calling",
        "I want to cancel my order",
        "STOP it",
        "don't stop",
        "help me",
        "đừng hủy",
        "",
        "?",
        "s top",
    ],
)
def test_a_word_inside_a_sentence_is_no_command(body: str) -> None:
    assert recognise(body) is None


@given(st.text(min_size=1), st.sampled_from(["stop", "hủy", "help"]))
def test_more_words_are_never_a_command(more: str, word: str) -> None:
    if any(char.isalnum() for char in more):
        found = recognise(f"{word} {more}")
        assert found is None or found.word != word
