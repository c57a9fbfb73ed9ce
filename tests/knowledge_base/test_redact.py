"""What is taken out of a text before it may become an article, and what must stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.redact import Personal, luhn, redact

TAKEN = [
    ("Write to anna.smith+shop@mail.example.co.uk please", "Write to [email] please"),
    ("Write to anna (at) example.com", "Write to [email]"),
    ("Gọi em 0912 345 678 nhé", "Gọi em [phone] nhé"),
    ("Call me at +1 (415) 555-2671.", "Call me at [phone]."),
    ("sđt: 0283.822.9999", "sđt: [phone]"),
    ("my card 4111 1111-1111 1111 was charged", "my card [card number] was charged"),
    ("CCCD của em là 001099012345 ạ", "CCCD của em là [id number] ạ"),
    ("số 079203001234 nhé", "số [id number] nhé"),
    ("SSN 123-45-6789", "SSN [id number]"),
    ("passport number C1234567", "passport number [id number]"),
    ("STK 0071001234567 Vietcombank", "STK [bank account] Vietcombank"),
    ("IBAN DE89 3704 0044 0532 0130 00 ok", "IBAN [bank account] ok"),
    (
        "Your order #A-10293 left; A-10293 arrives soon",
        "Your order #[order number] left; [order number] arrives soon",
    ),
    ("đơn hàng DH20261101 của chị", "đơn hàng [order number] của chị"),
    ("mã vận đơn: SPXVN0412345678", "mã vận đơn: [order number]"),
    ("tracking 1Z999AA10123456784", "tracking [order number]"),
    ("Ref #48213 again", "Ref #[order number] again"),
    ("Mã xác nhận là 493021.", "Mã xác nhận là [code]."),
    ("password: hunter2!", "password: [code]!"),
    ("DOB: 12/03/1990", "DOB: [birth date]"),
    ("We ship to 221B Baker Street, London tomorrow", "We ship to [address] tomorrow"),
    ("It goes to 1600 Pennsylvania Ave NW, Washington, DC 20500.", "It goes to [address]."),
    ("Giao đến số 12/5 đường Lê Lợi, phường Bến Nghé, quận 1, TP.HCM", "Giao đến [address]"),
    ("Địa chỉ: 45 Trần Phú, Hà Đông", "Địa chỉ: [address]"),
    ("P.O. Box 1234", "[address]"),
    ("Mr. John Smith called", "Mr. [name] called"),
    ("gửi chị Hoa nhé", "gửi chị [name] nhé"),
    ("My name is Peter Parker and", "My name is [name] and"),
    ("Hi Anna, welcome", "Hi [name], welcome"),
    ("Họ tên: Trần Thị Bình", "Họ tên: [name]"),
    ("see https://shop.example/o?token=abc", "see [link]"),
    ("see https://shop.example/orders/20261101", "see [link]"),
    ("from 8.8.8.8", "from [ip address]"),
    ("follow @anna_smith", "follow [username]"),
    ("my name is jonathan reed and I wait", "my name is [name] and I wait"),
    ("j.reed AT gmail DOT com", "[email]"),
    ("Visa ending 4242, exp 04/27, cvv 123", "Visa ending [card number], exp [card number], cvv [code]"),
    ("chủ tk LE VAN TAM", "chủ tk [name]"),
    ("khách hàng Phạm Minh Tuấn đã mua", "khách hàng [name] đã mua"),
    ("xe 51G-123.45", "xe [number]"),
    ("the code is 482913", "the code is [code]"),
    ("mã OTP 482913", "mã OTP [code]"),
    ("My address is 5 Rue de la Paix, 75002 Paris.", "My address is [address]."),
    ("Hauptstraße 12, 10115 Berlin", "[address]"),
    ("Sincerely yours, Bob Jones", "Sincerely yours, [name]"),
    ("Mã 8800112233446 trên hộp", "Mã [number] trên hộp"),
]

STAYS = [
    "Delivery takes 3-5 business days and is free above $50.",
    "Phí là 1.250.000đ, giảm còn 990,000 VND.",
    "Since 2026-11-22 14:30 or 22/11/2026 the price is 10 000 000 đồng.",
    "Open 192.168.1.1 and hold reset for 10 seconds (firmware 2.14.3, error 0x80070057).",
    "See https://shop.example/help/returns for the rules.",
    "An toàn là trên hết, bạn nhé.",
    "Refunds reach your card within 7 days; order before noon.",
    "Chọn Cài đặt > Tài khoản > Đổi mật khẩu.",
    "Hi there, thank you so much.",
    "Look at 3 dots in the menu, the error code is 404 and your address is wrong.",
    "Look at shop.example for the prices.",
    "Meet us at the shop at 4pm; the model WH-1000XM4 has USB-C 3.2.",
    "Khách hàng cần nhập mã khuyến mãi ở bước 3.",
]


@pytest.mark.parametrize(("written", "left"), TAKEN)
def test_it_takes_personal_data_out(written: str, left: str) -> None:
    assert redact(written).text == left


@pytest.mark.parametrize("text", STAYS)
def test_it_leaves_what_everybody_may_read(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("Nguyễn Văn An đã nhận hàng", "[name] đã nhận hàng"),
        ("nguyen van an nhan hang", "[name] nhan hang"),
        ("Dạ anh An, em gửi", "Dạ anh [name], em gửi"),
        ("An toàn và bình an", "An toàn và bình an"),
        ("the parcel of Van An", "the parcel of [name]"),
    ],
)
def test_it_knows_the_customers_name_with_and_without_marks(written: str, left: str) -> None:
    assert redact(written, names=["Nguyễn Văn An"]).text == left


def test_a_name_that_is_known_in_part_is_taken_out_whole() -> None:
    assert redact("em là Trần Bình ạ", names=["Linh Trần"]).text == "em là [name] ạ"
    assert redact("ask Anna Miller or anna", names=["Anna Smith"]).text == "ask [name] or anna"


def test_placeholders_speak_the_language_of_the_text() -> None:
    assert redact("gọi 0912 345 678", locale="vi").text == "gọi [số điện thoại]"


def test_known_order_numbers_go_without_a_label() -> None:
    assert redact("abc123 is on its way", known=["ABC123"]).text == "[order number] is on its way"


def test_the_companys_own_addresses_stay() -> None:
    text = "Write to help@shop.example or call 1900 6750 / 028 3822 9999, not bob@home.example."
    kept = redact(text, keep=["help@shop.example", "19006750", "+842838229999", "02838229999"])
    assert kept.text == text.replace("bob@home.example", "[email]")
    assert kept.found == {Personal.EMAIL: 1}


@pytest.mark.parametrize(("digits", "right"), [("4111111111111111", True), ("4111111111111112", False), ("0", True)])
def test_luhn(digits: str, right: bool) -> None:
    assert luhn(digits) is right


@given(st.text(max_size=200))
def test_any_text_is_taken_and_redacting_again_finds_no_more_addresses(text: str) -> None:
    once = redact(text, names=["Anna Smith"])
    assert not redact(once.text).found[Personal.EMAIL]


@given(st.text("0123456789 -", min_size=13, max_size=22))
def test_no_valid_card_number_survives(text: str) -> None:
    digits = "".join(c for c in redact(f"x {text} y").text if c.isdigit())
    assert not (len(digits) >= 13 and luhn(digits) and " " not in text.strip() and "-" not in text)
