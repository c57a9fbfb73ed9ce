"""Short forms of what people write."""

import pytest

from contact_center.core.text import first_line, gist


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Dear Grace,\n\nthe lid leaves\ntoday.", "the lid leaves today."),
        ("Chào bạn!\n  Đơn hàng   của mình đâu?", "Đơn hàng của mình đâu?"),
        ("Hello,", "Hello,"),
        ("One line", "One line"),
        ("", ""),
        (" \n \n", ""),
        ("A whole sentence that is no greeting at all, although it ends so,\nreally", "A whole sentence that is no…"),
    ],
)
def test_a_gist_is_what_is_said_after_the_greeting(text: str, told: str) -> None:
    assert gist(text, 30) == told


def test_a_first_line_stays_one_line() -> None:
    assert first_line("\nDear Grace,\nthe lid", 30) == "Dear Grace,"
    assert first_line("word " * 20, 12) == "word word…"
