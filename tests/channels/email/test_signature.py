"""Signatures: what placeholders and markup become, what is refused, and how a quoted one is read again."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email import markup
from channels.email.compose import Letter, composed
from channels.email.htmltext import html_lines
from channels.email.parse import parse
from channels.email.signature import Signature, check, facts_of, first_name, is_signed, signature_of
from channels.email.visible import split_lines, split_text
from contact_center.core.errors import Invalid
from tests.conftest import NOW

FACTS = facts_of(agent="Anna Berg", queue="Orders", company="Harbor & Co", mailbox="support@shop.test", number=101)
TEMPLATE = "**{{agent.name}}**, {{queue.name}}\n[Track it](https://shop.test/{{ticket.number}})"


def parts(**values: Any) -> tuple[str, str]:
    """The text and the HTML of a mail."""
    given_ = {
        "message_id": "1@shop.test",
        "sender_name": "Shop",
        "sender_address": "support@shop.test",
        "to_name": "Mai",
        "to_address": "mai@example.test",
        "subject": "Hello",
        "text": "It ships today.",
        "date": NOW,
        "signature": signature_of(TEMPLATE, FACTS),
        "footer": "Your matter has the number #101.",
        **values,
    }
    message = message_from_bytes(composed(Letter(**given_)), policy=default)
    assert isinstance(message, EmailMessage)
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def test_a_template_becomes_html_and_its_plain_twin() -> None:
    made = signature_of(TEMPLATE, FACTS)
    assert made.text == "Anna Berg, Orders\nTrack it (https://shop.test/101)"
    assert made.html == '<strong>Anna Berg</strong>, Orders<br>\n<a href="https://shop.test/101">Track it</a>'
    assert signature_of(" \r\n", FACTS) == Signature("", "")


def test_numbers_and_addresses_are_said_once() -> None:
    made = signature_of("[Call us](tel:+84281234)\n[shop.test](https://shop.test)\n{{mailbox}}", FACTS)
    assert made.text == "Call us (+84281234)\nshop.test\nsupport@shop.test"
    assert '<a href="mailto:support@shop.test">support@shop.test</a>' in made.html


def test_names_are_never_markup() -> None:
    facts = {**FACTS, "agent.name": "**x** <b>[y](https://evil.test)"}
    made = signature_of("{{agent.name}} [z](javascript:alert(1))", facts)
    assert "<strong>" not in made.html
    assert "&lt;b&gt;" in made.html
    assert 'href="javascript' not in made.html
    assert 'href="https://evil.test"' in made.html  # The bare address, as anywhere.
    assert made.text == "**x** <b>[y](https://evil.test) [z](javascript:alert(1))"


@pytest.mark.parametrize(
    ("name", "called"), [("Anna Berg", "Anna"), ("Nguyễn Thị Lan", "Lan"), ("Đỗ An", "An"), ("", "")]
)
def test_people_are_called_by_their_own_name(name: str, called: str) -> None:
    assert first_name(name) == called


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{agent.phone}}", "“{{agent.phone}}” is no placeholder. Possible are: {{agent.name}}, "),
        ("{{Agent.Name}}", "“{{Agent.Name}}” is no placeholder"),
        ("{{agent.name", "A placeholder begins with {{ and ends with }}"),
        ("{{agent.\nname}}", "A placeholder begins with {{ and ends with }}"),
    ],
)
def test_what_cannot_be_filled_is_refused(template: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(template)
    assert said in refused.value.detail
    assert check("{{ agent.name }} {queue}") == "{{ agent.name }} {queue}"


@given(st.text(max_size=300))
def test_no_template_breaks_out_of_its_html(template: str) -> None:
    made = signature_of(template, FACTS)
    for tag in ("<strong>", "</strong>", "<br>", "</a>"):
        made = Signature(made.text, made.html.replace(tag, ""))
    assert made.html.count("<") == made.html.count('<a href="')


def test_it_stands_below_the_words_in_both_parts() -> None:
    text, html = parts()
    assert text.replace("\r\n", "\n").startswith("It ships today.\n\n-- \nAnna Berg, Orders\nTrack it (")
    assert html.index("It ships today.") < html.index("<strong>Anna Berg</strong>") < html.index("Your matter")


def test_it_is_not_said_twice() -> None:
    signature = signature_of("{{agent.name}}\n{{company}}", FACTS)
    assert is_signed("It ships.\n\nAnna Berg\n  Harbor & Co ", signature)
    assert not is_signed("Anna Berg\nHarbor & Co wrote to me.", signature)
    text, html = parts(text="It ships.\n\nAnna Berg\nHarbor & Co", signature=signature)
    assert (text.count("Anna Berg"), html.count("Anna Berg")) == (1, 1)


def test_our_own_reader_folds_signature_and_footer() -> None:
    text, html = parts()
    for found in (split_text(text.replace("\r\n", "\n")), split_lines(html_lines(html))):
        assert found.reply == "It ships today."
        assert "Anna Berg" in found.quoted
        assert "#101" in found.quoted


ANSWERS = {
    "gmail": '<div>Thanks!</div><div class="gmail_quote"><div class="gmail_attr">On Mon, 2 Nov 2026 at 09:00, Anna &lt;'
    'support@shop.test&gt; wrote:<br></div><blockquote class="gmail_quote">{html}</blockquote></div>',
    "outlook": '<div>Thanks!</div><div id="divRplyFwdMsg">From: Anna</div>{prefixed}',
    "apple": '<div>Thanks!</div><blockquote type="cite">{html}</blockquote>',
    "no quote at all": "<div>Thanks!</div>{prefixed}",
}


@pytest.mark.parametrize("program", ANSWERS)
def test_a_quoted_signature_is_folded(program: str) -> None:
    _, html = parts(text="")
    body = ANSWERS[program].format(html=html, prefixed=html.replace('class="cc-', 'class="x_cc-'))
    mail = EmailMessage(policy=default)
    mail["From"], mail["To"], mail["Subject"] = "mai@example.test", "support@shop.test", "Re: Hello [#101]"
    mail["Message-ID"] = "<a@example.test>"
    mail.set_content(body, subtype="html")
    assert parse(mail.as_bytes()).reply_text == "Thanks!"


def test_words_keep_their_indents_and_addresses_their_brackets() -> None:
    made = markup.paragraphs("See (https://x.test/a_(b)).\n  - one\n\n\nMail lan@shop.test, or www.shop.test!")
    assert made == (
        '<p>See (<a href="https://x.test/a_(b)">https://x.test/a_(b)</a>).<br>\n&nbsp;&nbsp;- one</p>'
        '<p>Mail <a href="mailto:lan@shop.test">lan@shop.test</a>, or '
        '<a href="https://www.shop.test">www.shop.test</a>!</p>'
    )


def test_vietnamese_leaves_composed_and_dark_screens_have_a_rule() -> None:
    text, html = parts(text="Chào bạn", locale="vi")
    assert "Chào bạn" in text
    assert "Chào bạn" in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert html.count("<style>") == 1
    assert 'class="cc-footer" style="' in html
