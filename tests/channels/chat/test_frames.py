"""What a browser gets, and that the protocol's page tells all of it."""

import inspect
import json
import re
from datetime import UTC, datetime
from pathlib import Path

from channels.chat import frames, parse
from channels.chat.frames import AuthorKind, File, Place, PublicMessage, VisitState

AT = datetime(2026, 11, 2, 9, 0, 0, 120_000, tzinfo=UTC)
DOC = (Path(__file__).parents[3] / "docs" / "widget-protocol.md").read_text()


def one(seq: int, **more: object) -> PublicMessage:
    return PublicMessage(seq, 90 + seq, AuthorKind.AGENT, "Lan", "Hello", AT, **more)  # type: ignore[arg-type]


def section(title: str) -> str:
    return DOC.split(f"## {title}")[1].split("\n## ")[0]


def documented(title: str) -> set[str]:
    return set(re.findall(r"^\| `(\w+)`", section(title), re.M)) - {"t"}


def test_a_message_holds_what_a_customer_may_know_and_nothing_else() -> None:
    fields = json.loads(frames.message(one(3)))
    assert fields == {
        "t": "message",
        "public_seq": 3,
        "id": 93,
        "author": {"kind": "agent", "name": "Lan"},
        "text": "Hello",
        "attachments": [],
        "sent_at": "2026-11-02T09:00:00.120Z",
    }


def test_a_hello_tells_where_its_replay_begins() -> None:
    state = VisitState(7, 100, 4, "Lan", None, 2, 1, False, None, "")
    fields = json.loads(frames.hello(state, [one(3), one(4)], token=None))
    assert (fields["first"], fields["public_seq"]) == (3, 4)
    assert "token" not in fields
    empty = json.loads(frames.hello(state, [], token="T"))
    assert (empty["first"], empty["token"], empty["messages"]) == (5, "T", [])


def test_a_place_in_line_may_be_without_an_estimate() -> None:
    assert json.loads(frames.queue(Place(2, None))) == {"t": "queue", "position": 2, "wait_s": None}
    assert json.loads(frames.queue(None)) == {"t": "queue", "position": 0, "wait_s": None}


def test_history_says_whether_there_is_more() -> None:
    assert json.loads(frames.history([one(5)]))["more"]
    assert not json.loads(frames.history([one(1)]))["more"]
    assert not json.loads(frames.history([]))["more"]


def test_an_image_comes_with_its_measures() -> None:
    file = File("5", "a.png", "image/png", 9, "/x", True, 4, 3)
    attachment = json.loads(frames.message(one(1, files=(file,))))["attachments"][0]
    assert (attachment["image"], attachment["width"], attachment["height"]) == (True, 4, 3)


def test_every_frame_is_documented() -> None:
    assert documented("Browser to server") == set(parse.PARSERS)
    public = inspect.getmembers(frames, lambda f: inspect.isfunction(f) and f.__module__ == frames.__name__)
    assert documented("Server to browser") - set(frames.RETRYABLE) == {n for n, _ in public if not n.startswith("_")}


def test_every_error_and_close_code_is_documented() -> None:
    text = section("Server to browser")
    told = dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", text, re.M))
    assert {code: again == "yes" for code, again in told.items()} == frames.RETRYABLE
    assert {int(code) for code in re.findall(r"`(\d{4})`", text)} == set(frames.Close)
