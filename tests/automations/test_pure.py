"""Conditions, actions and placeholders: what holds for any of them, and what each refusal says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contact_center.automations import actions, conditions, placeholders
from contact_center.automations.actions import FOR_MACROS, FOR_RULES, Action, Do
from contact_center.automations.conditions import CHOICES, IDS, OPERATORS, Condition, Conditions, Facts, Field, Op
from contact_center.core.errors import Invalid

FACTS = Facts(
    channel="email",
    queue_id=7,
    topic_id=None,
    priority="medium",
    status="new",
    language="vi",
    subject="Hoàn tiền đơn hàng",
    text="Tôi muốn được HOÀN TIỀN, xin cảm ơn.",
    sender="mai@mail.buyer.test",
    vip=False,
    tags=frozenset({"đổi trả"}),
    attributes={"plan": "Gold"},
    open=True,
    complaint=False,
)
WORDS = st.text(alphabet="aáăâbcdđeéghiíoóơuưy ,-", min_size=1, max_size=40).filter(lambda text: text.strip(" ,-"))


@st.composite
def condition(draw: st.DrawFn) -> Condition:
    field = draw(st.sampled_from(list(Field)))
    if field in CHOICES:
        value = draw(st.sampled_from(sorted(CHOICES[field])))
    elif field in IDS:
        value = str(draw(st.integers(1, 99)))
    elif field is Field.LANGUAGE:
        value = draw(st.sampled_from(["en", "vi", "fil"]))
    else:
        value = " ".join(draw(WORDS).split())
    return Condition(field, draw(st.sampled_from(OPERATORS[field])), value, "plan" if field is Field.ATTRIBUTE else "")


GROUP = st.lists(condition(), max_size=6).map(tuple)


@given(every=GROUP, some=GROUP)
def test_what_is_stored_is_read_back_unchanged_and_decides_the_same(
    every: tuple[Condition, ...], some: tuple[Condition, ...]
) -> None:
    wanted = Conditions(every, some)
    again = conditions.read(conditions.write(wanted))
    assert again == wanted
    reasons = conditions.matches(again, FACTS)
    applies = all(conditions.holds(one, FACTS) for one in every)
    applies = applies and (not some or any(conditions.holds(one, FACTS) for one in some))
    assert (reasons is not None) == applies
    assert all(conditions.holds(one, FACTS) for one in reasons or ())


@given(condition())
def test_the_opposite_holds_exactly_where_a_condition_does_not(one: Condition) -> None:
    opposite = {Op.IS: Op.IS_NOT, Op.IS_NOT: Op.IS, Op.CONTAINS: Op.CONTAINS_NOT, Op.CONTAINS_NOT: Op.CONTAINS}
    assert conditions.holds(one, FACTS) != conditions.holds(replace(one, op=opposite[one.op]), FACTS)


@given(before=WORDS, phrase=WORDS, after=WORDS)
def test_a_phrase_is_found_between_other_words_without_its_marks(before: str, phrase: str, after: str) -> None:
    phrase = phrase.replace(",", " ")
    found = conditions.has_words(phrase.upper(), f"{before} — {phrase}! {after}")
    assert found == bool(conditions._words(phrase))


@pytest.mark.parametrize(
    ("phrases", "found"),
    [("hoan tien", True), ("refund, HOÀN TIỀN", True), ("an", False), ("hoan", True), (",", False)],
)
def test_words_are_whole_and_need_no_marks(phrases: str, found: bool) -> None:
    assert conditions.has_words(phrases, FACTS.text) is found


@pytest.mark.parametrize(
    ("address", "sender", "found"),
    [
        ("mai@mail.buyer.test", "Mai@Mail.Buyer.test", True),
        ("buyer.test", "mai@mail.buyer.test", True),
        ("@buyer.test", "mai@buyer.test", True),
        ("uyer.test", "mai@buyer.test", False),
        ("mai@buyer.test", "mai@mail.buyer.test", False),
        ("+84901", "+84901", True),
        ("+849", "+84901", False),
        ("@", "mai@buyer.test", False),
    ],
)
def test_a_sender_is_an_address_or_a_domain(address: str, sender: str, found: bool) -> None:
    assert conditions.is_from(address, sender) is found


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"field": "mood", "op": "is", "value": "bad"}, "nothing that a condition can ask about"),
        ({"field": "channel", "op": "contains", "value": "sms"}, "cannot be asked by “contains”"),
        ({"field": "channel", "op": "is", "value": "fax"}, "no value that “channel” can have"),
        ({"field": "queue", "op": "is", "value": "first"}, "no value that “queue” can have"),
        ({"field": "subject", "op": "contains", "value": "!?"}, "no value that “subject” can have"),
        ({"field": "tag", "op": "is", "value": " "}, "Every condition needs a value"),
        ({"field": "attribute", "op": "is", "value": "gold"}, "which field of the customer"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(row: dict[str, str], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        conditions.read({"every": [row]})


ACTIONS = [
    Action(Do.QUEUE, "3"),
    Action(Do.ASSIGN, "4"),
    Action(Do.PRIORITY, "high"),
    Action(Do.TAG, "refund"),
    Action(Do.TAG, "spring"),
    Action(Do.UNTAG, "new"),
    Action(Do.NOTE, "Please look at {{ticket.number}}"),
    Action(Do.REPLY, "Dear {{customer.name}},\n\nthank you."),
    Action(Do.SNOOZE, "4h"),
]


@given(st.lists(st.sampled_from(ACTIONS), unique=True, min_size=1))
def test_actions_are_read_back_unchanged_and_work_comes_before_its_ticket(wanted: list[Action]) -> None:
    found = actions.read(actions.write(wanted), allowed=FOR_RULES)
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert [list(Do).index(one.do) for one in found] == sorted(list(Do).index(one.do) for one in found)
    assert actions.read(actions.write(found), allowed=FOR_RULES) == found


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "Choose what is to be done"),
        ([("explode", "1")], "nothing that can be done"),
        ([("priority", "enormous")], "no value that “priority” can have"),
        ([("assign", "me")], "no value that “assign” can have"),
        ([("draft", "Hello")], "only a macro can do it"),
        ([("ask_identity", "")], "only a macro can do it"),
        ([("queue", "1"), ("queue", "2")], "only once"),
        ([("status", "resolved"), ("snooze", "1h")], "contradict each other"),
        ([("reply", "Dear {{customer.shoe_size}}")], "is no placeholder"),
        ([("tag", "a,b")], "no comma"),
        ([("note", "")], "needs a value"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(rows: list[tuple[str, str]], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        actions.read([{"do": kind, "value": value} for kind, value in rows], allowed=FOR_RULES)


def test_a_macro_can_do_what_needs_a_person() -> None:
    rows = [{"do": "draft", "value": "Hello"}, {"do": "ask_identity", "value": ""}, {"do": "assign", "value": "me"}]
    assert [one.do for one in actions.read(rows, allowed=FOR_MACROS)] == [Do.ASSIGN, Do.ASK_IDENTITY, Do.DRAFT]


@given(st.text(max_size=60))
def test_a_value_is_never_read_as_a_place(name: str) -> None:
    text = placeholders.fill("{{ customer.name }}|{{queue.name}}", {"customer.name": name + "{{ticket.number}}"})
    assert text == name + "{{ticket.number}}|{{queue.name}}"
    assert placeholders.unfilled("Dear {{ queue.name }}") == "{{ queue.name }}"
    assert placeholders.unfilled("Dear {{nobody}}") == ""
