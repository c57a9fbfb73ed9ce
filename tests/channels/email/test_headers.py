"""Fields, addresses, charsets and files as mailers really write them."""

import pytest

from channels.email.addresslist import first_mailbox, mailboxes
from channels.email.charsets import decode
from channels.email.headers import decoded, parameters, parsed_date, safe_filename
from channels.email.parse import parse


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("=?utf-8?B?Q2jDoG8=?= =?utf-8?B?IGLhuqFu?=", "Chào bạn"),
        ("=?utf-8?B?4bq=?= =?utf-8?B?oQ==?=", "ạ"),  # one character in two words
        ("=?iso-8859-1?q?caf=E9_au_lait?= today", "café au lait today"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?iso-2022-jp?B?GyRCJDMkcxsoQg==?=", "こん"),
        ("=?windows-1258?q?Val=E9rie?=", "Valérie"),
        ("=?unknown-8bit?q?caf=C3=A9?=", "café"),
        ("=?x-nonsense?q?abc?=", "abc"),
        ("=?utf-8?q?two=0D=0ABcc=3A_x=40y=2Ez?=", "two Bcc: x@y.z"),
        ("plain\r\n folded", "plain folded"),
        ("caf\udcc3\udca9", "café"),
        ("caf\udce9", "café"),
        ("=?utf-8?B?broken", "=?utf-8?B?broken"),
    ],
)
def test_field_text(raw: str, text: str) -> None:
    assert decoded(raw) == text


@pytest.mark.parametrize(
    ("raw", "name", "address"),
    [
        ("Anna <anna@x.test>", "Anna", "anna@x.test"),
        ("anna@x.test (Anna Smith)", "Anna Smith", "anna@x.test"),
        ('"Smith, Anna" <anna@x.test>', "Smith, Anna", "anna@x.test"),
        ("Smith, Anna <anna@x.test>", "Smith, Anna", "anna@x.test"),
        ("=?utf-8?B?Tmd1eeG7hW4sIEFu?= <an@x.test>", "Nguyễn, An", "an@x.test"),
        ("'Anna' <anna@x.test>", "Anna", "anna@x.test"),
        ("<anna@x.test>anna@x.test", "", "anna@x.test"),
        ("anna@x.test www.x.test", "", "anna@x.test"),
        ('"anna@x.test" <anna@x.test>', "", "anna@x.test"),
        ("<mailto:anna@x.test>", "", "anna@x.test"),
        ('"unclosed <anna@x.test>', "unclosed", "anna@x.test"),
        ('"" (Mail Delivery System)', "Mail Delivery System", ""),
        ("Team: anna@x.test, bob@x.test;", "", "anna@x.test"),
        ("", "", ""),
    ],
)
def test_senders(raw: str, name: str, address: str) -> None:
    box = first_mailbox(raw)

    assert (box.name, box.address) == (name, address)


def test_lists_and_groups() -> None:
    found = mailboxes('Team: "A, B" <a@x.test>, b@x.test; c@x.test, undisclosed-recipients:;')

    assert [box.address for box in found if box.address] == ["a@x.test", "b@x.test", "c@x.test"]


@pytest.mark.parametrize(
    ("data", "label", "text"),
    [
        ("Chào bạn".encode(), "us-ascii", "Chào bạn"),
        ("Chào bạn".encode(), "iso-8859-1", "Chào bạn"),
        ("žluťoučký".encode("cp1250"), "windows-1250", "žluťoučký"),
        (b"\x1b$B-!\x1b(B", "iso-2022-jp", "①"),
        (b"a\x00b", "utf-8", "ab"),
        (b"+2AA-x", "utf-7", "\ufffdx"),
        ("Xin chào Việt Nam".encode("utf-16"), "", "Xin chào Việt Nam"),
        (b"abc", "rot13", "abc"),
        (b"abc", "punycode", "abc"),
    ],
)
def test_charsets(data: bytes, label: str, text: str) -> None:
    assert decode(data, label) == text


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename*=utf-8''H%C3%B3a%20%C4%91%C6%A1n.pdf", "Hóa đơn.pdf"),
        ("attachment; filename*0*=utf-8''H%C3%B3a; filename*1*=%20don.pdf", "Hóa don.pdf"),
        ('attachment; filename="=?utf-8?B?SMOzYSDEkcahbi5wZGY=?="', "Hóa đơn.pdf"),
        ("attachment; filename=../../etc/passwd", "passwd"),
        ('attachment; filename="C:\\\\temp\\\\x.doc"', "x.doc"),
    ],
)
def test_file_names(raw: str, name: str) -> None:
    assert safe_filename(parameters(raw)[1]["filename"]) == name


def test_dates_are_utc_or_absent() -> None:
    assert str(parsed_date("Mon, 02 Nov 2026 08:59:00 +0700 (ICT)")) == "2026-11-02 01:59:00+00:00"
    assert parsed_date("yesterday") is None
    assert parsed_date("Mon, 99 Nov 99999 99:99:99 +9999") is None


def test_missing_fields_are_no_reason_to_refuse() -> None:
    mail = parse(b"X: y\n\nhello")

    assert (mail.outcome, mail.sender.address, mail.subject, mail.text) == ("accepted", "", "", "hello")
