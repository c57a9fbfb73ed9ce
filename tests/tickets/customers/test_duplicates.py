"""Possible duplicates: what is evidence, what is not, what speaks against."""

from tickets.customers.duplicates import Hint, Profile, compare, mailbox, suggest
from tickets.states import ContactKind

EMAIL, PHONE = ContactKind.EMAIL, ContactKind.PHONE


def person(number: int, name: str = "", *points: tuple[ContactKind, str], **more: object) -> Profile:
    return Profile(number, name, points=points, **more)  # type: ignore[arg-type]


def hints(one: Profile, other: Profile) -> set[Hint]:
    return {entry.hint for entry in compare(one, other).evidence}


def test_a_plus_tag_or_gmail_dots_are_one_mailbox() -> None:
    assert mailbox("j.doe+shop@gmail.com") == mailbox("jdoe@googlemail.com")
    found = suggest(person(1, "", (EMAIL, "jane+x@a.vn")), [person(2, "", (EMAIL, "jane@a.vn"))])
    assert [(one.customer_id, one.likely) for one in found] == [(2, True)]


def test_a_name_alone_is_only_possible_and_two_hints_are_likely() -> None:
    one = person(1, "Nguyễn Văn An", (EMAIL, "an.nguyen88@gmail.com"))
    same_name = person(2, "Nguyen Van An", (PHONE, "+84912345678"))
    same_both = person(3, "Van An Nguyen", (EMAIL, "an.nguyen88@yahoo.com"), company="Acme")
    assert [entry.customer_id for entry in suggest(one, [same_name, same_both])] == [3, 2]
    assert not compare(one, same_name).likely


def test_one_shared_word_is_no_evidence() -> None:
    assert suggest(person(1, "An"), [person(2, "An"), person(3, "Nguyễn An")]) == []


def test_another_name_or_shop_account_speaks_against() -> None:
    mail = (EMAIL, "sales.team@acme.vn")
    one = person(1, "Lan Phạm", mail, external_id="C1")
    other = person(2, "Minh Trần", (EMAIL, "sales.team+2@acme.vn"), external_id="C2")
    assert {Hint.OTHER_NAME, Hint.OTHER_EXTERNAL_ID, Hint.SAME_MAILBOX} == hints(one, other)
    assert suggest(one, [other]) == []


def test_an_address_written_in_a_message_links_two_people() -> None:
    caller = person(1, "Lê Bình", (PHONE, "+84912345678"))
    writer = person(2, "Lê Bình", (EMAIL, "binh@example.vn"), mentioned=frozenset({"+84912345678"}))
    assert compare(caller, writer).likely
    assert Hint.MENTIONED_ADDRESS in hints(writer, caller)


def test_function_mailboxes_at_two_companies_are_two_people() -> None:
    assert hints(person(1, "", (EMAIL, "no-reply@a.vn")), person(2, "", (EMAIL, "no-reply@b.vn"))) == set()


def test_the_same_number_under_two_countries_is_a_hint() -> None:
    assert Hint.SAME_DIGITS in hints(person(1, "", (PHONE, "+84912345678")), person(2, "", (PHONE, "+61912345678")))


def test_nobody_is_a_duplicate_of_themselves() -> None:
    one = person(1, "Nguyễn Văn An", (EMAIL, "an.nguyen88@gmail.com"))
    assert suggest(one, [one]) == []
