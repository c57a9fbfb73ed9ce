"""Which resolved cases become a draft, and what stands in it."""

from dataclasses import replace

import pytest

from knowledge_base.drafts import Author, Case, DraftArticle, Known, Lesson, Role, Skipped, Turn, draft, known_already

ANSWER = """Hi Anna,

Thank you for writing to us. I have refunded order #A-10293 today.

To reset the lamp, please do this:
1. Unplug it and wait ten seconds.
2. Hold the button while you plug it in again.
3. Release it when the light turns green.

If the light stays red, the firmware has to be loaded again from the app.

Best regards,
Tom Baker
Lamp Shop, 12 High Street, London"""

CASE = Case(
    subject="Re: [#10231] Help",
    locale="en",
    turns=(
        Turn(1, Author.CUSTOMER, "Hello,\nmy order #A-10293 came. How do I reset the lamp? Anna Smith, 0912 345 678"),
        Turn(2, Author.AGENT, "Hi Anna, let me check that for you."),
        Turn(3, Author.CUSTOMER, "ok"),
        Turn(4, Author.AGENT, ANSWER),
        Turn(5, Author.CUSTOMER, "Great, that works, thanks!"),
        Turn(6, Author.AGENT, "You're welcome!"),
    ),
    rating=5,
    names=("Anna Smith", "Tom Baker"),
)


def drafted(case: Case) -> DraftArticle:
    result = draft(case)
    assert isinstance(result, DraftArticle), result
    return result


def skipped(case: Case) -> Skipped:
    result = draft(case)
    assert isinstance(result, Skipped), result
    return result


def test_a_resolved_case_becomes_question_and_answer() -> None:
    article = drafted(CASE)
    assert article.title == "How do I reset the lamp?"
    assert article.body == (
        "## Question\n\n> my order #[order number] came. How do I reset the lamp?\n\n## Answer\n\n"
        "To reset the lamp, please do this:\n\n1. Unplug it and wait ten seconds.\n"
        "2. Hold the button while you plug it in again.\n3. Release it when the light turns green.\n\n"
        "If the light stays red, the firmware has to be loaded again from the app."
    )


def test_nothing_personal_is_left() -> None:
    article = drafted(CASE)
    whole = article.title + article.body + "".join(e.text for e in article.evidence)
    for secret in ("Anna", "Smith", "Tom", "Baker", "10293", "0912", "High Street"):
        assert secret not in whole


def test_every_sentence_names_its_message() -> None:
    article = drafted(CASE)
    assert {e.message_id for e in article.evidence if e.role is Role.QUESTION} == {1}
    assert {e.message_id for e in article.evidence if e.role is Role.ANSWER} == {4}
    answer = [(e.sentence, e.text) for e in article.evidence if e.role is Role.ANSWER]
    assert answer[0] == (4, "To reset the lamp, please do this:")
    assert all(text in article.body for _, text in answer)


def test_what_was_done_for_this_customer_alone_is_left_out_and_shown() -> None:
    left = [e.text for e in drafted(CASE).evidence if e.role is Role.LEFT_OUT]
    assert left == ["I have refunded order #[order number] today."]


def test_a_telling_subject_is_the_title() -> None:
    assert drafted(replace(CASE, subject="Fwd: lamp does not turn on")).title == "Lamp does not turn on"


def test_a_question_that_is_the_title_is_not_repeated() -> None:
    case = replace(CASE, turns=(Turn(1, Author.CUSTOMER, "How do I reset the lamp?"), CASE.turns[3]))
    assert drafted(case).body.startswith("To reset the lamp, please do this:")


def test_a_subject_with_a_name_in_it_is_no_title() -> None:
    assert drafted(replace(CASE, subject="Question of Anna Smith")).title == "How do I reset the lamp?"


def test_vietnamese_cases_get_vietnamese_headings() -> None:
    case = Case(
        subject="Hỗ trợ",
        locale="vi",
        turns=(
            Turn(1, Author.CUSTOMER, "Chào shop, em là Trần Bình. Em quên mất rồi. Làm sao để đổi mật khẩu ạ?"),
            Turn(
                2,
                Author.AGENT,
                "Dạ chào anh Bình, anh vào Cài đặt, chọn Tài khoản rồi chọn Đổi mật khẩu. Sau đó nhập mật khẩu mới "
                "hai lần và bấm Lưu để hoàn tất. Em đã mở khoá tài khoản cho anh. Cảm ơn anh ạ.",
            ),
        ),
        names=("Trần Bình",),
    )
    article = drafted(case)
    assert article.title == "Làm sao để đổi mật khẩu ạ?"
    assert "## Trả lời" in article.body
    assert article.body.endswith("bấm Lưu để hoàn tất.")
    assert "Bình" not in article.body


def test_chat_answers_in_several_messages_are_one_answer() -> None:
    parts = ANSWER.split("\n\n")
    turns = (CASE.turns[0], *(Turn(10 + k, Author.AGENT, part) for k, part in enumerate(parts)))
    assert {e.message_id for e in drafted(replace(CASE, turns=turns)).evidence if e.role is Role.ANSWER} == {12, 13}


@pytest.mark.parametrize(
    ("change", "lesson"),
    [
        ({"rating": 2}, Lesson.BAD_RATING),
        ({"linked_article_ids": (7,)}, Lesson.ARTICLE_USED),
        ({"turns": CASE.turns[:3]}, Lesson.NO_ANSWER),
        ({"turns": CASE.turns[1:]}, Lesson.NO_QUESTION),
        ({"turns": (CASE.turns[0], Turn(2, Author.AGENT, "Please hold the button."))}, Lesson.ANSWER_TOO_SHORT),
        ({"turns": (CASE.turns[0],)}, Lesson.NO_ANSWER),
        ({"turns": ()}, Lesson.NO_QUESTION),
    ],
)
def test_a_case_that_taught_nothing_is_skipped_with_its_reason(change: dict[str, object], lesson: Lesson) -> None:
    turns = change.get("turns", CASE.turns)
    assert skipped(replace(CASE, **{**change, "turns": turns})).lesson is lesson  # type: ignore[arg-type]


def test_text_pasted_from_an_article_teaches_nothing() -> None:
    article = Known(3, "Reset a lamp", "Intro. " + ANSWER.split("\n\n", 2)[2] + " More below.")
    assert known_already(drafted(CASE), (article,)) == Skipped(Lesson.COPY_OF_ARTICLE, 3)


def test_the_same_question_with_a_like_answer_is_known() -> None:
    article = Known(
        4,
        "How do I reset my lamp?",
        "Unplug it and wait ten seconds. Hold the button while you plug it in again. Then call an electrician.",
    )
    assert known_already(drafted(CASE), (article,)) == Skipped(Lesson.SAME_QUESTION, 4)


def test_another_answer_to_a_like_question_is_drafted() -> None:
    article = Known(
        5, "How do I reset my phone?", "Send it to the workshop, they will load the factory settings again."
    )
    assert known_already(drafted(CASE), (article,)) is None
