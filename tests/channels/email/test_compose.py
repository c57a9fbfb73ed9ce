"""Outgoing mail: no injected field, proper threading, and HTML that mail programs show."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.addresses import tagged_address, ticket_of
from channels.email.compose import Letter, composed, reply_subject
from channels.email.parse import parse
from tests.conftest import NOW

KEY = b"k" * 32


def written(**values: Any) -> EmailMessage:
    letter = Letter(
        **{
            "message_id": "1@shop.test",
            "sender_name": "Shop",
            "sender_address": "support@shop.test",
            "to_name": "Anna",
            "to_address": "anna@example.test",
            "subject": "Hello",
            "text": "Hi",
            "date": NOW,
            **values,
        }
    )
    message = message_from_bytes(composed(letter), policy=default)
    assert isinstance(message, EmailMessage)
    return message


@given(st.text(max_size=200), st.text(max_size=60))
def test_nothing_a_stranger_wrote_becomes_a_field(subject: str, name: str) -> None:
    mail = written(
        subject=f"{subject}\r\nBcc: eve@evil.test", to_name=f"{name}\nX-Evil: 1", references=["a\r\nX-Evil: 1@x"]
    )

    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert mail["To"].addresses[0].addr_spec == "anna@example.test"


@pytest.mark.parametrize("address", ["anna", "anna@", "a b@x.test", "anna@x.test\r\nBcc: eve@evil.test"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError):
        written(to_address=address)


def test_long_threads_keep_their_first_and_latest_references() -> None:
    mail = written(references=[f"{number}@x" for number in range(100)])

    ids = mail["References"].split()
    assert (ids[0], ids[-1], len(ids)) == ("<0@x>", "<99@x>", 20)
    assert mail["In-Reply-To"] == "<99@x>"


def test_text_is_escaped_and_links_are_made() -> None:
    html = written(text="<b>1 & 2</b> see https://x.test/?a=1&b=2.").get_body(("html",)).get_content()

    assert "&lt;b&gt;1 &amp; 2&lt;/b&gt;" in html
    assert 'href="https://x.test/?a=1&amp;b=2"' in html
    assert '<p style="margin: 0 0 12px;">' in html


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [("My order", "Re: My order [#100]"), ("Re: AW: My order [#100]", "Re: My order [#100]"), ("", "Re:  [#100]")],
)
def test_the_subject_carries_the_number_once(subject: str, wanted: str) -> None:
    assert reply_subject(subject, 100) == wanted


def test_our_own_automatic_mail_is_recognised_when_it_comes_back() -> None:
    returned = parse(bytes(written(automatic=True)))

    assert (returned.outcome, returned.reason) == ("suppressed", "own_mail")


def test_a_signed_address_survives_case_and_counts_for_its_mailbox_only() -> None:
    tagged = tagged_address(KEY, "support@shop.test", 7)

    assert ticket_of(KEY, "support@shop.test", [tagged.upper()]) == 7
    assert ticket_of(KEY, "sales@shop.test", [tagged]) is None
    assert ticket_of(b"x" * 32, "support@shop.test", [tagged]) is None
    assert ticket_of(KEY, "support@shop.test", [tagged.replace("+7.", "+8.")]) is None
    assert len(tagged.partition("@")[0]) <= 64
