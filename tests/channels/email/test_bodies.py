"""Parts of a mail: which is the text, which are files, and what old and odd mailers wrap them into."""

import base64
import struct

import pytest

from channels.email import tnef
from channels.email.bodies import unflowed
from channels.email.parse import parse
from channels.email.uuencoded import extract


def attribute(level: int, number: int, content: bytes) -> bytes:
    return struct.pack("<BHHI", level, number, 6, len(content)) + content + struct.pack("<H", sum(content) & 0xFFFF)


def prop(kind: int, tag: int, value: bytes) -> bytes:
    return struct.pack("<HHII", kind, tag, 1, len(value)) + value + b"\0" * (-len(value) % 4)


def winmail() -> bytes:
    """A small TNEF stream: the text, and one file with a long name."""
    properties = struct.pack("<I", 2) + prop(31, 0x3707, "Hóa đơn tháng 11.pdf".encode("utf-16-le"))
    properties += prop(30, 0x370E, b"application/pdf\0")
    return (
        struct.pack("<IH", 0x223E9F78, 1)
        + attribute(1, 0x800C, b"Text from Outlook\0")
        + attribute(2, 0x9002, b"\0" * 14)
        + attribute(2, 0x8010, b"HOADON~1.PDF\0")
        + attribute(2, 0x800F, b"%PDF-1.4")
        + attribute(2, 0x9005, properties)
    )


def test_files_come_out_of_winmail_dat() -> None:
    raw = (
        b"From: a@example.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
        b'--x\nContent-Type: application/ms-tnef; name="winmail.dat"\nContent-Transfer-Encoding: base64\n\n'
        + base64.b64encode(winmail())
        + b"\n--x--\n"
    )

    mail = parse(raw)

    assert [(file.filename, file.content_type, file.content) for file in mail.attachments] == [
        ("Hóa đơn tháng 11.pdf", "application/pdf", b"%PDF-1.4")
    ]
    assert mail.text == "Text from Outlook"


@pytest.mark.parametrize("length", range(0, 200, 7))
def test_a_broken_winmail_dat_is_read_as_far_as_it_goes(length: int) -> None:
    tnef.read(winmail()[:length])


def test_uuencoded_files_leave_the_text() -> None:
    text, files = extract("Hello\nbegin 644 a.txt\n#86)C\n`\nend\nBye\n")

    assert text == "Hello\nBye\n"
    assert files == [("a.txt", b"abc")]
    assert extract("begin 644 is how it starts\nbut it is prose\nend\n")[1] == []


def test_flowed_text_is_joined_within_its_quote_depth() -> None:
    assert unflowed("one \ntwo\n> a \n> b\nc\n-- \nsig") == "one two\n> a b\nc\n-- \nsig"


HEAD = "From: a@example.test\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"


def parts(*pieces: str) -> bytes:
    body = "".join(f"--x\n{piece}\n" for piece in pieces)
    return f"{HEAD}{body}--x--\n".encode()


def test_pictures_that_apple_mail_put_into_the_text_stay_in_their_place() -> None:
    mail = parse(
        parts(
            "Content-Type: text/html\n\n<p>Before</p>",
            "Content-Type: image/png; name=p.png\nContent-Disposition: inline\n\nABC",
            "Content-Type: text/html\n\n<p>After</p>",
        )
    )

    picture = mail.attachments[0]
    assert picture.inline
    assert mail.html.index("Before") < mail.html.index(f"cid:{picture.content_id}") < mail.html.index("After")


def test_a_picture_is_inline_only_if_the_text_shows_it() -> None:
    mail = parse(
        parts(
            'Content-Type: text/html\n\n<img src="cid:shown@x">',
            "Content-Type: image/png\nContent-ID: <shown@x>\n\nA",
            "Content-Type: image/png\nContent-ID: <other@x>\n\nB",
        )
    )

    assert [file.inline for file in mail.attachments] == [True, False]


def test_invitations_signatures_and_forwarded_mails_are_files_with_names() -> None:
    mail = parse(
        parts(
            "Content-Type: text/plain\n\nhello",
            "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR",
            "Content-Type: application/pkcs7-signature; name=smime.p7s\n\nx",
            "Content-Type: message/rfc822\n\nFrom: b@example.test\nSubject: Old: news/2\n\nold",
            "Content-Type: text/plain; name=notes.txt\n\nnotes",
            "Content-Type: text/plain; name=notes.txt\n\nmore notes",
        )
    )

    assert mail.text == "hello"
    names = [file.filename for file in mail.attachments]
    assert names == ["invite.ics", "smime.p7s", "Old: news-2.eml", "notes.txt", "notes-1.txt"]


def test_a_head_that_lost_its_folds_is_mended() -> None:
    mail = parse(b"Received: from a\nby b with c\nFrom: a@example.test\nSubject: Hello\n\nbody")

    assert (mail.sender.address, mail.subject, mail.text) == ("a@example.test", "Hello", "body")


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        ("gb2312", "gb18030"), ("gb2312", "utf-8"), ("big5", "utf-8"), ("shift_jis", "utf-8"),
        ("utf-8", "gb18030"), ("us-ascii", "utf-8"), ("x-unknown", "utf-8"), ("undefined", "utf-8"),
        ("idna", "utf-8"), ("punycode", "gb18030"), ("utf-8\0", "utf-8"), ("iso-8859-1", "utf-8"), ("cp1258", "utf-8"),
    ],
)  # fmt: skip
def test_eight_bit_bodies_come_through_whatever_charset_they_declare(declared: str, used: str) -> None:
    text = "您好,我的订单还没有收到,请问什么时候发货?"
    head = f"From: a@example.test\nContent-Type: text/plain; charset={declared}\nContent-Transfer-Encoding: 8bit\n\n"

    mail = parse(head.encode() + text.encode(used))

    assert (mail.outcome.value, mail.text) == ("accepted", text)


def test_western_letters_in_a_body_that_says_utf8() -> None:
    head = b"From: a@example.test\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"

    assert parse(head + "Grüße aus Köln, die Lampe ist kaputt".encode("cp1252")).text.startswith("Grüße aus Köln")


SECRET = base64.encodebytes(b"sealed").decode()


@pytest.mark.parametrize(
    ("head", "body", "files"),
    [
        ("application/pkcs7-mime; smime-type=enveloped-data", SECRET, ["smime.p7m"]),
        ("application/pkcs7-mime; smime-type=signed-data; name=a.p7m", SECRET, ["a.p7m"]),
        (
            'multipart/signed; protocol="application/pkcs7-signature"; boundary=x',
            "--x\nContent-Type: text/plain\n\nhello\n--x\nContent-Type: application/pkcs7-signature\n\nsealed\n--x--\n",
            ["smime.p7s"],
        ),
        (
            'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=x',
            "--x\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n"
            "--x\nContent-Type: application/octet-stream; name=encrypted.asc\n\nsealed\n--x--\n",
            ["pgp-version.txt", "encrypted.asc"],
        ),
        (
            'multipart/signed; protocol="application/pgp-signature"; boundary=x',
            "--x\nContent-Type: text/plain\n\nhello\n--x\nContent-Type: application/pgp-signature\n\nsealed\n--x--\n",
            ["signature.asc"],
        ),
    ],
)
def test_sealed_and_signed_parts_are_kept_as_files(head: str, body: str, files: list[str]) -> None:
    encoding = "base64" if body == SECRET else "7bit"

    fields = f"From: a@example.test\nMIME-Version: 1.0\nContent-Type: {head}\nContent-Transfer-Encoding: {encoding}"
    mail = parse(f"{fields}\n\n{body}".encode())

    assert [file.filename for file in mail.attachments] == files
    assert mail.attachments[-1].content == b"sealed"
    assert mail.text == ("hello" if "signed;" in head else "")


def test_a_mail_attached_in_base64_is_read_though_no_mail_may_be() -> None:
    inner = base64.encodebytes(b"From: Anna <anna@example.test>\nSubject: Lamp\n\nbroken\n")
    raw = (
        b"From: lan@shop.test\nSubject: FW: Lamp\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n"
        b"--x\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + inner + b"--x--\n"
    )

    mail = parse(raw)

    assert mail.forwarded is not None
    assert (mail.forwarded.sender.address, mail.forwarded.text) == ("anna@example.test", "broken\n")
    assert [file.filename for file in mail.attachments] == ["Lamp.eml"]
