"""The cost of an SMS: Twilio's own cases, and what must hold for every text."""

from hypothesis import given
from hypothesis import strategies as st

from channels.sms.segments import GSM, Encoding, clusters, measure
from tests.channels.sms.corpus import load


def test_it_counts_like_twilio_in_every_shared_case() -> None:
    for case in load("sms/segments.json"):
        found = measure(case["body"])
        assert (found.encoding, found.segments) == (case["encoding"], case["segments"]), case["case"]
        assert (found.bits, found.total_bits) == (case["bits"], case["total_bits"]), case["case"]
        assert found.characters == case["characters"], case["case"]


def test_vietnamese_with_marks_costs_two_segments_where_without_marks_one_is_enough() -> None:
    marked = "Đơn hàng của bạn đã được giao. Cảm ơn bạn đã mua hàng, hẹn gặp lại bạn vào lần sau nhé ạ!"
    plain = "Don hang cua ban da duoc giao. Cam on ban da mua hang, hen gap lai ban vao lan sau nhe a!"
    assert (measure(marked).encoding, measure(marked).segments) == (Encoding.UCS2, 2)
    assert (measure(plain).encoding, measure(plain).segments) == (Encoding.GSM7, 1)
    assert measure(marked).costly[:3] == ("Đ", "ơ", "ủ")


def test_extended_characters_count_two_and_are_never_cut_between_segments() -> None:
    assert measure("€" * 80).segments == 1
    assert measure("€" * 81).characters == 162
    assert measure("a" * 152 + "€" + "b" * 7).segments == 2
    assert measure("€" * 153).segments == 3  # 76 to a part of 153 septets, the odd one stays empty


def test_carriage_return_and_line_feed_are_two_plain_characters() -> None:
    assert measure("a\r\nb").characters == 4
    assert measure("a\r\nb").encoding == Encoding.GSM7


def test_an_empty_text_is_one_segment_with_all_its_room() -> None:
    assert (measure("").segments, measure("").room, measure("").bits) == (1, 160, 0)


def test_readers_see_families_flags_skin_tones_and_syllables_as_one_character() -> None:
    whole = ["👨‍👩‍👧‍👦", "🇻🇳", "👍🏽", "❤️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "e\u0301", "한", "각", "ก็", "नि", "©️"]
    assert list(clusters("".join(whole))) == whole
    assert list(clusters("🇻🇳🇮🇹🇩")) == ["🇻🇳", "🇮🇹", "🇩"]
    assert list(clusters("a\u0000\u0301\r\n")) == ["a", "\u0000", "\u0301", "\r", "\n"]


@given(st.text())
def test_clusters_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("🇻🇳👍🏽e\u0301\u200d👩")), max_size=400))
def test_segments_hold_the_text_and_no_more_than_needed(text: str) -> None:
    found = measure(text)
    part = 1072 if found.segments > 1 else 1120
    assert found.bits <= found.segments * part
    assert found.segments == 1 or found.bits > 1120
    assert found.total_bits == found.bits + (48 * found.segments if found.segments > 1 else 0)
    assert 0 <= found.room <= (160 if found.encoding is Encoding.GSM7 else 70)
    assert (found.encoding is Encoding.GSM7) == all(char in GSM for char in text)


@given(st.text(alphabet=sorted(GSM), max_size=500), st.sampled_from(sorted(GSM)))
def test_another_character_never_makes_a_text_cheaper(text: str, more: str) -> None:
    assert measure(text + more).segments >= measure(text).segments


BASIC = sorted(GSM - set("\f^{}\\[~]|€"))


@given(st.text(alphabet=BASIC, max_size=700))
def test_basic_characters_fill_160_alone_and_153_to_a_part(text: str) -> None:
    expected = 1 if len(text) <= 160 else -(-len(text) // 153)
    assert (measure(text).segments, measure(text).characters) == (expected, len(text))


@given(st.text(alphabet=st.characters(min_codepoint=0x1EA0, max_codepoint=0x1EF9), min_size=1, max_size=300))
def test_vietnamese_letters_fill_70_alone_and_67_to_a_part(text: str) -> None:
    assert measure(text).segments == (1 if len(text) <= 70 else -(-len(text) // 67))


@given(st.integers(1, 200), st.integers(0, 66))
def test_surrogate_pairs_take_two_units_and_are_never_cut(pairs: int, before: int) -> None:
    text = "ạ" * before + "😀" * pairs
    units = before + 2 * pairs
    # In a part of 67 units an odd rest stays empty where the next sign takes two.
    room, parts = 67, 1
    for size in [1] * before + [2] * pairs:
        room, parts = (67 - size, parts + 1) if size > room else (room - size, parts)
    assert measure(text).segments == (1 if units <= 70 else parts)


@given(st.lists(st.sampled_from("a€"), max_size=500))
def test_an_escape_and_its_character_stay_together(signs: list[str]) -> None:
    room, parts = 153, 1
    for size in [2 if sign == "€" else 1 for sign in signs]:
        room, parts = (153 - size, parts + 1) if size > room else (room - size, parts)
    septets = len(signs) + signs.count("€")
    assert measure("".join(signs)).segments == (1 if septets <= 160 else parts)


def test_a_letter_under_a_thousand_marks_is_counted_in_full_segments() -> None:
    assert measure("a" + "\u0301" * 1000).segments == 15
