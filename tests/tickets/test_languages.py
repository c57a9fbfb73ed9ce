"""Which language a text is in: with marks and without, mixed, short, and what must stay unknown."""

import pytest

from contact_center.core.db import Database
from contact_center.core.text import fold
from tests.conftest import NOW
from tests.factories import make_ticket
from tickets import language_words, lifecycle
from tickets.languages import SURE, spoken
from tickets.states import Channel

VIETNAMESE = [
    "Cho em hỏi áo khoác này còn hàng không ạ?",
    "Tôi muốn đổi sang cỡ lớn hơn, đổi ở cửa hàng được không?",
    "Em chuyển khoản rồi mà chưa thấy xác nhận",
    "Bao giờ thì giao hàng tới Cần Thơ vậy shop?",
    "SHOP KIEM TRA LAI GIUP TOI",
]
ENGLISH = [
    "I would like to know when the parcel will arrive",
    "Could you please send me the invoice again?",
    "My password doesn't work any more",
    "WHY DID YOU TAKE THE MONEY",
]
UNKNOWN = [
    "",
    "ok",
    "alo shop oi",
    "Nguyễn Văn An",
    "Nguyen Thi Thu Ha 0901 234 567",
    "https://example.com/a/b?c=d",
    "👍👍",
    "{}[]<>",
    "我的订单在哪里",
    "Где мой заказ?",
    "Ich habe meine Bestellung noch nicht erhalten",
    "Je n'ai toujours pas reçu ma commande",
    "Saya belum menerima pesanan saya",
    "Please tell them I will call you back, em đang bận không nghe được",
]


@pytest.mark.parametrize("text", VIETNAMESE)
def test_vietnamese_is_heard_with_its_marks_and_without(text: str) -> None:
    assert spoken(text).locale == "vi"
    assert spoken(fold(text)).locale == "vi"
    assert spoken(text).share >= SURE


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_heard(text: str) -> None:
    assert spoken(text).locale == "en"


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_tells_nothing_or_another_language_stays_unknown(text: str) -> None:
    assert spoken(text).locale == ""


def test_english_words_within_vietnamese_leave_it_vietnamese() -> None:
    assert spoken("Em muốn check lại order này, shop confirm giúp em nhé").locale == "vi"


def test_only_the_beginning_is_read() -> None:
    assert spoken("khong nhan duoc tien hoan lai " * 50_000).locale == "vi"


def test_no_word_stands_in_two_lists() -> None:
    lists = [getattr(language_words, name) for name in ("VIETNAMESE", "ENGLISH", "OTHERS", "SILENT", "SHARED")]
    words = [word for each in lists for word in each]
    assert len(words) == len(set(words))


async def _ticket(db: Database, ticket_id: int) -> tuple[str | None, float | None]:
    row = await db.read(lifecycle.access, ticket_id)
    return row.locale, row.locale_share


async def test_a_ticket_is_in_the_language_of_its_first_message(db: Database) -> None:
    opened = await db.write(make_ticket, text="cho minh hoi ve don hang voi")
    locale, share = await _ticket(db, opened.ticket_id)
    assert locale == "vi"
    assert share is not None
    assert share >= SURE


async def test_the_text_goes_before_what_the_browser_says(db: Database) -> None:
    wrote = await db.write(make_ticket, channel=Channel.CHAT, sender="v-1", text=VIETNAMESE[0], locale="en")
    assert (await _ticket(db, wrote.ticket_id))[0] == "vi"
    greeted = await db.write(make_ticket, channel=Channel.CHAT, sender="v-2", text="alo", locale="en")
    assert await _ticket(db, greeted.ticket_id) == ("en", None)


async def test_what_a_person_sets_is_no_guess(db: Database) -> None:
    opened = await db.write(make_ticket, text=VIETNAMESE[1])
    await db.write(lifecycle.set_fields, opened.ticket_id, user_id=None, now=NOW, locale="en")
    assert await _ticket(db, opened.ticket_id) == ("en", None)
