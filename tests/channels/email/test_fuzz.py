"""Whatever arrives: nothing raises, nothing hangs, nothing breaks a database or a header."""
# ruff: noqa: E501 - the material stands on one line each, as it would come

import time
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.email.limits import MAX_BYTES
from channels.email.parse import parse
from channels.email.parsed import Outcome, ParsedMail, as_dict
from channels.email.reader import Reader
from channels.email.sanitize import sanitised
from tests.channels.email.corpus import SHARED

RELAXED = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
HEAD = st.sampled_from(
    [
        b"From: ",
        b"To: ",
        b"Subject: ",
        b"Date: ",
        b"Message-ID: ",
        b"Content-Type: ",
        b"References: ",
        b"Content-Disposition: ",
    ]
)
PIECES = st.sampled_from(
    [
        b"multipart/mixed; boundary=x", b"multipart/alternative; boundary=\"x\"", b"--x\n", b"--x--\n", b"text/html; charset=", b"utf-7",
        b"iso-2022-jp", b"=?utf-8?B?w6k=?=", b"=?x?q?=ff=00?=", b"<a@b.c>", b"\"a\\\"b\" <x@y>", b"(((", b"filename*0*=utf-8''%E0%A4%A", b"base64\n",
        b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\r", b"\r\n", b"\n\n", b"On 3.3.2026 10:10, A <a@b> wrote:\n> x\n", b"begin 644 x\n#86)C\n`\nend\n",
        b"<blockquote>", b"<div id=divRplyFwdMsg>", b"\x78\x9f\x3e\x22", b"message/rfc822\n\n", b"message/delivery-status\n\n", b"Final-Recipient: rfc822; \n",
        b"MAILER-DAEMON", b"+2AA-", b"\xe2\x80\xa8", b"----- Forwarded message -----\nFrom: a\nTo: b\nSubject: c\n",
    ]
)  # fmt: skip


def corpus_files() -> list[Path]:
    wanted = ("zammad/*.box", "chatwoot/*.eml", "bounces_flufl/*.txt")
    files = [path for pattern in wanted for path in sorted(SHARED.glob(pattern))]
    return [path for path in files if path.stat().st_size < 30_000]


def check(mail: ParsedMail) -> None:
    """What must hold for every mail."""
    document = as_dict(mail, "x")
    text = orjson.dumps(document).decode()
    assert "\\u0000" not in text
    boxes = [mail.sender, *mail.reply_to, *mail.to, *mail.cc]
    fields = [mail.subject, mail.message_id, mail.thread_index, *mail.in_reply_to, *mail.references]
    fields += [value for box in boxes for value in (box.name, box.address)]
    fields += [value for file in mail.attachments for value in (file.filename, file.content_type, file.content_id)]
    if mail.forwarded:
        fields += [mail.forwarded.subject, mail.forwarded.sender.name, mail.forwarded.sender.address]
    for found in mail.bounce.recipients if mail.bounce else ():
        fields += [found.address, found.status]
    for value in fields:
        assert not set(value) & set("\r\n\0"), value
        value.encode()
    for file in mail.attachments:
        assert "/" not in file.filename
        assert file.filename


@RELAXED
@given(st.binary(max_size=3_000))
def test_random_bytes(raw: bytes) -> None:
    check(parse(raw))


@RELAXED
@given(
    st.lists(st.tuples(HEAD, st.lists(PIECES, max_size=4)), max_size=8),
    st.lists(PIECES | st.binary(max_size=40), max_size=25),
)
def test_random_mails_of_dangerous_pieces(head: list[tuple[bytes, list[bytes]]], body: list[bytes]) -> None:
    raw = b"".join(name + b" ".join(values) + b"\n" for name, values in head) + b"\n" + b"".join(body)

    check(parse(raw))


@RELAXED
@given(st.data())
def test_real_mails_with_bytes_changed(data: st.DataObject) -> None:
    files = corpus_files()
    if not files:
        pytest.skip("../shared is not here")
    raw = bytearray(data.draw(st.sampled_from(files)).read_bytes())
    for _ in range(data.draw(st.integers(1, 12))):
        place = data.draw(st.integers(0, max(len(raw) - 1, 0)))
        raw[place : place + data.draw(st.integers(0, 30))] = data.draw(PIECES | st.binary(max_size=6))

    check(parse(bytes(raw)))


@RELAXED
@given(
    st.lists(
        st.sampled_from(
            [
                "<",
                ">",
                "<img src=",
                "http://x/",
                "cid:a",
                "'",
                '"',
                "<script>",
                "</p>",
                "<style>",
                "<svg onload=1>",
                "style=",
                "url(",
                "&#x",
                "\0",
                "é",
            ]
        ),
        max_size=30,
    )
)
def test_sanitised_html_loads_and_runs_nothing(pieces: list[str]) -> None:
    clean = sanitised("".join(pieces)).lower()

    assert "<script" not in clean
    assert "<svg" not in clean
    assert ' src="http' not in clean


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("50 MB header", b"Subject: " + b"a" * 50_000_000 + b"\n\nx"),
        ("10,000 parts", b"From: a@b.c\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\nhi\n" * 10_000),
        ("1,000 levels", b"From: a@b.c\n" + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(1000))),
        ("too large", b"From: a@b.c\n\n" + b"x" * (MAX_BYTES + 1)),
        ("empty", b" \r\n\r\n"),
    ],
)  # fmt: skip
def test_monsters_are_quarantined_at_once(name: str, raw: bytes) -> None:
    reader = Reader()
    began = time.monotonic()
    mail = reader.read(raw)
    reader.close()

    assert mail.outcome is Outcome.QUARANTINED
    assert mail.reason
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "unit",
    [
        "<div>",
        "<blockquote>",
        "<b><i>",
        "<table><td>",
        "On 3.3.2026 10:10 wrote:\n",
        "-",
        "a:\n",
        "_" * 200 + "\n",
        "@",
        "a@",
        "> ",
        "(",
        "=?a?q?",
        "From: a\n",
    ],
)
def test_small_mails_cost_little_whatever_they_say(unit: str) -> None:
    body = unit * (60_000 // len(unit))
    kind = "html" if unit.startswith("<") else "plain"
    flat = body.replace("\n", " ")
    raw = f"From: {flat[:60000]}\nSubject: {flat}\nReferences: {flat}\nContent-Type: text/{kind}\n\n{body}".encode()
    began = time.process_time()

    mail = parse(raw)
    sanitised(mail.html)

    assert mail.outcome is Outcome.ACCEPTED
    assert time.process_time() - began < 2


def test_raw_bytes_in_a_report_reach_no_field_undecoded() -> None:
    mail = parse(
        b"From: MAILER-DAEMON@a.test\nSubject: Mail delivery failed\nX-Failed-Recipients: \xffanna@b.test\n\nfailed\n"
    )

    assert mail.bounce is not None
    check(mail)


def test_a_mail_that_takes_too_long_is_stopped_and_the_next_one_is_read() -> None:
    slow = b"From: a@b.c\nContent-Type: text/html\n\n" + b"<p><a href=x>y</a>" * 2_000_000
    reader = Reader(limit=0.3)

    first = reader.read(slow)
    second = reader.read(b"From: a@b.c\n\n" + b"x" * 70_000)
    reader.close()

    assert (first.outcome, first.reason) == (Outcome.QUARANTINED, "reading the mail took too long")
    assert second.outcome is Outcome.ACCEPTED
