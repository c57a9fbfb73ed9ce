"""What a browser may send, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.chat import parse

CLIENT = "client-id-01"


def refused(**fields: object) -> str:
    with pytest.raises(parse.BadFrame) as problem:
        parse.parse_frame(json.dumps(fields))
    return problem.value.code


def test_it_reads_a_message() -> None:
    frame = parse.parse_frame(json.dumps({"t": "send", "client_id": CLIENT, "text": " Hi\r\nthere ", "files": ["f"]}))
    assert frame == parse.Send(CLIENT, "Hi\nthere", ("f",))


def test_it_reads_a_hello_with_and_without_a_token() -> None:
    frame = parse.parse_frame('{"t":"hello","token":"T","since":7}')
    assert frame == parse.Hello("T", 7, "", "", "", "", "")
    new = {"t": "hello", "token": None, "since": 0, "ticket": "K", "name": " Ann  B ", "email": "a@b.example"}
    assert parse.parse_frame(json.dumps(new)) == parse.Hello(None, 0, "K", "Ann B", "a@b.example", "", "")


def test_a_mistyped_address_does_not_keep_a_customer_out() -> None:
    frame = parse.parse_frame('{"t":"hello","token":null,"email":"not an address"}')
    assert isinstance(frame, parse.Hello)
    assert frame.email == ""


def test_what_no_database_can_hold_is_replaced() -> None:
    frame = parse.parse_frame(json.dumps({"t": "send", "client_id": CLIENT, "text": "a\x00b"}))
    assert isinstance(frame, parse.Send)
    assert frame.text == "a\ufffdb"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"t": "send", "client_id": CLIENT, "text": "x" * 4001}, "too_long"),
        ({"t": "send", "client_id": CLIENT, "text": "  "}, "bad_frame"),
        ({"t": "send", "client_id": "short", "text": "x"}, "bad_frame"),
        ({"t": "send", "client_id": CLIENT + "\n", "text": "x"}, "bad_frame"),
        ({"t": "send", "client_id": CLIENT, "text": 5}, "bad_frame"),
        ({"t": "send", "client_id": CLIENT, "text": "x", "files": ["f"] * 6}, "bad_file"),
        ({"t": "send", "client_id": CLIENT, "text": "x", "files": [1]}, "bad_file"),
        ({"t": "csat", "score": 6}, "bad_frame"),
        ({"t": "csat", "score": True}, "bad_frame"),
        ({"t": "ack", "public_seq": -1}, "bad_frame"),
        ({"t": "read", "public_seq": "3"}, "bad_frame"),
        ({"t": "transcript", "email": ""}, "bad_frame"),
        ({"t": "profile", "email": "nobody"}, "bad_frame"),
        ({"t": "hello", "token": 5}, "bad_frame"),
        ({"t": "whisper"}, "bad_frame"),
        ({"t": ["send"]}, "bad_frame"),
    ],
)
def test_it_refuses(fields: dict[str, object], code: str) -> None:
    assert refused(**fields) == code


def test_a_refused_message_is_named() -> None:
    with pytest.raises(parse.BadFrame) as problem:
        parse.parse_frame(json.dumps({"t": "send", "client_id": CLIENT, "text": "x" * 5000}))
    assert problem.value.client_id == CLIENT


@pytest.mark.parametrize("raw", ["", "null", "[]", '"t"', "{", '{"t":"send"', "\ud800", "x" * 40_000])
def test_no_object_no_frame(raw: str) -> None:
    with pytest.raises(parse.BadFrame):
        parse.parse_frame(raw)


@given(st.text() | st.binary())
def test_nothing_but_a_bad_frame_is_ever_raised(raw: str | bytes) -> None:
    with pytest.raises(parse.BadFrame):
        parse.parse_frame(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
names = st.sampled_from(["token", "since", "client_id", "text", "files", "email", "name", "score", "on", "public_seq"])


@given(st.sampled_from(sorted(parse.PARSERS)), st.dictionaries(names, json_values))
def test_any_fields_give_a_frame_or_a_bad_frame(kind: str, fields: dict[str, object]) -> None:
    try:
        frame = parse.parse_frame(json.dumps({**fields, "t": kind}))
    except parse.BadFrame:
        return
    assert type(frame).__name__.lower() == kind


def test_the_offline_form_needs_an_address_and_a_text() -> None:
    form = {"client_id": CLIENT, "ticket": "K", "name": "Ann", "email": "ann@example.com", "text": "Hello"}
    assert parse.parse_offline(json.dumps(form).encode()).email == "ann@example.com"
    for missing in ("client_id", "email", "text"):
        with pytest.raises(parse.BadFrame):
            parse.parse_offline(json.dumps({**form, missing: ""}).encode())


def test_counts_of_a_browser_are_read_strictly() -> None:
    assert parse.parse_counts(b'{"counts": {"7": [2, 1]}}') == {7: (2, 1)}
    for wrong in (b"{}", b'{"counts": {}}', b'{"counts": {"x": [1, 0]}}', b'{"counts": {"1": [1]}}', b'{"counts": 1}'):
        with pytest.raises(parse.BadFrame):
            parse.parse_counts(wrong)
    with pytest.raises(parse.BadFrame):
        parse.parse_counts(b'{"counts": {"1": [-1, 99]}}')
