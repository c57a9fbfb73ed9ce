"""STOP, START and HELP, recognised only where they are the whole message (pure)."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Wish(StrEnum):
    """What a keyword asks for."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Keyword:
    """A recognised keyword.

    `carrier_answers`: Twilio confirms its own words by itself, so we must not answer a second time.
    START comes in everyday words too (yes, continue): it means anything only from somebody who has opted out.
    """

    wish: Wish
    word: str
    carrier_answers: bool
    locale: str = "en"


_ENGLISH = {
    Wish.STOP: ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"),
    Wish.START: ("start", "unstop", "yes"),
    Wish.HELP: ("help", "info"),
}

# Vietnamese networks teach "Soạn HUY gửi …" and, for advertising, "TC" (từ chối). Typed without marks and in
# small letters "huy" is a first name, "tc" a shorthand and "dung" reads as "đúng" (right), so these stay words.
_VIETNAMESE = {
    Wish.STOP: (
        "hủy", "huỷ", "hủy bỏ", "huỷ bỏ", "dừng", "dừng lại", "ngừng", "ngừng lại", "ngưng", "ngung", "từ chối",
        "tu choi", "hủy đăng ký", "huỷ đăng ký", "huy dang ky", "dừng nhắn tin", "dung nhan tin", "ngừng nhắn tin",
        "ngung nhan tin", "ngưng nhắn tin", "đừng nhắn nữa", "dung nhan nua", "không nhận tin", "khong nhan tin",
    ),
    Wish.START: (
        "đăng ký lại", "dang ky lai", "đăng kí lại", "nhận tin", "nhận lại tin", "nhan lai tin",
        "tiếp tục", "tiep tuc",
    ),
    Wish.HELP: ("trợ giúp", "tro giup", "giúp đỡ", "giup do", "giúp", "hướng dẫn", "huong dan"),
}  # fmt: skip
_COMMANDS = {"HUY": Wish.STOP, "TC": Wish.STOP}

_WORDS = {
    **{word: (wish, True) for wish, words in _ENGLISH.items() for word in words},
    **{word: (wish, False) for wish, words in _VIETNAMESE.items() for word in words},
}
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def recognise(body: str) -> Keyword | None:
    """The keyword that is the whole body, whatever its case, blanks, quotes and final punctuation; else None."""
    if len(body) > 60:
        return None
    text = unicodedata.normalize("NFC", body).strip()
    bare = " ".join(_EDGES.sub("", text).split())
    if wish := _COMMANDS.get(bare):
        return Keyword(wish, bare, carrier_answers=False, locale="vi")
    word = bare.casefold()
    found = _WORDS.get(word)
    if found is None:
        return None
    wish, english = found
    # Twilio compares the trimmed body only: it does not act on "Stop." and leaves the answer to us.
    carrier_answers = english and text.casefold() == word
    return Keyword(wish, word, carrier_answers, "en" if english else "vi")
