"""Mails of kinds that no collection held: found by writing hundreds of them, each a rule that was missing."""

import base64

import pytest

from channels.email.bounce_reasons import kind_of
from channels.email.htmltext import html_lines
from channels.email.parse import parse
from channels.email.sanitize import with_pictures
from channels.email.visible import split_lines, split_text

SOLD = "Добрый день, где мой заказ? Я жду уже две недели."
LATE = "Chào shop, tôi chưa nhận được hàng."
JAPANESE = "注文の件です。"


def plain(body: bytes, charset: str = "utf-8", encoding: str = "8bit") -> bytes:
    head = f"From: a@example.test\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}"
    return head.encode() + b"\n\n" + body


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (plain(SOLD.encode("cp1251")), SOLD),
        (plain(JAPANESE.encode("iso-2022-jp"), "us-ascii"), JAPANESE),
        (plain(b"\xef\xbb\xbfHello"), "Hello"),
        (plain(LATE.encode() + b" \xff!"), f"{LATE} \ufffd!"),
        (plain("Grüße aus Köln".encode("latin-1")), "Grüße aus Köln"),
        (plain(b"This is plain, whatever the head says.", encoding="base64"), "This is plain, whatever the head says."),
        (plain(base64.b64encode(b"This is coded."), encoding="base64"), "This is coded."),
    ],
)
def test_text_is_read_in_what_it_is_written_in(raw: bytes, text: str) -> None:
    assert parse(raw).text == text


def test_a_subject_in_japanese_that_nobody_declared_is_read() -> None:
    assert parse(b"From: a@example.test\nSubject: " + JAPANESE.encode("iso-2022-jp") + b"\n\nx").subject == JAPANESE


def test_a_blank_before_the_colon_ends_no_head() -> None:
    found = parse(
        b"From : Anna <a@example.test>\nSubject : Late\nDate: 2026-11-02T09:15:00+07:00\n\nWhere is it? Now : gone"
    )

    assert (found.sender.address, found.subject, found.text) == ("a@example.test", "Late", "Where is it? Now : gone")
    assert found.date is not None
    assert found.date.isoformat() == "2026-11-02T02:15:00+00:00"


def test_a_files_name_cannot_be_turned_around() -> None:
    name = "inv\u202efdp.exe".encode()
    raw = (
        b"From: a@example.test\nContent-Type: application/pdf\nContent-Disposition: attachment; filename="
        + name
        + b"\n\nx"
    )

    assert [file.filename for file in parse(raw).attachments] == ["invfdp.exe"]


def test_a_picture_is_found_by_an_escaped_id() -> None:
    raw = (
        b"From: a@example.test\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\n\n"
        b'<img src="cid:a%2Bb@c">\n--x\nContent-Type: image/png\nContent-ID: <a+b@c>\n\nx\n--x--\n'
    )

    assert [file.inline for file in parse(raw).attachments] == [True]
    shown = with_pictures('<img src="cid:a%2Bb@c">', inline={"a+b@c": "/files/1"}.get)
    assert 'src="/files/1"' in shown


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        # What stands right above a line of the mail program's is the author's.
        ("Thanks Anna\nSupport <s@shop.test> wrote:\n> We sent it", "Thanks Anna"),
        ("Hello,\nit came.\n> On Monday, Support <s@shop.test> wrote:\n> We sent it", "Hello,\nit came."),
        # A row of a table is no quote.
        ("| red | 5 |\n| blue | 6 |\nWhich one?", "| red | 5 |\n| blue | 6 |\nWhich one?"),
    ],
)
def test_the_authors_own_lines_stay(body: str, shown: str) -> None:
    assert split_text(body).reply == shown


def test_a_line_above_yahoos_quote_stays() -> None:
    quote = "<div>On Monday, Support &lt;s@shop.test&gt; wrote:</div><div>We sent it</div>"

    for kind in ("yahoo_quoted", "ydp1a2b3cyahoo_quoted"):
        lines = html_lines(f'<div>It came, thanks.</div><div class="{kind}">{quote}</div>')
        assert split_lines(lines).reply == "It came, thanks."


def test_what_gmail_passes_on_in_html_is_folded() -> None:
    head = "---------- Forwarded message ---------<br>From: Kim &lt;kim@example.test&gt;<br>Date: Mon, Nov 2, 2026<br>"
    lines = html_lines(
        f'<div>Please look.<div class="gmail_quote"><div class="gmail_attr">{head}Subject: Lamp<br>To: me</div>'
        "<p>My lamp is broken.</p></div></div>"
    )
    found = split_lines(lines)

    assert found.reply == "Please look."
    assert "My lamp is broken." in found.quoted


@pytest.mark.parametrize(
    "line",
    [
        "\u202bבתאריך יום ב׳, 2 בנוב׳ 2026 ב-9:15 מאת \u202aSupport\u202c\u200f <\u202as@shop.test\u202c\u200f>:\u202c",
        "Missatge de Support <s@shop.test> del dia dl., 2 de nov. 2026 a les 9:15:",
        "सोम, 2 नव॰ 2026 को 9:15 am बजे को Support <s@shop.test> ने लिखा:",
        "प्रेषक: Support <s@shop.test>\nभेजा गया: 2 नवंबर 2026 09:15\nप्रति: Mai\nविषय: Order",
        "Tải Outlook dành cho iOS<https://aka.example/o0ukef>",
        "Outlook für iOS herunterladen<https://aka.example/x>",
        "Verstuurd vanaf mijn iPhone",
        "ส่งจาก iPhone ของฉัน",
    ],
)
def test_more_languages_are_folded(line: str) -> None:
    assert split_text(f"It came.\n\n{line}").reply == "It came."


@pytest.mark.parametrize(
    ("words", "hard"),
    [
        ("host: mx.example.test reason: 550 Requested action not taken: mailbox unavailable", True),
        ("550 5.7.1 Requested action not taken: message refused by policy", False),
        ("User kim (kim.berg@mail.example.test) not listed in Domino Directory", True),
        ("unrouteable mail domain", True),
        ("kim.berg@mail.example.test is over quota", False),
    ],
)
def test_hard_and_soft_by_the_words(words: str, hard: bool) -> None:
    assert (kind_of("", words) == "hard") is hard


def test_an_address_between_wide_brackets_is_the_bounced_one() -> None:
    body = "退信原因：\n收件人邮件地址（kim@example.test）不存在，邮件无法送达。\n"
    head = "Return-Path: <>\nFrom: PostMaster@mail.test\nSubject: 系统退信"
    bounce = parse(f"{head}\n\n{body}".encode()).bounce

    assert bounce is not None
    assert [found.address for found in bounce.recipients] == ["kim@example.test"]


def test_a_person_who_shows_us_a_bounce_is_no_bounce() -> None:
    body = "Hello, I wrote to kim@example.test and got:\n550 5.1.1 User unknown\nWhy?"
    head = "Return-Path: <a@example.test>\nFrom: a@example.test\nSubject: Undelivered Mail Returned to Sender"

    assert parse(f"{head}\n\n{body}".encode()).bounce is None
    said = "Your message could not be delivered to the following recipient:\n\nkim@example.test\n550 5.1.1 User unknown"
    assert parse(f"{head}\n\n{said}".encode()).bounce is not None


@pytest.mark.parametrize(
    ("subject", "away"),
    [
        ("Out of office furniture", False),
        ("Out of Office Re: Order", True),
        ("Automatische Antwort: Order", True),
        ("【自動返信】Order", True),
        ("תשובה אוטומטית: Order", True),
        ("Автоматичен отговор: Order", True),
        ("Resposta automàtica: Order", True),
        ("Absence du bureau : Order", True),
    ],
)
def test_absence_by_its_subject(subject: str, away: bool) -> None:
    assert parse(f"From: a@example.test\nSubject: {subject}\n\nx".encode()).out_of_office is away


@pytest.mark.parametrize("field", ["Delivered-To: Autoresponder", "Preference: auto_reply", "X-Cron-Env: <USER=root>"])
def test_old_programs_signs_of_a_robot_count(field: str) -> None:
    assert not parse(f"From: a@example.test\nSubject: x\n{field}\n\nx".encode()).answerable


OUTLOOK = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600


def test_an_outlook_file_is_no_mail_and_says_what_to_do() -> None:
    found = parse(OUTLOOK)

    assert found.outcome == "quarantined"
    assert "save it as .eml" in found.reason


@pytest.mark.parametrize(("field", "name"), [("; name=Order.msg", "Order.msg"), ("", "mail.msg")])
def test_an_outlook_file_beside_a_mail_is_kept_with_a_name(field: str, name: str) -> None:
    head = "From: a@example.test\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nSee the mail.\n--x\n"
    coded = base64.b64encode(OUTLOOK).decode()
    kind = f"Content-Type: application/vnd.ms-outlook{field}\nContent-Transfer-Encoding: base64\n\n{coded}\n--x--\n"
    found = parse((head + kind).encode())

    assert [(file.filename, file.content) for file in found.attachments] == [(name, OUTLOOK)]
    assert found.forwarded is None
